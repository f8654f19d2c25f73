"""Skull stripping: what is written, and how HD-BET 2 is driven; its real run is a workflow test."""

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
import torch

import strip_skull
import strip_skull_with_hdbet2
from brainuad.config.device import DeviceSettings
from brainuad.config.settings import settings_from
from brainuad.images.volumes import Volume, write_volume
from brainuad.io.errors import ScanError, SettingsError
from brainuad.preprocessing.chunks import read_left_out
from brainuad.preprocessing.hdbet2 import find_brain, load_predictor
from brainuad.preprocessing.resampling import Resampling
from brainuad.preprocessing.skull import check_brain_volume, strip_scan

# Turned by the angle whose cosine is .8, voxels of 18 x 19 x 20 mm, so that few make a brain.
AFFINE = np.array([[14.4, 0, 12, -9], [0, 19, 0, 5], [-10.8, 0, 16, 7], [0, 0, 0, 1.0]])
SHAPE = (5, 6, 7)
FP32 = {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True}
PROCESSOR = settings_from(DeviceSettings, FP32)


def head() -> Volume:
    """Every voxel has a value of its own."""
    return Volume(1 + np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE), AFFINE)


def brain() -> np.ndarray:
    """A box without symmetry, of 616 ml."""
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[1:4, 1:6, :6] = 1
    return mask


def write_scan(folder: Path) -> Path:
    write_volume(head(), folder / "image.nii.gz")
    lesions = np.zeros(SHAPE, dtype=np.uint8)
    lesions[0, 0, 0], lesions[1, 2, 3] = 1, 2
    write_volume(Volume(lesions, AFFINE), folder / "lesions.nii.gz")
    return folder


def write_chunk(folder: Path, *subjects: str) -> Path:
    for subject in subjects:
        write_scan(folder / subject)
    (folder / "left_out.tsv").write_text("scan\tstage\treason\n")
    return folder


def values(path: Path) -> np.ndarray:
    return np.asarray(nib.load(path).dataobj)


def test_outside_the_mask_the_image_is_0_and_lesions_stay(tmp_path):
    strip_scan(write_scan(tmp_path / "in"), tmp_path / "out", mask_of=lambda scan: brain())
    image = values(tmp_path / "out/image.nii.gz")
    np.testing.assert_array_equal(image, head().data * brain())
    np.testing.assert_array_equal(values(tmp_path / "out/brain_mask.nii.gz"), brain())
    lesions = values(tmp_path / "out/lesions.nii.gz")
    assert (lesions[0, 0, 0], lesions[1, 2, 3], lesions.sum()) == (1, 2, 3)
    expected = nib.load(tmp_path / "in/image.nii.gz")
    for name in ("image", "brain_mask", "lesions"):
        found = nib.load(tmp_path / f"out/{name}.nii.gz")
        np.testing.assert_array_equal(found.affine, expected.affine)
        assert found.header.get_zooms() == expected.header.get_zooms()


@pytest.mark.parametrize(
    ("method", "line"), [("hdbet", "takes template or none"), ("template", "needs head_template")]
)
def test_methods_that_cannot_run_are_refused(tmp_path, method, line):
    with pytest.raises(SettingsError, match=line):
        strip_skull.main(
            scans=tmp_path,
            output=tmp_path / "out",
            brain_masks=tmp_path / "masks",
            method=method,
            head_template=None,
            head_brain_mask=None,
        )


@pytest.mark.parametrize(
    ("taken", "line"),
    [
        # Of 90 voxels of 6.84 ml 15 or 3 are cut off.
        (np.s_[1:4, 1:6, 5], "the brain mask of 513 ml is outside 600 to 2500 ml"),
        (np.s_[1:2, 1:4, 5], "the brain mask of 595 ml is outside 600 to 2500 ml"),
    ],
)
def test_a_brain_too_small_for_an_adult_is_left_out(tmp_path, taken, line):
    mask = brain()
    mask[taken] = 0
    source = write_scan(tmp_path / "in")
    with pytest.raises(ScanError, match=line):
        strip_scan(source, tmp_path / "out", mask_of=lambda scan: mask)
    strip_scan(source, tmp_path / "out", mask_of=lambda scan: mask, children=["in"])
    np.testing.assert_array_equal(values(tmp_path / "out/brain_mask.nii.gz"), mask)


