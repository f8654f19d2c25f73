"""Seconds, peak memory and disk per scan of each preprocessing rule, at the paper's settings.

The rules' scripts process one MSLUB phantom in T2 at 1 mm, each in a process of its own. Seconds
are CPU time of one thread without the imports, which a job does once for all scans. HD-BET is left
out, since it has an environment of its own; skulls are stripped by the template instead.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import yaml
from measuring import PROJECT, Row, in_own_process
from registration import RELEASED

from brainuad.config.phantoms import PhantomSettings
from brainuad.io.rows import write_rows
from brainuad.phantoms.layouts import Dataset, write_subject
from brainuad.phantoms.template import load_template
from brainuad.preprocessing.resampling import Resampling

NO_RULE = ("make_template",)
INTERMEDIATE = ("resampled", "stripped", "registered")
KEPT = (
    *("brain_masks", "transforms", "corrected", "normalized", "quality"),
    *("slices.npz", "anomaly_maps.npz"),
)


def stages(folder: Path, config: dict, *, spacing: float) -> Iterator[tuple[str, dict]]:
    """The scripts to run, in this order, with their arguments."""
    settings = config["preprocessing"]
    block = config["datasets"]["mslub"]
    labels = {"lesion_labels": block["lesion_labels"], "ignored_labels": []}
    raw = {
        "root": folder / "raw",
        "downloads": folder / "raw",
        "output": folder / "subjects.tsv",
        "remarks": folder / "remarks.tsv",
        "layout": "mslub",
        "dataset": "mslub",
        "modalities": ["t2"],
        "lesions": True,
        **dict.fromkeys(("files", "table", "part", "demographics")),
        "exclude": [],
        "on_broken": "stop",
        "threads": 1,
    }
    yield "list_subjects", raw | labels
    resampled = {
        "table": folder / "subjects.tsv",
        "output": folder / "resampled",
        "names": ["patient01"],
        "resampling": Resampling("t2", spacing, **labels, lesions_on_own_grid=False),
    }
    yield "resample_scans", resampled
    template = {name: folder / f"{name}.nii.gz" for name in ("head", "brain", "brain_mask")}
    yield "make_template", template | {"spacing": spacing}
    stripped = {
        "scans": folder / "resampled",
        "output": folder / "stripped",
        "brain_masks": folder / "brain_masks",
    }
    carried = {"head_template": template["head"], "head_brain_mask": template["brain_mask"]}
    yield "strip_skull", stripped | carried | {"method": "template"}
    registered = {
        "scans": folder / "stripped",
        "template": template["brain"],
        "transforms": folder / "transforms",
    }
    # The reference runs first, since the row of a script is that of its last run.
    released = {"output": folder / "released", "settings": asdict(RELEASED)}
    yield "register_to_template", registered | released
    ours = {"output": folder / "registered", "settings": settings["registration"]}
    yield "register_to_template", registered | ours
    corrected = {"scans": folder / "registered", "output": folder / "corrected"}
    cut = {"keep_last_slice": settings["keep_last_slice"], "weighted": True}
    yield "correct_bias", corrected | cut | {"settings": settings["bias_correction"]}
    normalized = {"scans": folder / "corrected", "output": folder / "normalized"}
    yield "normalize_scans", normalized | {"settings": settings["normalization"]}
    inspected = {
        "table": folder / "subjects.tsv",
        "resampling": resampled["resampling"],
        "brain_masks": folder / "brain_masks",
        "corrected": folder / "corrected",
        "template": template["brain"],
    }
    yield "inspect_scans", inspected | {"output": folder / "quality"}
    packed = {
        "subjects": folder / "subjects.tsv",
        "slices": folder / "slices.npz",
        "left_out": folder / "left_out.tsv",
    }
    chunks = {"chunks": [folder / "normalized"], "on_broken": "stop"}
    yield "pack_slices", packed | chunks
    mapped = {
        "slices": folder / "slices.npz",
        "split": folder / "split.tsv",
        "reconstructions": None,
        "output": folder / "anomaly_maps.npz",
        "score": {"kind": "intensity"},
        "partitions": ["test"],
        "postprocessing": config["evaluation"]["postprocessing"],
    }
    yield "map_anomalies", mapped


def measured(*, spacing: float = 1.0) -> list[Row]:
    """One row per rule; the reference of the registration is the released setting."""
    config = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))
    costs: dict[str, list] = {}
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
        write_rows(
            ["subject", "session", "partition"], [["patient01", "", "test"]], folder / "split.tsv"
        )
        for script, arguments in stages(folder, config, spacing=spacing):
            cost = in_own_process("stage", "run", script=script, arguments=arguments)
            costs.setdefault(script, []).append(cost)
        disk = [
            Row(f"disk of {stage}, a scan of {spacing:g} mm", bytes_of(folder / stage) / 1e6, "MB")
            for stage in (*INTERMEDIATE, *KEPT)
        ]
    rows = []
    for script, (*references, (seconds, memory)) in costs.items():
        row = Row(f"{script}, a scan of {spacing:g} mm", seconds, "s", memory)
        if references:
            row = replace(row, reference="the released setting", reference_value=references[0][0])
        if script not in NO_RULE:
            rows.append(row)
    return rows + disk


def bytes_of(path: Path) -> int:
    """The bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())
