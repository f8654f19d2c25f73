"""The last stage against what the released data loader makes of a volume.

Arrays that the released loader wrote are compared where their folder is given: the environment
variable BRAINUAD_RELEASED_ARRAYS, with `released_loading_*.npz` in it. Without them the same is
worked out here, by matrices and by SimpleITK, which torchio resamples with.
"""

import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

import normalize_scans
from brainuad.images.volumes import Volume, read_labels, read_mask, write_volume
from brainuad.preprocessing.chunks import read_left_out

ARRAYS = os.environ.get("BRAINUAD_RELEASED_ARRAYS")
RELEASED = sorted(Path(ARRAYS).glob("released_loading_*.npz")) if ARRAYS else []
FLOW = {"iterations": 3, "time_step": 0.125}
SETTINGS = {
    "curvature_flow": FLOW,
    "size": [192, 192, 100],
    "downsampling": 2,
    "percentiles": [1, 99],
}


def normalized(folder, *, image, brain_mask, lesions, settings):
    """Image, brain mask and lesions [X, Y, Z] of one scan after the stage."""
    parts = {"image": image.astype(np.float32), "brain_mask": brain_mask, "lesions": lesions}
    for name, data in parts.items():
        write_volume(Volume(data, np.eye(4)), folder / "corrected" / "a" / f"{name}.nii.gz")
    (folder / "corrected" / "left_out.tsv").write_text("scan\tstage\treason\n")
    normalize_scans.main(
        scans=folder / "corrected", output=folder / "normalized", settings=settings
    )
    assert read_left_out(folder / "normalized") == []
    made = folder / "normalized" / "a"
    return (
        read_mask(made / "image.nii.gz").data,
        read_labels(made / "brain_mask.nii.gz", expected=(1,)).data,
        read_labels(made / "lesions.nii.gz", expected=(1, 2)).data,
    )


def stripped_brain(shape):
    """A textured ellipsoid, 0 beyond it but for a thin rim, as interpolation leaves it; int16."""
    generator = np.random.default_rng(len(shape) + shape[0])
    index = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij"), axis=-1)
    distance = np.linalg.norm(index, axis=-1)
    texture = ndimage.gaussian_filter(generator.normal(size=shape), 1)
    image = 400 + 300 * texture / texture.std()
    image = np.where(distance < 0.9, np.maximum(image, 20), np.where(distance < 0.93, 150, 0))
    lesions = (np.linalg.norm(index - 0.3, axis=-1) < 0.2).astype(np.uint8)
    return image.astype(np.int16), (distance < 0.9).astype(np.uint8), lesions


@pytest.mark.skipif(not RELEASED, reason="BRAINUAD_RELEASED_ARRAYS names no folder with arrays")
@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_a_volume_comes_out_as_the_released_loader_makes_it(path, tmp_path):
    arrays = np.load(path)
    given = {name: arrays[name] for name in ("image", "brain_mask", "lesions")}
    image, brain_mask, lesions = normalized(tmp_path, **given, settings=SETTINGS)
    np.testing.assert_allclose(image, arrays["released_image"], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(brain_mask, arrays["released_brain_mask"])
    np.testing.assert_array_equal(lesions, arrays["released_lesions"])


def cut(data, size):
    """About the centre to the size, or filled with zeros; the larger half at the low end."""
    for axis, (old, new) in enumerate(zip(data.shape, size, strict=True)):
        low = -((new - old) // -2) if new > old else 0
        high = new - old - low if new > old else 0
        data = np.pad(data, [(low, high) if a == axis else (0, 0) for a in range(3)])
        start = -((old - new) // -2) if old > new else 0
        data = data.take(range(start, start + new), axis=axis)
    return data


@pytest.mark.parametrize("shape", [(41, 38, 29), (60, 31, 44)])
def test_it_is_what_simpleitk_and_numpy_make_of_it(shape, tmp_path):
    image, brain_mask, lesions = stripped_brain(shape)
    size = (48, 36, 40)
    found = normalized(
        tmp_path,
        image=image,
        brain_mask=brain_mask,
        lesions=lesions,
        settings=SETTINGS | {"size": list(size)},
    )
    smooth = sitk.CurvatureFlow(as_sitk(image), timeStep=0.125, numberOfIterations=3)
    data = cut(as_array(smooth), size)
    inside = cut(brain_mask, size) > 0
    low, high = np.percentile(data[inside], (1, 99))
    scaled = (data.clip(low, high) - low) / (high - low)
    expected = halved(scaled, sitk.sitkBSpline)
    assert expected.min() < -0.05 and expected.max() > 1.05
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=1e-6)
    for label, given in zip(found[1:], (brain_mask, lesions), strict=True):
        nearest = halved(cut(given, size), sitk.sitkNearestNeighbor)
        np.testing.assert_array_equal(label, nearest)


def as_sitk(data):
    return sitk.GetImageFromArray(data.astype(np.float32).transpose(2, 1, 0))


def as_array(image):
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0)


def halved(data, interpolator):
    size = [n // 2 for n in data.shape]
    centres, spacing = (0.5,) * 3, (2.0,) * 3
    return as_array(
        sitk.Resample(as_sitk(data), size, sitk.Transform(), interpolator, centres, spacing)
    )


def test_an_edge_overshoots_by_hand(tmp_path):
    """A brain of 100 and 300, 0 around it; no smoothing, no crop, no pad."""
    size = (16, 8, 8)
    image, mask = np.zeros(size), np.zeros(size, np.uint8)
    image[3:8], image[8:13] = 100, 300
    mask[3:13] = 1
    settings = SETTINGS | {"size": list(size), "percentiles": [0, 100], "curvature_flow": None}
    found, _, _ = normalized(
        tmp_path, image=image, brain_mask=mask, lesions=np.zeros_like(mask), settings=settings
    )
    # 0 and 100 are 0, and 300 is 1, then 0 again. A cubic b-spline through these values: sample i
    # is (c[i-1] + 4 c[i] + c[i+1]) / 6, mirrored at the ends, and the middle between samples i and
    # i + 1 is (c[i-1] + 23 c[i] + 23 c[i+1] + c[i+2]) / 48.
    samples = np.zeros(16)
    samples[8:13] = 1
    at_samples = (4 * np.eye(16) + np.eye(16, k=1) + np.eye(16, k=-1)) / 6
    at_samples[0, 1] = at_samples[-1, -2] = 2 / 6
    c = np.pad(np.linalg.solve(at_samples, samples), 1, mode="reflect")
    middles = (c[:-3] + 23 * c[1:-2] + 23 * c[2:-1] + c[3:]) / 48
    expected = middles[::2]
    assert expected.min() < -0.05 and expected.max() > 1.05
    np.testing.assert_allclose(
        found, np.broadcast_to(expected[:, None, None], found.shape), atol=1e-6
    )
    # The voxel whose middle lies on the edge of the brain keeps what is half of the edge.
    assert found[6, 0, 0] == pytest.approx(0.5, abs=0.02)
