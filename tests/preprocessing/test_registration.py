"""Registration against a motion applied by hand; the same input gives the same bytes."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml
from later_stages import run_later_stages
from scipy import io, ndimage

import register_to_template
import resample_scans
import strip_skull
from brainuad.config.preprocessing import LinearRegistration
from brainuad.config.settings import settings_from
from brainuad.images.geometry import to_ras, volume_in_scan
from brainuad.images.volumes import Volume, read_labels, read_volume, write_volume
from brainuad.io import tables
from brainuad.io.errors import ScanError, SettingsError
from brainuad.preprocessing.chunks import read_left_out, scans_in
from brainuad.preprocessing.registration import (
    carry_brain_mask,
    from_ants,
    load_ants,
    register_linear,
    to_ants,
    warp,
    warp_labels,
)
from brainuad.preprocessing.resampling import Resampling

PROJECT = Path(__file__).resolve().parents[2]
SHAPE = (66, 80, 60)
TEMPLATE_AFFINE = np.array([[2.5, 0, 0, -82], [0, 2.5, 0, -98], [0, 0, 2.5, -74], [0, 0, 0, 1]])
# The scan lies elsewhere in the scanner: turned by 6 degrees, 5 % larger, shifted.
TURN = np.deg2rad(6)
MOTION = np.array(
    [
        [1.05 * np.cos(TURN), -1.05 * np.sin(TURN), 0, 9.0],
        [1.05 * np.sin(TURN), 1.05 * np.cos(TURN), 0, -6.0],
        [0, 0, 1.05, 4.0],
        [0, 0, 0, 1],
    ]
)
REGISTRATION = {
    "transform": "Affine",
    "rigid_start": True,
    "iterations": [1200, 10],
    "shrink_factors": [2, 1],
    "smoothing_sigmas": [1, 0],
    "sampling_rate": 0.03,
    "label_interpolation": "nearest",
}
SETTINGS = settings_from(LinearRegistration, REGISTRATION)
BALL = np.array([-36.0, 30.0, 20.0])  # left, front, top


def head_at(points, *, contrast):
    """An asymmetric head at RAS points [..., 3]: scalp, folds, a ventricle, a ball on the left."""
    radius = np.linalg.norm(points / (58, 72, 52), axis=-1)
    brain = radius < 0.85
    ventricle = np.linalg.norm((points - (0, -10, 8)) / (10, 26, 12), axis=-1) < 1
    ball = np.linalg.norm(points - BALL, axis=-1) < 11
    scalp, grey, fluid, bright = contrast
    image = np.where(radius < 1, scalp, 0.0)
    folds = np.prod(np.sin(points / (14, 16, 13) + (1.0, 0.3, 0.6)), axis=-1)
    image = np.where(brain, grey + 25 * folds, image)
    image = np.where(ventricle, fluid, image)
    return np.where(ball, bright, image).astype(np.float32), brain.astype(np.uint8)


T1, T2 = (90.0, 60.0, 20.0, 110.0), (70.0, 50.0, 130.0, 20.0)


def grid_points(affine, shape=SHAPE):
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), axis=-1)
    return index @ affine[:3, :3].T + affine[:3, 3]


def template(contrast=T1):
    image, brain = head_at(grid_points(TEMPLATE_AFFINE), contrast=contrast)
    return Volume(image, TEMPLATE_AFFINE), Volume(brain, TEMPLATE_AFFINE)


def scan(contrast=T1, *, shape=SHAPE, seed=0):
    """The head after MOTION, seen by a scanner whose grid is the template's."""
    back = np.linalg.inv(MOTION)
    points = grid_points(TEMPLATE_AFFINE, shape) @ back[:3, :3].T + back[:3, 3]
    image, brain = head_at(points, contrast=contrast)
    noise = np.random.default_rng(seed).normal(0, 1, image.shape)
    image = ndimage.gaussian_filter(image, 0.5) + noise
    return Volume(image.astype(np.float32), TEMPLATE_AFFINE), Volume(brain, TEMPLATE_AFFINE)


