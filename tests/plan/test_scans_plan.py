"""Chunks of scans, by a table of subjects."""

from types import SimpleNamespace

import pytest
from small_study import study_of

from brainuad.io.errors import SettingsError
from brainuad.plan.scans import ScansPlan

HEADER = "subject\tsession\tt1\tt2\tseg\tbrain_mask\tage\tstatus\n"
ROWS = [
    "a\t\ta1.nii\ta2.nii\ts.nii\t\t12\tok",
    "b\t\tb1.nii\t\t\t\t\tok",
    "c\t\tc1.nii\tc2.nii\t\t\t40\tleft_out",
    "d\t2\td1.nii\td2.nii\t\t\t40\tok",
]


@pytest.fixture
def plan(tmp_path):
    table = tmp_path / "subjects.tsv"
    table.write_text(HEADER + "".join(f"{row}\n" for row in ROWS), encoding="utf-8")
    study = study_of({"preprocessing": {"scans_per_job": 2}})
    return ScansPlan(study, lambda dataset: str(table))


def wildcards(**names):
    return SimpleNamespace(**names)


def test_chunks_are_runs_of_rows_with_those_left_out(plan):
    assert plan.folders_of_chunks("resampled")(wildcards(cohort="brats21_t2")) == [
        "results/resampled/brats21_t2/chunk000",
        "results/resampled/brats21_t2/chunk001",
    ]
    first = wildcards(cohort="ixi_t2", chunk="000")
    assert plan.names_in_chunk(first) == ["a"]
    assert plan.chunk_files(first) == ["a2.nii", "s.nii"]
    assert plan.children_of_chunk(first) == ["a"]
    assert plan.names_in_chunk(wildcards(cohort="ixi_t2", chunk="001")) == ["d_ses-2"]


def test_what_leads_back_to_raw_scans_is_asked_for_where_there_are_some(plan):
    cohort = wildcards(cohort="brats21_t2")
    assert plan.raw_scans(cohort) == ["a2.nii", "d2.nii"]
    assert plan.kept_of_raw("transforms")(cohort) == [
        "results/transforms/brats21_t2/chunk000",
        "results/transforms/brats21_t2/chunk001",
    ]
    # One file, and no list of one: the script takes it as a path.
    assert plan.template_of_raw(cohort) == "results/template/brain.nii.gz"
    block = {"layout": "preprocessed", "part": "Test/Brats21"}
    study = study_of({"datasets": {"brats21": block}})
    preprocessed = ScansPlan(study, plan.subject_table)
    assert preprocessed.template_of_raw(cohort) == []
    assert preprocessed.kept_of_raw("transforms")(cohort) == []


def test_a_cohort_without_a_scan_says_so(plan, tmp_path):
    (tmp_path / "subjects.tsv").write_text(HEADER, encoding="utf-8")
    with pytest.raises(SettingsError, match="no subject has a t2 scan that can be used"):
        plan.folders_of_chunks("slices")(wildcards(cohort="brats21_t2"))


def test_split_of_a_cohort_is_that_of_its_data_set(plan):
    assert (
        plan.split_of_cohort(wildcards(cohort="ixi_t2", fold="3")) == "results/splits/ixi/fold3.tsv"
    )
    assert plan.split_of_cohort(wildcards(cohort="ixi_t2")) == "results/splits/ixi/fold0.tsv"
