"""Compare our numbers with those of the paper."""

import pandas as pd

KEYS = ["method", "dataset", "modality", "metric"]
# Divisors from printed numbers to our tables, which have plain fractions.
DIVISORS = {"%": 100, "1e-3": 1000, "dB": 1, "1": 1}
# ASSUME: it is unknown whether the paper's l1 ratio is that within the brain or that of all voxels,
# so its number is compared with both.
TWO_DEFINITIONS = {"l1_ratio": "l1_ratio_released"}


def in_our_units(values: pd.Series, units: pd.Series) -> pd.Series:
    """Printed numbers in the units of our tables: 19.69 % is 0.1969."""
    return values / units.map(DIVISORS)


def compare_with_paper(
    ours: pd.DataFrame, printed: pd.DataFrame, rerun: pd.DataFrame
) -> pd.DataFrame:
    """Compare our means with printed numbers, in a row per printed number and in their order.

    A number whose metric is in TWO_DEFINITIONS has a row for each definition.

    ours has method, dataset, modality, metric, mean, sd; printed and rerun have the same keys with
    value and unit, as in resources/paper: the paper's numbers, and what others measured with the
    authors' code. Returns the keys with paper, rerun, ours, sd (ours, over folds) and difference
    (ours - paper), all in our units; ours and rerun are NaN if they were not measured.
    """
    measured = ours[[*KEYS, "mean", "sd"]].rename(columns={"mean": "ours"})
    table = _with_values(_of_both_definitions(printed), "paper")
    for other in (_with_values(rerun, "rerun"), measured):
        table = table.merge(other, on=KEYS, how="left", validate="one_to_one")
    return table.assign(difference=table["ours"] - table["paper"])


def _of_both_definitions(printed: pd.DataFrame) -> pd.DataFrame:
    """Printed numbers; those with two definitions twice, one after the other."""
    printed = printed.reset_index(drop=True)
    twice = printed[printed["metric"].isin(TWO_DEFINITIONS)]
    others = twice.assign(metric=twice["metric"].map(TWO_DEFINITIONS))
    return pd.concat([printed, others]).sort_index(kind="stable")


def _with_values(printed: pd.DataFrame, name: str) -> pd.DataFrame:
    """The keys of printed numbers, and their values in our units in the column `name`."""
    return printed[KEYS].assign(**{name: in_our_units(printed["value"], printed["unit"])})
