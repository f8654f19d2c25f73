"""The paper's config on trees of the real names and numbers, through both entrances."""

import csv
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from conftest import PROJECT, environment, make_working_directory
from raw_trees import (
    ARCHIVE_SUBJECTS,
    FOLDS,
    IXI_WITHOUT_T2,
    RELEASED,
    SINGLE_MODALITY,
    SUBJECTS,
    write_authors_archive,
    write_raw_tree,
)

TABLES = [f"results/subjects/{dataset}.tsv" for dataset in SUBJECTS]
AUTHORS_ARCHIVE = ("--configfile", str(PROJECT / "config" / "authors_archive.yaml"))
RAW_STAGES = (
    "resample_scans",
    "strip_skull",
    "strip_skull_with_hdbet1",
    "strip_skull_with_hdbet2",
    "register_to_template",
    "correct_bias",
)


def paper_directory(folder: Path) -> Path:
    directory = make_working_directory(folder, {})
    shutil.copy(PROJECT / "config" / "config.yaml", directory / "config" / "config.yaml")
    return directory


@pytest.fixture(scope="module")
def paper(tmp_path_factory, snakemake) -> Path:
    """A working directory with the paper's config and the subject tables made."""
    directory = paper_directory(tmp_path_factory.mktemp("paper") / "study")
    for dataset, count in SUBJECTS.items():
        write_raw_tree(directory / "resources" / "data" / dataset, dataset, count)
    snakemake(directory, *TABLES)
    return directory


@pytest.fixture(scope="module")
def archive(tmp_path_factory, snakemake) -> Path:
    """The same with the authors' archive, its Train/, Test/ and splits/ nested under Data/."""
    directory = paper_directory(tmp_path_factory.mktemp("archive") / "study")
    write_authors_archive(directory / "resources" / "data" / "authors_archive", nested=True)
    snakemake(directory, *TABLES, *AUTHORS_ARCHIVE)
    return directory


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def statuses(directory: Path, dataset: str) -> dict[str, int]:
    found = [row["status"] for row in rows_of(directory / f"results/subjects/{dataset}.tsv")]
    return {status: found.count(status) for status in sorted(set(found))}


def dry_run(snakemake, directory: Path, *arguments: str) -> dict[str, int]:
    """Jobs by rule."""
    words = map(str.split, snakemake(directory, "--dry-run", *arguments).stdout.splitlines())
    return {w[0]: int(w[1]) for w in words if len(w) == 2 and w[1].isdigit()}


