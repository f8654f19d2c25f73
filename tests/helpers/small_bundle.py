"""A bundle of a tiny model, made by the script from files as the rules write them."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from small_study import study_of

import make_bundle
from brainuad.evaluation.healthy_residuals import HealthyResiduals, write_healthy_residuals
from brainuad.images.computed_volumes import MEASURES, write_anomaly_maps
from brainuad.images.distributions import Distribution, write_distribution
from brainuad.io.rows import write_rows
from brainuad.io.tables import read_table, write_table
from brainuad.models import build_trainable
from brainuad.models.checkpoints import write_weights
from brainuad.plan.bundles import BundlesPlan

KIND = "autoencoder"
SETTINGS = {"size": [48, 48], "channels": [4, 8], "latent": 4, "spatial": False, "kl_weight": None}
AUTOENCODER = {"models": {"ae": {"settings": SETTINGS}}}
SUBJECTS = 7
PEOPLE = {
    "age": [30.0, 71.0, None, 45.0, 45.0, 45.0, 45.0],
    "sex": ["f", "m", "f", None, "m", "m", "m"],
    "site": "Guys",
}


class Wildcards:
    """Those of `make_bundle`."""

    def __init__(self, method: str = "ae", modality: str = "t2") -> None:
        self.method, self.modality = method, modality


def write_small_weights(path: Path) -> None:
    torch.manual_seed(3)
    state = build_trainable(KIND, SETTINGS).network.state_dict()
    write_weights(path, kind=KIND, settings=SETTINGS, state=state, training={})


def small_bundle(
    folder: Path,
    *,
    method: str = "ae",
    changes: dict | None = None,
    also_validated: Iterable[int] = (),
) -> Path:
    """The bundle of a method in t2 below a folder; `changes` are those of the demo's config.

    also_validated  numbers of subjects that stand in the validation set too; from SUBJECTS on
                    they did not come through the preprocessing
    """
    study = study_of(AUTOENCODER | (changes or {}))
    plan, wildcards = BundlesPlan(study), Wildcards(method)
    inputs = {}
    for name, files in plan.inputs(wildcards).items():
        several = isinstance(files, list)
        paths = [folder / file for file in (files if several else [files])]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            WRITERS[name](path)
        inputs[name] = paths if several else paths[0]
    for path in inputs["splits"]:
        rows = [(f"{path.parent.name}{number}", "", "validation") for number in also_validated]
        split = read_table(path)
        more = pd.DataFrame(rows, columns=split.columns)
        write_table(pd.concat([split, more]), path)
    for name in ("weights", "healthy_reference"):
        inputs[name] = inputs[name] or None
    bundle = folder / "bundles" / f"{method}_t2"
    make_bundle.main(
        **inputs, output=bundle, settings=plan.settings(wildcards), facts=plan.facts(wildcards)
    )
    return bundle


def _template(path: Path) -> None:
    path.write_bytes(b"a brain")


def _facts(path: Path) -> None:
    write_rows(["name", "value"], [("source", "a template"), ("sha256", "0" * 64)], path)


def _residuals(path: Path) -> None:
    maps = np.zeros((2, 3, 4), np.float32)
    write_healthy_residuals(HealthyResiduals(maps, maps, np.array([0.1]), np.eye(4)), path)


def _reference(path: Path) -> None:
    zeros = np.zeros((2, 3, 4), np.float32)
    names = np.array(["s1", "s2", "s3"])
    write_distribution(Distribution(zeros, zeros, names, np.eye(4)), path)


def _threshold(path: Path) -> None:
    healthy = "healthy" in path.parts[-4]
    content = {"threshold": 0.25 if healthy else 0.125, "subjects": 1}
    content |= {} if healthy else {"validation_dice": 0.5}
    path.write_text(json.dumps(content), encoding="utf-8")


def _subjects(path: Path) -> None:
    names = [f"{path.stem}{number}" for number in range(SUBJECTS)]
    people = {"subject": names, "session": "", **PEOPLE, "status": "ok"}
    write_table(pd.DataFrame(people), path)


def _split(path: Path) -> None:
    names = [f"{path.parent.name}{number}" for number in range(SUBJECTS)]
    partitions = ["validation", *["test"] * (SUBJECTS - 1)]
    split = {"subject": names, "session": "", "partition": partitions}
    write_table(pd.DataFrame(split), path)


def _maps(path: Path) -> None:
    names = [f"{path.stem.removesuffix('_t2')}{number}" for number in range(SUBJECTS)]
    volume = np.zeros((2, 3, 4), np.float32)
    computed = [(volume, dict.fromkeys(MEASURES, 0.1), None) for _ in names]
    write_anomaly_maps(path, names, computed, shape=volume.shape)


def _scores(path: Path) -> None:
    dataset, modality = path.stem.rsplit("_", 1)
    metrics = {
        "dice": [0.1, 0.2, 0.3, 0.6, 0.7, 0.8],
        "auprc": [0.2, 0.3, 0.4, 0.5, 0.5, 0.5],
        "lesion_volume_ml": [1, 2, 3, 60, 61, 62],
    }
    if dataset == "ixi":
        metrics = {"ssim": [0.7, 0.8, 0.9, 0.7, 0.8, 0.9]}
    rows = [
        (f"{dataset}{number}", "", modality, metric, value)
        for metric, values in metrics.items()
        for number, value in enumerate(values, start=1)
    ]
    columns = ["subject", "session", "modality", "metric", "value"]
    write_table(pd.DataFrame(rows, columns=columns), path)


def _alarms(path: Path) -> None:
    rows = [("ixi1", "", "t2", "mslub", "predicted_volume_ml", 2.5)]
    columns = ["subject", "session", "modality", "fitted_on", "metric", "value"]
    write_table(pd.DataFrame(rows, columns=columns), path)


WRITERS = {
    "weights": write_small_weights,
    "template": _template,
    "template_facts": _facts,
    "healthy_reference": _reference,
    "healthy_residuals": _residuals,
    "healthy_threshold": _threshold,
    "false_positives": _alarms,
    "thresholds": _threshold,
    "scores": _scores,
    "anomaly_maps": _maps,
    "subjects": _subjects,
    "splits": _split,
}
