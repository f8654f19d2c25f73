"""Strip the skulls of a chunk of resampled scans without HD-BET, which has scripts of its own."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from brainuad.images.geometry import background_of, border_of, bounding_box, head_mask
from brainuad.images.volumes import Volume, read_labels, read_volume
from brainuad.io import job
from brainuad.io.errors import ScanError, SettingsError
from brainuad.preprocessing.chunks import keep, process_chunk
from brainuad.preprocessing.registration import carry_brain_mask
from brainuad.preprocessing.skull import strip_scan

# Fraction of the intensity of bright tissue, which is the 99th percentile above the background.
NOISE = 0.01
# Fraction of the border that must be background: a brain may fill much of a tight box.
SMALLEST_SHARE = 0.25
# Fraction of its bounding box that a brain fills: an ellipsoid fills .52, a slab of it up to .79.
LARGEST_FILLING = 0.9


def main(
    *,
    scans: Path,
    output: Path,
    brain_masks: Path,
    method: str,
    head_template: Path | None,
    head_brain_mask: Path | None,
    children: Sequence[str] = (),
) -> None:
    """Write masked image, brain mask and lesions of each scan of the chunk; keep the brain masks.

    Scans that are not named in `children` must have the brain volume of an adult.
    """
    if method not in ("template", "none"):
        raise SettingsError(f"skull_stripping: {method!r}: strip_skull takes template or none")
    if method == "none":
        mask_of = mask_of_stripped
    elif head_template is None or head_brain_mask is None:
        raise SettingsError("skull_stripping: template needs head_template with its brain mask")
    else:
        head = read_volume(head_template)
        brain_mask = read_labels(head_brain_mask, expected=(1,), grid=head)
        mask_of = partial(carry_brain_mask, head=head, brain_mask=brain_mask)
    process_chunk(
        scans,
        output,
        stage="stripped",
        process=partial(strip_scan, mask_of=mask_of, children=children),
    )
    keep(output, "brain_mask.nii.gz", brain_masks)


def mask_of_stripped(scan: Volume) -> np.ndarray:
    """The brain mask of a scan that comes stripped, uint8.

    Raises ScanError if the border of the scan is not a background of one value and noise, or if
    what is above it is a box.
    """
    # ASSUME: a data set that comes stripped needs no brain masks: the largest component above the
    # background is the brain. The background is the value of most of the border; border voxels that
    # differ from it by less than a hundredth of bright tissue are its noise.
    border = border_of(scan.data)
    for background in (background_of(scan.data), float(np.median(border))):
        tissue = np.percentile(abs(scan.data - background), 99)
        distance = abs(border - background)
        noise = distance[distance <= NOISE * tissue]
        if len(noise) >= SMALLEST_SHARE * len(border):
            mask = head_mask(scan.data, above=background + noise.max())
            if (filling := mask[bounding_box(mask, keep_last_slice=True)].mean()) > LARGEST_FILLING:
                raise ScanError(
                    f"what is brighter than the border of the scan fills {filling:.0%} of a box, "
                    "so it is no brain; set the background to 0, or skull_stripping of its data "
                    "set to hdbet or template"
                )
            return mask
    raise ScanError(
        "the border of the scan has no single value, so it does not seem to be stripped; "
        "set skull_stripping of its data set to hdbet or template"
    )


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        head, brain_mask = snakemake.params.head_template or (None, None)
        main(
            scans=Path(snakemake.input.scans),
            output=Path(snakemake.output.scans),
            brain_masks=Path(snakemake.output.brain_masks),
            head_template=head,
            head_brain_mask=brain_mask,
            method=snakemake.params.method,
            children=snakemake.params.children,
        )
