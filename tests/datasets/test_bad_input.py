"""Broken and odd raw data, kind by kind: used as if it were clean, or left out with its reason.

Each kind changes the files of patient01 in a small MSLUB tree, whose patient02 stays clean. The
tree goes through the scripts that list the subjects and resample the scans, as in a run, and so
does one in which patient01 is clean.
"""

import gzip
import re
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from odd_scans import (
    AFFINE,
    ANNEX_KEY,
    BALL,
    COARSE,
    DIM,
    FINE,
    FORM_CODES,
    HEAD,
    LESION,
    LFS_POINTER,
    MAGIC,
    MASK,
    MGH,
    NRRD,
    OTHER_HEAD,
    OUTSIDE,
    PIXDIM,
    SCAN,
    SHAPE,
    SROW,
    TILT,
    TURNED_AFFINE,
    TURNED_AXES,
    VOXEL_START,
    VOXEL_TYPE,
    XYZT_UNITS,
    annex_link,
    big_endian,
    both_suffixes,
    broken_link,
    file_content,
    forms,
    in_a_folder,
    in_other_format,
    left_handed,
    linked,
    mask,
    mask_scaled_by_255,
    nifti_2_starting_at,
    oblique,
    oriented,
    pair,
    patch,
    patched,
    renamed,
    sampled,
    scaled,
    sheared,
    shifted,
    stored,
    turned_by_quaternion,
    twice,
    two_members,
    with_label,
    with_value,
    without_sform,
    write_patient,
)
from scipy import ndimage

import list_subjects
import resample_scans
from brainuad.images.volumes import read_labels, read_volume
from brainuad.io import tables
from brainuad.preprocessing.resampling import Resampling

SPACING = 2.0

# What a kind's files are, and what must happen: one of the three ways of being used, all of which
# are compared with the clean scan, or a part of the reason for which it is left out.
SAME = "used: image and lesions equal the clean ones"
SAME_TURNED = "used: both equal the clean ones, in the frame of the tilted scanner"
SAME_PLACE = "used: the ball and the lesion are where they were, to 1 mm"
SAME_IMAGE = "used: the image equals the clean one; the lesions are those of the mask"

