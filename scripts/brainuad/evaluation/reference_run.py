"""The numbers of this run beside those of a reference run of the workflow."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainuad.io.errors import SettingsError
from brainuad.io.tables import read_table

PLACE = ["method", "dataset", "modality"]
KEYS = [*PLACE, "metric"]
COLUMNS = [*KEYS, "mean", "sd"]


def read_results(paths: Sequence[Path]) -> pd.DataFrame:
    """Tables of results one below the other: method, dataset, modality, metric, mean and sd.

    Raises SettingsError for a file that is not such a table.
    """
    return pd.concat([_results_in(path) for path in paths], ignore_index=True)


def _results_in(path: Path) -> pd.DataFrame:
    try:
        table = read_table(path)
        lacking = [column for column in COLUMNS if column not in table]
    except ValueError:
        lacking = COLUMNS
    if lacking:
        raise SettingsError(
            f"{path} is no table of results: it lacks {', '.join(lacking)}; name the folder in "
            "which another run of this workflow has made its report"
        )
    # A table without rows has columns without a type.
    return table[COLUMNS].astype({"mean": float, "sd": float})


def compare_runs(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Set two runs side by side, a row for each number that either of them has.

    Both are as from `read_results`. Gives the keys with ours, ours_sd, theirs, theirs_sd and
    difference (ours - theirs), NaN where a run has no number. Methods and, within them, data sets
    and metrics are in the order of ours; what is only theirs comes last.
    """
    table = pd.concat([ours[KEYS], theirs[KEYS]], ignore_index=True).drop_duplicates()
    for run, name in ((ours, "ours"), (theirs, "theirs")):
        named = run.rename(columns={"mean": name, "sd": f"{name}_sd"})
        table = table.merge(named, on=KEYS, how="left", validate="one_to_one")
    table["difference"] = table["ours"] - table["theirs"]
    order = [table.groupby(keys, sort=False).ngroup() for keys in (["method"], PLACE)]
    return table.iloc[pd.concat(order, axis=1).sort_values([0, 1], kind="stable").index]
