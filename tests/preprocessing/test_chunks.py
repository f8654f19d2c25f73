"""A broken scan is left out and listed, the others go on."""

import pytest

from brainuad.io.errors import ScanError
from brainuad.preprocessing.chunks import (
    process_chunk,
    process_scans,
    read_left_out,
    scans_in,
)


def first_stage(target, *, broken=()):
    def process(subject, folder):
        (folder / "image.txt").write_text(subject)
        if subject in broken:
            raise ScanError(f"{subject}.nii.gz: torn\nin two")

    process_scans(["c", "a", "b"], target, stage="resampled", process=process)


def second_stage(source, target, *, broken=()):
    def process(folder_in, folder_out):
        if folder_in.name in broken:
            raise ScanError("lost")
        (folder_out / "image.txt").write_text((folder_in / "image.txt").read_text().upper())

    process_chunk(source, target, stage="stripped", process=process)


def test_left_out_scans_are_listed_with_stage_and_reason(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    first_stage(one, broken={"b"})
    assert scans_in(one) == ["a", "c"]
    assert read_left_out(one) == [("b", "resampled", "b.nii.gz: torn in two")]
    second_stage(one, two, broken={"c"})
    assert scans_in(two) == ["a"]
    assert (two / "a" / "image.txt").read_text() == "A"
    assert read_left_out(two) == [
        ("b", "resampled", "b.nii.gz: torn in two"),
        ("c", "stripped", "lost"),
    ]


def test_table_has_its_header_when_nothing_is_left_out(tmp_path):
    first_stage(tmp_path)
    assert (tmp_path / "left_out.tsv").read_text() == "scan\tstage\treason\n"
    assert read_left_out(tmp_path) == []


def test_other_errors_are_not_swallowed(tmp_path):
    def process(subject, folder):
        raise KeyError(subject)

    with pytest.raises(KeyError):
        process_scans(["a"], tmp_path, stage="resampled", process=process)