FILES = {
    "missing scan": (lambda folder: (folder / SCAN).unlink(), "no t2 scan"),
    "missing mask": (lambda folder: (folder / MASK).unlink(), "no lesion mask"),
    "empty file": (file_content(lambda content: b""), "the file is empty"),
    "text named nii.gz": (file_content(lambda content: b"<html>404</html>"), "not a NIfTI"),
    "page of a server in capitals": (
        file_content(lambda content: b"\r\n<HTML><TITLE>Sign in</TITLE>"),
        r"not a NIfTI file but text \(<HTML><TITLE>Sign in.*; download the file again",
    ),
    "error of a server": (
        file_content(lambda content: b'\xef\xbb\xbf{"message":\n "no such file"}'),
        r'not a NIfTI file but text \({"message": "no such file"}.*; download the file again',
    ),
    "nothing, compressed": (file_content(lambda content: gzip.compress(b"")), "file is empty"),
    "DICOM file": (
        in_other_format(".dcm", bytes(128) + b"DICM"),
        r"patient01_T2W\.dcm: is a DICOM file; convert its series with dcm2niix",
    ),
    "truncated gzip": (file_content(lambda content: content[:-300]), "cut short"),
    "truncated to the gzip header": (file_content(lambda content: content[:12]), "cut short"),
    "gzip with a wrong checksum": (
        file_content(lambda content: content[:-8] + bytes(8)),
        "compression is damaged",
    ),
    "compressed twice": (file_content(gzip.compress), "compressed twice"),
    "bytes behind the gzip stream": (file_content(lambda content: content + b"rubbish"), SAME),
    "gzip in several members": (file_content(two_members), SAME),
    "truncated inside": (stored(content=lambda content: content[:-2]), "cut short"),
    "more voxels claimed than held": (patched(DIM + 6, "h", 160), "cut short"),
    "nii, not compressed": (renamed("patient01_T2W.nii", unpacked=True), SAME),
    "nii.gz, not compressed": (file_content(gzip.decompress), SAME),
    "nii, but compressed": (renamed("patient01_T2W.nii", unpacked=False), SAME),
    "nii beside nii.gz": (both_suffixes, r"patient01_T2W\.nii\b(?!\.gz)"),
    "Analyze pair": (pair(nib.AnalyzeImage), "convert"),
    "NIfTI pair": (pair(nib.Nifti1Pair), "convert"),
    "header of a pair named nii.gz": (
        patched(MAGIC, "4s", b"ni1\0"),
        "half of an Analyze or NIfTI",
    ),
    "broken link": (broken_link, "link leads to no file"),
    "link to the scan": (linked, SAME),
    "folder named as the scan": (in_a_folder, "no t2 scan"),
    "no permission": (lambda folder: (folder / SCAN).chmod(0), r"cannot be read \(Permission"),
    "spaces and non-ASCII in the path": (
        lambda folder: shutil.move(folder, folder.parent / "Köln, 3 Tesla" / folder.name),
        SAME,
    ),
    "duplicate subject": (twice, "copy/patient01"),
    "link of git-annex": (annex_link, "pointer of git-annex; get its content first"),
    "link of git-annex as text": (
        file_content(lambda content: f"../.git/annex/objects/Xk/2p/{ANNEX_KEY}".encode()),
        "pointer of git-annex; get its content first",
    ),
    "unlocked file of git-annex": (
        file_content(lambda content: f"/annex/objects/{ANNEX_KEY}\n".encode()),
        "pointer of git-annex; get its content first",
    ),
    "pointer of git-lfs": (
        file_content(lambda content: LFS_POINTER),
        "pointer of git-lfs; get its content first",
    ),
    "FreeSurfer volume": (
        in_other_format(".mgz", gzip.compress(MGH)),
        r"patient01_T2W\.mgz: is a FreeSurfer volume; convert it to .nii.gz with mri_convert",
    ),
    "FreeSurfer volume named nii.gz": (
        file_content(lambda content: gzip.compress(MGH)),
        "not a NIfTI file but a FreeSurfer volume; .* mri_convert",
    ),
    "NRRD volume": (in_other_format(".nrrd", NRRD), r"patient01_T2W\.nrrd: is an NRRD .* c3d"),
    "NRRD volume named nii.gz": (file_content(lambda content: NRRD), "but an NRRD volume; .* c3d"),
    "DICOM file named nii.gz": (
        file_content(lambda content: bytes(128) + b"DICM" + bytes(400)),
        "but a DICOM file; convert its series with dcm2niix",
    ),
    "compressed by bzip2": (
        in_other_format(".nii.bz2", b"BZh9"),
        r"patient01_T2W\.nii\.bz2: is compressed by bzip2; decompress it",
    ),
}
HEADERS = {
    "NIfTI-2": (stored(form=nib.Nifti2Image), SAME),
    "big-endian": (stored(form=big_endian), SAME),
    "4-D, last axis of one": (stored(HEAD[..., None]), SAME),
    "5-D, last axes of one": (stored(HEAD[..., None, None]), SAME),
    "4-D": (stored(np.stack([HEAD, HEAD], axis=-1)), "4 dimensions"),
    "2-D": (stored(HEAD[..., 0]), "2 dimensions"),
    "one slice": (stored(HEAD[..., :1]), "single slice"),
    "colours": (
        stored(np.zeros(SHAPE, np.dtype([(c, np.uint8) for c in "RGB"]))),
        "colours or complex",
    ),
    "complex numbers": (stored(HEAD.astype(np.complex64)), "colours or complex"),
    "unknown voxel type": (patched(VOXEL_TYPE, "h", 3000), "header is invalid"),
    "zero spacing": (patched(PIXDIM + 8, "f", 0), "is not positive"),
    "negative spacing": (patched(PIXDIM + 8, "f", -2), "is not positive"),
    "spacing NaN": (patched(PIXDIM + 4, "f", np.nan), "is not positive"),
    "very small voxels": (sampled(FINE, (80, 80, 80)), SAME_PLACE),
    "very thick slices": (sampled(COARSE, (20, 24, 9)), SAME_PLACE),
    "impossibly small voxels": (
        stored(affine=np.diag([0.01, 0.01, 0.01, 1])),
        "outside 0.05 to 20 mm",
    ),
    "impossibly large voxels": (stored(affine=np.diag([30.0, 30, 30, 1])), "outside 0.05 to 20 mm"),
    "metres": (patched(XYZT_UNITS, "B", 1), "counts in metres"),
    "field of view of 1.2 m": (
        stored(np.zeros((80, 3, 3), np.int16), affine=np.diag([15.0, 2, 2, 1])),
        "field of view of 1200 mm",
    ),
    "missing affine": (patched(FORM_CODES, "hh", 0, 0), "no position in space"),
    "affine of zeros": (patched(SROW, "4f", 0, 0, 0, 0), "cannot be inverted"),
    "affine NaN": (patched(SROW, "f", np.nan), "cannot be inverted"),
    "sheared affine": (stored(affine=sheared(0.05)), "not at right angles"),
    "affine sheared by rounding": (stored(affine=sheared(1e-4)), SAME),
    "qform alone": (stored(header=forms(sform=None)), SAME),
    "qform shifted and turned a little": (stored(header=forms(qform=TILT @ AFFINE)), SAME),
    "sform and qform mirrored": (
        stored(header=forms(qform=np.diag([-1.0, 1, 1, 1]) @ AFFINE)),
        "sform and qform give different directions",
    ),
    "sform and qform of different axes": (
        stored(header=forms(qform=AFFINE[[1, 2, 0, 3]])),
        "sform and qform give different directions",
    ),
    "sform and pixdim of different sizes": (
        patched(PIXDIM + 4, "fff", 2, 2, 3.1),
        "pixdim and sform differ",
    ),
    "qform without a rotation": (
        without_sform(9, 9, 9),
        "qform is invalid",
    ),
    "qform without a rotation with an sform": (
        patched(FORM_CODES, "hhfff", 1, 1, 9, 9, 9),
        SAME,
    ),
    "qform NaN": (without_sform(np.nan, 0, 0), "qform is invalid"),
    "qform NaN with an sform": (patched(FORM_CODES, "hhfff", 1, 1, np.nan, 0, 0), SAME),
    "quaternion a rounding error too long": (turned_by_quaternion(1.00001, sform=False), SAME),
    "quaternion rounded to three digits": (turned_by_quaternion(1.001, sform=False), SAME),
    "quaternion too long with an sform": (turned_by_quaternion(1.00001, sform=True), SAME),
    "quaternion too long for rounding": (
        turned_by_quaternion(1.1, sform=False),
        "qform is invalid",
    ),
    "handedness of -2": (left_handed(-2, sform=False), SAME),
    "handedness of 0 with an sform": (left_handed(0, sform=True), SAME),
    "affine of zeros with a qform": (
        stored(header=forms(), content=lambda content: patch(content, SROW, "12f", *[0] * 12)),
        SAME,
    ),
    "affine NaN with a qform": (
        stored(header=forms(), content=lambda content: patch(content, SROW, "f", np.nan)),
        SAME,
    ),
    "voxels said to start at 0": (patched(VOXEL_START, "f", 0), SAME),
    "voxels said to start within the header": (patched(VOXEL_START, "f", 300), SAME),
    "voxels said to start right behind the header": (patched(VOXEL_START, "f", 348), SAME),
    "voxels said to start at NaN": (patched(VOXEL_START, "f", np.nan), SAME),
    "voxels of NIfTI-2 said to start at 0": (nifti_2_starting_at(0), SAME),
    "voxels of NIfTI-2 said to start at 352": (nifti_2_starting_at(352), SAME),
    "unused axes of size 0": (patched(DIM, "8h", 4, *SHAPE, 0, 0, 0, 0), SAME),
    "upside down": (oriented("RAI"), SAME),
    "mirrored": (oriented("LAS"), SAME),
    "back to front": (oriented("RPS"), SAME),
    "other order of the axes": (oriented("PSR"), SAME),
    "oblique": (oblique, SAME_TURNED),
}
VALUES = {
    "NaN": (stored(with_value(np.nan)), "1 of 7680 voxels are NaN or infinite"),
    "infinity": (stored(with_value(-np.inf)), "NaN or infinite"),
    "all zero": (stored(np.zeros_like(HEAD)), "every voxel has the value 0"),
    "constant": (stored(np.full_like(HEAD, 7)), "every voxel has the value 7"),
    "scaling that overflows": (scaled(3e38), "NaN or infinite"),
    "integer overflow": (
        stored((HEAD.astype(np.int32) * 20).astype(np.int16)),
        "an integer overflow?",
    ),
    "a little below zero": (stored(with_value(-100.0)), SAME_PLACE),
    "slope of zero": (scaled(0, 9), SAME),
    "slope NaN": (scaled(np.nan, np.nan), SAME),
    "slope and intercept": (
        stored(HEAD.astype(np.int32) * 2 - 20, header=lambda h: h.set_slope_inter(0.5, 10)),
        SAME,
    ),
    "float64": (stored(HEAD.astype(np.float64)), SAME),
}
MASKS = {
    "mask of floats": (mask(LESION.astype(np.float64)), SAME),
    "mask scaled by 1/255": (mask_scaled_by_255, SAME),
    "mask with rounded affine": (mask(LESION, affine=shifted(1e-3)), SAME),
    "empty mask": (mask(np.zeros_like(LESION)), SAME_IMAGE),
    "lesion outside the brain": (mask(OUTSIDE), SAME_IMAGE),
    "mask with an unexpected label": (mask(with_label(3)), "unexpected label 3"),
    "mask with a negative label": (mask(with_label(-1)), "unexpected label -1"),
    "mask of 0 and 255": (mask(255 * LESION), "unexpected label 255"),
    "mask of fractions": (mask(with_label(0.5)), "unexpected label 0.5"),
    "mask with NaN": (mask(with_label(np.nan)), "unexpected label nan"),
    "mask of another size": (mask(LESION[:-1]), r"the mask has the shape \(19, 24, 16\)"),
    "mask shifted by a voxel": (mask(LESION, affine=shifted(2.0)), "lies up to 2 mm away"),
    "mask with mirrored axes": (mask(TURNED_AXES, affine=TURNED_AFFINE), "other directions"),
    "truncated mask": (file_content(lambda content: content[:-40], MASK), "cut short"),
}
KINDS = {**FILES, **HEADERS, **VALUES, **MASKS}
assert len(KINDS) == len(FILES) + len(HEADERS) + len(VALUES) + len(MASKS)


