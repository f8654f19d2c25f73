"""Several reconstructions of a scan: each with noise of its own, and the rest done once."""

import numpy as np
import pytest
import torch
from model_promises import PROCESSOR, build
from small_training import CDDPM, DDPM, FP32, discs
from torch import nn

import reconstruct
from brainuad.diffusion.process import to_image_range
from brainuad.images.computed_volumes import read_reconstructions
from brainuad.images.slices import SliceStack, write_slices
from brainuad.inference.reconstruction import reconstruct_scans, reconstruct_volumes
from brainuad.io.rows import write_rows
from brainuad.io.seeds import mix_seeds, subject_seeds
from brainuad.models.checkpoints import write_weights

PDDPM = {key: DDPM[key] for key in ("network", "noise", "schedule")} | {"grid": [2, 2]}
SHARED = CDDPM | {"noise": CDDPM["noise"] | {"shared": True}}
MODELS = {
    "cddpm": ("diffusion", CDDPM),
    "shared": ("diffusion", SHARED),
    "pddpm": ("patched_diffusion", PDDPM),
}
OPTIONS = {"timesteps": [250, 500], "seed": 3, "device": PROCESSOR}


def shaken(kind="diffusion", settings=CDDPM):
    """A model whose zero-initialised layers are shaken, so that it predicts."""
    model = build(kind, settings)
    for parameter in model.network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


def images_of(count):
    return discs(count, 2, size=32).numpy()


@pytest.mark.parametrize("name", MODELS)
def test_the_first_samples_do_not_depend_on_how_many_there_are(name):
    model, images = shaken(*MODELS[name]), images_of(1)
    one, two, three = (
        reconstruct_volumes(model, images, ["a"], samples=samples, **OPTIONS)
        for samples in (1, 2, 3)
    )
    assert one.shape == images.shape and three.shape == (1, 3, *images.shape[1:])
    np.testing.assert_array_equal(two[:, 0], one)
    np.testing.assert_array_equal(three[:, :2], two)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(three[:, first] - three[:, second]).max() > 1e-3
    assert three.dtype == np.float32 and three.min() >= 0 and three.max() <= 1


@pytest.mark.parametrize("name", MODELS)
def test_samples_depend_on_neither_batch_nor_other_subjects(name):
    model, images = shaken(*MODELS[name]), images_of(2)
    options = OPTIONS | {"timesteps": [500], "samples": 2}
    together = reconstruct_volumes(model, images, ["a", "b"], **options)
    alone = reconstruct_volumes(model, images[1:], ["b"], **options)
    np.testing.assert_allclose(together[1], alone[0], atol=1e-5)
    renamed = reconstruct_volumes(model, images[1:], ["x"], **options)
    assert np.abs(renamed - alone).max() > 1e-3


def test_a_sample_is_the_mean_over_timesteps_each_with_noise_of_its_own():
    model, images = shaken(), torch.from_numpy(images_of(1)[0][:, None])
    seeds, slices = subject_seeds(3, ["a"]).expand(2), torch.tensor([0, 1])
    keys, condition = mix_seeds(seeds, slices), model.network["encoder"](images)
    last = CDDPM["schedule"]["timesteps"]
    with torch.no_grad():
        found = model.reconstruct(
            images, timesteps=[250, 500], subject_seeds=seeds, slice_indices=slices, samples=2
        )
        for sample in range(2):
            expected = torch.zeros_like(images)
            for timestep in (250, 500):
                noise = model.fields(mix_seeds(keys, timestep + sample * last), images)
                noised = model.schedule.noised(2 * images - 1, noise, torch.full((2,), timestep))
                steps = torch.full((2,), timestep - 1)
                expected += to_image_range(model.network["unet"](noised, steps, condition))
            torch.testing.assert_close(found[:, sample : sample + 1], expected / 2, atol=0, rtol=0)


def test_samples_and_timesteps_share_one_pass_of_the_encoder():
    class Counting(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner, self.passes = inner, 0

        def forward(self, *given):
            self.passes += 1
            return self.inner(*given)

    model = shaken()
    counting = {name: Counting(model.network[name]) for name in ("encoder", "unet")}
    model.network.update(counting)
    reconstruct_volumes(model, images_of(1), ["a"], samples=5, **OPTIONS)
    assert (counting["encoder"].passes, counting["unet"].passes) == (1, 5 * 2)


def test_the_script_writes_samples_as_they_stream(tmp_path):
    images, names = images_of(3), ["s0", "s1", "s2"]
    stack = SliceStack(
        images=images,
        brain_masks=images > 0,
        lesions=np.zeros(images.shape, np.uint8),
        subjects=np.array(names),
        affines=np.tile(np.eye(4), (3, 1, 1)),
    )
    write_slices(stack, tmp_path / "slices.npz")
    rows = [(name, "", "test") for name in names]
    write_rows(["subject", "session", "partition"], rows, tmp_path / "split.tsv")
    model = shaken()
    write_weights(
        tmp_path / "weights.pt",
        kind="diffusion",
        settings=CDDPM,
        state=model.network.state_dict(),
        training={},
    )
    reconstruct.main(
        slices=tmp_path / "slices.npz",
        split=tmp_path / "split.tsv",
        weights=tmp_path / "weights.pt",
        output=tmp_path / "made.npz",
        partitions=["test"],
        timesteps=[250, 500],
        samples=3,
        seed=3,
        device=FP32,
        threads=1,
    )
    found = read_reconstructions(tmp_path / "made.npz")
    expected = reconstruct_volumes(model, images, names, samples=3, **OPTIONS)
    assert found.volumes.shape == expected.shape
    # The weights file's memory format is another, so the last digits are.
    np.testing.assert_allclose(np.asarray(found.volumes), expected, atol=1e-5)
    streamed = list(reconstruct_scans(model, stack, names, samples=3, **OPTIONS))
    for row, (scan, samples) in enumerate(streamed):
        assert scan.name == names[row]
        np.testing.assert_array_equal(samples, expected[row])