def test_a_box_taken_for_a_brain_is_left_out():
    box = Volume(np.ones((10, 10, 26), np.uint8), np.diag([10.0, 10, 10, 1]))
    with pytest.raises(ScanError, match="the brain mask of 2600 ml is outside"):
        check_brain_volume(box)


BALL = np.linalg.norm(np.indices((21, 21, 21)) - 10, axis=0) < 7
TISSUE = np.where(BALL, 300 + 10 * np.indices(BALL.shape)[0], 0).astype(np.float32)
JITTER = np.random.default_rng(0).uniform(-1, 1, BALL.shape).astype(np.float32)
BACKGROUNDS = {
    "0": TISSUE,
    "a little below 0": TISSUE / 500 - np.float32(0.004),
    "a little above 0": TISSUE / 500 + np.float32(0.02),
    "16, tissue moved too": TISSUE + 16,
    "16 in place of 0": np.where(BALL, TISSUE, 16),
    "noise about 0": np.where(BALL, TISSUE, JITTER),
    "noise about 16": np.where(BALL, TISSUE, 16 + JITTER),
    "brain up to the border": TISSUE[4:, 4:-4, 4:-4] + 16,
}


@pytest.mark.parametrize("scan", BACKGROUNDS.values(), ids=BACKGROUNDS.keys())
def test_brain_of_a_stripped_scan_whatever_its_background(scan):
    expected = BALL if scan.shape == BALL.shape else BALL[4:, 4:-4, 4:-4]
    mask = strip_skull.mask_of_stripped(Volume(scan, np.eye(4)))
    np.testing.assert_array_equal(mask, expected)


def test_scan_that_does_not_come_stripped_is_left_out():
    everywhere = 300 + 200 * np.random.default_rng(0).random((12, 12, 12), dtype=np.float32)
    with pytest.raises(ScanError, match="does not seem to be stripped"):
        strip_skull.mask_of_stripped(Volume(everywhere, np.eye(4)))


SLOPE = 20 * np.indices(BALL.shape, dtype=np.float32)[0] / BALL.shape[0]


@pytest.mark.parametrize(
    "scan",
    [np.pad(np.where(BALL, TISSUE, 16), 3), np.pad(np.where(BALL, TISSUE, 3 + SLOPE), 3)],
    ids=["zeros around a background of 16", "zeros around a slope"],
)
def test_box_of_two_backgrounds_is_no_brain(scan):
    with pytest.raises(ScanError, match="fills 100% of a box, so it is no brain"):
        strip_skull.mask_of_stripped(Volume(scan.astype(np.float32), np.eye(4)))


def test_background_of_a_stripped_scan_survives_resampling(tmp_path):
    scan = Volume(np.where(BALL, TISSUE, 16).astype(np.float32), np.diag([3.0, 3, 3, 1]))
    write_volume(scan, tmp_path / "scan.nii.gz")
    row = {"t1": str(tmp_path / "scan.nii.gz"), "seg": ""}
    resampling = Resampling(
        modality="t1", spacing=2.0, lesion_labels=[1], ignored_labels=[], lesions_on_own_grid=False
    )
    image, _ = resampling.scan(row)
    # 4/3 pi 7^3 voxels of 27 mm3, known to the half of a voxel at the rim.
    mask = strip_skull.mask_of_stripped(image)
    assert 8 * mask.sum() == pytest.approx(27 * BALL.sum(), rel=0.03)
    assert set(np.unique(image.data[mask == 0])) == {16}


class Predictor:
    """Stands in for nnU-Net's: counts in its order, and finds what `rule` says."""

    def __init__(self, rule):
        self.rule = rule

    def predict_single_npy_array(self, image: np.ndarray, properties: dict) -> np.ndarray:
        assert image.shape == (1, *SHAPE[::-1])
        np.testing.assert_allclose(properties["spacing"], nib.affines.voxel_sizes(AFFINE)[::-1])
        return self.rule(image[0]).astype(np.uint8)


