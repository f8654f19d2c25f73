"""The paper's config on trees of the real names and numbers."""

import shutil
import time
from pathlib import Path

import pytest
import yaml

from conftest import PROJECT, make_working_directory
from raw_trees import SUBJECTS, write_raw_tree

STAGES = (
    "resample_scans",
    "strip_skull",
    "register_to_atlas",
    "correct_bias",
    "normalize_scans",
)


@pytest.fixture(scope="module")
def paper(tmp_path_factory, snakemake) -> Path:
    """A working directory with the paper's config and the subject tables made."""
    folder = tmp_path_factory.mktemp("paper")
    directory = make_working_directory(folder / "study", {})
    shutil.copy(PROJECT / "config" / "config.yaml", directory / "config" / "config.yaml")
    for dataset, count in SUBJECTS.items():
        write_raw_tree(directory / "resources" / "data" / dataset, dataset, count)
    snakemake(directory, *(f"results/subjects/{dataset}.tsv" for dataset in SUBJECTS))
    return directory


def test_every_subject_is_listed(paper):
    for dataset, count in SUBJECTS.items():
        header, *rows = (paper / f"results/subjects/{dataset}.tsv").read_text().splitlines()
        status = header.split("\t").index("status")
        assert [row.split("\t")[status] for row in rows] == ["ok"] * count, dataset


def test_full_dry_run_is_quick_and_complete(paper, snakemake):
    start = time.monotonic()
    done = snakemake(paper, "--dry-run")
    assert time.monotonic() - start < 60
    counts = {
        words[0]: int(words[1])
        for words in map(str.split, done.stdout.splitlines())
        if len(words) == 2 and words[1].isdigit()
    }
    per_job = yaml.safe_load((paper / "config/config.yaml").read_text())["preprocessing"]
    batches = sum(
        -(-count // per_job["scans_per_job"]) * (2 if dataset == "ixi" else 1)
        for dataset, count in SUBJECTS.items()
    )
    assert {stage: counts[stage] for stage in STAGES} == dict.fromkeys(STAGES, batches)
    assert counts["train_model"] == 4 * 2 * 5
    assert counts["pretrain_spark"] == 2 * 5
    assert counts["split_folds"] == 5 * 5


def test_mended_scan_is_listed_again(paper, snakemake):
    table = "results/subjects/mslub.tsv"
    assert "Nothing to be done" in snakemake(paper, "--dry-run", table).stdout
    scan = next((paper / "resources/data/mslub").rglob("*_T2W.nii.gz"))
    content = scan.read_bytes()
    # The files of the tree are links to one file: give this one a content of its own.
    scan.unlink()
    scan.write_bytes(content)
    assert "list_subjects" in snakemake(paper, "--dry-run", table).stdout