@pytest.fixture
def without_root(monkeypatch):
    """Files without the right to be read cannot be read, also where root runs the tests."""
    read_bytes = Path.read_bytes

    def read(path):
        if path.exists() and not path.stat().st_mode & 0o444:
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", read)


def listed(root):
    list_subjects.main(
        root=root,
        downloads=root,
        output=root.parent / "subjects.tsv",
        remarks=root.parent / "remarks.tsv",
        layout="mslub",
        dataset="mslub",
        modalities=["t2"],
        lesions=True,
        lesion_labels=[1],
        ignored_labels=[],
        exclude=[],
        files=None,
        table=None,
        part=None,
        demographics=None,
        on_broken="leave_out",
        threads=1,
    )
    return tables.read_table(root.parent / "subjects.tsv").set_index("subject")


def resampled(folder):
    resample_scans.main(
        table=folder / "subjects.tsv",
        output=folder / "resampled",
        names=["patient01"],
        resampling=Resampling(
            modality="t2",
            spacing=SPACING,
            lesion_labels=[1],
            ignored_labels=[],
            lesions_on_own_grid=False,
        ),
    )
    written = folder / "resampled" / "patient01"
    image = read_volume(written / "image.nii.gz")
    return image, read_labels(written / "lesions.nii.gz", expected=(1, 2))