def test_mask_lies_where_hdbet_saw_the_brain():
    wanted = head().data[brain() > 0]
    mask = find_brain(head(), predictor=Predictor(lambda image: np.isin(image, wanted)))
    np.testing.assert_array_equal(mask, brain())
    assert mask.dtype == np.uint8
    assert mask.flags.c_contiguous


def test_empty_mask_is_an_error_of_the_scan():
    with pytest.raises(ScanError, match="finds no brain"):
        find_brain(head(), predictor=Predictor(np.zeros_like))


@pytest.fixture
def package(monkeypatch) -> SimpleNamespace:
    """A stand-in for the HD-BET package, which sets torch's threads as the real one does."""
    asked = SimpleNamespace(rule=lambda image: image > 100, error=None)
    module = ModuleType("HD_BET.hd_bet_prediction")
    module.folder_with_parameter_files = "~/hd-bet_params"

    def get_hdbet_predictor(**options):
        if asked.error:
            raise asked.error
        asked.options = options
        asked.folder = module.folder_with_parameter_files
        torch.set_num_threads(2)
        return Predictor(asked.rule)

    module.get_hdbet_predictor = get_hdbet_predictor
    parent = ModuleType("HD_BET")
    parent.hd_bet_prediction = module
    monkeypatch.setitem(sys.modules, "HD_BET", parent)
    monkeypatch.setitem(sys.modules, "HD_BET.hd_bet_prediction", module)
    monkeypatch.setenv("nnUNet_def_n_proc", "8")
    threads = torch.get_num_threads()
    yield asked
    torch.set_num_threads(threads)


def strip(folder: Path, output: Path, **changes) -> None:
    options = {"device": FP32, "mirroring": None, "threads": 1} | changes
    strip_skull_with_hdbet2.main(
        scans=folder,
        weights=folder.parent / "hdbet",
        output=output,
        brain_masks=output.with_name("masks"),
        **options,
    )


def test_chunk_goes_through_one_predictor_and_a_failed_scan_leaves_the_others(tmp_path, package):
    chunk = write_chunk(tmp_path / "in", "a", "b", "c")
    (chunk / "b" / "image.nii.gz").write_bytes(b"")
    strip(chunk, tmp_path / "out")
    assert package.folder == str(tmp_path / "hdbet")
    assert package.options == {"use_tta": False, "device": torch.device("cpu")}
    assert torch.get_num_threads() == 1
    left_out = read_left_out(tmp_path / "out")
    assert [row[:2] for row in left_out] == [("b", "stripped")]
    for subject in ("a", "c"):
        mask = values(tmp_path / f"out/{subject}/brain_mask.nii.gz")
        np.testing.assert_array_equal(mask, head().data > 100)


def test_threads_of_nnunet_are_those_of_the_rule(tmp_path, package, monkeypatch):
    counts = []
    monkeypatch.setattr(torch, "set_num_threads", counts.append)
    load_predictor(tmp_path, device=PROCESSOR, threads=3, mirroring=True)
    assert counts[-1] == 3
    assert os.environ["nnUNet_def_n_proc"] == "3"  # noqa: SIM112
    assert package.options["use_tta"] is True


def test_weights_that_do_not_fit_are_one_line(tmp_path, package):
    package.error = RuntimeError("Missing key(s):\n\tencoder.weight")
    with pytest.raises(SettingsError, match="cannot be built from these weights") as caught:
        load_predictor(tmp_path, device=PROCESSOR, threads=1, mirroring=False)
    assert "\n" not in str(caught.value)
    assert "Missing key(s): encoder.weight" in str(caught.value)


def test_gpu_that_is_not_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    load = partial(load_predictor, tmp_path, threads=1, mirroring=False)
    with pytest.raises(SettingsError, match="torch sees no GPU"):
        load(device=replace(PROCESSOR, name="cuda"))
