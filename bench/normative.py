"""How a normative score depends on the number of healthy scans and on their registration.

    PYTHONPATH=scripts:bench python bench/normative.py FOLDER [FIGURE.svg]

FOLDER is a new working directory, or that of an earlier call. The rules process T2 phantoms of the
demo's size, 44 healthy ones for validation among them, and train a small cDDPM. The patients are
scored against 3 to 44 of the healthy scans, in several draws: by mean and deviation, with and
without mirror images, and by medians; and against all of them with an error of registration.
Prints AUPRC in %, and draws the figure of docs/explanation/scores.md.
Needs Snakemake and conda on the PATH; some 20 minutes on two cores.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from matplotlib.figure import Figure
from scipy import stats

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.datasets.partitions import TEST, VALIDATION, scans_of
from brainuad.evaluation.metrics import average_precision
from brainuad.images.computed_volumes import ScansWithVolumes, read_reconstructions, scans_with
from brainuad.images.distributions import Distribution, on_grid
from brainuad.images.slices import SliceStack, read_slices
from brainuad.io.rows import read_rows
from brainuad.report.figures.style import PAGE_WIDTH, house_style, save_figure
from brainuad.scores import load_score
from brainuad.scores.normative import Normative
from brainuad.scores.postprocess import anomaly_map
from brainuad.scores.scoring import Scoring

PROJECT = Path(__file__).resolve().parents[1]
REFERENCES = (3, 4, 6, 10, 20, 44)
DRAWS = 5
SHIFTS = (0, 2, 4, 8, 12)  # mm
LESION_SETS = ("brats21", "mslub")
METHODS = {"zscore": "thresh", "cddpm_ens_z": "cddpm_ens"}


def study() -> dict[str, Any]:
    """The run's config: that of the demo, in T2, with many healthy validation subjects."""
    demo = yaml.safe_load((PROJECT / "demo" / "config" / "config.yaml").read_text(encoding="utf-8"))
    subjects = {"ixi": 26 + max(REFERENCES) + 1, **dict.fromkeys(LESION_SETS, 14)}
    datasets = {name: {**demo["datasets"][name], "modalities": ["t2"]} for name in subjects}
    datasets["ixi"] |= {"archives": [], "validation": max(REFERENCES), "test": 1}
    for name in LESION_SETS:
        datasets[name] |= {"archives": [], "validation": 13}
    return {
        **{key: demo[key] for key in ("device", "checkpoint_minutes", "threads_per_training")},
        **{key: demo[key] for key in ("folds", "template", "head_template", "preprocessing")},
        "phantoms": {
            name: {"subjects": count, "spacing": [2.0, 2.0, 2.0]}
            for name, count in subjects.items()
        },
        "datasets": {"atlas": None, "wmh": None, **datasets},
        "models": {"cddpm": demo["models"]["cddpm"]},
        "evaluation": {
            **{key: demo["evaluation"][key] for key in ("postprocessing",)},
            "methods": ["thresh", "zscore", "cddpm_ens"],
            "later_methods": [],
            "maps_method": "cddpm_ens",
            "comparison": {"reference": "cddpm_ens"},
        },
    }


def prepare(folder: Path) -> dict[str, Any]:
    """Run the rules up to the reconstructions, which are kept; return the run's config."""
    config = folder / "config" / "config.yaml"
    if not config.exists():
        config.parent.mkdir(parents=True)
        config.write_text(yaml.safe_dump(study(), sort_keys=False), encoding="utf-8")
    wanted = [str(reconstructions_of(Path(), name)) for name in ("ixi", *LESION_SETS)]
    command = ["snakemake", "--directory", folder.resolve(), "--cores", "all", "--use-conda"]
    subprocess.run([*command, "--notemp", *wanted], cwd=PROJECT, check=True)
    base = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))
    base["evaluation"]["postprocessing"] |= study()["evaluation"]["postprocessing"]
    return base


def reconstructions_of(folder: Path, dataset: str) -> Path:
    return folder / f"results/reconstructions/cddpm/t250-500-750/fold0/{dataset}_t2.npz"


def names_in(folder: Path, dataset: str, partitions: Sequence[str]) -> list[str]:
    split = read_rows(folder / f"results/splits/{dataset}/fold0.tsv")
    return [name for partition in partitions for name in scans_of(split, partition)]


def pairs_of(
    folder: Path, dataset: str, names: Sequence[str], *, millimetres: float = 0
) -> ScansWithVolumes:
    """Scans with their reconstructions, shifted to one side of the template."""
    stack = read_slices(folder / f"results/slices/{dataset}_t2.npz")
    affines = stack.affines.copy()
    affines[:, 0, 3] += millimetres
    computed = read_reconstructions(reconstructions_of(folder, dataset))
    return scans_with(SliceStack(**{**vars(stack), "affines": affines}), computed, names)


def auprc(scoring: Scoring, pairs: ScansWithVolumes, settings: PostprocessingSettings) -> float:
    """Mean AUPRC in % over patients."""
    found = []
    for scan, reconstruction in pairs:
        scores = scoring(scan, reconstruction)
        maps = anomaly_map(scores, scan.brain_mask, settings)
        found.append(100 * average_precision(maps, scan.lesions))
    return float(np.nanmean(found))


