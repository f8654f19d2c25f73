"""Partial conditioning: what the encoder sees, what is noised, and what is written of it."""

import numpy as np
import pandas as pd
import pytest
import torch
from small_training import CDDPM, DDPM, FP32, device_with

import reconstruct_with_partial_conditioning
from brainuad.images.slices import SliceStack, write_slices
from brainuad.inference import partial_conditioning
from brainuad.inference.partial_conditioning import PartialConditioning, seen_part
from brainuad.inference.reconstruction import reconstruct_volumes
from brainuad.io.errors import SettingsError
from brainuad.io.seeds import subject_seeds
from brainuad.io.tables import read_table, write_table
from brainuad.models import build_trainable
from brainuad.models.checkpoints import write_weights

SHAPE = (6, 32, 32)
OPTIONS = {"seed": 3, "device": device_with()}


def diffusion(settings):
    """A model whose zero-initialised layers are shaken, so that its condition counts."""
    torch.manual_seed(0)
    model = build_trainable("diffusion", settings)
    for parameter in model.network.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    model.network.eval()
    return model


class Eye(torch.nn.Module):
    """An encoder that keeps what it sees; its condition is always the same."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, images):
        self.seen.append(images)
        return torch.zeros(len(images), CDDPM["encoder"]["condition_width"])


class Hand(torch.nn.Module):
    """A network that returns what it is given, noised."""

    def forward(self, noised, timesteps, condition):
        return noised


def volumes(count=1, seed=0):
    return np.random.default_rng(seed).random((count, *SHAPE), np.float32)


def test_a_part_of_the_left_right_axis_is_seen():
    images = torch.ones(2, 1, 8, 6)
    half = seen_part(images, 0.5)
    # Slices are [x, y]: the first half of the rows, all columns.
    assert half[..., :4, :].eq(1).all() and half[..., 4:, :].eq(0).all()
    assert torch.equal(seen_part(images, 1.0), images)
    assert not seen_part(images, 0.0).any()
    assert seen_part(images, 0.25)[..., 2:, :].eq(0).all()
    assert images.eq(1).all()


def test_the_encoder_sees_the_part_and_the_network_gets_the_whole():
    model = diffusion(CDDPM)
    model.network["encoder"], model.network["unet"] = Eye(), Hand()
    images = torch.from_numpy(volumes())[0][:, None]
    options = {
        "timesteps": [500],
        "subject_seeds": subject_seeds(3, ["a"]).expand(len(images)),
        "slice_indices": torch.arange(len(images)),
    }
    whole = model.reconstruct(images, **options)
    cut = PartialConditioning(model, 0.5).reconstruct(images, **options)
    assert torch.equal(whole, cut)
    seen = model.network["encoder"].seen
    assert torch.equal(seen[0], images)
    assert torch.equal(seen[1][..., :16, :], images[..., :16, :])
    assert not seen[1][..., 16:, :].any()


def test_the_condition_alone_makes_the_difference():
    images = volumes()
    model = diffusion(CDDPM)
    options = {"timesteps": [500], **OPTIONS}
    whole = reconstruct_volumes(model, images, ["a"], **options)
    uncut = reconstruct_volumes(PartialConditioning(model, 1.0), images, ["a"], **options)
    half = reconstruct_volumes(PartialConditioning(model, 0.5), images, ["a"], **options)
    np.testing.assert_array_equal(uncut, whole)
    assert np.abs(half - whole).max() > 1e-3
    # Without an encoder nothing sees the part.
    plain = diffusion(DDPM)
    whole = reconstruct_volumes(plain, images, ["a"], **options)
    half = reconstruct_volumes(PartialConditioning(plain, 0.5), images, ["a"], **options)
    np.testing.assert_array_equal(half, whole)


@pytest.fixture
def healthy_set(tmp_path):
    """Five test subjects, one of whom was left out; the brain fills the middle four slices."""
    subjects = ["a", "b", "c", "d", "v"]
    images = volumes(len(subjects))
    brain_masks = np.zeros(images.shape, bool)
    brain_masks[:, 1:5, 4:28, 4:28] = True
    stack = SliceStack(
        images=images,
        brain_masks=brain_masks,
        lesions=np.zeros(images.shape, np.uint8),
        subjects=np.array(subjects),
        affines=np.tile(np.eye(4), (len(subjects), 1, 1)),
    )
    write_slices(stack, tmp_path / "slices.npz")
    tested = ["d", "gone", "b", "a", "c"]
    partitions = ["test"] * len(tested) + ["validation"]
    write_table(
        pd.DataFrame({"subject": [*tested, "v"], "session": "", "partition": partitions}),
        tmp_path / "split.tsv",
    )
    return stack


def run(folder, settings, **changes):
    model = diffusion(settings)
    write_weights(
        folder / "weights.pt",
        kind="diffusion",
        settings=settings,
        state=model.network.state_dict(),
        training={},
    )
    given = {
        "slices": folder / "slices.npz",
        "split": folder / "split.tsv",
        "weights": folder / "weights.pt",
        "reconstructions": folder / "reconstructions.npz",
        "measures": folder / "measures.tsv",
        "timesteps": [500, 1000],
        "visible_fractions": [0.5, 1.0],
        "modality": "t2",
        "seed": 3,
        "device": FP32,
        "threads": 1,
    } | changes
    reconstruct_with_partial_conditioning.main(**given)
    with np.load(given["reconstructions"]) as arrays:
        return model, dict(arrays), read_table(given["measures"])


def test_a_slice_of_a_few_and_measures_of_all(healthy_set, tmp_path):
    model, arrays, measures = run(tmp_path, CDDPM)
    assert arrays["names"].tolist() == ["d", "b", "a"]
    assert arrays["timesteps"].tolist() == [500, 1000]
    assert arrays["shares"].tolist() == [0.5, 1.0]
    assert arrays["reconstructions"].shape == (2, 2, 3, 32, 32)
    # Slices 1 to 4 hold the brain; their mean, 2.5, is rounded to the even 2.
    stack = healthy_set.select(["d", "b", "a"])
    np.testing.assert_array_equal(arrays["images"], stack.images[:, 2])
    np.testing.assert_array_equal(arrays["brain_masks"], stack.brain_masks[:, 2])

    assert measures.columns.tolist() == [
        *("subject", "session", "modality", "timestep", "share", "region", "metric", "value")
    ]
    assert len(measures) == 4 * 2 * 2 * 2
    assert measures["subject"].unique().tolist() == ["d", "b", "a", "c"]
    assert not measures.duplicated(["subject", "timestep", "share", "region"]).any()

    # One subject, timestep and share, with everything made anew. The weights file has another
    # memory format, so the last digits differ.
    images = healthy_set.select(["b"]).images
    half = reconstruct_volumes(
        PartialConditioning(model, 0.5), images, ["b"], timesteps=[1000], **OPTIONS
    )
    np.testing.assert_allclose(arrays["reconstructions"][1, 0, 1], half[0, 2], atol=1e-5)
    assert np.abs(arrays["reconstructions"][:, 0] - arrays["reconstructions"][:, 1]).max() > 1e-3
    error = np.abs(half - images)[0]
    chosen = measures.query("subject == 'b' and timestep == 1000 and share == 0.5")
    values = chosen.set_index("region")["value"]
    assert values["seen"] == pytest.approx(error[1:5, 4:16, 4:28].mean(), rel=1e-4)
    assert values["hidden"] == pytest.approx(error[1:5, 16:28, 4:28].mean(), rel=1e-4)
    whole = reconstruct_volumes(model, images, ["b"], timesteps=[1000], **OPTIONS)
    np.testing.assert_allclose(arrays["reconstructions"][1, 1, 1], whole[0, 2], atol=1e-5)
    # The parts are those of the smallest share also where the encoder saw all.
    chosen = measures.query("subject == 'b' and timestep == 1000 and share == 1.0")
    seen = np.abs(whole - images)[0][1:5, 4:16, 4:28].mean()
    assert chosen.set_index("region").loc["seen", "value"] == pytest.approx(seen, rel=1e-4)


def test_without_an_encoder_the_work_is_done_once(healthy_set, tmp_path, monkeypatch):
    calls = []

    def counted(model, *given, **options):
        calls.append(model)
        return reconstruct_volumes(model, *given, **options)

    monkeypatch.setattr(partial_conditioning, "reconstruct_volumes", counted)
    _, arrays, measures = run(tmp_path, DDPM)
    assert len(calls) == 4 * 2
    assert arrays["reconstructions"].shape == (2, 2, 3, 32, 32)
    np.testing.assert_array_equal(arrays["reconstructions"][:, 0], arrays["reconstructions"][:, 1])
    assert np.abs(arrays["reconstructions"][0] - arrays["reconstructions"][1]).max() > 1e-3
    by_share = measures.pivot_table(
        index=["subject", "timestep", "region"], columns="share", values="value"
    )
    assert len(by_share) == 4 * 2 * 2
    np.testing.assert_array_equal(by_share[0.5], by_share[1.0])


def test_no_test_subject_at_all_is_one_line(healthy_set, tmp_path):
    table = pd.DataFrame(
        {"subject": ["gone", "v"], "session": "", "partition": ["test", "validation"]}
    )
    write_table(table, tmp_path / "split.tsv")
    with pytest.raises(SettingsError, match=r"^slices: all test scans .*_left_out\.tsv says why"):
        run(tmp_path, DDPM)
