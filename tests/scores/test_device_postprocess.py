"""The maps of the device equal scipy's and those of the rules without PyTorch, bit for bit."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.scores import device_postprocess, postprocess

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


@pytest.fixture(params=DEVICES)
def device(request) -> torch.device:
    return torch.device(request.param)


def settings(*order: str, erosion: int = 3, size: int = 5) -> PostprocessingSettings:
    return PostprocessingSettings(
        order=order, erosion_iterations=erosion, median_size=size, minimum_component=1
    )


def scans(shape: tuple[int, int, int], count: int = 3) -> tuple[np.ndarray, ...]:
    """Scores of volumes whose brains grow; the last is all brain, and the scores hold ties."""
    generator = np.random.default_rng(sum(shape))
    axes = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    distance = sum(axis**2 for axis in axes)
    brains = np.stack([distance < limit for limit in np.linspace(0.8, 3.1, count)])
    images = generator.random((count, *shape), dtype=np.float32) * brains
    reconstructions = generator.random((count, *shape), dtype=np.float32)
    reconstructions[:, ::2] = np.round(images[:, ::2] * 8) / 8
    return np.abs(images - reconstructions), brains


def by_scipy(scores, brain, chosen: PostprocessingSettings) -> np.ndarray:
    mask = brain
    if chosen.erosion_iterations:
        cross = ndimage.generate_binary_structure(2, 1)[None]
        mask = ndimage.binary_erosion(brain, cross, chosen.erosion_iterations)
    for step in chosen.order:
        if step == "erosion":
            scores = np.where(mask, scores, np.float32(0))
        else:
            scores = ndimage.median_filter(scores, chosen.median_size)
    return scores


@pytest.mark.parametrize("shape", [(9, 17, 14), (2, 15, 3), (1, 8, 9)])
@pytest.mark.parametrize("erosion", [0, 1, 3])
@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("order", ["erosion median", "median erosion", "median", "erosion", ""])
def test_maps_equal_those_without_pytorch_and_scipys(order, size, erosion, shape, device):
    chosen = settings(*order.split(), erosion=erosion, size=size)
    for volume in zip(*scans(shape), strict=True):
        found = device_postprocess.anomaly_map(*volume, chosen, device)
        assert found.dtype == np.float32
        assert found.tobytes() == postprocess.anomaly_map(*volume, chosen).tobytes()
        assert found.tobytes() == by_scipy(*volume, chosen).tobytes()


def test_windows_come_in_blocks(monkeypatch, device):
    volume = np.random.default_rng(0).random((7, 9, 8), dtype=np.float32)
    # Ten windows of 27 values at a time; 504 are not a multiple.
    monkeypatch.setattr(device_postprocess, "BYTES_AT_A_TIME", 10 * 16 * 27)
    filtered = device_postprocess.median_filtered(torch.from_numpy(volume).to(device), 3)
    assert filtered.cpu().numpy().tobytes() == ndimage.median_filter(volume, 3).tobytes()


def test_deterministic_kernels_can_be_asked_for(device):
    scores, brains = scans((6, 12, 10), count=1)
    chosen = settings("erosion", "median", erosion=1)
    expected = device_postprocess.anomaly_map(scores[0], brains[0], chosen, device)
    torch.use_deterministic_algorithms(True)
    try:
        found = device_postprocess.anomaly_map(scores[0], brains[0], chosen, device)
    finally:
        torch.use_deterministic_algorithms(False)
    assert found.tobytes() == expected.tobytes()


def test_a_volume_without_brain_scores_nothing(device):
    scores, brains = scans((6, 12, 10), count=1)
    chosen = settings("erosion", "median")
    nothing = np.zeros_like(brains[0])
    assert not device_postprocess.anomaly_map(scores[0], nothing, chosen, device).any()


def test_bad_volumes_are_refused(device):
    (scores,), (brain,) = scans((6, 12, 10), count=1)
    chosen = settings("median")
    with pytest.raises(ValueError, match=r"\(6, 12, 10\).*\(2, 12, 10\)"):
        device_postprocess.anomaly_map(scores, brain[:2], chosen, device)
    with pytest.raises(ValueError, match="float64"):
        device_postprocess.anomaly_map(scores.astype(float), brain, chosen, device)
    scores[2, 3, 4] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        device_postprocess.anomaly_map(scores, brain, chosen, device)
