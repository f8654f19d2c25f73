"""LPIPS of volumes: the distance of two scans in features of a network for medical volumes.

The paper uses a ResNet of Med3D (Chen et al. 2019, arXiv 1904.00625; its code is MedicalNet). The
distance is that of MONAI's MedicalNetPerceptualSimilarity, after Zhang et al. 2018 (LPIPS).
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from monai.networks.nets.resnet import ResNetFeatures
from torch import Tensor, nn

from brainuad.io.errors import SettingsError
from brainuad.io.formats import what_pointer_file

NETWORKS = ("resnet10", "resnet50")
ADVICE = "give the unchanged resnet_10_23dataset.pth or resnet_50_23dataset.pth of MedicalNet"
# MedicalNet does not halve the resolution in its last two layers, but dilates their kernels, which
# the weights do not show. MONAI's network with the same names and shapes halves it.
DILATIONS = {"layer3": 2, "layer4": 4}
# Avoids a division by 0 for a feature vector of zeros.
EPSILON = 1e-10


def load_network(path: Path, device: torch.device) -> nn.Module:
    """The network of a checkpoint of MedicalNet, on a device; no code in the file is run.

    The network is recognized by names and shapes of the weights. Raises SettingsError for another
    file, and for weights that are not exactly those of a network.
    """
    state = _read_state(path)
    for name in NETWORKS:
        network = ResNetFeatures(name, pretrained=False)
        if _shapes(network.state_dict()) == _shapes(state):
            network.load_state_dict(state, strict=True)
            _dilate(network)
            return network.to(device).eval().requires_grad_(False)
    raise SettingsError(f"{path}: weights of neither {' nor '.join(NETWORKS)}; {ADVICE}")


def perceptual_distance(network: nn.Module, image: np.ndarray, reconstruction: np.ndarray) -> float:
    """LPIPS of two volumes [S, H, W]; 0 for equal ones, NaN if one of them is constant.

    It is the mean over positions of the squared difference of their unit feature vectors.
    """
    device = next(network.parameters()).device
    # ASSUME: only the features of the last layer count, and all positions of the volume equally, as
    # in MONAI; volumes have the axes of slice stacks, [z, x, y]. The paper only names Med3D and
    # ResNet.
    with torch.inference_mode():
        first, second = (
            _features(network, torch.from_numpy(volume).to(device))
            for volume in (image, reconstruction)
        )
        return float((first - second).square().sum(dim=1).mean())


def _features(network: nn.Module, volume: Tensor) -> Tensor:
    """Feature vectors of length 1, [1, C, S / 8, H / 8, W / 8], of a volume of any intensities."""
    values = volume.float()[None, None]
    features = network((values - values.mean()) / values.std())[-1]
    return features / (features.square().sum(dim=1, keepdim=True) + EPSILON).sqrt()


def _read_state(path: Path) -> dict[str, Tensor]:
    # Many exceptions are possible, and in any case the user can only give another file.
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        state = content["state_dict"].items()
        # The prefix is from training on several GPUs.
        return {name.removeprefix("module."): value.detach() for name, value in state}
    except Exception as error:
        if pointer := what_pointer_file(path):
            raise SettingsError(f"{path}: {pointer}") from None
        reason = " ".join(str(error).split())[:200]
        raise SettingsError(
            f"{path}: cannot be read as weights of MedicalNet ({type(error).__name__}: {reason}); "
            f"{ADVICE}"
        ) from error


def _shapes(state: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    """The shapes of all weights, without the norms' counts of batches, which old torch lacks."""
    return {
        name: value.shape
        for name, value in state.items()
        if not name.endswith("num_batches_tracked")
    }


def _dilate(network: nn.Module) -> None:
    """Change the last layers of MONAI's network to those of MedicalNet."""
    for name, dilation in DILATIONS.items():
        for module in getattr(network, name).modules():
            if isinstance(module, nn.Conv3d):
                module.stride = (1, 1, 1)
                if module.kernel_size == (3, 3, 3):
                    module.dilation = module.padding = (dilation,) * 3
