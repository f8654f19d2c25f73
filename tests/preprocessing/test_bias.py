"""N4 takes a known field out, and leaves the geometry alone."""

import numpy as np
import pytest
from scipy import ndimage

from brainuad.config.preprocessing import BiasCorrection
from brainuad.config.settings import settings_from
from brainuad.images.volumes import Volume
from brainuad.io.errors import SettingsError
from brainuad.preprocessing.bias import correct_bias_field

SETTINGS = BiasCorrection(
    shrink_factor=2, iterations=(50, 50, 30), tolerance=1e-4, mask_smoothing=1.0
)
AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


def brain():
    """Two tissues in stripes within an ellipsoid; a field from .7 to 1.3 from left to right."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in (40, 44, 36)], indexing="ij"))
    centre = np.array([20, 22, 18]).reshape(3, 1, 1, 1)
    half = np.array([17, 19, 15]).reshape(3, 1, 1, 1)
    mask = (((index - centre) / half) ** 2).sum(axis=0) < 1
    tissue = np.where((index[1] // 4 + index[2] // 5) % 2 == 0, 100.0, 160.0)
    field = 0.7 + 0.6 * index[0] / 39
    noise = np.random.default_rng(0).normal(0, 1.5, mask.shape)
    return np.where(mask, tissue, 0), np.where(mask, tissue * field + noise, 0), mask


def spread_within(values, tissue, mask, level):
    inside = values[mask & (tissue == level)]
    return inside.std() / inside.mean()


def corrected(*, weighted=True):
    _, seen, mask = brain()
    image = Volume(seen.astype(np.float32), AFFINE)
    return correct_bias_field(image, mask, SETTINGS, weighted=weighted)


def test_known_field_is_taken_out():
    tissue, seen, mask = brain()
    result = corrected()
    for level in (100.0, 160.0):
        before = spread_within(seen, tissue, mask, level)
        after = spread_within(result.data, tissue, mask, level)
        assert before > 0.1
        assert after < 0.25 * before
    assert (result.data[~mask] == 0).all()
    assert result.data.dtype == np.float32
    np.testing.assert_array_equal(result.affine, AFFINE)


def test_what_lies_beyond_the_mask_is_divided_by_the_same_field():
    """As interpolation leaves it there: a thinned copy of the brain's rim, which goes along."""
    tissue, seen, mask = brain()
    field = seen / np.where(mask, tissue, 1)
    inner = ndimage.binary_erosion(mask, iterations=2)
    rim = mask & ~inner
    result = correct_bias_field(
        Volume(seen.astype(np.float32), AFFINE), inner, SETTINGS, weighted=True
    )
    assert (result.data[rim] > 0).all()
    spread = np.std((result.data / np.where(mask, tissue, 1))[rim])
    assert spread < 0.3 * np.std(field[rim])


def test_without_weights_the_zeros_around_the_brain_take_part():
    tissue, seen, mask = brain()
    before = spread_within(seen, tissue, mask, 100.0)
    weighted, unweighted = (
        spread_within(corrected(weighted=weighted).data, tissue, mask, 100.0)
        for weighted in (True, False)
    )
    assert weighted < 0.5 * unweighted < unweighted < before


def test_same_input_gives_the_same_values():
    np.testing.assert_array_equal(corrected().data, corrected().data)


def test_settings_with_a_typo_are_refused():
    with pytest.raises(SettingsError, match="shrink_faktor"):
        settings_from(BiasCorrection, {"shrink_faktor": 2})
