"""config/as_released.yaml switches what there is to switch, and names nothing else."""

from pathlib import Path

import pytest
import yaml

from brainuad.config.models import TrainingSettings
from brainuad.config.preprocessing import LinearRegistration
from brainuad.config.reading import DATASET_DEFAULTS
from brainuad.config.settings import settings_from

CONFIG = Path(__file__).resolve().parents[2] / "config"
REPAIRED = yaml.safe_load((CONFIG / "config.yaml").read_text())
AS_RELEASED = yaml.safe_load((CONFIG / "as_released.yaml").read_text())


def leaves(block, *above):
    """Place and value of each key that holds no block."""
    for key, value in block.items():
        if isinstance(value, dict):
            yield from leaves(value, *above, key)
        else:
            yield (*above, key), value


def at(place, block):
    for key in place:
        block = block[key]
    return block


def merged(base, changes):
    return base | {
        key: merged(base[key], value) if isinstance(value, dict) else value
        for key, value in changes.items()
    }


def test_each_key_is_one_of_the_config_with_another_value_there():
    places = [place for place, _ in leaves(AS_RELEASED)]
    # Six of the data, four of the noise, and three of each of twelve trainings.
    assert len(places) == 6 + 4 + 3 * 12
    for place, value in leaves(AS_RELEASED):
        if place[-1] == "weighted_bias_correction":
            assert DATASET_DEFAULTS[place[-1]] != value
        else:
            assert at(place, REPAIRED) != value, place


def test_no_training_and_no_shared_noise_is_forgotten():
    config = merged(REPAIRED, AS_RELEASED)
    blocks = [config["pretraining"], *config["models"].values()]
    # IterMask2 refuses a validation that is redrawn.
    trainings = [block["training"] for block in blocks if block.get("kind") != "itermask"]
    assert len(trainings) == 12
    for training in trainings:
        settings = settings_from(TrainingSettings, training)
        assert settings.validation.redrawn
        assert settings.validation.every_epochs == 1
        assert settings.validation.slices_per_volume == 1
    shared = [
        model["settings"]["noise"]["shared"]
        for model in config["models"].values()
        if "shared" in model["settings"].get("noise", {})
    ]
    assert shared == [True] * 4


@pytest.mark.parametrize(("config", "expected"), [(REPAIRED, "nearest"), (AS_RELEASED, "linear")])
def test_masks_are_interpolated_as_it_says(config, expected):
    registration = merged(REPAIRED, config)["preprocessing"]["registration"]
    assert settings_from(LinearRegistration, registration).label_interpolation == expected
