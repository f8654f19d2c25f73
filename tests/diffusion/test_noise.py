"""Simplex noise against the opensimplex package, and the numbers that seed it."""

import numpy as np
import opensimplex
import pytest
import torch
from opensimplex.internals import _init

from brainuad.config.kinds.diffusion import NoiseSettings
from brainuad.config.settings import settings_from
from brainuad.diffusion.noise import SimplexNoise, permutation_tables
from brainuad.io.errors import SettingsError
from brainuad.io.seeds import derive_seed, mix_seeds, random_seeds, subject_seeds

PROCESSOR = torch.device("cpu")


def fields(size, settings, permutations):
    return SimplexNoise(size, settings, PROCESSOR).fields(permutations).numpy()


@pytest.mark.parametrize("wavelength", [64.0, 7.3, 2.0])
def test_one_octave_equals_the_opensimplex_package(wavelength):
    settings = NoiseSettings(octaves=1, persistence=0.8, wavelength=wavelength, shared=False)
    permutations = torch.from_numpy(np.stack([_init(seed)[0] for seed in (3, 11)]))
    ours = fields((30, 41), settings, permutations)
    assert ours.shape == (2, 1, 30, 41)
    for field, seed in zip(ours[:, 0], (3, 11), strict=True):
        reference = opensimplex.OpenSimplex(seed).noise2array(
            np.arange(41) / wavelength, np.arange(30) / wavelength
        )
        np.testing.assert_allclose(field, reference, atol=1e-6)


def test_octaves_are_summed_with_halved_wavelength_and_falling_amplitude():
    settings = NoiseSettings(octaves=6, persistence=0.8, wavelength=64.0, shared=False)
    reference = sum(
        0.8**octave
        * opensimplex.OpenSimplex(5).noise2array(
            np.arange(24) / (64 / 2**octave), np.arange(24) / (64 / 2**octave)
        )
        for octave in range(6)
    )
    ours = fields((24, 24), settings, torch.from_numpy(_init(5)[0])[None])
    np.testing.assert_allclose(ours[0, 0], reference, atol=2e-6)


def test_statistics_of_the_paper_noise():
    settings = NoiseSettings(octaves=6, persistence=0.8, wavelength=64.0, shared=False)
    tables = permutation_tables(random_seeds(400, torch.Generator().manual_seed(0)))
    drawn = fields((96, 96), settings, tables)
    assert np.sqrt(np.mean(drawn**2)) == pytest.approx(0.58, abs=0.02)
    assert abs(drawn.mean()) < 0.02
    assert 1.8 < np.abs(drawn).max() < 3.0


def test_tables_are_permutations_and_look_uniform():
    tables = permutation_tables(random_seeds(2000, torch.Generator().manual_seed(1)))
    assert torch.equal(tables.sort(dim=1).values, torch.arange(256).expand(2000, -1))
    # The mean of a place over 2000 tables has a standard deviation of 73.9 / sqrt(2000) = 1.65.
    assert (tables.double().mean(0) - 127.5).abs().max() < 5 * 1.65
    assert len(tables.unique(dim=0)) == 2000


def test_a_table_depends_on_its_own_key_alone():
    keys = random_seeds(5, torch.Generator().manual_seed(2))
    together = permutation_tables(keys)
    alone = permutation_tables(keys[3:4])
    assert torch.equal(together[3:4], alone)


def test_mix_is_splitmix64():
    # The first outputs of the reference generator for the seed 1234567 (Rosetta Code, Splitmix64).
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    mixed = mix_seeds(torch.tensor([1234567]), torch.arange(3))
    assert [number % 2**64 for number in mixed.tolist()] == expected


def test_keys_tell_names_apart_and_stay_the_same():
    assert derive_seed(1, "a", 2) != derive_seed(1, "a", 3) != derive_seed(2, "a", 3)
    assert derive_seed(1, "ab") != derive_seed(1, "a", "b")
    assert 0 <= derive_seed(7, "x") < 2**63
    assert subject_seeds(7, ["x", "y"])[1] == subject_seeds(7, ["y"])[0] == derive_seed(7, "y")


def test_impossible_settings_are_refused():
    values = {"octaves": 0, "persistence": 0.8, "wavelength": 64.0, "shared": False}
    with pytest.raises(SettingsError, match="octaves: 0 does not fit, expected 1 or more"):
        settings_from(NoiseSettings, values)
