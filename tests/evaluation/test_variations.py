"""Other timesteps and contrasts are scored by their scripts as the main chain scores its own."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from blank_model import Blank
from small_training import CDDPM, FP32, device_with

import map_anomalies
import reconstruct
import score_changed_contrast
import score_segmentation
import score_timesteps
from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.evaluation.variations import fit_and_score, map_on_device
from brainuad.images.contrast import with_contrast
from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.errors import SettingsError
from brainuad.io.tables import read_table, write_table
from brainuad.models import build_trainable
from brainuad.models.checkpoints import write_weights
from brainuad.scores import load_score
from brainuad.scores.scoring import Scoring

PROCESSOR = device_with()
POSTPROCESSING = {
    "order": ["erosion", "median"],
    "erosion_iterations": 1,
    "median_size": 3,
    "minimum_component": 2,
}
PLAIN = {"order": [], "erosion_iterations": 0, "median_size": 1, "minimum_component": 1}
PARTITIONS = ["validation", "test", "test", "validation", "test"]


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
    """A conditioned model whose zero-initialised layers are shaken, so that it predicts."""
    torch.manual_seed(seed)
    model = build_trainable("diffusion", CDDPM)
    for parameter in model.network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    model.network.eval()
    return model


ABSOLUTE, INTENSITY = {"kind": "absolute"}, {"kind": "intensity"}
MAHALANOBIS = {"kind": "mahalanobis"}
FILES = {"slices": "slices.npz", "split": "split.tsv", "weights": "weights.pt"}
OPTIONS = {"seed": 3, "device": FP32, "threads": 1}


@pytest.fixture
def lesion_set(tmp_path):
    """Slices, split and weights of a lesion set of five subjects, as the scripts name them."""
    write_slices(stack_of(5), tmp_path / "slices.npz")
    split = pd.DataFrame({"subject": stack_of(5).subjects, "session": "", "partition": PARTITIONS})
    write_table(split, tmp_path / "split.tsv")
    write_weights(
        tmp_path / "weights.pt",
        kind="diffusion",
        settings=CDDPM,
        state=diffusion().network.state_dict(),
        training={},
    )
    return {name: tmp_path / file for name, file in FILES.items()}


def scored_by_the_main_chain(files, folder, *, timesteps, score=ABSOLUTE, samples=1):
    """Reconstruct, map, fit the threshold and score by the scripts of the main table."""
    data = {name: files[name] for name in ("slices", "split")}
    maps, fitted, scores = (folder / name for name in ("maps.npz", "t.json", "scores.tsv"))
    reconstructions = folder / "reconstructions.npz" if files["weights"] else None
    healthy = folder / "healthy.json"
    healthy.write_text(json.dumps({"threshold": 0.5}))
    partitions = ["validation", "test"]
    if reconstructions:
        reconstruct.main(
            **files,
            output=reconstructions,
            partitions=partitions,
            timesteps=timesteps,
            samples=samples,
            **OPTIONS,
        )
    map_anomalies.main(
        **data,
        reconstructions=reconstructions,
        output=maps,
        score=score,
        partitions=partitions,
        postprocessing=POSTPROCESSING,
    )
    score_segmentation.main(
        **data,
        anomaly_maps=maps,
        threshold=fitted,
        healthy_threshold=healthy,
        fits=True,
        scores=scores,
        lesions=folder / "lesions.tsv",
        froc=folder / "froc.tsv",
        postprocessing=POSTPROCESSING,
        modality="t2",
    )
    table = read_table(scores)
    return table[table["metric"].isin(["dice", "auprc"])].reset_index(drop=True)


def scored(stack, partitions):
    """By a model that reconstructs nothing; `partitions` are of the subjects by name."""
    split = [
        {"subject": name, "session": "", "partition": partition}
        for name, partition in partitions.items()
    ]
    return fit_and_score(
        Blank(),
        stack,
        split,
        timesteps=[500],
        seed=0,
        device=PROCESSOR,
        score=Scoring(load_score(ABSOLUTE)),
        settings=settings_from(PostprocessingSettings, PLAIN),
    )


def test_threshold_is_fitted_to_the_changed_scans():
    stack = stack_of(3)
    stack.images[...] = 0.3
    stack.images[stack.lesions == 1] = 0.9
    # The test subject has an artefact of 16 voxels.
    stack.images[2, 0, 5, 8:24] = 0.65
    split = {"s0": "validation", "s1": "validation", "s2": "test"}
    found = {gamma: scored(with_contrast(stack, gamma), split) for gamma in (1.0, 2.0)}
    assert [row[:3] for row in found[1.0]] == [("s2", "", "dice"), ("s2", "", "auprc")]
    # gamma 1: the threshold .6 calls the artefact of .65; gamma 2: .45 does not call .4225.
    lesion = 2 * 8 * 8
    values = {gamma: [value for *_, value in rows] for gamma, rows in found.items()}
    assert values[1.0] == pytest.approx([2 * lesion / (2 * lesion + 16), 1])
    assert values[2.0] == [1, 1]


def test_without_validation_or_test_subjects():
    with pytest.raises(SettingsError, match="no threshold can be fitted: all validation subjects"):
        scored(stack_of(1), {"s0": "test", "gone": "validation"})
    assert scored(stack_of(1), {"s0": "validation", "gone": "test"}) == []


def test_maps_are_the_same_where_a_gpu_filters_them():
    # A GPU by its name alone: what computes is the CPU.
    gpu = replace(PROCESSOR, settings=replace(PROCESSOR.settings, name="cuda"))
    settings = settings_from(PostprocessingSettings, POSTPROCESSING)
    (scan,) = stack_of(1, 6).scans(["s0"])
    maps = [
        map_on_device(scan.image, scan.brain_mask, settings, device) for device in (PROCESSOR, gpu)
    ]
    np.testing.assert_array_equal(*maps)
    assert np.count_nonzero(maps[0]) > 1000


def test_a_timestep_is_scored_as_by_the_main_chain(lesion_set, tmp_path):
    means = []
    for timestep in (750, 250):
        score_timesteps.main(
            **lesion_set,
            output=tmp_path / "timesteps.tsv",
            timestep=timestep,
            score=ABSOLUTE,
            postprocessing=POSTPROCESSING,
            modality="t2",
            **OPTIONS,
        )
        table = read_table(tmp_path / "timesteps.tsv")
        assert table.columns.tolist() == [
            "subject",
            "session",
            "modality",
            "timestep",
            "metric",
            "value",
        ]
        assert table["timestep"].tolist() == [timestep] * 6
        expected = scored_by_the_main_chain(lesion_set, tmp_path, timesteps=[timestep])
        pd.testing.assert_frame_equal(table.drop(columns="timestep"), expected, check_exact=True)
        means.append(table["value"].mean())
    assert means[0] != means[1]


@pytest.mark.parametrize(
    ("score", "samples"),
    [(ABSOLUTE, 1), (INTENSITY, 1), (ABSOLUTE, 3), (MAHALANOBIS, 3)],
    ids=["a model", "no model", "their mean", "samples"],
)
def test_contrast_is_scored_as_by_the_main_chain_on_changed_scans(
    lesion_set, tmp_path, score, samples
):
    if score == INTENSITY:
        lesion_set["weights"] = None
    score_changed_contrast.main(
        **lesion_set,
        output=tmp_path / "contrast.tsv",
        timesteps=[250, 500],
        samples=samples,
        gamma=2.0,
        score=score,
        postprocessing=POSTPROCESSING,
        modality="t2",
        **OPTIONS,
    )
    table = read_table(tmp_path / "contrast.tsv")
    assert table.columns.tolist() == ["subject", "session", "modality", "gamma", "metric", "value"]
    assert table["subject"].unique().tolist() == ["s1", "s2", "s4"]
    assert table["gamma"].unique().tolist() == [2.0]
    stack = stack_of(5)
    write_slices(replace(stack, images=stack.images**2), lesion_set["slices"])
    expected = scored_by_the_main_chain(
        lesion_set, tmp_path, timesteps=[250, 500], score=score, samples=samples
    )
    pd.testing.assert_frame_equal(table.drop(columns="gamma"), expected, check_exact=True)
