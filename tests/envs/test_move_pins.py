"""Pins move to the newest versions that fit together, on an index of a few empty packages."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

PROJECT = Path(__file__).resolve().parents[2]
HEAD = "channels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n"


def write_wheel(folder: Path, name: str, version: str, *requirements: str) -> None:
    """An empty package, as pip takes it."""
    folder.mkdir(exist_ok=True)
    facts = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: more\n"
    facts += "".join(f"Requires-Dist: {requirement}\n" for requirement in requirements)
    inside = f"{name}-{version}.dist-info"
    with ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{inside}/METADATA", facts)
        wheel.writestr(f"{inside}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{inside}/RECORD", "")


@pytest.fixture
def envs(tmp_path) -> Path:
    """A copy of the script, with three env files and an index beside them."""
    folder = tmp_path / "envs"
    folder.mkdir()
    shutil.copy(PROJECT / "envs" / "move_pins.py", folder)
    pins = {
        "core": ["shared==1.0"],
        "report": ["Held_Back==1.0", "shared==1.0"],
        "alone": ["alone[more]==1.0"],
    }
    for name, lines in pins.items():
        text = HEAD + "".join(f"      - {line}\n" for line in lines)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    for version in ("1.0", "1.5", "2.0"):
        write_wheel(tmp_path / "index", "shared", version)
    write_wheel(tmp_path / "index", "held_back", "1.0", "shared<2")
    write_wheel(tmp_path / "index", "alone", "3.0+cpu", "shared>=2; extra == 'more'")
    return folder


def move(envs: Path) -> subprocess.CompletedProcess:
    index = envs.parent / "index"
    command = [sys.executable, envs / "move_pins.py", "--no-index", "--find-links", index]
    return subprocess.run(command, capture_output=True, text=True)


def pins(envs: Path) -> dict[str, str]:
    files = {file.stem: file.read_text(encoding="utf-8") for file in envs.glob("*.yaml")}
    assert all(text.startswith(HEAD) for text in files.values())
    return {name: text.removeprefix(HEAD) for name, text in files.items()}


def test_shared_packages_move_together_and_not_beyond_what_others_allow(envs):
    done = move(envs)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "alone 1.0 -> 3.0\nshared 1.0 -> 1.5\n"
    assert pins(envs) == {
        "core": "      - shared==1.5\n",
        "report": "      - Held_Back==1.0\n      - shared==1.5\n",
        # Its own environment may hold another version of what it needs itself.
        "alone": "      - alone[more]==3.0\n",
    }
    assert move(envs).stdout == "All pins are the newest.\n"


def test_nothing_is_written_when_one_file_cannot_be_resolved(envs):
    (envs.parent / "index" / "alone-3.0+cpu-py3-none-any.whl").unlink()
    before = pins(envs)
    done = move(envs)
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith("move_pins.py: pip finds no versions")
    assert "alone[more]" in done.stderr.splitlines()[-1]
    assert pins(envs) == before


def test_another_python_is_refused(envs):
    file = envs / "core.yaml"
    file.write_text(file.read_text("utf-8").replace("python=3.11", "python=3.9"), encoding="utf-8")
    before = file.read_text("utf-8")
    done = move(envs)
    assert done.stderr.startswith("move_pins.py: core.yaml is for another Python")
    assert file.read_text("utf-8") == before
