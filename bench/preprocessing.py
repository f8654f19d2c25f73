"""Seconds and peak memory per scan of each preprocessing rule, at the paper's settings.

    PYTHONPATH=scripts python bench/preprocessing.py

One phantom of MSLUB in T2, 1 mm, goes through the rules' own scripts, each in a process of its own.
Seconds are processor time of one thread without the imports, which a job needs once for all scans.
"""

import json
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from registration import RELEASED

from brainuad.phantoms.layouts import Dataset, PhantomSettings, write_subject
from brainuad.phantoms.template import load_template

PROJECT = Path(__file__).resolve().parent.parent


def in_own_process(script: str, arguments: dict[str, Any]) -> tuple[float, float]:
    """Run a script's main; returns processor seconds and the peak memory of its process (MiB)."""
    done = subprocess.run(
        [sys.executable, str(PROJECT / "bench" / "run_stage.py")],
        input=pickle.dumps((script, arguments)),
        stdout=subprocess.PIPE,
        check=True,
    )
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def stages(folder: Path, config: dict, *, spacing: float) -> Iterator[tuple[str, str, dict]]:
    """What to run, one after the other: a note for the table, the script, its arguments."""
    settings = config["preprocessing"]
    block = config["datasets"]["mslub"]
    labels = {"lesion_labels": block["lesion_labels"], "ignored_labels": []}
    raw = {
        "root": folder / "raw",
        "downloads": folder / "raw",
        "output": folder / "subjects.tsv",
        "layout": "mslub",
        "dataset": "mslub",
        "modalities": ["t2"],
        "lesions": True,
        **dict.fromkeys(("files", "table", "part", "demographics")),
        "exclude": [],
        "on_broken": "stop",
        "threads": 1,
    }
    yield "", "list_subjects", raw | labels
    resampled = {
        "subjects": folder / "subjects.tsv",
        "output": folder / "resampled",
        "batch": ["patient01"],
        "modality": "t2",
        "spacing": spacing,
        "lesions_on_own_grid": False,
    }
    yield "", "resample_scans", resampled | labels
    template = {name: folder / f"{name}.nii.gz" for name in ("head", "brain", "brain_mask")}
    yield "", "make_template", template | {"spacing": spacing}
    stripped = {"scans": folder / "resampled", "output": folder / "stripped"}
    carried = {"template": template["head"], "template_brain_mask": template["brain_mask"]}
    yield ", template", "strip_skull", stripped | carried | {"method": "template"}
    registered = {"scans": folder / "stripped", "atlas": template["brain"]}
    released = {"output": folder / "released", "settings": asdict(RELEASED)}
    yield ", released", "register_to_atlas", registered | released
    ours = {"output": folder / "registered", "settings": settings["registration"]}
    yield "", "register_to_atlas", registered | ours
    corrected = {"scans": folder / "registered", "output": folder / "corrected"}
    yield "", "correct_bias", corrected | {"settings": settings["bias_correction"]}
    normalized = {"scans": folder / "corrected", "output": folder / "normalized"}
    yield "", "normalize_scans", normalized | {"settings": settings["normalization"]}


def measured(*, spacing: float = 1.0) -> Iterator[dict]:
    """A row per rule: what, seconds and peak_memory_mib of one scan."""
    config = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        phantom = PhantomSettings(subjects=1, spacing=(spacing,) * 3)
        write_subject(
            load_template(),
            folder / "raw",
            dataset=Dataset.MSLUB,
            index=0,
            settings=phantom,
            seed=config["seed"],
        )
        for note, script, arguments in stages(folder, config, spacing=spacing):
            seconds, memory = in_own_process(script, arguments)
            if script != "make_template":
                what = f"{script} of a scan at {spacing:g} mm{note}"
                yield {"what": what, "seconds": seconds, "peak_memory_mib": memory}


def main() -> None:
    print(pd.DataFrame(measured()).round(1).to_string(index=False))


if __name__ == "__main__":
    main()
