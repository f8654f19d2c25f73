"""Find preprocessed scans that are outliers in their cohort, and by which measure."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from brainuad.preprocessing.quality import MEASURES, Concern, Measure

# ASSUME: the limit is that of Iglewicz and Hoaglin (How to Detect and Handle Outliers, 1993) for
# their modified z-score, the distance from the median over 1.4826 median absolute deviations.
LIMIT = 3.5
# ASSUME: fewer scans than this do not show what is usual, so they are only compared with the
# measures' own limits.
FEWEST = 5
# The standard deviation of a normal distribution, in median absolute deviations.
NORMAL = 1.4826


def robust_z_score(values: Sequence[float], measure: Measure) -> np.ndarray:
    """Robust z-scores in the direction of the measure's concern, 0 on its other side.

    The score is the distance from the median over 1.4826 median absolute deviations, or over the
    measure's smallest spread. NaN values do not count and stay NaN; if fewer than five values are
    known, all scores are NaN.
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
    """Which values are beyond the measure's own limit, whatever the others are; NaN is not."""
    values = np.asarray(values, dtype=float)
    if measure.limit is None:
        return np.zeros(len(values), dtype=bool)
    return values < measure.limit if measure.concern is Concern.LOW else values > measure.limit


def flag_outliers(table: pd.DataFrame) -> pd.DataFrame:
    """Add outlier_score, flagged and why to a table of scan and measures; the highest first.

    outlier_score  the largest of the measures' robust z-scores; NaN if there is none. Infinite if
                   a measure is beyond its own limit, or missing although other scans have it
    flagged        whether outlier_score is above LIMIT
    why            the outlying measures, each with its value and the median
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
        # A value beyond its limit may be on the other side of a median that is even worse.
        low = measure.concern is Concern.LOW or (measure.concern is Concern.BOTH and value < usual)
        parts.append(
            f"{name} {measure.text(value)} is {'low' if low else 'high'} "
            f"({_reference(measure, value, usual)})"
        )
    return "; ".join(parts).replace("\u00a0", " ")


def _reference(measure: Measure, value: float, usual: float) -> str:
    """The limit or median that an outlying value is compared with."""
    if beyond_limit([value], measure)[0]:
        return f"limit {measure.text(measure.limit)}"
    return f"median {measure.text(usual)}"
