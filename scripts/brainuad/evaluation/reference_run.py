"""Compare the numbers of this run with those of a reference run of the workflow."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainuad.io.errors import SettingsError
from brainuad.io.tables import read_table

PLACE = ["method", "dataset", "modality"]
KEYS = [*PLACE, "metric"]
COLUMNS = [*KEYS, "mean", "sd"]


def read_results(paths: Sequence[Path]) -> pd.DataFrame:
    """Read tables of results into one: method, dataset, modality, metric, mean and sd.

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
            f"{path} is not a table of results: it lacks {', '.join(lacking)}; name the folder of "
            "another run of this workflow that has made its report"
        )
    # The columns of a table without rows have no type.
    return table[COLUMNS].astype({"mean": float, "sd": float})


def compare_runs(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Compare two runs, with a row for each number of either of them.

    Both are results of `read_results`. Returns the keys with ours, ours_sd, theirs, theirs_sd and
    difference (ours - theirs), NaN if a run has no number. Methods and, within them, data sets and
    metrics are in the order of ours; those that only the other run has come last.
    """
    table = pd.concat([ours[KEYS], theirs[KEYS]], ignore_index=True).drop_duplicates()
    for run, name in ((ours, "ours"), (theirs, "theirs")):
        named = run.rename(columns={"mean": name, "sd": f"{name}_sd"})
        table = table.merge(named, on=KEYS, how="left", validate="one_to_one")
    table["difference"] = table["ours"] - table["theirs"]
    order = [table.groupby(keys, sort=False).ngroup() for keys in (["method"], PLACE)]
    return table.iloc[pd.concat(order, axis=1).sort_values([0, 1], kind="stable").index]
