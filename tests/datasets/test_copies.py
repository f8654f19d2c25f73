"""One scan under two names: the second is left out, and the reason names the first."""

import gzip
import os
import shutil

import nibabel as nib
import numpy as np
import pytest
from odd_scans import AFFINE, HEAD, OTHER_HEAD, oriented, stored, write_patient
from test_layouts import listed

import leave_out_copies
from brainuad.images.volumes import read_volume
from brainuad.io import tables

SCAN = "patient02/patient02_T2W.nii.gz"
SHIFT = np.array([[0.0, 0, 0, 5]] * 3 + [[0.0] * 4])


def recompressed(first, second):
    second.write_bytes(gzip.compress(gzip.decompress(first.read_bytes()), compresslevel=1))


def stored_as(data=HEAD, **options):
    """The scan written anew in another way."""

    def write(first, second):
        stored(data, name=second.name, **options)(second.parent)

    return write


def turned(first, second):
    """The scan with the axes of its file in another order, as dcm2niix or FSL may leave them."""
    oriented("PSR")(second.parent)
    (second.parent / first.name).rename(second)


COPIES = {
    "copy": shutil.copy,
    "recompressed": recompressed,
    "link": lambda first, second: second.symlink_to(first),
    "second name of one file": os.link,
    "not compressed": lambda first, second: second.write_bytes(gzip.decompress(first.read_bytes())),
    "float64": stored_as(HEAD.astype(np.float64)),
    "NIfTI-2": stored_as(form=nib.Nifti2Image),
    "with a last axis of one": stored_as(HEAD[..., None]),
    "stored with a slope": stored_as(HEAD * 2, header=lambda h: h.set_slope_inter(0.5, 0)),
    "stored with a slope that rounds": stored_as(
        HEAD * 3, header=lambda h: h.set_slope_inter(1 / 3, 0)
    ),
    "moved in space": stored_as(affine=AFFINE + SHIFT),
    "other order of the axes": turned,
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES.keys())
def test_the_second_is_left_out_and_names_the_first(tmp_path, copy):
    root = tmp_path / "raw"
    for subject in ("patient01", "patient02", "patient03"):
        write_patient(root / subject, OTHER_HEAD if subject == "patient03" else HEAD)
    (root / SCAN).unlink()
    copy(root / "patient01/patient01_T2W.nii.gz", root / SCAN)
    table = listed(tmp_path, "mslub", lesions=False)
    assert table["status"].tolist() == ["ok", "left_out", "ok"]
    reason = table.loc["patient02", "reason"]
    assert str(root / SCAN) in reason and "\n" not in reason
    assert f"{root / 'patient01/patient01_T2W.nii.gz'} of patient01, which is kept" in reason


@pytest.mark.parametrize("scale", [1, 2.3453, 1 / 3000, 60])
def test_scan_read_as_numbers_and_saved_as_int16_again(tmp_path, scale):
    numbers = HEAD * np.float64(scale)
    write_two(tmp_path / "raw", {"a.nii.gz": numbers, "c.nii.gz": OTHER_HEAD})
    again = stored(numbers, name="b.nii.gz", header=lambda h: h.set_data_dtype(np.int16))
    again(tmp_path / "raw")
    rounded = read_volume(tmp_path / "raw" / "b.nii.gz").data
    assert np.abs(rounded - numbers).max() > 1e-6 * numbers.max()
    table = listed(tmp_path, "files", files={"t1": "{subject}.nii.gz"}, lesions=False)
    assert table["status"].tolist() == ["ok", "left_out", "ok"]
    assert "a.nii.gz of a, which is kept" in table.loc["b", "reason"]


ONE_VOXEL = (np.arange(HEAD.size) == 999).reshape(HEAD.shape)


@pytest.mark.parametrize(
    "head", [HEAD + 1, 2 * HEAD, HEAD[::-1], HEAD + ONE_VOXEL.astype(np.int16)]
)
def test_other_values_are_another_scan(tmp_path, head):
    write_two(tmp_path / "raw", {"a.nii.gz": HEAD, "b.nii.gz": head})
    table = listed(tmp_path, "files", files={"t1": "{subject}.nii.gz"}, lesions=False)
    assert table["status"].tolist() == ["ok", "ok"]


def write_two(root, names):
    for name, head in names.items():
        root.mkdir(parents=True, exist_ok=True)
        stored(head, name=name)(root)