def turned_to(volume, codes):
    """The same volume with its axes in another order, as a file may store it."""
    turn = nib.orientations.axcodes2ornt(tuple(codes))
    change = nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), turn)
    data = nib.orientations.apply_orientation(volume.data, change)
    back = nib.orientations.inv_ornt_aff(change, volume.data.shape)
    return Volume(data, volume.affine @ back)


def dice(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


OBLIQUE = np.array([[-1.99, 0.3, 0, 20], [0.2, 2.98, 0, -30], [0, 0, 4.0, -10], [0, 0, 0, 1.0]])


def test_there_and_back_again_keeps_values_and_place():
    data = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    back = from_ants(to_ants(Volume(data, OBLIQUE)))
    np.testing.assert_array_equal(back.data, data)
    np.testing.assert_allclose(back.affine, OBLIQUE, atol=1e-6)


def test_ants_sees_the_place_that_it_reads_from_the_file(tmp_path):
    affine = nib.affines.from_matvec(np.array([[0, -2, 0], [3, 0, 0], [0, 0, 4.0]]), [9, 8, 7])
    volume = Volume(np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32), affine)
    write_volume(volume, tmp_path / "scan.nii.gz")
    read = load_ants().image_read(str(tmp_path / "scan.nii.gz"))
    made = to_ants(volume)
    np.testing.assert_allclose(made.origin, read.origin, atol=1e-5)
    np.testing.assert_allclose(made.spacing, read.spacing, atol=1e-5)
    np.testing.assert_allclose(made.direction, read.direction, atol=1e-5)
    np.testing.assert_array_equal(made.numpy(), read.numpy())


@pytest.mark.parametrize("contrast", [T1, T2], ids=["t1", "t2"])
@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR"])
def test_scan_in_any_orientation_comes_to_the_template(tmp_path, contrast, codes):
    fixed, _ = template()
    moving, _ = scan(contrast)
    turned = to_ras(turned_to(moving, codes))
    matrix = tmp_path / "to_template.mat"
    register_linear(fixed, turned, settings=SETTINGS, matrix=matrix)
    # A template point must go where the motion took it, some 10 mm away: the error in mm.
    lps = np.array([-1.0, -1.0, 1.0])
    transform = load_ants().read_transform(str(matrix))
    for point in (BALL, np.array([40.0, -50, -20]), np.array([0.0, 60, 10])):
        moved = lps * np.array(transform.apply_to_point((point * lps).tolist()))
        expected = (MOTION @ np.append(point, 1))[:3]
        assert np.linalg.norm(moved - expected) < 1.0
    image = warp(turned, fixed, transforms=[matrix], labels=False)
    assert image.shape == SHAPE
    # The ball is bright in T1 and dark in T2: it is where the template has it, on the left.
    index = np.rint(np.linalg.inv(TEMPLATE_AFFINE) @ np.append(BALL, 1)).astype(int)[:3]
    mirrored = np.rint(np.linalg.inv(TEMPLATE_AFFINE) @ np.append(BALL * (-1, 1, 1), 1)).astype(int)
    sign = 1 if contrast is T1 else -1
    assert sign * (image[tuple(index)] - image[tuple(mirrored[:3])]) > 15


def test_template_of_another_spacing_is_refused(tmp_path):
    fixed, _ = template()
    moving, brain = scan()
    coarser = Volume(fixed.data, fixed.affine @ np.diag([2.0, 2.0, 2.0, 1.0]))
    write_volume(coarser, tmp_path / "template.nii.gz")
    subject = tmp_path / "stripped" / "a"
    write_volume(moving, subject / "image.nii.gz")
    for name in ("brain_mask", "lesions"):
        write_volume(brain, subject / f"{name}.nii.gz")
    empty = pd.DataFrame(columns=["scan", "stage", "reason"], dtype=str)
    tables.write_table(empty, tmp_path / "stripped" / "left_out.tsv")
    with pytest.raises(SettingsError, match=r"are not those of preprocessing\.spacing"):
        register_to_template.main(
            scans=tmp_path / "stripped",
            template=tmp_path / "template.nii.gz",
            output=tmp_path / "registered",
            transforms=tmp_path / "transforms",
            settings=REGISTRATION,
        )
    assert not (tmp_path / "registered").exists()


