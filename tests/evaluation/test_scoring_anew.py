"""Reconstructing anew in groups, and the two scripts that score it: as the main chain does."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from small_training import CDDPM, FP32, device_with
from torch import nn

import fit_threshold
import reconstruct
import score_changed_contrast
import score_segmentation
import score_timesteps
from brainuad.config.settings import settings_from
from brainuad.evaluation import sweeps as scoring_anew
from brainuad.evaluation.sweeps import (
    Reconstructor,
    change_contrast,
    map_on_device,
    score_anew,
)
from brainuad.images.slices import SliceStack, read_slices, write_slices
from brainuad.inference import reconstruction
from brainuad.inference.reconstruction import reconstruct_volumes
from brainuad.io.errors import SettingsError
from brainuad.io.tables import read_table, write_table
from brainuad.models import build_trainable
from brainuad.models.checkpoints import write_weights
from brainuad.scores.postprocess import PostprocessingSettings

PROCESSOR = device_with()
POSTPROCESSING = {
    "order": ["erosion", "median"],
    "erosion_iterations": 1,
    "median_size": 3,
    "minimum_component": 2,
}
PLAIN = {"order": [], "erosion_iterations": 0, "median_size": 1, "minimum_component": 1}
PARTITIONS = ["validation", "test", "test", "validation", "test"]


class Blank:
    """Reconstructs nothing, and keeps the shape of each batch and its timesteps."""

    def __init__(self):
        self.network = nn.Identity()
        self.batches = []

    def reconstruct(self, images, *, timesteps, subject_keys, places):
        self.batches.append((tuple(images.shape), list(timesteps)))
        return torch.zeros_like(images)


def stack_of(count, slices=3, size=32):
    """Volumes of random tissue, each with a brighter square, and a mask that leaves a margin."""
    generator = np.random.default_rng(7)
    images = 0.4 * generator.random((count, slices, size, size), np.float32) + np.float32(0.2)
    lesions = np.zeros(images.shape, np.uint8)
    lesions[:, 1:, 10:18, 10:18] = 1
    lesions[:, 1:, 20:22, 20:22] = 2
    images[lesions == 1] += np.float32(0.3)
    brain = np.zeros(images.shape, bool)
    brain[..., 2:-2, 2:-2] = True
    return SliceStack(
        images=images * brain,
        brain_masks=brain,
        lesions=lesions,
        subjects=np.array([f"s{number}" for number in range(count)]),
        affines=np.tile(np.eye(4), (count, 1, 1)),
    )


def diffusion(seed=0):
    """A conditioned method whose zero-initialised layers are shaken, so that it predicts."""
    torch.manual_seed(seed)
    method = build_trainable("diffusion", CDDPM)
    for parameter in method.network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    method.network.eval()
    return method


FILES = {"slices": "slices.npz", "split": "split.tsv", "weights": "weights.pt"}
OPTIONS = {"seed": 3, "device": FP32, "threads": 1}


@pytest.fixture
def lesion_set(tmp_path):
    """Slices, split and weights of a lesion set of five subjects, as the scripts name them."""
    write_slices(stack_of(5), tmp_path / "slices.npz")
    split = pd.DataFrame({"subject": stack_of(5).subjects, "partition": PARTITIONS})
    write_table(split, tmp_path / "split.tsv")
    write_weights(
        tmp_path / "weights.pt",
        kind="diffusion",
        settings=CDDPM,
        state=diffusion().network.state_dict(),
        training={},
    )
    return {name: tmp_path / file for name, file in FILES.items()}


def test_contrast_changes_on_both_sides_of_zero():
    images = np.array([-0.09, 0, 0.25, 1, 1.21], np.float32)
    for gamma, expected in ((0.5, [-0.3, 0, 0.5, 1, 1.1]), (2.0, [-0.0081, 0, 0.0625, 1, 1.4641])):
        changed = images.copy()
        change_contrast(changed, gamma)
        np.testing.assert_allclose(changed, expected, rtol=1e-6)
    unchanged = images.copy()
    change_contrast(unchanged, 1.0)
    np.testing.assert_array_equal(unchanged, images)


def scored_by_the_main_chain(files, folder, *, timesteps):
    """Reconstruct, fit the threshold and score by the scripts of the main table."""
    data = {name: files[name] for name in ("slices", "split")}
    painted, fitted, scores = (folder / name for name in ("painted.npz", "t.json", "scores.tsv"))
    reconstruct.main(
        **files,
        output=painted,
        partitions=["validation", "test"],
        timesteps=timesteps,
        **OPTIONS,
    )
    settings = {"reconstructions": painted, "postprocessing": POSTPROCESSING}
    fit_threshold.main(**data, **settings, output=fitted)
    score_segmentation.main(**data, **settings, threshold=fitted, output=scores, modality="t2")
    table = read_table(scores)
    return table[table["metric"].isin(["dice", "auprc"])].reset_index(drop=True)


def test_groups_reconstruct_the_bits_of_all_volumes_at_once(tmp_path):
    # 19 volumes of 3 slices are one group of 16 volumes and one of 3.
    write_slices(stack_of(19), tmp_path / "slices.npz")
    stored, memory, method = read_slices(tmp_path / "slices.npz"), stack_of(19), diffusion()
    subjects = memory.subjects.tolist()[::-1]
    images = memory.images[::-1] ** np.float32(2)
    expected = reconstruct_volumes(
        method, images, subjects, timesteps=[500], seed=3, device=PROCESSOR
    )
    reconstructor = Reconstructor(method, 3, PROCESSOR)
    for stack in (stored, memory):
        wanted = [subjects[0], "left out", *subjects[1:]]
        cases = list(reconstructor.cases(stack, wanted, timesteps=[500], gamma=2.0))
        assert [case.subject for case in cases] == subjects
        for row, case in enumerate(cases):
            np.testing.assert_array_equal(case.image, images[row])
            np.testing.assert_array_equal(case.reconstruction, expected[row])
    np.testing.assert_array_equal(memory.images, stack_of(19).images)


def test_no_more_than_a_group_is_in_memory(monkeypatch):
    monkeypatch.setattr(scoring_anew, "SLICES_AT_A_TIME", {"cpu": 2})
    method = Blank()
    cases = Reconstructor(method, 0, PROCESSOR).cases(
        stack_of(5), [f"s{number}" for number in (4, 2, 0)], timesteps=[9], gamma=1.0
    )
    assert next(cases).subject == "s4"
    assert method.batches == [((6, 1, 32, 32), [9])]
    assert [case.subject for case in cases] == ["s2", "s0"]
    assert method.batches[1:] == [((3, 1, 32, 32), [9])]


def test_threshold_is_fitted_to_the_changed_scans():
    stack = stack_of(3)
    stack.images[...] = 0.3
    stack.images[stack.lesions == 1] = 0.9
    # The test subject has an artefact of 16 voxels.
    stack.images[2, 0, 5, 8:24] = 0.65
    split = pd.DataFrame(
        {"subject": ["s0", "s1", "s2"], "partition": ["validation", "validation", "test"]}
    )
    settings = settings_from(PostprocessingSettings, PLAIN)
    found = {}
    for gamma in (1.0, 2.0):
        found[gamma] = score_anew(
            Reconstructor(Blank(), 0, PROCESSOR),
            stack,
            split,
            timesteps=[500],
            gamma=gamma,
            settings=settings,
        )
    assert found[1.0].columns.tolist() == ["subject", "metric", "value"]
    assert found[1.0]["metric"].tolist() == ["dice", "auprc"]
    assert found[1.0]["subject"].tolist() == ["s2", "s2"]
    # gamma 1: the threshold .6 calls the artefact of .65; gamma 2: .45 does not call .4225.
    lesion = 2 * 8 * 8
    assert found[1.0]["value"].tolist() == pytest.approx([2 * lesion / (2 * lesion + 16), 1])
    assert found[2.0]["value"].tolist() == [1, 1]


def test_without_validation_or_test_subjects():
    settings = settings_from(PostprocessingSettings, PLAIN)
    reconstructor, options = Reconstructor(Blank(), 0, PROCESSOR), {"timesteps": [5], "gamma": 1.0}
    split = pd.DataFrame({"subject": ["s0", "gone"], "partition": ["test", "validation"]})
    with pytest.raises(SettingsError, match="no threshold can be fitted: none of the validation"):
        score_anew(reconstructor, stack_of(1), split, settings=settings, **options)
    split["partition"] = ["validation", "test"]
    table = score_anew(reconstructor, stack_of(1), split, settings=settings, **options)
    assert table.empty and table.columns.tolist() == ["subject", "metric", "value"]


def test_maps_are_the_same_where_a_gpu_filters_them():
    # A GPU by its name alone: what computes is the processor.
    gpu = replace(PROCESSOR, settings=replace(PROCESSOR.settings, name="cuda"))
    settings = settings_from(PostprocessingSettings, POSTPROCESSING)
    reconstructor = Reconstructor(diffusion(), 0, PROCESSOR)
    case = next(reconstructor.cases(stack_of(1, 6), ["s0"], timesteps=[500], gamma=2.0))
    maps = [map_on_device(case, settings, device) for device in (PROCESSOR, gpu)]
    np.testing.assert_array_equal(*maps)
    assert np.count_nonzero(maps[0]) > 1000


@pytest.mark.parametrize(
    ("repeats", "passes", "compiled"), [(3, 1, False), (4, 1, True), (1, 3, False), (1, 4, True)]
)
def test_the_network_is_compiled_where_all_groups_together_are_large(
    monkeypatch, repeats, passes, compiled
):
    rehearsals = []
    monkeypatch.setattr(reconstruction, "COMPILING_PAYS", 4 * 2 * 3)
    monkeypatch.setattr(
        reconstruction, "compile_costly_parts", lambda network, device, run: rehearsals.append(run)
    )
    method = Blank()
    if passes > 1:
        method.passes_per_timestep = passes
    reconstructor = Reconstructor(method, 0, PROCESSOR)
    reconstructor.compile_if_it_pays((3, 32, 32), volumes=2, repeats=repeats)
    assert len(rehearsals) == compiled
    if compiled:
        # One whole batch: a shape that is compiled once, and used for all but the last slices.
        rehearsals[0]()
        assert method.batches == [((16, 1, 32, 32), [1])]


def test_timesteps_are_scored_as_by_the_main_chain(lesion_set, tmp_path):
    score_timesteps.main(
        **lesion_set,
        output=tmp_path / "timesteps.tsv",
        timesteps=[750, 250],
        postprocessing=POSTPROCESSING,
        modality="t2",
        **OPTIONS,
    )
    table = read_table(tmp_path / "timesteps.tsv")
    assert table.columns.tolist() == ["subject", "modality", "timestep", "metric", "value"]
    assert table["timestep"].tolist() == [750] * 6 + [250] * 6
    for timestep, scores in table.groupby("timestep"):
        expected = scored_by_the_main_chain(lesion_set, tmp_path, timesteps=[timestep])
        same = scores.drop(columns="timestep").reset_index(drop=True)
        pd.testing.assert_frame_equal(same, expected, rtol=1e-4)
    assert table.groupby("timestep")["value"].mean().nunique() == 2


def test_contrast_is_scored_as_by_the_main_chain_on_changed_scans(lesion_set, tmp_path):
    score_changed_contrast.main(
        **lesion_set,
        output=tmp_path / "contrast.tsv",
        timesteps=[250, 500],
        gamma=2.0,
        postprocessing=POSTPROCESSING,
        modality="t2",
        **OPTIONS,
    )
    table = read_table(tmp_path / "contrast.tsv")
    assert table.columns.tolist() == ["subject", "modality", "gamma", "metric", "value"]
    assert table["subject"].unique().tolist() == ["s1", "s2", "s4"]
    assert table["gamma"].unique().tolist() == [2.0]
    stack = stack_of(5)
    write_slices(replace(stack, images=stack.images**2), lesion_set["slices"])
    expected = scored_by_the_main_chain(lesion_set, tmp_path, timesteps=[250, 500])
    pd.testing.assert_frame_equal(table.drop(columns="gamma"), expected, rtol=1e-4)
