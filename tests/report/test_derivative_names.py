import pytest

from brainuad.report.derivatives.dataset import raw_uri, threshold_facts, url_of
from brainuad.report.derivatives.names import ScanNames, label_of, labels_of


def test_labels_are_letters_and_digits():
    assert label_of("cddpm_ens") == "cddpmens"
    labels = labels_of(["sub-01", "IXI002-Guys-0828-T1", "Jürgen_2"], prefix="sub-")
    assert labels == {
        "sub-01": "01",
        "IXI002-Guys-0828-T1": "IXI002Guys0828T1",
        "Jürgen_2": "Jrgen2",
    }


def test_no_two_subjects_share_a_label():
    """Not in a file system either that takes capitals for small letters."""
    names = ["a-1", "a1", "a_1", "A1", "a1x2", "ß", "ü", "sub-a1"]
    labels = labels_of(names, prefix="sub-")
    assert list(labels) == names
    assert len({label.lower() for label in labels.values()}) == len(names)
    assert all(label.isascii() and label.isalnum() for label in labels.values())
    assert labels == labels_of(names, prefix="sub-")


def test_scans_of_one_subject_at_two_sessions():
    rows = [
        {"subject": "sub-01", "session": "1"},
        {"subject": "sub-01", "session": "follow-up"},
        {"subject": "P 2", "session": ""},
    ]
    names = ScanNames(rows)
    assert [names.entities(row) for row in rows] == [
        *("sub-01_ses-1", "sub-01_ses-followup", "sub-P2")
    ]
    assert [str(names.folder(row)) for row in rows] == [
        *("sub-01/ses-1/anat", "sub-01/ses-followup/anat", "sub-P2/anat")
    ]
    assert {names.participant(row) for row in rows} == {"sub-01", "sub-P2"}


@pytest.mark.parametrize(
    ("file", "source", "uri"),
    [
        ("data/ms/sub-1/a.nii", "data/ms", "bids:raw:sub-1/a.nii"),
        ("/data/ms/a b.nii", "/data/ms", "bids:raw:a%20b.nii"),
        ("/elsewhere/a b.nii", "/data/ms", "file:///elsewhere/a%20b.nii"),
        ("other/a.nii", "data/ms", "other/a.nii"),
    ],
)
def test_raw_files_are_named_from_their_folder(file, source, uri):
    assert raw_uri(file, source) == uri


def test_sources_are_urls():
    assert url_of("/data/my study") == "file:///data/my%20study"
    assert url_of("resources/data/mslub") == "resources/data/mslub"


def test_a_threshold_says_where_it_comes_from():
    fitted = threshold_facts({"threshold": 0.3, "validation_dice": 0.5, "subjects": 10})
    assert fitted["Value"] == 0.3 and "lesion masks of 10 validation subjects" in fitted["Origin"]
    healthy = threshold_facts({"threshold": 0.1, "share": 0.01, "subjects": 44})
    assert "1 % of the brain voxels of 44 healthy" in healthy["Origin"]
