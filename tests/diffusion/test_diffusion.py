"""The cosine schedule against the numbers of the released code, and one step of noising."""

import math

import pytest
import torch

from brainuad.config.kinds.diffusion import ScheduleSettings
from brainuad.config.settings import settings_from
from brainuad.diffusion.process import CosineSchedule, to_image_range, to_model_range
from brainuad.io.errors import SettingsError

PAPER = ScheduleSettings(timesteps=1000, offset=0.008, largest_beta=0.999)


@pytest.mark.parametrize(
    ("place", "signal", "noise"), [(249, 0.920, 0.391), (499, 0.703, 0.711), (749, 0.380, 0.925)]
)
def test_schedule_has_the_released_values(place, signal, noise):
    schedule = CosineSchedule(PAPER)
    assert float(schedule.signal[place]) == pytest.approx(signal, abs=5e-4)
    assert float(schedule.noise[place]) == pytest.approx(noise, abs=5e-4)


def test_schedule_preserves_variance_and_only_falls():
    schedule = CosineSchedule(PAPER)
    torch.testing.assert_close(schedule.signal**2 + schedule.noise**2, torch.ones(1000))
    assert (schedule.signal.diff() < 0).all()
    # By hand: abar_1 = cos^2((.001 + .008) / 1.008 pi / 2) / cos^2(.008 / 1.008 pi / 2).
    first = math.cos(0.009 / 1.008 * math.pi / 2) / math.cos(0.008 / 1.008 * math.pi / 2)
    assert float(schedule.signal[0]) == pytest.approx(first, rel=1e-6)


def test_the_last_beta_is_clipped():
    schedule = CosineSchedule(PAPER)
    ratio = float(schedule.signal[-1] ** 2 / schedule.signal[-2] ** 2)
    assert ratio == pytest.approx(0.001, rel=1e-3)


def test_noised_images_by_hand():
    schedule = CosineSchedule(PAPER)
    images = torch.tensor([1.0, -1.0])[:, None, None, None].expand(2, 1, 3, 3)
    noise = torch.full((1, 1, 3, 3), 2.0)
    noised = schedule.noised(images, noise, torch.tensor([250, 750]))
    assert noised.shape == (2, 1, 3, 3)
    assert noised[0, 0, 0, 0] == pytest.approx(0.920 + 2 * 0.391, abs=2e-3)
    assert noised[1, 0, 2, 2] == pytest.approx(-0.380 + 2 * 0.925, abs=2e-3)


def test_ranges_invert_each_other_and_are_cut():
    images = torch.tensor([0.0, 0.25, 1.0])
    assert to_model_range(images).tolist() == [-1.0, -0.5, 1.0]
    assert to_image_range(to_model_range(images)).tolist() == images.tolist()
    assert to_image_range(torch.tensor([-3.0, 1.5])).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    "values", [{"timesteps": 0}, {"offset": -0.1}, {"largest_beta": 1.0}, {"largest_beta": 0.0}]
)
def test_impossible_settings_are_refused(values):
    whole = {"timesteps": 1000, "offset": 0.008, "largest_beta": 0.999}
    with pytest.raises(SettingsError, match="expected"):
        settings_from(ScheduleSettings, whole | values)
