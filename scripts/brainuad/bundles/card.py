"""The model card and the licence of a bundle, from the run that trained it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from brainuad.bundles.metadata import INTENDED_USE, PAPER
from brainuad.config.evaluation import takes_own_map
from brainuad.evaluation.thresholds import ON_HEALTHY, healthy_label
from brainuad.io.bundle_files import (
    CHECKSUMS,
    HEALTHY_RESIDUALS,
    SCORES,
    SETTINGS,
    SUBGROUPS,
    TEMPLATE,
    WEIGHTS,
)

DASH = "\u2013"
SHOWN = {
    "dice": "Dice %",
    "auprc": "AUPRC %",
    "precision": "Precision %",
    "recall": "Recall %",
    "ssim": "SSIM %",
}
# A group of fewer test subjects is shown, but is not named as a failure.
FEWEST_SUBJECTS = 3
PHANTOMS = (
    "**Trained and tested on phantoms.** It shows how a bundle is made and applied; it says "
    "nothing about patients."
)
AS_IT_CAME = "as in the archive"
APPLIED = "they are preprocessed like the training scans"
APPLIED_TO_OTHERS = (
    "the training scans came preprocessed from the authors' archive; yours are preprocessed by "
    "this workflow, which may differ"
)


def model_card(
    *,
    name: str,
    settings: Mapping[str, Any],
    facts: Mapping[str, Any],
    people: pd.DataFrame,
    thresholds: Mapping[str, Mapping[str, Any]],
    scores: pd.DataFrame,
    subgroups: pd.DataFrame,
    false_positives: pd.DataFrame,
    template: Mapping[str, str],
) -> str:
    """The card as Markdown.

    name             of the bundle's folder
    people           dataset, subject, partition, age, sex, site
    thresholds       content of each threshold's file, by data set; "healthy" is the one applied
    scores           of `summaries.summarize_scores`
    subgroups        of `subgroups.summarize_groups`
    false_positives  fitted_on, value: ml that are marked in healthy test subjects
    template         the facts of `check_template` by their names
    """
    (method,) = settings["methods"].values()
    modality = settings["modality"].upper()
    labels = {dataset: block["label"] for dataset, block in facts["datasets"].items()}
    training = next(iter(labels))
    parts = [
        f"# {method['label']} for {modality} brain MRI",
        INTENDED_USE,
        PHANTOMS if facts["phantoms"] else "",
        f"It was trained on slices of healthy brains only. {_asked(method)} The difference to the "
        "scan is the anomaly map, which is not specific to a kind of lesion. Everything unlike the "
        "training data stands out: lesions, but also other scanners, ages, motion and failures of "
        "the preprocessing.",
        "## How to apply it",
        f"With the workflow brainuad, a config that names this folder (`bundle: {name}`) and your "
        f"scans; config/apply.yaml is an example. Scans must be {modality}; "
        + (APPLIED_TO_OTHERS if facts["datasets"][training]["preprocessed"] else APPLIED)
        + f" ({SETTINGS}).",
        "## Data",
        _table(
            ["", "train", "validation", "test", "age", "sex", "sites", "skull stripping", "terms"],
            [_data_row(block, people, name) for name, block in facts["datasets"].items()],
        ),
        f"Fold {facts['fold']} of {facts['folds']}. Ages in training: "
        f"{_ages(people, training, 'train')}; nothing is known about other ages.",
        "## Thresholds",
        "A voxel above the threshold is anomalous. `healthy` is the threshold that is applied: "
        "1 % of the brain voxels of healthy validation subjects exceed it. The others have the "
        "best Dice on the validation patients of a data set.",
        _table(
            ["fitted on", "threshold", "subjects", "validation Dice %"],
            [_threshold_row(key, content, labels) for key, content in thresholds.items()],
        ),
        "## Scores of the test subjects",
        "Means with their interval. Dice, precision and recall are at the threshold fitted on the "
        "data set itself, which is not the one that is applied; AUPRC needs none. All scores are "
        f"in {SCORES}.",
        _table(["", *SHOWN.values()], _score_rows(scores, labels)),
        "## Known failures",
        *_failures(subgroups, labels),
        "By lesion volume, age, sex and site, as far as they are known (all: " + SUBGROUPS + "):",
        _table(["", "", "group", "subjects", "Dice %", "AUPRC %"], _groups(subgroups, labels)),
        "In healthy brains, every anomalous voxel is a false positive. This is their volume in the "
        "healthy test subjects, at the applied threshold (1 % of healthy voxels) and at others:",
        _table(["at the threshold of", "median ml", "most ml"], _alarms(false_positives, labels)),
        "## Files",
        f"`sha256sum --check {CHECKSUMS}` checks all.",
        f"- {WEIGHTS}: weights, and the settings to rebuild the network\n"
        f"- {TEMPLATE}: the template that scans are registered to, made from {template['source']} "
        f"with SHA-256 {template['sha256']}\n"
        f"- {HEALTHY_RESIDUALS}: mean and standard deviation of healthy anomaly maps in each "
        "voxel, and the mean residual of each healthy scan\n"
        "- thresholds/: the thresholds, with the names of the subjects they were fitted on",
        "## Reference",
        PAPER + ".",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def licence(facts: Mapping[str, Any]) -> str:
    """What is known about the terms under which the bundle may be shared."""
    terms = [f"- {block['label']}: {block['terms']}" for block in facts["datasets"].values()]
    lines = [
        "The person who trained these weights chooses their licence; none is named here.",
        "It must agree with the terms of the data that they were made from:",
        "",
        *terms,
        f"- the template: {facts['template_terms']}",
        "",
        "Check them before you share the bundle; the names of validation subjects are in",
        "thresholds/. The workflow brainuad itself has the MIT licence.",
    ]
    return "\n".join(lines) + "\n"


def _asked(method: Mapping[str, Any]) -> str:
    if method["model"] is None:
        return "It has no model: the intensity itself is the score."
    if takes_own_map(method["score"]):
        return "Its model maps anomalies itself, and reconstructs no brain."
    if not method["timesteps"]:
        return "It reconstructs a scan as a healthy brain, in one pass."
    steps = ", ".join(map(str, method["timesteps"]))
    samples = method["samples"]
    often = f"; {samples} times, each with other noise" if samples > 1 else ""
    asked = f"noised to timestep {steps} (their mean){often}"
    return f"It reconstructs a scan as a healthy brain, {asked}."


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _data_row(block: Mapping[str, Any], people: pd.DataFrame, dataset: str) -> list[str]:
    rows = people[people["dataset"] == dataset]
    counts = rows["partition"].value_counts()
    sexes = rows["sex"].dropna().value_counts()
    sites = sorted(set(rows["site"].dropna().astype(str)))
    return [
        block["label"],
        *(str(counts.get(part, 0)) for part in ("train", "validation", "test")),
        _ages(people, dataset),
        ", ".join(f"{count} {sex}" for sex, count in sexes.sort_index().items()) or DASH,
        ", ".join(sites) or DASH,
        AS_IT_CAME if block["preprocessed"] else block["skull_stripping"],
        block["terms"],
    ]


def _ages(people: pd.DataFrame, dataset: str, partition: str | None = None) -> str:
    rows = people[people["dataset"] == dataset]
    rows = rows if partition is None else rows[rows["partition"] == partition]
    ages = rows["age"].dropna().astype(float)
    span = dict.fromkeys(f"{age:.0f}" for age in (ages.min(), ages.max()))
    return "unknown" if ages.empty else f"{' to '.join(span)} years"


def _threshold_row(key: str, content: Mapping[str, Any], labels: Mapping[str, str]) -> list[str]:
    dice = content.get("validation_dice")
    return [
        labels.get(key, key),
        f"{content['threshold']:.5g}",
        str(content["subjects"]),
        DASH if dice is None else f"{100 * dice:.1f}",
    ]


def _score_rows(scores: pd.DataFrame, labels: Mapping[str, str]) -> list[list[str]]:
    rows = scores.set_index(["dataset", "metric"]).to_dict("index")
    return [
        [label, *(_score(rows.get((dataset, metric))) for metric in SHOWN)]
        for dataset, label in labels.items()
    ]


def _score(row: Mapping[str, Any] | None) -> str:
    if row is None or pd.isna(row["mean"]):
        return DASH
    mean = f"{100 * row['mean']:.1f}"
    if pd.isna(row["ci_low"]):
        return mean
    return f"{mean} ({100 * row['ci_low']:.1f} to {100 * row['ci_high']:.1f})"


def _failures(subgroups: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """The group of each data set with the lowest Dice, among those of several subjects."""
    dices = subgroups[subgroups["metric"] == "dice"].dropna(subset=["mean"])
    # A single group is the whole data set.
    several = dices.groupby(["dataset", "grouping"])["group"].transform("count") > 1
    dices = dices[several & (dices["subjects"] >= FEWEST_SUBJECTS)]
    lines = []
    for dataset, rows in dices.groupby("dataset", sort=False, observed=True):
        worst = rows.loc[rows["mean"].idxmin()]
        lines.append(
            f"- {labels[dataset]}: lowest where {worst['grouping']} is {worst['group']}, with a "
            f"Dice of {100 * worst['mean']:.1f} % over {worst['subjects']} test subjects."
        )
    if not lines:
        return ["No group of test patients with lesion masks is large enough to name failures."]
    return ["\n".join(lines)]


def _groups(subgroups: pd.DataFrame, labels: Mapping[str, str]) -> list[list[str]]:
    keys = ["dataset", "grouping", "group"]
    found = []
    for (dataset, grouping, group), rows in subgroups.groupby(keys, sort=False, observed=True):
        means = rows.set_index("metric")["mean"]
        shown = [
            f"{100 * means[metric]:.1f}" if pd.notna(means.get(metric)) else DASH
            for metric in ("dice", "auprc")
        ]
        found.append([labels[dataset], grouping, group, str(rows["subjects"].max()), *shown])
    return found


def _alarms(false_positives: pd.DataFrame, labels: Mapping[str, str]) -> list[list[str]]:
    return [
        [
            healthy_label(name) if name in ON_HEALTHY else labels.get(name, name),
            f"{values.median():.1f}",
            f"{values.max():.1f}",
        ]
        for name, values in false_positives.groupby("fitted_on", sort=False)["value"]
    ]
