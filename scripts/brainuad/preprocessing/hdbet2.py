"""HD-BET 2, the nnU-Net that followed HD-BET 1: brain masks of heads in any modality."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from brainuad.compute.device import prepare_device
from brainuad.config.device import DeviceSettings
from brainuad.images.volumes import Volume
from brainuad.io import job
from brainuad.io.errors import ScanError, SettingsError


def load_predictor(
    weights: Path, *, device: DeviceSettings, threads: int, mirroring: bool | None
) -> Any:
    """HD-BET's own predictor (an nnUNetPredictor) with the weights of a folder, on one device.

    weights    the folder that fetch_hdbet_weights writes; nothing is downloaded
    device     HD-BET chooses the precision itself: half precision on a GPU
    mirroring  take the mean over eight mirrored scans; None for only on a GPU

    Raises SettingsError for a device that is missing and for weights that do not fit their plans.
    """
    chosen = prepare_device(device, threads).torch
    if mirroring is None:
        mirroring = device.name == "cuda"
    # nnU-Net reads it when it is imported, and sets torch's threads to it for each scan.
    os.environ.update(nnUNet_def_n_proc=str(threads))
    from HD_BET import hd_bet_prediction

    # By default the package downloads its weights to the home directory.
    hd_bet_prediction.folder_with_parameter_files = str(weights)
    # ASSUME: everything else is as in HD-BET (tiles that overlap by half, Gaussian weights), and
    # the mask is not changed, as by HD-BET's own program.
    try:
        predictor = hd_bet_prediction.get_hdbet_predictor(use_tta=mirroring, device=chosen)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise SettingsError(
            f"{weights}: HD-BET cannot be built from these weights ({type(error).__name__}: "
            f"{reason}); remove the folder, and take another release"
        ) from error
    # HD-BET has changed both: to all cores of the machine, and on a GPU to the algorithm that is
    # the fastest at that moment, so that masks would differ from run to run.
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = not device.deterministic
    predictor.allow_tqdm = False
    job.log(f"HD-BET 2 on {chosen}, {threads} threads, mirroring: {mirroring}")
    return predictor


def find_brain(scan: Volume, *, predictor: Any) -> np.ndarray:
    """Brain mask of a scan in RAS order, uint8 [X, Y, Z]; raises ScanError if it is empty."""
    # nnU-Net takes the axes in SimpleITK's order: the last axis of NIfTI first. For a file in RAS
    # order all its readers, even the one that reorients, give these arrays.
    head = scan.data.transpose(2, 1, 0)[np.newaxis]
    labels = predictor.predict_single_npy_array(head, {"spacing": scan.spacing[::-1].tolist()})
    mask = np.ascontiguousarray(labels.transpose(2, 1, 0) > 0)
    if not mask.any():
        raise ScanError("HD-BET finds no brain; check the scan, its contrast and its orientation")
    return mask.astype(np.uint8)
