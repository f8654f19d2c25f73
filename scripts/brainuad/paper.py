"""The paper's numbers, and ours beside them."""

import pandas as pd

KEYS = ["method", "dataset", "modality", "metric"]
# What a printed number is divided by to be one of our tables, which hold plain fractions.
DIVISORS = {"%": 100, "1e-3": 1000, "dB": 1, "1": 1}


def in_our_units(values: pd.Series, units: pd.Series) -> pd.Series:
    """Printed numbers as our tables hold them: 19.69 % is 0.1969."""
    return values / units.map(DIVISORS)


def beside_paper(ours: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """Set our means beside printed numbers, a row per printed number and in their order.

    ours holds method, dataset, modality, metric, mean, sd; printed the same keys with value and
    unit, as in resources/paper. Gives the keys with paper, ours, sd (ours, over folds) and
    difference (ours - paper), all in our units; ours is NaN where it was not measured.
    """
    rows = printed.assign(paper=in_our_units(printed["value"], printed["unit"]))
    measured = ours[[*KEYS, "mean", "sd"]].rename(columns={"mean": "ours"})
    table = rows.merge(measured, on=KEYS, how="left", validate="one_to_one")
    table["difference"] = table["ours"] - table["paper"]
    return table[[*KEYS, "paper", "ours", "sd", "difference"]]
