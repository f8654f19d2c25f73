"""The whole chain on real scans: train on healthy T1 brains, evaluate patients; times and memory.

    PYTHONPATH=scripts python bench/real_scans.py FOLDER

FOLDER is a new working directory. The scans are in the folder that BRAINUAD_REAL_SCANS names:
healthy_t1 (OpenNeuro ds002748, CC0), ms_raw and ms_stripped (Laboratory of Imaging Technologies,
Ljubljana, CC BY). A small cDDPM is trained on stripped healthy brains; raw patients are stripped by
HD-BET, and get anomaly maps in their own space and pages. Then the bundle of the model is applied
to the same patients in a folder of its own. Last, whether healthy scans are predicted
better by their age. Needs Snakemake and conda on the PATH.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

import make_template
from brainuad.images.distributions import on_grid
from brainuad.images.slices import read_slices
from brainuad.scores import load_score

PROJECT = Path(__file__).resolve().parents[1]
METHODS = ("thresh", "zscore", "cddpm_ens", "cddpm_ens_ssim", "cddpm_mahalanobis", "cddpm_ens_z")
MAPS_METHOD = "cddpm_ens_z"


def study(scans: Path) -> dict[str, Any]:
    """The config of the training run, with the demo's networks and trainings."""
    demo = yaml.safe_load((PROJECT / "demo" / "config" / "config.yaml").read_text(encoding="utf-8"))
    patients = {"healthy": False, "modalities": ["t1"], "lesion_masks": False}
    return {
        **{key: demo[key] for key in ("device", "checkpoint_minutes", "threads_per_training")},
        **{key: demo[key] for key in ("folds", "preprocessing")},
        "datasets": {
            **dict.fromkeys(("ixi", "brats21", "mslub", "atlas", "wmh")),
            "healthy": {
                "label": "ds002748",
                "layout": "bids",
                "root": str(scans / "healthy_t1"),
                "healthy": True,
                "modalities": ["t1"],
                "skull_stripping": "none",
                "validation": 4,
                "test": 4,
            },
            "ms_raw": patients
            | {
                "label": "MS, two visits",
                "layout": "bids",
                "root": str(scans / "ms_raw"),
                "skull_stripping": "hdbet",
            },
            "ms_stripped": patients
            | {
                "label": "MSLUB",
                "layout": "files",
                "root": str(scans / "ms_stripped"),
                "files": {"t1": "{subject}/T1.nii.gz"},
                "skull_stripping": "none",
            },
        },
        "template": {"image": "brain.nii.gz"},
        "models": {"cddpm": demo["models"]["cddpm"]},
        "evaluation": {
            "methods": list(METHODS),
            "maps_method": MAPS_METHOD,
            "comparison": {"reference": MAPS_METHOD},
            "postprocessing": demo["evaluation"]["postprocessing"],
        },
    }


def main() -> None:
    folder = Path(sys.argv[1])
    scans = Path(os.environ["BRAINUAD_REAL_SCANS"]).resolve()
    config = study(scans)
    write_config(folder / "study", config)
    parts = {part: folder / "study" / f"{part}.nii.gz" for part in ("head", "brain", "brain_mask")}
    make_template.main(**parts, spacing=config["preprocessing"]["spacing"])
    bundles = [f"results/bundles/{method}_t1" for method in METHODS]
    run(folder / "study", "all", *bundles)
    patients = {name: config["datasets"][name] for name in ("ms_raw", "ms_stripped")}
    apply(folder / "apply", folder / "study", MAPS_METHOD, patients)
    for name in ("study", "apply"):
        print(f"\n{name}: CPU seconds and peak memory (MB) of each rule's jobs")
        print(costs(folder / name).to_string())
    # No threshold is fitted on the one patient with a lesion mask: it is that of each bundle.
    masked = {**patients["ms_stripped"], "lesion_masks": True}
    masked["files"] = {**masked["files"], "seg": "{subject}/lesions.nii.gz"}
    rows = {}
    for method in METHODS:
        scored = folder / f"apply_{method}"
        apply(scored, folder / "study", method, {"ms_stripped": masked})
        file = scored / f"results/scores/{method}/fold0/ms_stripped_t1.tsv"
        rows[method] = pd.read_csv(file, sep="\t").set_index("metric")["value"]
    shown = ["auprc", "dice", "lesion_volume_ml", "predicted_volume_ml"]
    print("\nthe patient with a lesion mask, at the threshold that 1 % of healthy voxels exceed")
    print(pd.DataFrame(rows).T[shown].round(3).to_string())
    ratio = error_with_age(folder / "study")
    print(
        f"\nsquared error of predicting a left-out healthy scan, with age over without: {ratio:.3f}"
    )


def error_with_age(study: Path) -> float:
    """The ratio of two squared errors of predicting a healthy scan's smoothed intensities.

    Both predictions are from the other scans: a line over age, and their mean. Below 1 the line is
    better.
    """
    base = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))
    score = load_score(base["methods"]["zscore"]["score"])
    stack = read_slices(study / "results/slices/healthy_t1.npz")
    people = pd.read_csv(study / "results/subjects/healthy.tsv", sep="\t").set_index("subject")
    ages = people.loc[stack.subjects, "age"].to_numpy(float)
    scans, grid = stack.scans(stack.names), np.median(stack.affines, axis=0)
    values = np.stack([on_grid(score.values(scan, None), scan.affine, grid) for scan in scans])
    errors = np.zeros(2)
    for left_out, scan in enumerate(scans):
        others = np.arange(len(ages)) != left_out
        mean, centred = values[others].mean(axis=0), ages - ages[others].mean()
        slope = np.tensordot(centred[others], values[others], 1) / (centred[others] ** 2).sum()
        brain = on_grid(scan.brain_mask.astype(np.float32), scan.affine, grid) > 0.5
        for number, predicted in enumerate((mean + slope * centred[left_out], mean)):
            errors[number] += ((values[left_out] - predicted)[brain] ** 2).mean()
    return float(errors[0] / errors[1])


def apply(folder: Path, study: Path, method: str, datasets: dict[str, Any]) -> None:
    """Apply the bundle of a method in a folder of its own."""
    bundle = (study / f"results/bundles/{method}_t1").resolve()
    write_config(folder, {"bundle": str(bundle), "device": "cpu", "datasets": datasets})
    run(folder, "all")


def write_config(folder: Path, values: dict[str, Any]) -> None:
    (folder / "config").mkdir(parents=True)
    text = yaml.safe_dump(values, sort_keys=False)
    (folder / "config" / "config.yaml").write_text(text, encoding="utf-8")


def run(folder: Path, *targets: str) -> None:
    subprocess.run(
        ["snakemake", "--directory", folder.resolve(), "--cores", "all", "--use-conda", *targets],
        cwd=PROJECT,
        check=True,
    )


def costs(folder: Path) -> pd.DataFrame:
    """Number of jobs, total CPU seconds and peak memory of each rule."""
    root = folder / "benchmarks"
    jobs = pd.concat(
        pd.read_csv(file, sep="\t").assign(rule=file.relative_to(root).parts[0])
        for file in sorted(root.rglob("*.tsv"))
    )
    shown = {"jobs": ("s", "size"), "cpu_s": ("cpu_time", "sum"), "mb": ("max_rss", "max")}
    return jobs.groupby("rule").agg(**shown).sort_values("cpu_s", ascending=False).round(1)


if __name__ == "__main__":
    main()
