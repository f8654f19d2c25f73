from pathlib import Path

from brainuad.report import paths_by_name


def test_a_name_holds_a_file_or_a_list():
    inputs = {"table": "a.tsv", "scores": ["b.tsv"], "none": []}
    expected = {"table": Path("a.tsv"), "scores": [Path("b.tsv")], "none": []}
    assert paths_by_name(inputs) == expected