def by_medians(score: Normative, healthy: ScansWithVolumes, pooled: Distribution) -> Distribution:
    """The distribution with medians: those of the values, and of their distances from these."""
    values = np.stack(
        [on_grid(score.values(*pair), pair[0].affine, pooled.affine) for pair in healthy]
    )
    median = np.median(values, axis=0)
    distance = np.median(np.abs(values - median), axis=0)
    # The deviation of a normal distribution with such a median distance.
    return replace(pooled, mean=median, deviation=distance / stats.norm.ppf(0.75))


def measure(folder: Path, config: dict[str, Any]) -> pd.DataFrame:
    """Rows with method, data set, what varies, its value, draw and AUPRC."""
    settings = settings_from(PostprocessingSettings, config["evaluation"]["postprocessing"])
    names = names_in(folder, "ixi", [VALIDATION])
    healthy = pairs_of(folder, "ixi", names)
    rows = []
    for method, plain in METHODS.items():
        score = load_score(config["methods"][method]["score"])
        by_itself = Scoring(load_score(config["methods"][plain]["score"]))
        reference = score.reference(healthy)
        one_sided = load_score(config["methods"][method]["score"] | {"mirrored_reference": False})
        whole = Scoring(score, reference)
        # Without a reference, its values are smoothed only.
        zeros, ones = np.zeros_like(reference.mean), np.ones_like(reference.mean)
        smoothed = Scoring(score, replace(reference, mean=zeros, deviation=ones))
        for dataset in LESION_SETS:
            tested = names_in(folder, dataset, [VALIDATION, TEST])
            patients = pairs_of(folder, dataset, tested)
            rows.append((method, dataset, "plain", 0, 0, auprc(by_itself, patients, settings)))
            rows.append((method, dataset, "smoothed", 0, 0, auprc(smoothed, patients, settings)))
            for shift in SHIFTS:
                moved = pairs_of(folder, dataset, tested, millimetres=shift)
                value = auprc(whole, moved, settings)
                rows.append((method, dataset, "shift", shift, 0, value))
            for count in REFERENCES:
                for draw in range(DRAWS if count < len(names) else 1):
                    chosen = np.random.default_rng(draw).permutation(names)[:count]
                    some = pairs_of(folder, "ixi", chosen.tolist())
                    pooled = score.reference(some)
                    for varied, scoring in {
                        "references": Scoring(score, pooled),
                        "not mirrored": Scoring(one_sided, pooled),
                        "medians": Scoring(score, by_medians(score, some, pooled)),
                    }.items():
                        value = auprc(scoring, patients, settings)
                        rows.append((method, dataset, varied, count, draw, value))
    return pd.DataFrame(rows, columns=["method", "dataset", "varied", "value", "draw", "auprc"])


def draw(table: pd.DataFrame, config: dict[str, Any]) -> Figure:
    """AUPRC against the number of healthy scans, and against the error of registration."""
    figure = Figure(figsize=(PAGE_WIDTH, 4.4), layout="constrained")
    panels = figure.subplots(2, len(LESION_SETS), sharey="col")
    kinds = {"references": "Healthy scans in the reference", "shift": "Error of registration (mm)"}
    for row, (kind, label) in zip(panels, kinds.items(), strict=True):
        for axes, dataset in zip(row, LESION_SETS, strict=True):
            here = table[table["dataset"] == dataset]
            for method, plain in METHODS.items():
                own = here[here["method"] == method]
                colour = config["methods"][method]["colour"]
                drawn = own[own["varied"] == kind]
                means = drawn.groupby("value")["auprc"].mean()
                axes.plot(
                    means.index,
                    means,
                    color=colour,
                    marker="o",
                    label=config["methods"][method]["label"],
                )
                if kind == "references":
                    axes.plot(drawn["value"], drawn["auprc"], ".", color=colour, alpha=0.4)
                (by_itself,) = own.loc[own["varied"] == "plain", "auprc"]
                axes.axhline(
                    by_itself, color=colour, ls="--", label=config["methods"][plain]["label"]
                )
            if kind == "references":
                axes.set_xscale("log")
                axes.set_xticks(REFERENCES, list(map(str, REFERENCES)))
                axes.minorticks_off()
            axes.set_ylim(bottom=0)
            axes.set(xlabel=label, ylabel="AUPRC (%)")
    for axes, dataset in zip(panels[0], LESION_SETS, strict=True):
        axes.set_title(config["datasets"][dataset]["label"])
    handles, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(handles))
    return figure


def main() -> None:
    folder = Path(sys.argv[1])
    config = prepare(folder)
    table = measure(folder, config)
    means = table.groupby(["dataset", "method", "varied", "value"])["auprc"].agg(["mean", "std"])
    print(means.round(1).to_string())
    figure = Path(sys.argv[2]) if len(sys.argv) > 2 else folder / "normative.svg"
    with house_style():
        save_figure(draw(table, config), svg=figure, png=figure.with_suffix(".png"))


if __name__ == "__main__":
    main()
