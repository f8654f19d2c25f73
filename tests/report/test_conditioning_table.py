import math
import re

import pandas as pd
import pytest
from small_report import texts_of, write_small_table

from brainuad.io.tables import write_table


def tabulated(folder, measures, *, dataset="ixi"):
    """Tabulate the l1 of two subjects by method, timestep, share and region."""
    methods = list(dict.fromkeys(method for method, *_ in measures))
    for method in methods:
        rows = [
            (subject, "t2", timestep, share, region, "l1", value)
            for measured, timestep, share, region, values in measures
            if measured == method
            for subject, value in zip(("007", "008"), values, strict=True)
        ]
        columns = ["subject", "modality", "timestep", "share", "region", "metric", "value"]
        write_table(pd.DataFrame(rows, columns=columns), folder / f"{method}.tsv")
    files = write_small_table(
        "conditioning",
        folder,
        scores=[folder / f"{method}.tsv" for method in methods],
        methods=methods,
        folds=[0] * len(methods),
        datasets=[dataset] * len(methods),
    )
    return texts_of(files)


def test_table_by_hand(tmp_path):
    measures = [
        # Not in the order in which they are to be shown.
        ("ddpm", 1000, 1.0, "seen", [0.3, 0.3]),
        ("ddpm", 500, 1.0, "seen", [0.04, 0.06]),
        ("ddpm", 500, 0.25, "seen", [0.01, 0.01]),
        ("ddpm", 500, 0.25, "hidden", [0.02, 0.02]),
        ("cddpm", 500, 1.0, "seen", [0.02, 0.04]),
        ("cddpm", 500, 0.25, "hidden", [0.06, 0.08]),
        ("cddpm", 1000, 1.0, "seen", [0.4, 0.4]),
    ]
    table, page, latex = tabulated(tmp_path, measures)
    assert len(table) == 7
    keys = ["method", "timestep", "share", "region"]
    assert table.set_index(keys).loc[("ddpm", 500, 1.0, "seen"), "mean"] == pytest.approx(0.05)
    rows = [line for line in latex.splitlines() if "DDPM" in line]
    without_intervals = [re.sub(r"\\shortstack{(.*?)\\\\{.*?}}", r"\1", line) for line in rows]
    assert [line.split(r" \\")[0].split(" & ") for line in without_intervals] == [
        ["t = 500", "DDPM", "10.0", r"\textbf{20.0}", "50.0"],
        ["", "cDDPM", "--", "70.0", r"\textbf{30.0}"],
        ["t = 1000", "DDPM", "--", "--", r"\textbf{300.0}"],
        ["", "cDDPM", "--", "--", "400.0"],
    ]
    assert r"\multicolumn{3}{c}{IXI T2, l1 ($10^{-3}$)}" in latex
    assert r"\multicolumn{2}{c}{encoder sees 25 \%} & encoder sees 100 \%" in latex
    assert r"always seen & hidden at 25 \% & always seen" in latex
    assert page.index("t = 500") < page.index("t = 1000") and "[40.0, 60.0]" in page
    assert "got the whole slice" in page


def test_a_region_without_voxels_is_a_dash(tmp_path):
    measures = [
        ("cddpm", 500, 1.0, "seen", [0.1, 0.1]),
        ("cddpm", 500, 1.0, "hidden", [math.nan, math.nan]),
    ]
    table, page, latex = tabulated(tmp_path, measures)
    assert table["mean"].isna().tolist() == [False, True]
    assert "100.0" in page and "nan" not in page
    assert r"} & -- \\" in latex and "nan" not in latex


def test_no_measures_at_all(tmp_path):
    table, page, latex = tabulated(tmp_path, [])
    assert table.empty and {"timestep", "share", "region", "mean"} <= set(table.columns)
    assert "There are no scores" in page and "There are no scores" in latex
