"""The weights of HD-BET: every part is read, and no code in them is run."""

import copy
import functools
import json
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from odd_scans import LFS_POINTER

import fetch_hdbet_weights
from brainuad.io.errors import SettingsError
from brainuad.preprocessing.hdbet_weights import CHECKPOINT, DATASET, PLANS

WEIGHTS = {"encoder.weight": torch.arange(12.0).reshape(3, 4), "encoder.bias": torch.ones(3)}
MADE = {
    "network_weights": WEIGHTS,
    "optimizer_state": {"state": {}, "param_groups": [{"lr": 0.01, "params": [0]}]},
    "grad_scaler_state": None,
    "logging": {"mean_fg_dice": [np.float64(0.98)], "train_losses": [np.float32(-0.9)]},
    "_best_ema": np.float64(0.97),
    "current_epoch": 1000,
    "init_args": {"configuration": "3d_fullres", "device": torch.device("cuda", 0)},
    "trainer_name": "nnUNetTrainer",
    "inference_allowed_mirroring_axes": (0, 1, 2),
}
NETWORK = "dynamic_network_architectures.architectures.unet.PlainConvUNet"
LAYER = "torch.nn.modules.conv.Conv3d"


def plans(*, network: object = NETWORK, layer: object = LAYER) -> dict:
    architecture = {
        "network_class_name": network,
        "arch_kwargs": {"n_stages": 2, "conv_op": layer, "dropout_op": None},
        "_kw_requires_import": ["conv_op", "dropout_op"],
    }
    return {
        "configurations": {
            "3d_fullres": {"architecture": architecture},
            "2d": {"inherits_from": "3d_fullres"},
        }
    }


def write_release(folder: Path, *, checkpoint: object = MADE, found: object = None) -> Path:
    (folder / CHECKPOINT).parent.mkdir(parents=True)
    (folder / PLANS).write_text(json.dumps(plans() if found is None else found))
    (folder / DATASET).write_text(json.dumps({"labels": {"background": 0, "brain": 1}}))
    torch.save(checkpoint, folder / CHECKPOINT)
    return folder


def zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
        for file in sorted(folder.rglob("*.*")):
            members.write(file, file.relative_to(folder))
    return archive


def bring(local: Path | None, output: Path, *, sha256: str | None = None) -> Path:
    fetch_hdbet_weights.main(
        output=output, local=local, address="https://example.org/release.zip", sha256=sha256
    )
    return output


def refused(local: Path, output: Path, *, sha256: str | None = None) -> str:
    """The one line that refuses a release; nothing of it is left where the weights would be."""
    with pytest.raises(SettingsError) as caught:
        bring(local, output, sha256=sha256)
    assert not output.exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_numbers_come_through_alone(tmp_path):
    output = bring(write_release(tmp_path / "release"), tmp_path / "weights")
    found = torch.load(output / CHECKPOINT, weights_only=True)
    assert found.keys() == {
        "network_weights",
        "trainer_name",
        "init_args",
        "inference_allowed_mirroring_axes",
    }
    assert found["network_weights"].keys() == WEIGHTS.keys()
    for name, value in WEIGHTS.items():
        torch.testing.assert_close(found["network_weights"][name], value, rtol=0, atol=0)
    assert found["trainer_name"] == "nnUNetTrainer"
    assert found["init_args"] == {"configuration": "3d_fullres"}
    assert found["inference_allowed_mirroring_axes"] == (0, 1, 2)
    assert json.loads((output / PLANS).read_text()) == plans()
    assert json.loads((output / DATASET).read_text())["labels"]["brain"] == 1


def test_folder_and_zip_at_either_depth_give_the_same_bytes(tmp_path):
    flat = write_release(tmp_path / "flat")
    write_release(tmp_path / "deep" / "release_v1.5.0")
    sources = [flat, tmp_path / "deep"]
    sources += [zipped(source, tmp_path / f"{source.name}.zip") for source in tuple(sources)]
    outputs = [bring(source, tmp_path / "out" / source.name) for source in sources]
    for name in (PLANS, DATASET, CHECKPOINT):
        assert len({(output / name).read_bytes() for output in outputs}) == 1


def test_numbers_of_older_numpy_are_read(tmp_path):
    release = write_release(tmp_path / "release")
    new, old = b"numpy._core.multiarray", b"numpy.core.multiarray"
    with zipfile.ZipFile(release / CHECKPOINT) as members:
        parts = {info.filename: members.read(info) for info in members.infolist()}
    pickled = next(name for name in parts if name.endswith("data.pkl"))
    assert new in parts[pickled]
    parts[pickled] = parts[pickled].replace(new, old)
    with zipfile.ZipFile(release / CHECKPOINT, "w") as members:
        for name, content in parts.items():
            members.writestr(name, content)
    assert (bring(release, tmp_path / "weights") / CHECKPOINT).is_file()


