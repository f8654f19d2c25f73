"""All scans of a run on one table, the most anomalous first."""

from small_report import LABELS
from small_study import study_of

from brainuad.io.rows import write_rows
from brainuad.plan.register import Register
from brainuad.report.derivatives.anomalies import ANOMALIES, SCAN_COLUMNS
from brainuad.report.tables.anomalies import SHOWN, tabulate


def row(scan, residual, *, session=""):
    subject = scan.partition("_")[0]
    return [scan, subject, session, f"sub-{subject}", "test", 3.5, 2, 0.5, residual, 75, 4]


def write(folder, rows):
    folder.mkdir()
    write_rows(SCAN_COLUMNS, rows, folder / ANOMALIES)
    return folder


def test_scans_of_all_cohorts_the_most_anomalous_first(tmp_path):
    folders = [
        write(tmp_path / "brats21_t2", [row("007", 0.02), row("8_ses-1", 0.06, session="1")]),
        write(tmp_path / "atlas_t1", [row("a<b", 0.04)]),
    ]
    table = tabulate(folders, cohorts=[["brats21", "t2"], ["atlas", "t1"]], labels=LABELS)
    assert list(table.tidy.columns) == ["cohort", *SCAN_COLUMNS]
    assert table.tidy["cohort"].tolist() == ["brats21_t2", "brats21_t2", "atlas_t1"]
    # A name that looks like a number stays one.
    assert table.tidy["scan"].tolist() == ["007", "8_ses-1", "a<b"]
    assert table.tidy["session"].tolist() == ["", "1", ""]
    assert table.tidy["mean_residual"].tolist() == [0.02, 0.06, 0.04]
    places = [table.html.index(text) for text in ("8_ses-1", "a&lt;b", "007")]
    assert places == sorted(places)
    assert "BraTS21" in table.html and "a<b" not in table.html
    assert "75 of 4" in table.html
    assert "3 of 3 scans" in table.html
    assert r"8\_ses-1" in table.latex


def test_readers_see_those_that_stand_out_of_many(tmp_path):
    scans = [row(f"s{number:03d}", number / 1000) for number in range(SHOWN + 20)]
    folder = write(tmp_path / "brats21_t2", scans)
    table = tabulate([folder], cohorts=[["brats21", "t2"]], labels=LABELS)
    assert len(table.tidy) == SHOWN + 20
    assert f"{SHOWN} of {SHOWN + 20} scans" in table.html
    assert "s049" in table.html and "s019" not in table.html


def test_it_is_there_where_findings_are_written():
    native = study_of({"datasets": {"mslub": {"native": True}}})
    entry = Register(native, snakemake="9").tables["anomalies"]
    assert entry.inputs == {"derivatives": ["results/derivatives/mslub_t2"]}
    none = study_of({"datasets": {"mslub": {"native": False}}})
    assert "anomalies" not in Register(none, snakemake="9").tables
