"""Which preprocessed scans stand out among those of their cohort, and by which measure."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from brainuad.preprocessing.quality import MEASURES, Concern, Measure

# ASSUME: the limit of Iglewicz and Hoaglin (How to Detect and Handle Outliers, 1993) for their
# modified z-score, the distance from the median over 1.4826 median absolute deviations.
LIMIT = 3.5
# ASSUME: fewer scans than this say too little about what is usual, so that they are held against
# the measures' own limits alone.
FEWEST = 5
# Of a normal distribution the standard deviation is that many median absolute deviations.
NORMAL = 1.4826


def robust_z_score(values: Sequence[float], measure: Measure) -> np.ndarray:
    """Robust z-scores in the direction of the measure's concern, 0 on its other side.

    The distance from the median over 1.4826 median absolute deviations, or over the measure's
    smallest spread. NaN is neither counted nor judged: it stays NaN, and so do all values where
    fewer than five are known.
    """
    values = np.asarray(values, dtype=float)
    known = values[np.isfinite(values)]
    if len(known) < FEWEST:
        return np.full(len(values), np.nan)
    middle = np.median(known)
    spread = max(NORMAL * np.median(np.abs(known - middle)), measure.smallest_spread)
    scores = (values - middle) / spread
    if measure.concern is Concern.BOTH:
        return np.abs(scores)
    return np.maximum(-scores if measure.concern is Concern.LOW else scores, 0.0)


def beyond_limit(values: Sequence[float], measure: Measure) -> np.ndarray:
    """Which values lie beyond the measure's own limit, whatever the others are; NaN does not."""
    values = np.asarray(values, dtype=float)
    if measure.limit is None:
        return np.zeros(len(values), dtype=bool)
    return values < measure.limit if measure.concern is Concern.LOW else values > measure.limit


def flag_outliers(table: pd.DataFrame) -> pd.DataFrame:
    """Add outlier_score, flagged and why to a table of scan and measures; the highest first.

    outlier_score is the largest of the measures' robust z-scores, NaN where none could be taken. It
    is infinite where a measure is beyond its own limit, or missing though other scans have it.
    flagged are those beyond LIMIT, and `why` says which of their measures are, with the median
    beside the value.
    """
    scores = pd.DataFrame(
        {measure.name: _scores(table[measure.name], measure) for measure in MEASURES},
        index=table.index,
    )
    highest = scores.max(axis=1)
    whys = [_why(table, scores, place) for place in table.index]
    result = table.assign(outlier_score=highest, flagged=highest > LIMIT, why=whys)
    return result.sort_values(
        ["outlier_score", "scan"], ascending=[False, True], kind="stable", ignore_index=True
    )


def _scores(values: pd.Series, measure: Measure) -> np.ndarray:
    """The scores of one measure: those of `robust_z_score`, or infinity."""
    missing = values.isna() & values.notna().any() & (not measure.optional)
    return np.where(
        missing | beyond_limit(values, measure), np.inf, robust_z_score(values, measure)
    )


def _why(table: pd.DataFrame, scores: pd.DataFrame, place: int) -> str:
    """Which measures of one scan stand out, the worst first."""
    outlying = [measure for measure in MEASURES if scores.at[place, measure.name] > LIMIT]
    outlying.sort(key=lambda measure: -scores.at[place, measure.name])
    parts = []
    for measure in outlying:
        value, usual = table.at[place, measure.name], table[measure.name].median()
        name = measure.label.lower()
        if pd.isna(value):
            parts.append(f"{name} could not be measured")
            continue
        # Beyond its limit a value may lie on the other side of a median that is no better.
        low = measure.concern is Concern.LOW or (measure.concern is Concern.BOTH and value < usual)
        parts.append(
            f"{name} {measure.text(value)} is {'low' if low else 'high'} "
            f"({_reference(measure, value, usual)})"
        )
    return "; ".join(parts).replace("\u00a0", " ")


def _reference(measure: Measure, value: float, usual: float) -> str:
    """What an outlying value is held against."""
    if beyond_limit([value], measure)[0]:
        return f"limit {measure.text(measure.limit)}"
    return f"median {measure.text(usual)}"