def centre(volume, above):
    bright = np.where(volume.data > above, volume.data, 0)
    return volume.affine[:3, :3] @ ndimage.center_of_mass(bright) + volume.affine[:3, 3]


@pytest.mark.parametrize("kind", KINDS)
def test_kind_is_used_correctly_or_left_out_with_its_reason(tmp_path, kind, without_root):
    change, outcome = KINDS[kind]
    root, clean_root = tmp_path / "raw", tmp_path / "clean" / "raw"
    write_patient(root / "patient01")
    write_patient(root / "patient02", OTHER_HEAD)
    write_patient(clean_root / "patient01")
    change(root / "patient01")
    table = listed(root)
    assert table.index.tolist() == ["patient01", "patient02"]
    assert table.loc["patient02", "status"] == "ok"
    if not outcome.startswith("used: "):
        assert table.loc["patient01", "status"] == "left_out"
        reason = table.loc["patient01", "reason"]
        assert "\n" not in reason
        assert re.search(outcome, reason), reason
        return
    assert table.loc["patient01", "status"] == "ok", table.loc["patient01", "reason"]
    listed(clean_root)
    (image, lesions), (clean, clean_lesions) = map(resampled, (tmp_path, tmp_path / "clean"))
    np.testing.assert_allclose(centre(clean, 1200), BALL, atol=0.5)
    if outcome == SAME_PLACE:
        np.testing.assert_allclose(centre(image, 1200), centre(clean, 1200), atol=1.0)
        np.testing.assert_allclose(centre(lesions, 0), centre(clean_lesions, 0), atol=1.0)
        return
    place = TILT @ clean.affine if outcome == SAME_TURNED else clean.affine
    np.testing.assert_allclose(image.affine, place, atol=1e-3)
    np.testing.assert_allclose(image.data, clean.data, atol=1e-2)
    if outcome == SAME_IMAGE:
        expected = {"empty mask": 0, "lesion outside the brain": 2 * 2 * 3}[kind]
        assert np.count_nonzero(lesions.data) == expected
        assert not (lesions.data & (clean.data > 0)).any()
    else:
        np.testing.assert_array_equal(lesions.data, clean_lesions.data)