def test_registered_scans_are_ras_however_the_template_is_stored(tmp_path):
    fixed, _ = template()
    moving, brain = scan()
    write_volume(turned_to(fixed, "LPS"), tmp_path / "template.nii.gz")
    subject = tmp_path / "stripped" / "a"
    write_volume(moving, subject / "image.nii.gz")
    for name in ("brain_mask", "lesions"):
        write_volume(brain, subject / f"{name}.nii.gz")
    empty = pd.DataFrame(columns=["scan", "stage", "reason"], dtype=str)
    tables.write_table(empty, tmp_path / "stripped" / "left_out.tsv")
    register_to_template.main(
        scans=tmp_path / "stripped",
        template=tmp_path / "template.nii.gz",
        output=tmp_path / "registered",
        transforms=tmp_path / "transforms",
        settings=REGISTRATION,
    )
    for name in ("image", "brain_mask", "lesions"):
        made = read_volume(tmp_path / "registered" / "a" / f"{name}.nii.gz")
        np.testing.assert_allclose(made.affine, TEMPLATE_AFFINE, atol=1e-4)
        assert made.data.shape == SHAPE


def test_labels_keep_their_size_and_values(tmp_path):
    fixed, _ = template()
    moving, _ = scan()
    labels = np.zeros(SHAPE, np.uint8)
    # A large ball: a small cube along the axes would change by whole planes.
    ball = np.linalg.norm(np.indices(SHAPE).T - (22, 40, 28), axis=-1).T < 10
    labels[ball] = 1
    labels[40:46, 34:40, 24:30] = 2
    matrix = tmp_path / "to_template.mat"
    register_linear(fixed, moving, settings=SETTINGS, matrix=matrix)
    warped = warp(Volume(labels, TEMPLATE_AFFINE), fixed, transforms=[matrix], labels=True)
    assert warped.dtype == np.uint8
    assert set(np.unique(warped)) == {0, 1, 2}
    # The scan's head is 5 % larger in each direction.
    expected = np.count_nonzero(ball) / 1.05**3
    assert np.count_nonzero(warped == 1) == pytest.approx(expected, rel=0.05)


VOXELS = Volume(np.zeros((12, 12, 12), np.float32), np.diag([2.0, 2.0, 2.0, 1.0]))


@pytest.fixture
def half_a_voxel(tmp_path):
    """The transform file of a shift by half a voxel along each axis."""
    ants = load_ants()
    shift = ants.create_ants_transform("AffineTransform", dimension=3, translation=(1.0, 1.0, 1.0))
    ants.write_transform(shift, str(tmp_path / "shift.mat"))
    return tmp_path / "shift.mat"


def ball_of_33_voxels(centre):
    return (np.linalg.norm(np.indices((12, 12, 12)).T - centre, axis=-1).T <= 2).astype(np.uint8)


def warped_by(transform, labels, interpolation):
    volume = Volume(labels, VOXELS.affine)
    return warp_labels(volume, VOXELS, transforms=[transform], interpolation=interpolation)


def test_as_released_a_ball_of_33_voxels_grows_to_88(half_a_voxel):
    ball = ball_of_33_voxels((6, 6, 6))
    assert np.count_nonzero(ball) == 33
    assert np.count_nonzero(warped_by(half_a_voxel, ball, "nearest")) == 33
    # A voxel's centre falls between eight others, to the left, behind and above (ITK counts to the
    # left and back): one of them in the ball is enough.
    linear = warped_by(half_a_voxel, ball, "linear")
    neighbours = [np.roll(ball, (x, y, -z), (0, 1, 2)) for x, y, z in np.ndindex(2, 2, 2)]
    np.testing.assert_array_equal(linear, np.max(neighbours, axis=0))
    assert linear.dtype == np.uint8
    assert np.count_nonzero(linear) == 88


