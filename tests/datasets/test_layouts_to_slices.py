"""From a raw tree to packed slices: which voxel of a mask ends where, and as what."""

import numpy as np
import pytest
from test_layouts import AFFINE, listed, make_wmh, write_scan

import pack_slices
import resample_scans
from brainuad.images.slices import read_slices
from brainuad.images.volumes import Volume, read_labels, write_volume
from brainuad.io.errors import ScanError
from brainuad.io.rows import write_rows
from brainuad.preprocessing.resampling import Resampling


def test_resampled_lesions_tell_lesion_from_ignored(tmp_path):
    make_wmh(tmp_path / "raw")
    listed(tmp_path, "wmh")
    resample_scans.main(
        table=tmp_path / "subjects.tsv",
        output=tmp_path / "chunk",
        names=["Utrecht_0", "Singapore_50"],
        resampling=Resampling(
            modality="t1",
            spacing=2.0,
            lesion_labels=[1],
            ignored_labels=[2],
            lesions_on_own_grid=True,
        ),
    )
    # As the stages after it would leave the chunk: every volume on the grid of its image.
    for subject in ("Utrecht_0", "Singapore_50"):
        folder = tmp_path / "chunk" / subject
        write_volume(
            Volume(np.ones((4, 5, 3), np.uint8), np.diag([2.0, 2, 2, 1]) + shift_of_flip()),
            folder / "brain_mask.nii.gz",
        )
    pack_slices.main(
        chunks=[tmp_path / "chunk"],
        subjects=tmp_path / "subjects.tsv",
        slices=tmp_path / "wmh_t1.npz",
        left_out=tmp_path / "wmh_t1_left_out.tsv",
        on_broken="stop",
    )
    stack = read_slices(tmp_path / "wmh_t1.npz")
    assert stack.subjects.tolist() == ["Singapore_50", "Utrecht_0"]
    assert stack.images.shape == (2, 3, 4, 5)
    # No transform came along, so that the size before the registration is not known.
    assert not stack.has_native_size(0)
    # The file counts from the right and the back; label 1 was its first voxel, 2 the next one up.
    assert stack.lesions[0, 0, 3, 4] == 1
    assert stack.lesions[0, 1, 3, 4] == 2
    assert np.count_nonzero(stack.lesions) == 4
    np.testing.assert_allclose(stack.affines[0], np.diag([2.0, 2, 2, 1]) + shift_of_flip())


def test_labels_above_255_reach_the_slices(tmp_path):
    root = tmp_path / "raw"
    write_scan(root / "1.nii.gz")
    mask = np.zeros((4, 5, 3), np.uint16)
    mask[0, 0, :2] = 1000, 1256
    write_volume(Volume(mask, AFFINE), root / "1_seg.nii.gz")
    labels = {"lesion_labels": [1000], "ignored_labels": [1256]}
    files = {"t1": "{subject}.nii.gz", "seg": "{subject}_seg.nii.gz"}
    assert listed(tmp_path, "files", files=files, **labels).loc["1", "lesion_ml"] == 0.008
    resample_scans.main(
        table=tmp_path / "subjects.tsv",
        output=tmp_path / "chunk",
        names=["1"],
        resampling=Resampling(modality="t1", spacing=2.0, lesions_on_own_grid=False, **labels),
    )
    lesions = read_labels(tmp_path / "chunk" / "1" / "lesions.nii.gz", expected=(1, 2)).data
    assert lesions[3, 4].tolist() == [1, 2, 0]
    assert np.count_nonzero(lesions) == 2


def test_what_splines_overshoot_is_packed_as_it_is(tmp_path):
    """Far below 0 as well, where a raw scan would be taken for a broken one."""
    folder = tmp_path / "chunk" / "p1"
    image = np.linspace(-0.4, 1.3, 60, dtype=np.float32).reshape(3, 4, 5)
    write_volume(Volume(image, AFFINE), folder / "image.nii.gz")
    for name in ("brain_mask", "lesions"):
        write_volume(Volume((image > 0.5).astype(np.uint8), AFFINE), folder / f"{name}.nii.gz")
    (tmp_path / "chunk" / "left_out.tsv").write_text("scan\tstage\treason\n")
    paths = {"slices": tmp_path / "a.npz", "left_out": tmp_path / "left_out.tsv"}
    write_rows(["subject", "session"], [("p1", "")], tmp_path / "subjects.tsv")
    paths |= {"subjects": tmp_path / "subjects.tsv"}
    pack_slices.main(chunks=[tmp_path / "chunk"], **paths, on_broken="stop")
    stack = read_slices(tmp_path / "a.npz")
    np.testing.assert_array_equal(stack.images[0], image.transpose(2, 0, 1))


def test_scan_left_out_by_a_stage_is_fatal_where_asked(tmp_path):
    chunk = tmp_path / "chunk"
    chunk.mkdir()
    (chunk / "left_out.tsv").write_text("scan\tstage\treason\np7\tregistered\tlost\n")
    paths = {name: tmp_path / f"{name}.x" for name in ("subjects", "slices", "left_out")}
    with pytest.raises(ScanError, match="p7 could not be registered: lost"):
        pack_slices.main(chunks=[chunk], **paths, on_broken="stop")


def shift_of_flip():
    """The first voxel of the RAS volume was the last one of the file: 3 x 2 and 4 x 2 mm back."""
    shift = np.zeros((4, 4))
    shift[:2, 3] = (-6.0, -8.0)
    return shift
