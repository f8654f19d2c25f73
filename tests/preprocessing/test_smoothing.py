"""Curvature flow against ITK's, and the cases that can be worked out."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from brainuad.config.preprocessing import CurvatureFlow
from brainuad.preprocessing.smoothing import curvature_flow


def noisy_volume():
    generator = np.random.default_rng(0)
    return ndimage.gaussian_filter(generator.normal(size=(24, 20, 16)), 1.0).astype(np.float32)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 2.0, 2.0), (1.0, 1.5, 2.0)])
def test_agrees_with_itk(spacing):
    data = noisy_volume()
    image = sitk.GetImageFromArray(data.transpose(2, 1, 0))
    image.SetSpacing(spacing)
    reference = sitk.CurvatureFlow(image, timeStep=0.0625, numberOfIterations=3)
    smooth = curvature_flow(data, CurvatureFlow(3, 0.0625), spacing=spacing)
    assert smooth.dtype == np.float32
    assert np.abs(smooth - data).max() > 0.01, "the flow does something"
    expected = sitk.GetArrayFromImage(reference).transpose(2, 1, 0)
    np.testing.assert_allclose(smooth, expected, atol=1e-6)


def test_straight_edges_stay_and_balls_shrink():
    ramp = np.arange(12, dtype=np.float32)[:, None, None] * np.ones((12, 8, 8), np.float32)
    np.testing.assert_allclose(curvature_flow(ramp, CurvatureFlow(5, 0.1)), ramp, atol=1e-6)
    grid = np.stack(np.meshgrid(*[np.arange(21) - 10.0] * 3, indexing="ij"))
    distance = np.sqrt((grid**2).sum(axis=0)).astype(np.float32)
    # Level sets are spheres of curvature 2 / r, and |grad I| = 1: I grows by 2 t / r.
    flowed = curvature_flow(distance, CurvatureFlow(1, 0.05))
    shell = (distance > 5) & (distance < 9)
    np.testing.assert_allclose((flowed - distance)[shell], 2 * 0.05 / distance[shell], rtol=0.05)


def test_no_iterations_change_nothing():
    data = noisy_volume()
    np.testing.assert_array_equal(curvature_flow(data, CurvatureFlow(0, 0.125)), data)
