"""z-scores against healthy scans, compared with the formula by plain NumPy."""

import numpy as np
import pytest
from scipy import ndimage

import map_anomalies
import pool_healthy_scores
from brainuad.images.computed_volumes import (
    ScansWithVolumes,
    read_anomaly_maps,
    read_reconstructions,
    scans_with,
)
from brainuad.images.slices import SliceStack, read_slices, write_slices
from brainuad.io.errors import SettingsError
from brainuad.io.rows import write_rows
from brainuad.scores import load_score
from brainuad.scores.scoring import Scoring

AFFINE = np.array([[2.0, 0, 0, 0], [0, 2, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1]])
SHAPE = (4, 6, 5)
BLOCK = {
    "kind": "normative",
    "of": {"kind": "intensity"},
    "sides": "both",
    "smoothing": 0,
    "reference_smoothing": 0,
    "mirrored_reference": False,
    "prior": 1e-6,
}
POSTPROCESSING = {
    "order": ["erosion", "median"],
    "erosion_iterations": 0,
    "median_size": 1,
    "minimum_component": 1,
}


def scans(images, subjects=None, sessions=None):
    """Scans of brains that leave a rim free, one per image [S, H, W]."""
    masks = np.zeros((len(images), *SHAPE), bool)
    masks[:, 1:, 1:-1, 1:-1] = True
    return SliceStack(
        images=np.asarray(images, np.float32),
        brain_masks=masks,
        lesions=np.zeros((len(images), *SHAPE), np.uint8),
        subjects=np.array(subjects or [f"s{number}" for number in range(len(images))]),
        affines=np.array([AFFINE] * len(images)),
        sessions=None if sessions is None else np.array(sessions),
    )


def healthy_images(count=5):
    return np.random.default_rng(7).uniform(0.2, 0.8, (count, *SHAPE)).astype(np.float32)


def pairs_of(stack) -> ScansWithVolumes:
    return scans_with(stack, None, stack.names)


def z_of(block, image, healthy):
    """The z-map of one scan by the score itself."""
    score = load_score(block)
    (scan,) = scans([image], ["patient"]).scans(["patient"])
    return Scoring(score, score.reference(pairs_of(scans(healthy))))(scan, None)


def test_z_is_that_of_the_formula():
    healthy, image = healthy_images(), healthy_images(6)[-1]
    found = z_of(BLOCK, image, healthy)
    mask = scans([image]).brain_masks[0]
    deviation = healthy.std(0, ddof=1, dtype=float)
    expected = np.abs(image - healthy.mean(0, dtype=float)) / deviation * mask
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert found.dtype == np.float32 and (found[~mask] == 0).all()


@pytest.mark.parametrize("prior", [2.0, 30.0])
def test_the_mean_variance_of_the_brain_counts_as_more_scans(prior):
    healthy, image = healthy_images(), healthy_images(6)[-1]
    mask = scans([image]).brain_masks[0]
    variance = healthy.var(0, ddof=1, dtype=float)
    variance = (4 * variance + prior * variance[mask].mean()) / (4 + prior)
    expected = np.abs(image - healthy.mean(0, dtype=float)) / np.sqrt(variance) * mask
    found = z_of(BLOCK | {"prior": prior}, image, healthy)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_one_side():
    healthy, image = healthy_images(), healthy_images(6)[-1]
    both, above = z_of(BLOCK, image, healthy), z_of(BLOCK | {"sides": "above"}, image, healthy)
    is_above = image > healthy.mean(0)
    np.testing.assert_array_equal(above, np.where(is_above, both, 0))
    assert 0 < np.count_nonzero(above) < np.count_nonzero(both)


def mirrored_images():
    """Healthy images whose mean is most like its mirror image between the rows in the middle.

    It is 1, but rises along the rows in one column and falls in the next one.
    """
    images = healthy_images().astype(float)
    mean = np.ones(SHAPE)
    rows = np.linspace(-0.1, 0.1, SHAPE[1])
    mean[..., 1] += rows
    mean[..., 2] -= rows
    return images - images.mean(0) + mean


def test_a_mirrored_reference_is_that_of_the_scans_and_of_their_mirror_images():
    healthy, image = mirrored_images(), healthy_images(6)[-1]
    mask = scans([image]).brain_masks[0]
    sides = np.stack([healthy, healthy[:, :, ::-1]])
    variance = sides.var(1, ddof=1).mean(0) + sides.mean(1).var(0)
    expected = np.abs(image - sides.mean((0, 1))) / np.sqrt(variance) * mask
    found = z_of(BLOCK | {"mirrored_reference": True}, image, healthy)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert not np.allclose(found, z_of(BLOCK, image, healthy), rtol=0.1)


def test_left_and_right_meet_in_the_middle_of_the_brain_wherever_the_template_has_its_origin():
    healthy, image = mirrored_images(), healthy_images(6)[-1]
    block = BLOCK | {"mirrored_reference": True}
    stack = scans([*healthy, image])
    stack.images[:] = np.roll(stack.images, -1, axis=2)
    stack.brain_masks[:] = np.roll(stack.brain_masks, -1, axis=2)
    stack.affines[:, 0, 3] = -119.5
    *references, patient = stack.names
    score = load_score(block)
    reference = score.reference(scans_with(stack, None, references))
    (scan,) = stack.scans([patient])
    expected = np.roll(z_of(block, image, healthy), -1, axis=1)
    np.testing.assert_allclose(Scoring(score, reference)(scan, None), expected, rtol=1e-3)