def cost_of_dry_run(directory: Path) -> tuple[float, float]:
    """Seconds, and the peak memory of Snakemake's own process in MiB."""
    start = time.monotonic()
    run = subprocess.Popen(
        ["snakemake", "--directory", str(directory), "--cores", "2", "--use-conda", "--dry-run"],
        cwd=PROJECT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0
    while run.poll() is None:
        # Empty between the end of the process and our look at it.
        status = Path(f"/proc/{run.pid}/status").read_text(encoding="utf-8")
        peak = max(
            [peak, *(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line)]
        )
        time.sleep(0.1)
    assert run.returncode == 0
    return time.monotonic() - start, peak / 1024


def chunks(count: int) -> int:
    config = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text())
    return -(-count // config["preprocessing"]["scans_per_job"])


def test_every_raw_subject_is_listed(paper):
    assert statuses(paper, "ixi") == {"ok": 560, "partial": sum(SINGLE_MODALITY.values())}
    for dataset in ("brats21", "mslub", "atlas", "wmh"):
        assert statuses(paper, dataset) == {"ok": SUBJECTS[dataset]}, dataset


def test_full_dry_run_takes_under_a_minute_and_a_gigabyte(paper):
    seconds, peak = cost_of_dry_run(paper)
    assert seconds < 60
    assert 20 < peak < 1000


def test_full_dry_run_is_complete(paper, snakemake):
    counts = dry_run(snakemake, paper)
    lesion_sets = {name: count for name, count in SUBJECTS.items() if name != "ixi"}
    # A chunk is a run of rows, so the subjects with one modality take part in the count of both.
    expected = 2 * chunks(566) + sum(map(chunks, lesion_sets.values()))
    stages = {stage: counts.get(stage, 0) for stage in RAW_STAGES}
    stripped = chunks(SUBJECTS["brats21"])
    assert stages == dict.fromkeys(RAW_STAGES, expected) | {
        "strip_skull": stripped,
        "strip_skull_with_hdbet1": expected - stripped,
        "strip_skull_with_hdbet2": 0,
    }
    assert counts["normalize_scans"] == counts["inspect_scans"] == expected
    assert counts["write_quality_page"] == 2 + len(lesion_sets)
    # The networks of HD-BET 1 come with its package.
    assert "fetch_hdbet_weights" not in counts
    assert counts["fetch_template"] == 1
    assert counts["check_models"] == 1
    assert counts["train_model"] == 9 * 2 * 5
    assert counts["pretrain_spark"] == 2 * 5
    assert counts["split_folds"] == 5 * 5


def test_mended_scan_is_listed_again(paper, snakemake):
    table = "results/subjects/mslub.tsv"
    assert "Nothing to be done" in snakemake(paper, "--dry-run", table).stdout
    scan = next((paper / "resources/data/mslub").glob("*/*_T2W.nii.gz"))
    scan.write_bytes(scan.read_bytes())
    assert "list_subjects" in snakemake(paper, "--dry-run", table).stdout


def test_missing_archive_is_one_line(paper, snakemake):
    values = {"datasets": {"wmh": {"archives": ["wmh.zip"]}}}
    config = paper / "config" / "archives.yaml"
    config.write_text(yaml.safe_dump(values))
    done = snakemake(paper, "--dry-run", TABLES[-1], "--configfile", str(config), check=False)
    assert done.returncode != 0
    printed = (done.stdout + done.stderr).splitlines()
    lines = [line for line in printed if "wmh.zip" in line]
    assert len(lines) == 1
    assert "datasets.wmh.archives: there is no file" in lines[0]


def test_archive_enters_behind_the_bias_correction(archive, snakemake):
    assert statuses(archive, "ixi") == {
        "ok": ARCHIVE_SUBJECTS["ixi"] - IXI_WITHOUT_T2,
        "partial": IXI_WITHOUT_T2,
    }
    counts = dry_run(snakemake, archive, *AUTHORS_ARCHIVE)
    others = sum(chunks(SUBJECTS[name]) for name in SUBJECTS if name != "ixi")
    expected = 2 * chunks(ARCHIVE_SUBJECTS["ixi"]) + others
    assert counts["take_preprocessed_scans"] == counts["normalize_scans"] == expected
    assert not {*RAW_STAGES, "fetch_template", "fetch_hdbet_weights"} & set(counts)
    assert counts["train_model"] == 9 * 2 * 5


def test_leaks_of_the_released_lists_are_counted_and_dropped(archive, snakemake):
    table = "results/report/tables/splits.tsv"
    snakemake(archive, table, *AUTHORS_ARCHIVE)
    rows = {(row["dataset"], int(row["fold"])): row for row in rows_of(archive / table)}
    assert len(rows) == len(SUBJECTS) * FOLDS
    for place, expected in RELEASED.items():
        assert {name: int(rows[place][name]) for name in expected} == expected, place
        assert int(rows[place]["leaks_kept"]) == 0
        assert "authors_archive" in rows[place]["source"]
    split = rows_of(archive / "results/splits/ixi/fold0.tsv")
    assert len({row["subject"] for row in split}) == len(split), "no subject on two sides"


def test_as_released_leaks_stand_on_both_sides(archive, snakemake):
    split = "results/splits/ixi/fold0.tsv"
    as_released = str(PROJECT / "config" / "as_released.yaml")
    snakemake(archive, split, *AUTHORS_ARCHIVE, as_released)
    subjects = [row["subject"] for row in rows_of(archive / split)]
    assert len(subjects) - len(set(subjects)) == RELEASED["ixi", 0]["leaks"]
