"""What thresholds rest on, for readers: patients, lesion voxels, and what healthy brains say."""

import html

import pandas as pd

from brainuad.evaluation.thresholds import (
    FEWEST_LESION_VOXELS,
    FEWEST_PATIENTS,
    HEALTHY_SHARE,
    rests_on_little,
)
from brainuad.report.metric_formats import DASH
from brainuad.report.names import dataset_name, method_name
from brainuad.report.tables.layout import (
    NO_SCORES_HTML,
    NO_SCORES_LATEX,
    plain_latex,
    plain_table,
)

PLACE = ["dataset", "modality"]
KEYS = [*PLACE, "method", "healthy"]
NOTE = (
    "The fitted threshold has the best Dice on the pooled voxels of the validation patients; "
    "patients without a lesion on the evaluation grid are not counted. Beside it: the share of the "
    "brain voxels of healthy validation subjects that score above it, and the threshold that "
    f"{HEALTHY_SHARE:.0%} of these voxels exceed, which needs no lesion and decides no number of "
    "the other tables. Thresholds and shares are means over folds; of counts that differ between "
    "folds the range is shown."
)


def basis_html(table: pd.DataFrame) -> str:
    """Warnings first, then a row per data set, method and healthy set; table as from the script."""
    if table.empty:
        return NO_SCORES_HTML
    lines = "".join(
        f'<p class="note"><strong>{html.escape(line)}</strong></p>' for line in warnings(table)
    )
    return f'{lines}{plain_table(basis_texts(table))}<p class="note">{NOTE}</p>'


def basis_latex(table: pd.DataFrame) -> str:
    """As `basis_html`, for LaTeX, with the warnings as comments."""
    if table.empty:
        return NO_SCORES_LATEX
    lines = "".join(f"% {line}\n" for line in warnings(table))
    return lines + plain_latex(basis_texts(table), columns="llrrrrlr")


def warnings(table: pd.DataFrame) -> list[str]:
    """A sentence for each lesion set whose thresholds rest on too little in some fold."""
    lines = []
    for (dataset, modality), part in table.groupby(PLACE, sort=False):
        few = [
            (patients, voxels)
            for patients, voxels in zip(part["patients"], part["lesion_voxels"], strict=True)
            if rests_on_little(patients, voxels)
        ]
        if few:
            patients, voxels = min(few)
            lines.append(
                f"Warning: the thresholds of {dataset_name(dataset, modality)} rest on "
                f"{patients} patient{'s' * (patients != 1)} with {voxels:,} lesion "
                f"voxel{'s' * (voxels != 1)}. With fewer than {FEWEST_PATIENTS} patients or "
                f"{FEWEST_LESION_VOXELS:,} voxels, other patients may give quite another threshold."
            )
    return lines


def basis_texts(table: pd.DataFrame) -> pd.DataFrame:
    """A row per data set, method and healthy set, as texts."""
    rows = []
    for (dataset, modality, method, healthy), part in table.groupby(KEYS, sort=False, dropna=False):
        known = not pd.isna(healthy)
        subjects = _range(part["healthy_subjects"]) if known else ""
        rows.append(
            {
                "Data set": dataset_name(dataset, modality),
                "Method": method_name(method),
                "Patients": _range(part["patients"]),
                "Lesion voxels": _range(part["lesion_voxels"]),
                "Fitted threshold": _mean(part["threshold"]),
                "Healthy voxels above it (%)": _mean(100 * part["share_above"]),
                "Healthy subjects": f"{subjects} of {dataset_name(healthy)}" if known else DASH,
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