def test_smoothing_is_in_millimetres():
    healthy, image = healthy_images(), healthy_images(6)[-1]
    block = BLOCK | {"smoothing": 4.0, "reference_smoothing": 3.0}
    mask = scans([image]).brain_masks[0]

    def smoothed(volume, millimetres):
        return ndimage.gaussian_filter(volume, [millimetres / size for size in (4, 2, 2)])

    values = np.array([smoothed(each * mask, 4) for each in healthy])
    mean = smoothed(values.mean(0), 3)
    deviation = np.sqrt(smoothed(values.var(0, ddof=1), 3))
    expected = np.abs(smoothed(image * mask, 4) - mean) / deviation * mask
    np.testing.assert_allclose(z_of(block, image, healthy), expected, rtol=1e-3, atol=1e-5)


def test_the_residual_may_be_compared_with_its_sign(tmp_path):
    """A residual of one sign in all healthy scans is usual; of the other sign it is not."""
    score = load_score(BLOCK | {"of": {"kind": "signed"}})
    assert score.needs_reconstruction and score.needs_reference
    stack = scans(np.full((3, *SHAPE), 0.5, np.float32))
    np.savez(
        tmp_path / "made.npz",
        names=np.array(stack.names),
        reconstructions=stack.images - np.float32([0.08, 0.1, 0.12])[:, None, None, None],
    )
    pairs = scans_with(stack, read_reconstructions(tmp_path / "made.npz"), stack.names)
    reference = score.reference(pairs)
    (scan,) = scans([np.full(SHAPE, 0.5)], ["patient"]).scans(["patient"])
    inside = scan.brain_mask
    usual = Scoring(score, reference)(scan, scan.image - np.float32(0.1))
    turned = Scoring(score, reference)(scan, scan.image + np.float32(0.1))
    np.testing.assert_allclose(usual[inside], 0, atol=1e-4)
    np.testing.assert_allclose(turned[inside], 0.2 / 0.02, rtol=1e-4)


def test_a_brain_elsewhere_on_its_grid_meets_its_place_in_the_template():
    healthy = healthy_images()
    score = load_score(BLOCK)
    reference = score.reference(pairs_of(scans(healthy)))
    image = healthy[0] + 0.3
    (scan,) = scans([image], ["patient"]).scans(["patient"])
    expected = Scoring(score, reference)(scan, None)
    stack = scans([np.roll(image, 1, axis=0)], ["patient"])
    stack.brain_masks[:] = np.roll(stack.brain_masks, 1, axis=1)
    # The slices lie one further on, and so the grid begins one earlier.
    stack.affines[0, 2, 3] -= 4
    (moved,) = stack.scans(["patient"])
    found = Scoring(score, reference)(moved, None)
    np.testing.assert_allclose(found[2:], expected[1:-1], rtol=1e-4)


@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("empty", [True, False])
def test_nothing_is_nan(empty, mirrored):
    stack = scans(np.full((3, *SHAPE), 0.5))
    (scan,) = scans([np.zeros(SHAPE)], ["patient"]).scans(["patient"])
    if empty:
        scan.stack.brain_masks[:] = False
    score = load_score(BLOCK | {"mirrored_reference": mirrored})
    found = Scoring(score, score.reference(pairs_of(stack)))(scan, None)
    assert np.isfinite(found).all() and found.any() != empty


def write_cohort(tmp_path, stack, validation):
    write_slices(stack, tmp_path / "slices.npz")
    rows = [
        (subject, session, "validation" if subject in validation else "test")
        for subject, session in zip(stack.subjects, stack.sessions, strict=True)
    ]
    write_rows(["subject", "session", "partition"], rows, tmp_path / "split.tsv")
    return {"slices": tmp_path / "slices.npz", "split": tmp_path / "split.tsv"}


def test_a_healthy_subject_is_left_out_of_what_it_is_compared_with(tmp_path):
    """With all of its sessions, and by the scripts."""
    images = healthy_images(7)
    subjects, sessions = ["a", "a", "b", "c", "d", "e", "f"], ["1", "2", "", "", "", "", ""]
    files = write_cohort(tmp_path, scans(images, subjects, sessions), ("a", "b", "c", "d"))
    of_score = {"score": BLOCK, "reconstructions": None}
    pool_healthy_scores.main(**files, **of_score, output=tmp_path / "reference.npz")
    for name, holds in (("own.npz", True), ("others.npz", False)):
        map_anomalies.main(
            **files,
            **of_score,
            reference=tmp_path / "reference.npz",
            holds_reference=holds,
            output=tmp_path / name,
            partitions=["validation", "test"],
            postprocessing=POSTPROCESSING,
        )
    own, others = (read_anomaly_maps(tmp_path / name) for name in ("own.npz", "others.npz"))
    names = read_slices(files["slices"]).names
    for number, name in enumerate(names):
        (row,) = own.rows_of([name])
        # What is left of the reference: the validation scans of other subjects.
        left = [at for at in range(5) if subjects[at] != subjects[number]]
        expected = z_of(BLOCK, images[number], images[left])
        np.testing.assert_allclose(own.volume(row), expected, rtol=2e-3, atol=1e-4)
        is_test = number > 4
        assert np.allclose(own.volume(row), others.volume(row)) == is_test


def test_too_few_healthy_scans_are_refused(tmp_path):
    files = write_cohort(tmp_path, scans(healthy_images(3)), ("s0", "s1"))
    with pytest.raises(SettingsError, match=r"2 healthy validation scans.*needs 3; raise"):
        pool_healthy_scores.main(
            **files, score=BLOCK, reconstructions=None, output=tmp_path / "reference.npz"
        )
