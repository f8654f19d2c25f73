"""Whole volumes, streamed: in which batches, and when it pays to compile."""

import numpy as np
import pandas as pd
import pytest
import torch
from blank_model import Blank
from model_promises import PROCESSOR, build
from small_training import CDDPM, DDPM, FP32, discs

import reconstruct
from brainuad.images.contrast import with_contrast
from brainuad.images.slices import SliceStack, read_slices, write_slices
from brainuad.inference import reconstruction
from brainuad.inference.reconstruction import (
    compile_if_it_pays,
    reconstruct_scans,
    reconstruct_volumes,
)
from brainuad.io.tables import write_table
from brainuad.models.checkpoints import write_weights

PDDPM = {key: DDPM[key] for key in ("network", "noise", "schedule")} | {"grid": [2, 2]}


def stack_of(count, slices=3):
    images = discs(count, slices, size=32).numpy()
    return SliceStack(
        images=images,
        brain_masks=images > 0,
        lesions=np.zeros(images.shape, np.uint8),
        subjects=np.array([f"s{number}" for number in range(count)]),
        affines=np.tile(np.eye(4), (count, 1, 1)),
    )


def shaken():
    """A conditioned model whose zero-initialised layers are shaken, so that it predicts."""
    model = build("diffusion", CDDPM)
    for parameter in model.network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


@pytest.mark.parametrize("stored", [True, False])
def test_streams_have_the_bits_of_all_volumes_at_once(tmp_path, stored):
    # 19 volumes of 3 slices: 16 and 3 are held together, and all batches but the last are full.
    memory, model = stack_of(19), shaken()
    write_slices(memory, tmp_path / "slices.npz")
    stack = with_contrast(read_slices(tmp_path / "slices.npz") if stored else memory, 2.0)
    subjects = memory.subjects.tolist()[::-1]
    images = memory.images[::-1] ** np.float32(2)
    options = {"timesteps": [500], "seed": 3, "device": PROCESSOR}
    expected = reconstruct_volumes(model, images, subjects, **options)
    wanted = [subjects[0], "left out", *subjects[1:]]
    pairs = list(reconstruct_scans(model, stack, wanted, **options))
    assert [scan.subject for scan, _ in pairs] == subjects
    for row, (scan, found) in enumerate(pairs):
        np.testing.assert_array_equal(scan.image, images[row])
        np.testing.assert_array_equal(found, expected[row])
    np.testing.assert_array_equal(memory.images, stack_of(19).images)


@pytest.mark.parametrize(("slices", "together"), [(3, 4), (4, 1), (6, 2)])
def test_no_more_is_in_memory_than_fills_whole_batches(monkeypatch, slices, together):
    monkeypatch.setattr(reconstruction, "SLICES_AT_A_TIME", {"cpu": 4})
    model, held = Blank(), []

    def counted(model, images, *given, **options):
        held.append(len(images))
        return reconstruct_volumes(model, images, *given, **options)

    monkeypatch.setattr(reconstruction, "reconstruct_volumes", counted)
    pairs = reconstruct_scans(
        model,
        stack_of(5, slices),
        [f"s{number}" for number in (4, 2, 0, 1, 3)],
        timesteps=[9],
        seed=0,
        device=PROCESSOR,
    )
    assert next(pairs)[0].subject == "s4" and held == [together]
    assert [scan.subject for scan, _ in pairs] == ["s2", "s0", "s1", "s3"]
    assert max(held) == together
    sizes = [shape[0] for shape, _ in model.batches]
    assert sizes[:-1] == [4] * (len(sizes) - 1) and sum(sizes) == 5 * slices


def test_the_script_writes_the_partitions_in_order_and_each_subject_once(tmp_path):
    stack = stack_of(4)
    write_slices(stack, tmp_path / "slices.npz")
    rows = [("s0", "validation"), ("s1", "test"), ("gone", "test"), ("s3", "validation")]
    # A leak that was kept, and one of another partition.
    rows += [("s3", "test"), ("s2", "train")]
    write_table(
        pd.DataFrame(rows, columns=["subject", "partition"]).assign(session=""),
        tmp_path / "split.tsv",
    )
    model = shaken()
    state = model.network.state_dict()
    weights = tmp_path / "weights.pt"
    write_weights(weights, kind="diffusion", settings=CDDPM, state=state, training={})
    reconstruct.main(
        slices=tmp_path / "slices.npz",
        split=tmp_path / "split.tsv",
        weights=weights,
        output=tmp_path / "made.npz",
        partitions=["validation", "test"],
        timesteps=[250, 500],
        seed=3,
        device=FP32,
        threads=1,
    )
    with np.load(tmp_path / "made.npz") as arrays:
        assert arrays["names"].tolist() == ["s0", "s3", "s1"]
        found = arrays["reconstructions"]
    assert found.dtype == np.float32 and found.shape == (3, 3, 32, 32)
    images = stack.images[[0, 3, 1]]
    options = {"timesteps": [250, 500], "seed": 3, "device": PROCESSOR}
    expected = reconstruct_volumes(model, images, ["s0", "s3", "s1"], **options)
    # The weights file's memory format is another, so the last digits are.
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "settings", "passes"),
    [("diffusion", DDPM, 3 * 4 * 2), ("patched_diffusion", PDDPM, 3 * 4 * 2 * 4)],
    ids=["ddpm", "pddpm"],
)
def test_every_pass_counts_when_compiling_is_weighed(monkeypatch, kind, settings, passes):
    model, compiled = build(kind, settings), []
    monkeypatch.setattr(
        reconstruction, "compile_costly_parts", lambda network, *_: compiled.append(network)
    )
    images = discs(3, 4, size=32).numpy()
    # Three volumes of four slices at two timesteps, and of each the four patches.
    for pays in (passes, passes + 1):
        monkeypatch.setattr(reconstruction, "COMPILING_PAYS", pays)
        reconstruct_volumes(model, images, "abc", timesteps=[250, 500], seed=0, device=PROCESSOR)
    assert compiled == [model.network]


@pytest.mark.parametrize(
    ("timesteps", "passes", "compiled"),
    [(3, 1, False), (4, 1, True), (1, 3, False), (1, 4, True), (0, 3, False), (0, 4, True)],
)
def test_the_network_is_compiled_where_all_groups_together_are_large(
    monkeypatch, timesteps, passes, compiled
):
    rehearsals = []
    monkeypatch.setattr(reconstruction, "COMPILING_PAYS", 4 * 2 * 3)
    monkeypatch.setattr(
        reconstruction, "compile_costly_parts", lambda network, device, run: rehearsals.append(run)
    )
    model = Blank()
    if passes > 1:
        model.passes_per_timestep = passes
    compile_if_it_pays(model, (3, 32, 32), volumes=2, timesteps=timesteps, device=PROCESSOR)
    assert len(rehearsals) == compiled
    if compiled:
        # One whole batch: a shape that is compiled once, and used for all but the last slices.
        rehearsals[0]()
        assert model.batches == [((16, 1, 32, 32), [1])]