class Attack:
    """Runs a function when it is unpickled by Python's own pickle."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("part", ["logging", "network_weights", "init_args"])
@pytest.mark.parametrize("new_format", [True, False])
def test_code_in_the_checkpoint_is_refused_and_not_run(tmp_path, part, new_format):
    release = write_release(tmp_path / "release")
    checkpoint = copy.deepcopy(MADE)
    checkpoint[part]["more"] = Attack(os.system, f"touch {tmp_path}/was_here")
    torch.save(checkpoint, release / CHECKPOINT, _use_new_zipfile_serialization=new_format)
    line = refused(release, tmp_path / "weights")
    assert "contains posix.system, not only numbers; nothing of it was run" in line
    assert not (tmp_path / "was_here").exists()
    # The attack is a real one.
    torch.load(release / CHECKPOINT, weights_only=False)
    assert (tmp_path / "was_here").exists()


@pytest.mark.parametrize(
    "thing",
    [
        Attack(eval, "1"),
        functools.partial(print),
        Path("somewhere"),
        np.ones(3),
        np.array([None])[0:1],
        re.compile("x"),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_anything_but_numbers_is_refused(tmp_path, thing):
    release = write_release(tmp_path / "release", checkpoint={**MADE, "logging": thing})
    assert "not only numbers; nothing of it was run" in refused(release, tmp_path / "weights")


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "os.system"},
        {"network": "nnunetv2.paths.os.system"},
        {"network": "dynamic_network_architectures.architectures.unet.os.system"},
        {"network": "dynamic_network_architectures.architectures.unet.torch.hub.Path"},
        {"network": None},
        {"layer": "subprocess.Popen"},
        {"layer": "torch.nn.modules.module.os.system"},
        {"layer": "torch.hub.load"},
        {"layer": ["torch.nn.Conv3d"]},
    ],
    ids=str,
)
def test_plans_that_name_other_things_to_import_are_refused(tmp_path, changes):
    release = write_release(tmp_path / "release", found=plans(**changes))
    line = refused(release, tmp_path / "weights")
    assert f"names {next(iter(changes.values()))!r} as" in line


def test_another_checksum_is_refused(tmp_path):
    release = write_release(tmp_path / "release")
    archive = zipped(release, tmp_path / "release.zip")
    wrong = "0" * 64
    for source, file in ((archive, archive), (release, release / CHECKPOINT)):
        line = refused(source, tmp_path / "weights", sha256=wrong)
        assert line.startswith(f"{file}: has the SHA-256 ")
        assert wrong in line


@pytest.mark.parametrize("name", [PLANS, DATASET, CHECKPOINT])
def test_missing_part_is_named(tmp_path, name):
    release = write_release(tmp_path / "release")
    (release / name).unlink()
    for source in (release, zipped(release, tmp_path / "release.zip")):
        assert f"{source}: holds no " in (line := refused(source, tmp_path / "weights"))
        assert name in line


def test_damaged_files_are_one_line_each(tmp_path):
    release = write_release(tmp_path / "release")
    archive = zipped(release, tmp_path / "release.zip")
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    assert "neither a folder nor a zip" in refused(archive, tmp_path / "weights")
    archive.write_bytes(LFS_POINTER)
    assert "is a pointer of git-lfs" in refused(archive, tmp_path / "weights")
    # Within the compressed bytes of the first member.
    archive.write_bytes(content[:60] + b"\xff" * 20 + content[80:])
    assert "cannot be read" in refused(archive, tmp_path / "weights")
    checkpoint = (release / CHECKPOINT).read_bytes()
    (release / CHECKPOINT).write_bytes(checkpoint[: len(checkpoint) // 2])
    assert f"{CHECKPOINT}: is damaged" in refused(release, tmp_path / "weights")
    (release / PLANS).write_text("{")
    assert "is not JSON" in refused(release, tmp_path / "weights")


@pytest.mark.parametrize(
    ("checkpoint", "line"),
    [
        ([1, 2], "is not an nnU-Net"),
        (
            {key: MADE[key] for key in MADE if key != "network_weights"},
            "is not an nnU-Net",
        ),
        ({**MADE, "network_weights": {"a": 1.0}}, "is not an nnU-Net"),
        ({**MADE, "init_args": {"configuration": "3d_lowres"}}, "plans '3d_lowres', which"),
    ],
)
def test_other_checkpoints_are_refused(tmp_path, checkpoint, line):
    release = write_release(tmp_path / "release", checkpoint=checkpoint)
    assert line in refused(release, tmp_path / "weights")


@pytest.mark.parametrize("found", [{}, {"configurations": []}, {"configurations": {"a": 1}}, [1]])
def test_other_plans_are_refused(tmp_path, found):
    release = write_release(tmp_path / "release", found=found)
    assert PLANS in refused(release, tmp_path / "weights")


def test_fetched_where_there_is_no_copy(tmp_path, monkeypatch):
    archive = zipped(write_release(tmp_path / "release"), tmp_path / "release.zip")
    asked = []

    def fetch(address: str, target: Path, *, sha256: str | None, otherwise: str) -> None:
        asked.append((address, sha256))
        target.write_bytes(archive.read_bytes())

    monkeypatch.setattr(fetch_hdbet_weights, "fetch", fetch)
    output = bring(None, tmp_path / "resources" / "hdbet", sha256="a" * 64)
    assert asked == [("https://example.org/release.zip", "a" * 64)]
    assert sorted(path.name for path in output.rglob("*")) == [
        "checkpoint_final.pth",
        "dataset.json",
        "fold_all",
        "plans.json",
    ]
    assert list(output.parent.iterdir()) == [output]
