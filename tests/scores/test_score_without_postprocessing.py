import math

import numpy as np
import pandas as pd
import pytest

import score_without_postprocessing
from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.errors import SettingsError
from brainuad.io.tables import read_table, write_table

SHAPE = (12, 20, 18)
SETTINGS = {
    "order": ["erosion", "median"],
    "erosion_iterations": 1,
    "median_size": 3,
    "minimum_component": 8,
}
LESION = np.s_[4:9, 5:11, 4:9]
# Of this cube the median leaves the centre and its six neighbours, a component of 7.
BLOB = np.s_[4:7, 14:17, 12:15]
# Two layers at the rim of the brain, of which erosion leaves one; a median takes that away.
RIM = np.s_[4:8, 1:3, 4:9]
SINGLE = (9, 14, 4)


@pytest.fixture
def files(tmp_path):
    """One validation and three test subjects whose score is the image, without a model."""
    subjects = ["v", "many", "faint", "healthy"]
    brain = np.zeros((4, *SHAPE), dtype=bool)
    brain[:, :, 1:-1, 1:-1] = True
    images = np.where(brain, np.float32(0.1), 0).astype(np.float32)
    lesions = np.zeros((4, *SHAPE), dtype=np.uint8)
    for number, value in ((0, 0.9), (1, 0.9), (2, 0.6)):
        images[(number, *LESION)] = value
        lesions[(number, *LESION)] = 1
    # A threshold without the median has to lie above this voxel.
    images[(0, *SINGLE)] = 0.7
    for place in (BLOB, RIM, SINGLE):
        images[(1, *place)] = 0.9
    stack = SliceStack(
        images=images,
        brain_masks=brain,
        lesions=lesions,
        subjects=np.array(subjects),
        affines=np.tile(np.eye(4), (4, 1, 1)),
    )
    write_slices(stack, tmp_path / "slices.npz")
    partitions = ["validation", "test", "test", "test"]
    write_table(
        pd.DataFrame({"subject": subjects, "session": "", "partition": partitions}),
        tmp_path / "split.tsv",
    )
    return {
        "slices": tmp_path / "slices.npz",
        "split": tmp_path / "split.tsv",
        "reconstructions": None,
        "score": {"kind": "intensity"},
    }


def scored(files, tmp_path, **changes):
    output = tmp_path / "scores.tsv"
    score_without_postprocessing.main(
        **files, output=output, postprocessing=SETTINGS | changes, modality="t2"
    )
    return read_table(output)


def test_each_step_by_hand(files, tmp_path):
    table = scored(files, tmp_path)
    assert table.columns.tolist() == [
        "subject",
        "session",
        "modality",
        "variant",
        "metric",
        "value",
    ]
    assert set(table["modality"]) == {"t2"} and set(table["metric"]) == {"dice"}
    names = ["all steps", "without components", "without median filter", "without erosion"]
    assert table["variant"].unique().tolist() == names
    dice = table.set_index(["subject", "variant"])["value"]
    # In a 3x3x3 window a box keeps its faces (18 of 27 voxels inside), not its edges (12) and
    # corners (8): of the lesion's 150 voxels 150 - 8 - 4 * (3 + 4 + 3) are left.
    assert dice["many"].to_dict() == pytest.approx(
        {
            names[0]: 2 * 102 / (102 + 150),
            names[1]: 2 * 102 / (102 + 7 + 150),
            # The lesion is whole, and so are the blob and the layer of the rim (4 x 5 voxels).
            names[2]: 2 * 150 / (150 + 27 + 20 + 150),
            # Both layers of the rim, without their edges.
            names[3]: 2 * 102 / (102 + 2 * 2 * 3 + 150),
        }
    )
    # Without the median the threshold is .8, above the lesion: it is fitted for each variant.
    found = 2 * 102 / (102 + 150)
    assert dice["faint"].tolist() == pytest.approx([found, found, 0, found])
    assert all(math.isnan(value) for value in dice["healthy"])


def test_reconstructions_are_scored_the_same(files, tmp_path):
    expected = scored(files, tmp_path)
    with np.load(files["slices"]) as arrays:
        subjects, images = arrays["subjects"], arrays["images"]
    reconstructed = tmp_path / "reconstructions.npz"
    np.savez(reconstructed, names=subjects, reconstructions=np.zeros_like(images))
    by_model = {"reconstructions": reconstructed, "score": {"kind": "absolute"}}
    pd.testing.assert_frame_equal(scored(files | by_model, tmp_path), expected)


def test_what_all_steps_lack_is_no_variant(files, tmp_path):
    table = scored(files, tmp_path, order=["median"], minimum_component=1)
    assert table["variant"].unique().tolist() == ["all steps", "without median filter"]
    assert len(table) == 3 * 2


def test_no_validation_subject_is_one_clear_line(files, tmp_path):
    split = pd.DataFrame(
        {"subject": ["gone", "many"], "session": "", "partition": ["validation", "test"]}
    )
    write_table(split, files["split"])
    with pytest.raises(SettingsError, match="no threshold can be fitted: all validation subjects"):
        scored(files, tmp_path)
