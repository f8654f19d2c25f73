"""Compare the claims of the paper with what was measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from brainuad.evaluation.paper import in_our_units

HOLDS, FAILS, NOT_MEASURED = "holds", "does not hold", "not measured"
COLUMNS = ["claim", "measured", "paper", "ours", "verdict", "lacking", "unit", "source"]

# The largest relative difference to the paper's ratio for a claim that says "about".
TOLERANCE = 0.1


@dataclass(frozen=True)
class Rule:
    """What a claim measures, and when it holds.

    quantity  the measure in words
    measure   a function from the method's value and those of the others [N] to one number
    holds     a function from our number and the paper's to a verdict
    """

    quantity: str
    measure: Callable[[float, np.ndarray], float]
    holds: Callable[[float, float], bool]


def ratio(value: float, other: float) -> float:
    """The ratio of two magnitudes; NaN if the other is 0."""
    # ASSUME: an entropy difference may have either sign, and its magnitude counts.
    return abs(value) / abs(other) if other else float("nan")


def share_in_order(values: Sequence[float]) -> float:
    """The share of pairs in which the earlier value is larger; ties do not count."""
    return float(np.mean([first > second for first, second in combinations(values, 2)]))


TO_HIGHEST, TO_LOWEST = "difference to the highest other", "difference to the lowest other"
BY_HIGHEST, BY_LOWEST = "ratio to the highest other", "ratio to the lowest other"
IN_ORDER = "share of pairs in the order named"

# ASSUME: a claim holds if the direction is that of the paper, whatever the size; the table shows
# both sizes.
RULES = {
    "higher": Rule(TO_HIGHEST, lambda value, others: value - max(others), lambda x, _: x > 0),
    "not higher": Rule(TO_HIGHEST, lambda value, others: value - max(others), lambda x, _: x <= 0),
    "lower": Rule(TO_LOWEST, lambda value, others: value - min(others), lambda x, _: x < 0),
    "times higher": Rule(
        BY_HIGHEST, lambda value, others: ratio(value, max(others, key=abs)), lambda x, _: x > 1
    ),
    "times lower": Rule(
        BY_LOWEST, lambda value, others: ratio(value, min(others, key=abs)), lambda x, _: x < 1
    ),
    # ASSUME: "about" the paper's ratio is within a tenth of it.
    "about as high": Rule(
        BY_HIGHEST,
        lambda value, others: ratio(value, max(others, key=abs)),
        lambda x, paper: abs(x / paper - 1) <= TOLERANCE,
    ),
    "falling": Rule(
        IN_ORDER, lambda value, others: share_in_order([value, *others]), lambda x, _: x == 1
    ),
    "rising": Rule(
        IN_ORDER,
        lambda value, others: share_in_order([-value, *-others]),
        lambda x, _: x == 1,
    ),
}


def evaluate_claims(claims: pd.DataFrame, tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Check each claim with our tables: a row per claim, with the verdict.

    claims is resources/paper/claims.tsv. The tables have method, dataset, modality, metric, mean
    and, if the contrast was changed, gamma; if a number is in several tables, the first counts. The
    columns are the claim, what is measured, the paper's number and ours (in our units; `unit` is
    the printed one), the verdict, and `lacking`: what was not measured. A claim over several
    methods is checked only if all of them were measured.
    """
    means = _means(tables)
    papers = in_our_units(claims["paper"], claims["unit"])
    rows = []
    for claim, paper in zip(claims.to_dict("records"), papers, strict=True):
        rule = RULES[claim["rule"]]
        ours, lacking = measure(claim, means)
        verdict = NOT_MEASURED
        if not np.isnan(ours):
            verdict = HOLDS if rule.holds(ours, paper) else FAILS
        rows.append(
            claim
            | {
                "measured": f"{claim['metric']}: {rule.quantity}",
                "paper": paper,
                "ours": ours,
                "verdict": verdict,
                "lacking": ", ".join(lacking),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def measure(claim: dict, means: dict[tuple, float]) -> tuple[float, list[str]]:
    """Our number for a claim, NaN if it was not measured; and what it lacks.

    It lacks methods or, if none of them was measured (a data set, a contrast or a metric is left
    out), the metric on a data set.
    """
    sets, methods = claim["sets"].split(","), [claim["method"], *claim["others"].split(",")]
    table = np.array(
        [
            [means.get((method, name, claim["gamma"], claim["metric"]), np.nan) for name in sets]
            for method in methods
        ]
    )
    values = table.mean(axis=1)
    unmeasured = np.isnan(table).all(axis=0)
    if unmeasured.any():
        contrast = "" if claim["gamma"] == 1 else f" at gamma {claim['gamma']:g}"
        places = [name for name, absent in zip(sets, unmeasured, strict=True) if absent]
        return float("nan"), [f"{claim['metric']} on {place}{contrast}" for place in places]
    lacking = [method for method, value in zip(methods, values, strict=True) if np.isnan(value)]
    if lacking:
        return float("nan"), lacking
    return float(RULES[claim["rule"]].measure(values[0], values[1:])), []


def _means(tables: Sequence[pd.DataFrame]) -> dict[tuple, float]:
    """Means by method, data set with modality (ixi_t2), gamma and metric."""
    means: dict[tuple, float] = {}
    for table in tables:
        gammas = table["gamma"].fillna(1.0) if "gamma" in table else [1.0] * len(table)
        sets = table["dataset"] + "_" + table["modality"]
        columns = (table["method"], sets, gammas, table["metric"], table["mean"])
        for *key, mean in zip(*columns, strict=True):
            means.setdefault(tuple(key), mean)
    return means
