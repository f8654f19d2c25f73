"""Summaries of scores over subjects and folds, as tidy tables."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import pandas as pd

from brainuad.evaluation.statistics import BootstrapSettings, Summary, summarize
from brainuad.io.tables import read_table

# The name of the data set for means over data sets.
AVERAGE = "average"
SUMMARY_COLUMNS = [field.name for field in fields(Summary)]
SCORE_COLUMNS = [
    *("subject", "session", "modality", "metric", "value"),
    *("method", "fold", "dataset"),
]


def gather_scores(
    paths: Sequence[Path], *, methods: Sequence[str], folds: Sequence[int], datasets: Sequence[str]
) -> pd.DataFrame:
    """Stack score files into one tidy table; the three lists give each file's origin.

    Without files (if no data set has lesion masks) the columns have no rows.
    """
    frames = [
        read_table(path).assign(method=method, fold=fold, dataset=dataset)
        for path, method, fold, dataset in zip(paths, methods, folds, datasets, strict=True)
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=SCORE_COLUMNS)


def summarize_scores(
    scores: pd.DataFrame,
    *,
    metrics: Sequence[str],
    bootstrap: BootstrapSettings,
    extra: Sequence[str] = (),
) -> pd.DataFrame:
    """One row per method, data set, modality, `extra` column and metric, in the order of scores.

    The numbers are those of `statistics.summarize`: mean and sd over folds, interval over
    subjects. An undefined score (NaN) does not count, and neither does its subject.
    """
    keys = ["method", "dataset", "modality", *extra, "metric"]
    # A table without files has no extra columns.
    chosen = scores.reindex(columns=[*scores, *extra]) if scores.empty else scores
    chosen = chosen[chosen["metric"].isin(list(metrics))]
    return summarize_by(keys, chosen, bootstrap)


def summarize_by(
    keys: Sequence[str], scores: pd.DataFrame, bootstrap: BootstrapSettings
) -> pd.DataFrame:
    """`statistics.summarize` of the scores for each value of `keys`, in their order."""
    rows = [
        dict(zip(keys, key, strict=True)) | asdict(summarize(group, bootstrap))
        for key, group in scores.groupby(list(keys), sort=False, observed=True)
    ]
    return pd.DataFrame(rows, columns=[*keys, *SUMMARY_COLUMNS])


def with_average(summary: pd.DataFrame) -> pd.DataFrame:
    """Add the plain mean over the data sets as another data set, if there are several."""
    if summary[["dataset", "modality"]].drop_duplicates().shape[0] < 2:
        return summary
    apart = ["dataset", "modality", *SUMMARY_COLUMNS]
    keys = [name for name in summary if name not in apart]
    mean = summary.groupby(keys, sort=False, as_index=False)["mean"].mean()
    return pd.concat([summary, mean.assign(dataset=AVERAGE, modality="")], ignore_index=True)


def with_difference(summary: pd.DataFrame, *, extra: str, reference: str) -> pd.DataFrame:
    """Add `difference`: each mean minus that of the same row with `reference` in column `extra`.

    It is NaN in the rows of the reference, and in rows without a reference.
    """
    keys = ["method", "dataset", "modality", "metric"]
    is_reference = summary[extra] == reference
    references = summary[is_reference].set_index(keys)["mean"]
    means = references.reindex(pd.MultiIndex.from_frame(summary[keys])).to_numpy(dtype=float)
    difference = (summary["mean"].astype(float) - means).mask(is_reference)
    return summary.assign(difference=difference)
