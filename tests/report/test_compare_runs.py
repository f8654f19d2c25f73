import math

import pandas as pd
import pytest
from small_report import PLAIN_LABELS, outputs, register_of

import make_table
from brainuad.evaluation.reference_run import compare_runs
from brainuad.io.errors import SettingsError
from brainuad.io.tables import read_table, write_table

COLUMNS = ["method", "dataset", "modality", "metric", "mean", "sd"]
SEGMENTATION = [
    ("ae", "wmh", "t1", "dice", 0.10, 0.01),
    ("ae", "wmh", "t1", "precision", 0.5, 0.01),
    ("ae", "mslub", "t2", "dice", 0.20, math.nan),
    ("cddpm", "wmh", "t1", "dice", 0.3, 0.01),
]
RECONSTRUCTION = [("ae", "wmh", "t1", "l1_ratio", 3.0, 0.1)]
OTHER_SEGMENTATION = [
    ("vae", "wmh", "t1", "dice", 0.4, 0.01),
    ("ae", "wmh", "t1", "auprc", 0.6, 0.01),
    ("ae", "wmh", "t1", "dice", 0.15, 0.02),
]
OTHER_RECONSTRUCTION = [("ae", "wmh", "t1", "l1_ratio", 2.5, 0.1)]


def frame(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def compared(folder, name="as released", **runs):
    """Compare runs of these files, one of them called by a name; gives the files of the table."""
    run = {"name": name, "folder": "elsewhere"}
    entry = register_of(reference_run=run).tables["compare_runs"]
    files = outputs(folder, "compare_runs")
    said = {"module": entry.module, "title": entry.title, "caption": entry.caption}
    make_table.main(**said, labels=PLAIN_LABELS, **files, **entry.inputs | runs)
    return files


def tabulated(folder, ours, reference, name="as released"):
    """Each run's tables are lists of rows; gives the files of the table."""
    paths = {}
    for run, tables in (("ours", ours), ("reference", reference)):
        paths[run] = [folder / run / f"{number}.tsv" for number in range(len(tables))]
        for path, rows in zip(paths[run], tables, strict=True):
            # Further columns, as in the tables of a run.
            write_table(frame(*rows).assign(ci_low=0.0, folds=5, subjects=7), path)
    return compared(folder, name, **paths)


def test_rows_are_ours_and_then_theirs_within_a_data_set():
    table = compare_runs(
        frame(*SEGMENTATION, *RECONSTRUCTION), frame(*OTHER_SEGMENTATION, *OTHER_RECONSTRUCTION)
    )
    assert table.columns.tolist()[4:] == ["ours", "ours_sd", "theirs", "theirs_sd", "difference"]
    keys = table[["method", "dataset", "metric"]].itertuples(index=False, name=None)
    found = dict(zip(keys, table[["ours", "theirs", "difference"]].to_numpy(), strict=True))
    nan = math.nan
    expected = {
        ("ae", "wmh", "dice"): [0.1, 0.15, -0.05],
        ("ae", "wmh", "precision"): [0.5, nan, nan],
        ("ae", "wmh", "l1_ratio"): [3.0, 2.5, 0.5],
        ("ae", "wmh", "auprc"): [nan, 0.6, nan],
        ("ae", "mslub", "dice"): [0.2, nan, nan],
        ("cddpm", "wmh", "dice"): [0.3, nan, nan],
        ("vae", "wmh", "dice"): [nan, 0.4, nan],
    }
    assert list(found) == list(expected)
    for key, values in expected.items():
        assert found[key].tolist() == pytest.approx(values, nan_ok=True)


def test_the_page_and_the_latex(tmp_path):
    files = tabulated(
        tmp_path,
        [SEGMENTATION, RECONSTRUCTION],
        [OTHER_SEGMENTATION, OTHER_RECONSTRUCTION],
        name="a <b>",
    )
    # All is in the TSV; pages leave out what no reader's table shows.
    assert "precision" in set(read_table(files["tsv"])["metric"])
    page = files["html"].read_text(encoding="utf-8")
    assert "Precision" not in page and "a &lt;b&gt;" in page and "<b>" not in page
    assert ">10.0 \u00b1 1.0<" in page and ">15.0 \u00b1 2.0<" in page and ">\u22125.0<" in page
    rows = files["tex"].read_text(encoding="utf-8").split(r"\midrule")[1].splitlines()
    assert [row.rstrip("\\ ") for row in rows[1:7]] == [
        r"AE & WMH T1 & Dice \% & 10.0 $\pm$ 1.0 & 15.0 $\pm$ 2.0 & $-$5.0",
        r" &  & l1 ratio & 3.00 $\pm$ 0.10 & 2.50 $\pm$ 0.10 & +0.50",
        r" &  & AUPRC \% & -- & 60.0 $\pm$ 1.0 & --",
        r" & MSLUB T2 & Dice \% & 20.0 & -- & --",
        r"cDDPM & WMH T1 & Dice \% & 30.0 $\pm$ 1.0 & -- & --",
        r"VAE & WMH T1 & Dice \% & -- & 40.0 $\pm$ 1.0 & --",
    ]


@pytest.mark.parametrize("theirs", [[[], []], [OTHER_SEGMENTATION, []]])
def test_runs_without_scores(tmp_path, theirs):
    files = tabulated(tmp_path, [[], []], theirs)
    assert len(read_table(files["tsv"])) == len(theirs[0])
    assert ("There are no scores" in files["html"].read_text(encoding="utf-8")) == (not theirs[0])
    assert ("There are no scores" in files["tex"].read_text(encoding="utf-8")) == (not theirs[0])


@pytest.mark.parametrize(
    ("content", "lacking"),
    [
        (b"method\tdataset\tmetric\tvalue\nae\twmh\tdice\t0.1\n", "modality, mean, sd"),
        (b"", "method, dataset"),
        (b"\xff\xfe\x00\x01", "method, dataset"),
    ],
)
def test_a_file_of_another_kind_is_one_clear_line(tmp_path, content, lacking):
    write_table(frame(*SEGMENTATION), tmp_path / "ours.tsv")
    (tmp_path / "theirs.tsv").write_bytes(content)
    with pytest.raises(SettingsError, match=rf"theirs\.tsv is not a table of results.*{lacking}"):
        compared(tmp_path, ours=[tmp_path / "ours.tsv"], reference=[tmp_path / "theirs.tsv"])
