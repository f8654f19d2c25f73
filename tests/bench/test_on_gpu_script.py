"""bench/on_gpu.sh in miniature on a CPU: where there is a GPU, the script is never what fails."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

PROJECT = Path(__file__).resolve().parents[2]
STAGES = ("right", "fast", "whole", "limits")


# What the tests have, and a bare machine with a GPU has not.
ABSENT = ("nibabel", "monai", "ants", "nilearn", "opensimplex", "jinja2", "seaborn", "snakemake")


def python_of_a_bare_machine(folder):
    """An interpreter that finds none of the absent packages."""
    hidden = folder / "hidden"
    hidden.mkdir()
    for name in ABSENT:
        (hidden / f"{name}.py").write_text("raise ModuleNotFoundError('not on a bare machine')\n")
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{hidden}" exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return python


def test_every_stage_runs_in_miniature(tmp_path):
    done = subprocess.run(
        [PROJECT / "bench" / "on_gpu.sh", "--out", tmp_path / "out", "--dry"],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        | {"PYTHON": str(python_of_a_bare_machine(tmp_path))},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    table = pd.read_csv(tmp_path / "out" / "results.tsv", sep="\t")
    ends = table["what"][table["what"].str.startswith("stage ")].tolist()
    assert ends == [f"stage {name}: came to its end" for name in STAGES]
    # Never taken for figures of a GPU.
    assert set(table["device"]) == {"dry"}
    for name in STAGES:
        assert (table["stage"] == name).sum() >= 6, name
        assert (tmp_path / "out" / f"{name}.log").stat().st_size > 0 or name == "limits"
    same = table.set_index("what")["value"]
    assert same["stopped and resumed cDDPM ends with the bits of an undisturbed one"] == 1


def test_a_stage_that_hangs_is_cut_off_and_the_rows_before_it_are_there(tmp_path):
    script = f"""
import os, sys
sys.path[:0] = [{str(PROJECT / "bench")!r}, {str(PROJECT / "scripts")!r}, {str(tmp_path)!r}]
os.environ.update(
    ON_GPU_DRY="1",
    ON_GPU_RESULTS=os.path.abspath("results.tsv"),
    ON_GPU_WORK=".",
    PYTHONPATH=":".join(sys.path[:3]),
)
from pathlib import Path
from on_gpu import rows, stages
stages.GRACE = 1
rows.begin(Path("results.tsv"))
ended = stages.run(stages.Stage("stuck", "stuck", 10), Path("."))
sys.exit(0 if not ended else "was not cut off")
"""
    (tmp_path / "stuck.py").write_text(
        "import signal, subprocess, sys, time\n"
        "from measuring import Row\n"
        "from on_gpu import rows\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "rows.write(Row('the first', 1.0, 's'))\n"
        "time.sleep(600)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    table = pd.read_csv(tmp_path / "results.tsv", sep="\t")
    assert table["what"].tolist() == ["the first", "stage stuck: cut off"]
