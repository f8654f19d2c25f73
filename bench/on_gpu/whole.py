"""The whole chain, from packed slices to scores, by the rules' own scripts.

SparK and cDDPM are stopped by SIGTERM half-way and resumed; the result of cDDPM is compared bit by
bit with that of an undisturbed training. The losses on GPU and CPU are compared at the demo's size.
"""

import importlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from measuring import Row
from sizes import size_of

from brainuad.compute import gpus
from brainuad.compute.device import prepare_device
from brainuad.config.device import DeviceSettings
from brainuad.config.models import TrainingSettings
from brainuad.config.settings import settings_from
from brainuad.models import build_trainable
from brainuad.models.checkpoints import Checkpoint
from brainuad.training.loop import train
from on_gpu import part, rows, setting
from on_gpu.brains import write_brains

ENSEMBLE = [250, 500, 750]


def main() -> None:
    out, folder = Path(sys.argv[1]), rows.work_folder() / "chain"
    # The CPU trains while the chain runs, since nothing is timed here.
    curves = [
        part.started("on_gpu.whole", "write_curve", place=place, file=curve_file(out, name))
        for name, place in places_of_curves().items()
    ]
    make_brains(folder)
    steps = 12 if rows.is_dry() else 120
    spark = pretraining(folder / "spark", steps)
    stopped_and_resumed("SparK", "pretrain_spark", spark, steps)
    cddpm = training(folder / "cddpm", folder / "spark", steps)
    undisturbed = shutil.copytree(folder / "spark", folder / "undisturbed")
    other = called("train_model", training(undisturbed, folder / "spark", steps), claim=False)
    stopped_and_resumed("cDDPM", "train_model", cddpm, steps)
    score(folder)
    ends = [other.wait(), *(curve.wait() for curve in curves)]
    if any(ends):
        sys.exit(f"exit codes of the undisturbed training and the curves: {ends}")
    compare_curves(out)
    same = (folder / "cddpm" / "weights.pt").read_bytes() == (
        undisturbed / "weights.pt"
    ).read_bytes()
    what = "stopped and resumed cDDPM ends with the bits of an undisturbed one"
    rows.write(Row(what, float(same), "1 for yes", goal="value >= 1"))


def make_brains(folder: Path) -> None:
    """Write healthy subjects, and patients with lesions."""
    healthy = {"train": 40, "validation": 6, "test": 3}
    patients = {"validation": 3, "test": 4}
    if rows.is_dry():
        healthy, patients = {"train": 6, "validation": 1, "test": 1}, {"validation": 1, "test": 2}
    grid = setting.size().grid
    write_brains(folder / "healthy", healthy, grid=grid, lesion=False, seed=1)
    write_brains(folder / "patients", patients, grid=grid, lesion=True, seed=2)


def shortened(described: dict[str, Any], steps: int) -> dict[str, Any]:
    """The config's training with a number of steps, on several slices of a few volumes."""
    changes = {"steps": steps, "warmup_steps": 0, "slices_per_volume": 4}
    return described | changes | {"batch_size": setting.batch_size()}


def of_training(folder: Path, steps: int) -> dict[str, Any]:
    """Arguments that pretraining and training share."""
    healthy = folder.parent / "healthy"
    return {
        "slices": healthy / "slices.npz",
        "split": healthy / "split.tsv",
        "history": folder / "history.tsv",
        "machines": folder / "machines.tsv",
        "seed": 3,
        "device": setting.device_settings(),
        "checkpoint_minutes": 10.0,
        "threads": 1 if rows.is_dry() else setting.THREADS,
        "code": "",
    }


def pretraining(folder: Path, steps: int) -> dict[str, Any]:
    described = setting.training_of("spark")
    settings = {
        "network": described["settings"],
        "training": shortened(described["training"], steps),
    }
    return of_training(folder, steps) | {"encoder": folder / "encoder.pt", "settings": settings}


def training(folder: Path, spark: Path, steps: int) -> dict[str, Any]:
    described = setting.training_of("cddpm")
    return of_training(folder, steps) | {
        "pretrained": spark / "encoder.pt",
        "weights": folder / "weights.pt",
        "kind": described["kind"],
        "settings": described["settings"],
        "training": shortened(described["training"], steps),
    }


def called(script: str, arguments: dict[str, Any], *, claim: bool = True) -> subprocess.Popen:
    """Start a process that runs the main of a workflow script; paths are passed as text."""
    paths = [name for name, value in arguments.items() if isinstance(value, Path)]
    plain = {name: str(value) if name in paths else value for name, value in arguments.items()}
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "on_gpu.part", "on_gpu.whole", "call"),
            json.dumps({"script": script, "arguments": plain, "paths": paths, "claim": claim}),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )


def call(script: str, arguments: dict[str, Any], paths: list[str], claim: bool) -> None:
    """In the process of `called`: run the script without claiming the GPU, which it shares."""
    if not claim:
        gpus.claim = lambda identifiers: 0
    given = {name: Path(value) if name in paths else value for name, value in arguments.items()}
    importlib.import_module(script).main(**given)


def finished(script: str, arguments: dict[str, Any]) -> None:
    """Run a script and wait for its end."""
    process = called(script, arguments)
    said, _ = process.communicate()
    print(said, end="")
    if process.returncode != 0:
        sys.exit(f"{script} failed with code {process.returncode}")


