"""The log takes everything, errors reach the terminal in one line, files appear whole."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from brainuad.io.job import replacing

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def run_job(log: Path, body: str) -> subprocess.CompletedProcess:
    code = (
        f"import os\nfrom brainuad.io import job\nwith job.logging_to({str(log)!r}):\n    {body}\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=False
    )


def test_output_of_children_goes_to_the_log(tmp_path):
    log = tmp_path / "logs" / "job.log"
    done = run_job(log, "job.log('from python'); os.system('echo from a child')")
    assert done.returncode == 0
    assert done.stdout == done.stderr == ""
    assert log.read_text() == "from python\nfrom a child\n"


@pytest.mark.parametrize("error", ["ScanError", "SettingsError"])
def test_error_of_a_user_is_one_line(tmp_path, error):
    log = tmp_path / "job.log"
    body = f"from brainuad.io.errors import {error}; raise {error}('x.nii.gz: is empty')"
    done = run_job(log, body)
    assert done.returncode == 1
    assert done.stderr == "x.nii.gz: is empty\n"
    assert "Traceback" in log.read_text()


def test_other_error_names_the_log(tmp_path):
    log = tmp_path / "job.log"
    done = run_job(log, "1 / 0")
    assert done.returncode == 1
    assert done.stderr == f"ZeroDivisionError: division by zero (see {log})\n"


def test_job_waits_for_a_twin_that_outlived_its_run(tmp_path):
    log = tmp_path / "job.log"
    code = "import time\nfrom brainuad.io import job\n"
    code += f"with job.logging_to({str(log)!r}):\n    job.log('started'); time.sleep(1.5)\n"
    with subprocess.Popen([sys.executable, "-c", code], cwd=SCRIPTS) as twin:
        while not (log.exists() and log.read_text() == "started\n"):
            time.sleep(0.05)
        assert run_job(log, "job.log('after it')").returncode == 0
        assert twin.poll() == 0
    assert log.read_text() == "after it\n"


def test_replacing_appears_only_when_whole(tmp_path):
    target = tmp_path / "folder" / "values.txt"
    with replacing(target) as temporary:
        temporary.write_text("first")
        assert not target.exists()
    assert target.read_text() == "first"


def test_replacing_a_folder_leaves_nothing_of_a_killed_run(tmp_path):
    target = tmp_path / "batch000"
    half = tmp_path / ".batch000.partial" / "batch000"
    half.mkdir(parents=True)
    (half / "left_by_a_killed_run").write_text("")
    for content in ("first", "second"):
        with replacing(target) as folder:
            folder.mkdir()
            (folder / "scan").write_text(content)
    assert [file.name for file in target.iterdir()] == ["scan"]
    assert (target / "scan").read_text() == "second"
    assert [file.name for file in tmp_path.iterdir()] == ["batch000"]


def test_replacing_keeps_the_old_file_after_an_error(tmp_path):
    target = tmp_path / "values.txt"
    target.write_text("old")

    def fail() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["values.txt"]