def test_as_released_what_lesion_and_ignored_labels_both_reach_is_lesion(half_a_voxel):
    lesion, ignored = ball_of_33_voxels((4, 6, 6)), ball_of_33_voxels((8, 6, 6))
    labels = np.maximum(lesion, 2 * ignored)
    # The balls share a voxel, which counts as ignored and is then no part of the lesion.
    assert np.count_nonzero(labels == 1) == 32
    warped = warped_by(half_a_voxel, labels, "linear")
    reach = [
        warped_by(half_a_voxel, (labels == label).astype(np.uint8), "linear") for label in (1, 2)
    ]
    assert np.count_nonzero(reach[0] & reach[1]) > 0
    np.testing.assert_array_equal(warped == 1, reach[0] == 1)
    np.testing.assert_array_equal(warped == 2, (reach[1] == 1) & (reach[0] == 0))


@pytest.mark.parametrize("contrast", [T1, T2], ids=["t1", "t2"])
def test_brain_mask_of_the_template_fits_the_scan(contrast):
    head, brain = template()
    moving, expected = scan(contrast)
    mask = carry_brain_mask(moving, head=head, brain_mask=brain)
    assert mask.dtype == np.uint8
    assert dice(mask > 0, expected.data > 0) > 0.95


def test_same_input_gives_the_same_bytes(tmp_path):
    head, brain = template()
    moving, _ = scan()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        matrix = tmp_path / name / "to_template.mat"
        register_linear(head, moving, settings=SETTINGS, matrix=matrix)
        image = warp(moving, head, transforms=[matrix], labels=False)
        write_volume(Volume(image, head.affine), tmp_path / name / "image.nii.gz")
        mask = carry_brain_mask(moving, head=head, brain_mask=brain)
        write_volume(Volume(mask, moving.affine), tmp_path / name / "brain_mask.nii.gz")
    for file in ("to_template.mat", "image.nii.gz", "brain_mask.nii.gz"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_settings_that_cannot_be_are_refused_in_one_line():
    for changes, line in (
        ({"iterations": [10]}, "iterations: give as many entries .* they have 1, 2 and 2"),
        ({"sampling_rate": 0.0}, "sampling_rate: 0.0 does not fit"),
        ({"transform": "SyN"}, "'SyN' is not one of Affine, Similarity, Rigid"),
        ({"label_interpolation": "cubic"}, "'cubic' is not one of nearest, linear"),
    ):
        with pytest.raises(SettingsError, match=line):
            settings_from(LinearRegistration, REGISTRATION | changes)


def test_config_has_the_settings_tested_here():
    config = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text())
    assert config["preprocessing"]["registration"] == REGISTRATION


def test_failed_registration_is_the_scans_failure(tmp_path):
    head, _ = template()
    broken = Volume(np.full(SHAPE, np.nan, np.float32), TEMPLATE_AFFINE)
    with pytest.raises(ScanError, match="registration failed"):
        register_linear(head, broken, settings=SETTINGS, matrix=tmp_path / "x.mat")


BIAS = {"shrink_factor": 4, "iterations": [20, 20], "tolerance": 1e-3, "mask_smoothing": 1.0}
NORMALIZATION = {
    "curvature_flow": {"iterations": 3, "time_step": 0.125},
    "size": [56, 64, 48],
    "downsampling": 2,
    "percentiles": [1, 99],
}