def stopped_and_resumed(name: str, script: str, arguments: dict[str, Any], steps: int) -> None:
    """Stop a training half-way by SIGTERM, and resume it to its end."""
    started = time.monotonic()
    process = called(script, arguments)
    for line in process.stdout:
        print(line, end="")
        done = re.match(r"epoch \d+, step (\d+) of", line)
        if done and int(done[1]) >= steps // 2:
            process.send_signal(signal.SIGTERM)
            break
    said = process.stdout.read()
    print(said, end="")
    if process.wait() != 128 + signal.SIGTERM:
        sys.exit(f"{name}: stopped by SIGTERM with code {process.returncode}")
    process = called(script, arguments)
    said, _ = process.communicate()
    print(said, end="")
    if process.returncode != 0 or "resumed after step" not in said:
        sys.exit(f"{name}: was not resumed, code {process.returncode}")
    losses = pd.read_csv(arguments["history"], sep="\t")["training_loss"]
    what = f"{name}, {steps} steps, stopped and resumed"
    fall = losses.iloc[-1] / losses[0]
    rows.write(Row(f"{what}: loss of the last epoch over the first", fall, ""))
    rows.write(Row(f"{what}: seconds in all", time.monotonic() - started, "s"))


def score(folder: Path) -> None:
    """Reconstruct, fit a threshold and score, for healthy subjects and patients."""
    postprocessing = setting.size().config["evaluation"]["postprocessing"]
    started = time.monotonic()
    for name, partitions in (("healthy", ["test"]), ("patients", ["validation", "test"])):
        finished(
            "reconstruct",
            {
                "slices": folder / name / "slices.npz",
                "split": folder / name / "split.tsv",
                "weights": folder / "cddpm" / "weights.pt",
                "output": folder / name / "reconstructions.npz",
                "partitions": partitions,
                "timesteps": ENSEMBLE,
                "seed": 3,
                "device": setting.device_settings(),
                "threads": 1 if rows.is_dry() else setting.THREADS,
            },
        )
    patients, healthy = folder / "patients", folder / "healthy"
    common = {"slices": patients / "slices.npz", "split": patients / "split.tsv"}
    finished(
        "map_anomalies",
        common
        | {
            "reconstructions": patients / "reconstructions.npz",
            "output": patients / "maps.npz",
            "score": {"kind": "absolute"},
            "partitions": ["validation", "test"],
            "postprocessing": postprocessing,
        },
    )
    common |= {"anomaly_maps": patients / "maps.npz"}
    # Its result is not used.
    (patients / "healthy.json").write_text(json.dumps({"threshold": 1.0}), encoding="utf-8")
    finished(
        "score_segmentation",
        common
        | {
            "postprocessing": postprocessing,
            "threshold": patients / "threshold.json",
            "healthy_threshold": patients / "healthy.json",
            "fits": True,
            "scores": patients / "scores.tsv",
            "lesions": patients / "lesions.tsv",
            "froc": patients / "froc.tsv",
            "modality": "t2",
        },
    )
    scores = pd.read_csv(patients / "scores.tsv", sep="\t").groupby("metric")["value"].mean()
    images = np.load(healthy / "slices.npz")["images"][-1:]
    reconstructions = np.load(healthy / "reconstructions.npz")["reconstructions"][-1:]
    rows.write(Row("from weights to scores: seconds in all", time.monotonic() - started, "s"))
    for metric in ("dice", "auprc"):
        rows.write(Row(f"patients, ENS: mean {metric}", 100 * scores[metric], "%"))
    difference = float(np.abs(images - reconstructions).mean())
    rows.write(Row("a healthy subject, ENS: l1", difference, ""))


def places_of_curves() -> dict[str, dict[str, Any]]:
    """Devices on which the demo's cDDPM is trained; the others are compared with the CPU."""
    exact = {"precision": "fp32", "compile": False, "deterministic": True}
    there = {"name": rows.device_name()}
    places = {"cpu": {"name": "cpu", **exact}, "fp32": {**there, **exact}}
    return places if rows.is_dry() else places | {"bf16": {**there, **exact, "precision": "bf16"}}


def curve_file(out: Path, name: str) -> str:
    return str(out / f"curve_{name}.tsv")


def write_curve(place: dict[str, Any], file: str) -> None:
    """The loss of each epoch in a short training at the demo's size."""
    gpus.claim = lambda identifiers: 0
    size = size_of("miniature" if rows.is_dry() else "demo")
    described = size.config["models"]["cddpm"]
    torch.manual_seed(0)
    model = build_trainable(described["kind"], described["settings"])
    folder = rows.work_folder() / Path(file).stem
    partitions = {"train": 8, "validation": 1}
    write_brains(folder, partitions, grid=size.grid, lesion=False, seed=1)
    images = torch.from_numpy(np.load(folder / "slices.npz")["images"])
    steps = 8 if rows.is_dry() else 240
    changes = {"steps": steps, "warmup_steps": 0, "slices_per_volume": 4}
    progress = train(
        model,
        training_images=images[:8],
        validation_images=images[8:],
        settings=settings_from(TrainingSettings, described["training"] | changes),
        seed=1,
        device=prepare_device(settings_from(DeviceSettings, place), threads=1),
        checkpoint=Checkpoint(folder / "checkpoint.pt"),
        checkpoint_minutes=10.0,
        model_settings={},
        code="",
    )
    pd.DataFrame(progress.history).to_csv(file, sep="\t", index=False)


def compare_curves(out: Path) -> None:
    """How far the losses on the GPU differ from those on the CPU: the first one, and the mean."""
    losses = {
        name: pd.read_csv(curve_file(out, name), sep="\t")["training_loss"]
        for name in places_of_curves()
    }
    expected = losses.pop("cpu")
    for name, found in losses.items():
        apart = (found / expected - 1).abs()
        what = f"demo's size, {name} against the CPU: relative difference of the loss"
        rows.write(Row(f"{what}, first epoch", apart[0], "", goal="value <= 0.02"))
        whole = abs(found.mean() / expected.mean() - 1)
        rows.write(Row(f"{what}, mean of all epochs", whole, "", goal="value <= 0.05"))


if __name__ == "__main__":
    main()