def test_of_two_the_one_with_both_modalities_is_kept(tmp_path):
    write_two(tmp_path / "raw", {"a_t1.nii.gz": HEAD, "b_t1.nii.gz": HEAD, "b_t2.nii.gz": HEAD + 1})
    files = {"t1": "{subject}_t1.nii.gz", "t2": "{subject}_t2.nii.gz"}
    table = listed(tmp_path, "files", files=files, modalities=["t1", "t2"], lesions=False)
    assert table["status"].to_dict() == {"a": "left_out", "b": "ok"}


def test_one_scan_as_t1_and_as_t2_of_one_subject(tmp_path):
    names = {"a_t1.nii.gz": HEAD, "a_t2.nii.gz": HEAD, "b_t1.nii.gz": HEAD + 1}
    write_two(tmp_path / "raw", names)
    files = {"t1": "{subject}_t1.nii.gz", "t2": "{subject}_t2.nii.gz"}
    table = listed(tmp_path, "files", files=files, modalities=["t1", "t2"], lesions=False)
    assert table["status"].to_dict() == {"a": "left_out", "b": "partial"}
    for name in ("a_t1.nii.gz", "a_t2.nii.gz"):
        assert name in table.loc["a", "reason"]


def compared(tmp_path, dataset, *, own, earlier):
    """The subject table of a data set; the others are ixi (healthy) and brats21 (patients)."""
    output = tmp_path / "compared.tsv"
    leave_out_copies.main(
        listed=own, earlier=earlier, healthy=["ixi"], dataset=dataset, output=output
    )
    return tables.read_table(output).set_index("subject")


def listed_files(folder, names, modality="t2"):
    write_two(folder / "raw", names)
    files = {modality: "{subject}.nii.gz"}
    listed(folder, "files", files=files, modalities=[modality], lesions=False)
    return folder / "subjects.tsv"


def test_a_patient_who_is_among_the_healthy_is_left_out(tmp_path):
    healthy = listed_files(tmp_path / "ixi", {"h1.nii.gz": HEAD, "h2.nii.gz": HEAD + 1})
    own = listed_files(tmp_path / "mslub", {"p1.nii.gz": HEAD + 2, "p2.nii.gz": HEAD})
    table = compared(tmp_path, "mslub", own=own, earlier={"ixi": healthy})
    assert table["status"].to_dict() == {"p1": "ok", "p2": "left_out"}
    assert f"{tmp_path / 'ixi/raw/h1.nii.gz'} of h1 of ixi" in table.loc["p2", "reason"]
    assert tables.read_table(own)["status"].tolist() == ["ok", "ok"]


def test_a_scan_is_known_again_among_other_modalities(tmp_path):
    healthy = listed_files(tmp_path / "ixi", {"h1.nii.gz": HEAD}, modality="pd")
    own = listed_files(tmp_path / "mslub", {"p1.nii.gz": HEAD, "p2.nii.gz": HEAD + 1}, "flair")
    table = compared(tmp_path, "mslub", own=own, earlier={"ixi": healthy})
    assert table["status"].to_dict() == {"p1": "left_out", "p2": "ok"}
    assert "h1.nii.gz of h1 of ixi" in table.loc["p1", "reason"]
    tables.write_table(tables.read_table(own).assign(flair_digest="0123456789012345"), own)
    assert tables.read_table(own)["flair_digest"].tolist() == 2 * ["0123456789012345"]


def test_whoever_was_left_out_keeps_nothing(tmp_path):
    earlier = listed_files(tmp_path / "ixi", {"h1.nii.gz": HEAD, "h2.nii.gz": HEAD + 1})
    table = tables.read_table(earlier)
    tables.write_table(table.assign(status=["left_out", "ok"]), earlier)
    own = listed_files(tmp_path / "mslub", {"p1.nii.gz": HEAD})
    table = compared(tmp_path, "mslub", own=own, earlier={"ixi": earlier})
    assert table["status"].to_dict() == {"p1": "ok"}


@pytest.mark.parametrize(("dataset", "status"), [("mslub", "ok"), ("ixi", "left_out")])
def test_the_very_same_files_of_two_sets_of_patients_are_no_copies(tmp_path, dataset, status):
    own = listed_files(tmp_path / "brats21", {"p1.nii.gz": HEAD})
    table = compared(tmp_path, dataset, own=own, earlier={"brats21": own})
    assert table["status"].to_dict() == {"p1": status}


def test_a_digest_of_figures_alone_stays_text(tmp_path):
    own = listed_files(tmp_path / "mslub", {"p1.nii.gz": HEAD})
    tables.write_table(tables.read_table(own).assign(t2_digest="0123456789012345"), own)
    table = compared(tmp_path, "mslub", own=own, earlier={})
    assert table.loc["p1", "t2_digest"] == "0123456789012345"