def run_chain(folder):
    """Two scans through the rules' own scripts, one of them too damaged to be registered."""
    moving, brain = scan()
    stripped = Volume(np.where(brain.data > 0, moving.data, 0), moving.affine)
    lesion = np.linalg.norm(grid_points(TEMPLATE_AFFINE) - (MOTION @ [*BALL, 1])[:3], axis=-1) < 9
    write_volume(stripped, folder / "raw" / "brain.nii.gz")
    write_volume(Volume(lesion.astype(np.uint8), moving.affine), folder / "raw" / "seg.nii.gz")
    subjects = ["a", "b"]
    scans = {"t1": str(folder / "raw" / "brain.nii.gz"), "seg": str(folder / "raw" / "seg.nii.gz")}
    table = pd.DataFrame([{"subject": subject, "session": "", **scans} for subject in subjects])
    tables.write_table(table, folder / "subjects.tsv")
    head, brain = template()
    target = Volume(np.where(brain.data > 0, head.data, 0), head.affine)
    write_volume(target, folder / "template.nii.gz")
    resample_scans.main(
        table=folder / "subjects.tsv",
        output=folder / "resampled",
        names=subjects,
        resampling=Resampling(
            modality="t1",
            spacing=2.5,
            lesion_labels=[1],
            ignored_labels=[],
            lesions_on_own_grid=False,
        ),
    )
    (folder / "resampled" / "b" / "image.nii.gz").write_bytes(b"")
    run_later_stages(folder, registration=REGISTRATION, bias=BIAS, normalization=NORMALIZATION)


def test_volume_in_the_scan_by_hand(tmp_path):
    # Twice as long, half as wide and 3 times as high, then mirrored and turned, which changes no
    # volume; where the points move to does not count.
    linear = np.array([[0, 0.5, 0], [-2.0, 0, 0], [0, 0, -3]])
    parameters = np.append(linear.ravel(), [40.0, -7, 3])[:, None]
    content = {"AffineTransform_float_3_3": parameters, "fixed": np.array([[1.0], [2], [3]])}
    io.savemat(tmp_path / "to_template.mat", content, format="4")
    assert volume_in_scan(tmp_path / "to_template.mat") == pytest.approx(3)


def test_chain_of_scripts_keeps_the_lesion_where_the_template_has_it(tmp_path):
    run_chain(tmp_path / "one")
    last = tmp_path / "one" / "normalized"
    assert scans_in(last) == ["a"]
    assert [row[:2] for row in read_left_out(last)] == [("b", "stripped")]
    image = read_volume(last / "a" / "image.nii.gz")
    mask = read_labels(last / "a" / "brain_mask.nii.gz", expected=(1,), grid=image)
    lesions = read_labels(last / "a" / "lesions.nii.gz", expected=(1,), grid=image)
    assert image.data.shape == (28, 32, 24)
    inside, outside = image.data[mask.data > 0], image.data[mask.data == 0]
    assert -0.2 < outside.min() < 0, "splines overshoot, and nothing cuts them"
    assert 1 < inside.max() < 1.4
    assert np.count_nonzero(outside) > 0.2 * outside.size
    np.testing.assert_allclose(image.spacing, 5.0, atol=1e-5)
    centre = image.affine @ np.append(ndimage.center_of_mass(lesions.data), 1)
    assert np.linalg.norm(centre[:3] - BALL) < 5.0, "within a voxel: left, in front, at the top"
    for stage in ("registered", "corrected"):
        assert (tmp_path / "one" / stage / "a" / "to_template.mat").exists()
    run_chain(tmp_path / "two")
    for file in sorted((tmp_path / "one").rglob("*.*")):
        if file.parent.name == "a":
            twin = tmp_path / "two" / file.relative_to(tmp_path / "one")
            assert file.read_bytes() == twin.read_bytes(), file


def test_brain_that_comes_stripped_keeps_its_outline(tmp_path):
    _, brain = scan()
    run_chain(tmp_path)
    mask = read_labels(tmp_path / "stripped" / "a" / "brain_mask.nii.gz", expected=(1,))
    assert dice(mask.data > 0, brain.data > 0) > 0.99


def test_methods_of_skull_stripping_that_cannot_run_are_refused(tmp_path):
    for method, line in (("hdbet", "takes template or none"), ("template", "needs")):
        with pytest.raises(SettingsError, match=line):
            strip_skull.main(
                scans=tmp_path,
                output=tmp_path / "out",
                brain_masks=tmp_path / "masks",
                method=method,
                head_template=None,
                head_brain_mask=None,
            )
