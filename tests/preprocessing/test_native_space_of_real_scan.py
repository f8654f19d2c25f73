"""A real patient's scan to the template and back; the experts' mask lies where they drew it."""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from later_stages import run_later_stages
from nilearn.datasets import load_mni152_brain_mask, load_mni152_template
from oriented_heads import BIAS, CONFIG, REGISTRATION
from scipy import ndimage

import resample_scans
from brainuad.images.geometry import read_transform
from brainuad.images.volumes import Volume, read_labels, read_mask, write_volume
from brainuad.io.tables import write_table
from brainuad.preprocessing.native_space import grid_of_file, to_scan_grid
from brainuad.preprocessing.resampling import Resampling

PROJECT = Path(__file__).resolve().parents[2]
SCANS = Path(os.environ.get("BRAINUAD_REAL_SCANS", PROJECT.parent / "shared" / "real"))
PATIENT = SCANS / "ms_stripped" / "patient19"
pytestmark = pytest.mark.skipif(not PATIENT.is_dir(), reason=f"no real scans in {SCANS}")
# Half the default's resolution: the final grid has the default's voxels of 2 mm.
SPACING, SIZE = 2.0, [96, 96, 80]


@pytest.fixture(scope="module")
def final(tmp_path_factory):
    """The scan's folder after the last stage."""
    folder = tmp_path_factory.mktemp("patient19")
    head, mask = load_mni152_template(resolution=2), load_mni152_brain_mask(resolution=2)
    brain = np.where(np.asarray(mask.dataobj) > 0, head.get_fdata(), 0).astype(np.float32)
    write_volume(Volume(brain, head.affine), folder / "template.nii.gz")
    row = {"t2": PATIENT / "T2.nii.gz", "seg": PATIENT / "lesions.nii.gz"}
    table = pd.DataFrame([{"subject": "patient19", "session": "", **row}])
    write_table(table, folder / "subjects.tsv")
    resample_scans.main(
        table=folder / "subjects.tsv",
        output=folder / "resampled",
        names=["patient19"],
        resampling=Resampling("t2", SPACING, [1], [], lesions_on_own_grid=False),
    )
    normalization = CONFIG["preprocessing"]["normalization"] | {"size": SIZE, "downsampling": 1}
    run_later_stages(folder, registration=REGISTRATION, bias=BIAS, normalization=normalization)
    return folder / "normalized" / "patient19"


def test_mask_and_map_lie_on_the_files_own_grid_where_they_belong(final):
    file = nib.load(PATIENT / "T2.nii.gz")
    expert = np.asarray(nib.load(PATIENT / "lesions.nii.gz").dataobj) > 0
    grid, to_scan = grid_of_file(PATIENT / "T2.nii.gz"), read_transform(final / "to_template.mat")
    np.testing.assert_array_equal(grid.affine, file.affine)
    image = read_mask(final / "image.nii.gz")
    lesions = read_labels(final / "lesions.nii.gz", expected=(1,), grid=image)
    marked = to_scan_grid(lesions, grid, scan_from_volume=to_scan, labels=True) > 0
    back = to_scan_grid(image, grid, scan_from_volume=to_scan, labels=False)
    assert marked.shape == back.shape == file.shape

    assert np.count_nonzero(marked) == pytest.approx(np.count_nonzero(expert), rel=0.05)
    centres = [np.array(ndimage.center_of_mass(mask)) for mask in (marked, expert)]
    # The file has voxels of 1 mm. On the way there the mask was sampled at every second voxel.
    assert np.linalg.norm(centres[0] - centres[1]) < SPACING
    # Thin lesions on voxels twice as large.
    assert dice(marked, expert) > 0.7
    assert dice(marked[::-1], expert) < 0.6

    inside = ndimage.binary_erosion(np.asarray(file.dataobj) > 20, iterations=4)
    raw = file.get_fdata()[inside]

    def similarity(volume):
        return np.corrcoef(volume[inside], raw)[0, 1]

    # It was smoothed and had voxels of 2 mm. One of them away it is less like the scan, and much
    # less so mirrored.
    assert similarity(back) > 0.7
    for axis in range(3):
        for step in (-2, 2):
            assert similarity(np.roll(back, step, axis)) < similarity(back)
    assert similarity(back[::-1]) < 0.7 * similarity(back)


def dice(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))
