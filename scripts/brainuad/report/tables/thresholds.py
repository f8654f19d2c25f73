"""What the fitted thresholds rest on, beside the threshold that healthy voxels give."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.evaluation.thresholds import (
    FEWEST_LESION_VOXELS,
    FEWEST_PATIENTS,
    HEALTHY_SHARE,
    rests_on_little,
)
from brainuad.io.job import log
from brainuad.report.labels import Labels
from brainuad.report.metric_formats import DASH
from brainuad.report.tables import Table
from brainuad.report.tables.layout import (
    NO_SCORES_HTML,
    NO_SCORES_LATEX,
    plain_latex,
    plain_table,
)

PLACE = ["dataset", "modality"]
KEYS = ["method", "fold", "modality"]
FITTED = ["dataset", "threshold", "validation_dice", "patients", "lesion_voxels"]
HEALTHY = ["healthy", "healthy_threshold", "healthy_subjects", "healthy_voxels"]
COLUMNS = [*KEYS, *FITTED, *HEALTHY, "share_above"]


def tabulate(
    fitted: Sequence[Path],
    *,
    healthy: Sequence[Path],
    shares: Sequence[Path],
    places_of_fitted: Sequence[dict[str, Any]],
    places_of_healthy: Sequence[dict[str, Any]],
    labels: Labels,
) -> Table:
    """A row per fitted threshold and healthy set of its modality.

    The places, parallel to their files, are method, fold, dataset and modality: of the thresholds
    of score_segmentation, and of those of healthy voxels, beside which are the shares of these
    voxels above each fitted threshold.
    """
    lesions = pd.DataFrame(
        [
            {**place, **{name: content[name] for name in FITTED if name in content}}
            for place, content in zip(places_of_fitted, map(_read, fitted), strict=True)
        ],
        columns=[*KEYS, *FITTED],
    )
    rows = [
        {**place, "dataset": dataset, "share_above": share}
        | dict(zip(HEALTHY, (place["dataset"], *_measures(content)), strict=True))
        for place, content, above in zip(
            places_of_healthy, map(_read, healthy), map(_read, shares), strict=True
        )
        for dataset, share in above.items()
    ]
    beside = pd.DataFrame(rows, columns=[*KEYS, "dataset", *HEALTHY, "share_above"])
    table = lesions.merge(beside, on=[*KEYS, "dataset"], how="left")[COLUMNS]
    for line in warnings(table, labels):
        log(line)
    return Table(table, thresholds_html(table, labels), thresholds_latex(table, labels))


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def _measures(content: dict[str, Any]) -> tuple[float, int, int]:
    return content["threshold"], content["subjects"], content["brain_voxels"]


def thresholds_html(table: pd.DataFrame, labels: Labels) -> str:
    """Warnings first, then a row per data set, method and healthy set."""
    if table.empty:
        return NO_SCORES_HTML
    lines = "".join(
        f'<p class="note"><strong>{escape(line)}</strong></p>' for line in warnings(table, labels)
    )
    return f"{lines}{plain_table(thresholds_texts(table, labels))}"


def thresholds_latex(table: pd.DataFrame, labels: Labels) -> str:
    """As `thresholds_html`, for LaTeX, with the warnings as comments."""
    if table.empty:
        return NO_SCORES_LATEX
    lines = "".join(f"% {line}\n" for line in warnings(table, labels))
    return lines + plain_latex(thresholds_texts(table, labels), columns="llrrrrlr")


def warnings(table: pd.DataFrame, labels: Labels) -> list[str]:
    """A sentence for each lesion set whose thresholds rest on too little in some fold."""
    lines = []
    for place, part in table.groupby(PLACE, sort=False):
        few = [
            (patients, voxels)
            for patients, voxels in zip(part["patients"], part["lesion_voxels"], strict=True)
            if rests_on_little(patients, voxels)
        ]
        if few:
            patients, voxels = min(few)
            lines.append(
                f"Warning: the thresholds of {labels.cohort(*place)} rest on "
                f"{patients} patient{'s' * (patients != 1)} with {voxels:,} lesion "
                f"voxel{'s' * (voxels != 1)}. With fewer than {FEWEST_PATIENTS} patients or "
                f"{FEWEST_LESION_VOXELS:,} voxels, other patients may give quite another threshold."
            )
    return lines


def thresholds_texts(table: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """A row per data set, method and healthy set, as texts."""
    rows = []
    keys = [*PLACE, "method", "healthy"]
    for (dataset, modality, method, healthy), part in table.groupby(keys, sort=False, dropna=False):
        known = not pd.isna(healthy)
        subjects = _range(part["healthy_subjects"]) if known else ""
        rows.append(
            {
                "Data set": labels.cohort(dataset, modality),
                "Method": labels.method(method),
                "Patients": _range(part["patients"]),
                "Lesion voxels": _range(part["lesion_voxels"]),
                "Fitted threshold": _mean(part["threshold"]),
                "Healthy voxels above it (%)": _mean(100 * part["share_above"]),
                "Healthy subjects": f"{subjects} of {labels.dataset(healthy)}" if known else DASH,
                f"Threshold at {HEALTHY_SHARE:.0%} of them": _mean(part["healthy_threshold"]),
            }
        )
    return pd.DataFrame(rows)


def _mean(values: pd.Series) -> str:
    mean = values.mean()
    return DASH if pd.isna(mean) else f"{mean:.3g}"


def _range(counts: pd.Series) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
