"""Patients with several sessions, from a BIDS folder to a summary of their scores."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from small_study import study_of
from test_layouts import listed

import map_anomalies
import pack_slices
import resample_scans
import score_segmentation
import split_folds
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import gather_scores, summarize_scores
from brainuad.images.slices import read_slices
from brainuad.images.volumes import Volume, read_volume, write_volume
from brainuad.io.tables import read_table
from brainuad.plan.scans import ScansPlan
from brainuad.preprocessing.resampling import Resampling

SHAPE, AFFINE = (12, 14, 10), np.diag([2.0, 2.0, 2.0, 1.0])
SESSIONS = {"sub-01": (1, 2), "sub-02": (1, 2), "sub-03": (1, 2), "sub-04": (1,)}
NAMES = [f"{subject}_ses-{n}" for subject, numbers in SESSIONS.items() for n in numbers]
NO_POSTPROCESSING = {
    "order": [],
    "erosion_iterations": 1,
    "median_size": 3,
    "minimum_component": 1,
}


def write_patient(root, subject, session):
    """A flat brain with a lesion of 8 voxels, all of them bright or, at session 2, the half."""
    place = f"{subject}/ses-{session}/anat/{subject}_ses-{session}"
    image, lesion = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.uint8)
    brain = (slice(2, -2), slice(2, -2), slice(2, -2))
    seed = NAMES.index(f"{subject}_ses-{session}")
    image[brain] = np.random.default_rng(seed).normal(100, 1, image[brain].shape)
    lesion[4:6, 4:6, 4:6] = 1
    image[4 : 6 if session == 1 else 5, 4:6, 4:6] = 300
    write_volume(Volume(image, AFFINE), root / f"{place}_T2w.nii.gz")
    write_volume(Volume(lesion, AFFINE), root / f"{place}_label-L_mask.nii.gz")


@pytest.fixture
def packed(tmp_path):
    """The slices of all scans, in two chunks, and the split."""
    for subject, numbers in SESSIONS.items():
        for session in numbers:
            write_patient(tmp_path / "raw", subject, session)
    table = tmp_path / "subjects.tsv"
    assert (listed(tmp_path, "bids", modalities=["t2"])["status"] == "ok").all()
    plan = ScansPlan(study_of({"preprocessing": {"scans_per_job": 4}}), lambda dataset: str(table))
    chunks = []
    for chunk in ("000", "001"):
        names = plan.names_in_chunk(SimpleNamespace(cohort="brats21_t2", chunk=chunk))
        chunks.append(tmp_path / f"chunk{chunk}")
        resample_scans.main(
            table=table,
            output=chunks[-1],
            names=names,
            resampling=Resampling("t2", 2.0, [1], [], lesions_on_own_grid=False),
        )
        # As the stages after it would leave the chunk.
        for name in names:
            image = read_volume(chunks[-1] / name / "image.nii.gz")
            mask = Volume((image.data > 50).astype(np.uint8), image.affine)
            write_volume(mask, chunks[-1] / name / "brain_mask.nii.gz")
    files = {"slices": tmp_path / "slices.npz", "split": tmp_path / "split.tsv"}
    pack_slices.main(
        chunks=chunks,
        subjects=table,
        slices=files["slices"],
        left_out=tmp_path / "left_out.tsv",
        on_broken="stop",
    )
    split_folds.main(
        subjects=table,
        lists=[],
        output=files["split"],
        problems=tmp_path / "problems.tsv",
        fold=0,
        **{"healthy": False, "lesion_masks": True, "splits": None},
        **{"validation": 1, "test": None, "stratify": None, "seed": 1},
    )
    return files


def test_each_scan_is_scored_and_each_subject_counts_once(packed, tmp_path):
    stack = read_slices(packed["slices"])
    assert stack.names == NAMES
    assert stack.subjects.tolist() == [name[:6] for name in NAMES]
    assert stack.sessions.tolist() == [name[-1] for name in NAMES]
    split = read_table(packed["split"])
    assert split.groupby("subject")["partition"].nunique().tolist() == [1, 1, 1, 1]
    tested = split[split["partition"] == "test"]
    assert len(split) == 7 and "sub-04" in set(tested["subject"])
    files = packed | {"anomaly_maps": tmp_path / "maps.npz"}
    map_anomalies.main(
        **packed,
        reconstructions=None,
        output=files["anomaly_maps"],
        score={"kind": "intensity"},
        partitions=["validation", "test"],
        postprocessing=NO_POSTPROCESSING,
    )
    threshold, output = tmp_path / "threshold.json", tmp_path / "scores.tsv"
    (tmp_path / "healthy.json").write_text(json.dumps({"threshold": 0.5}))
    score_segmentation.main(
        **files,
        threshold=threshold,
        healthy_threshold=tmp_path / "healthy.json",
        fits=True,
        scores=output,
        lesions=tmp_path / "lesions.tsv",
        froc=tmp_path / "froc.tsv",
        postprocessing=NO_POSTPROCESSING,
        modality="t2",
    )
    scores = gather_scores([output], methods=["thresh"], folds=[0], datasets=["ms"])
    dices = scores[scores["metric"] == "dice"]
    found = dices.set_index(["subject", "session"])["value"]
    assert found.index.tolist() == list(zip(tested["subject"], tested["session"], strict=True))
    # Of 8 voxels 8 or 4 are found: 2 * 4 / (4 + 8).
    assert found.xs("1", level="session").tolist() == pytest.approx([1] * 3)
    assert found.xs("2", level="session").tolist() == pytest.approx([2 / 3] * 2)
    bootstrap = BootstrapSettings(rounds=100, confidence=0.9, seed=0)
    summary = summarize_scores(scores, metrics=["dice"], bootstrap=bootstrap)
    # Two patients with 5/6 and one with 1; over scans it were 13/15.
    assert summary["mean"].item() == pytest.approx(8 / 9)
    assert summary["subjects"].item() == 3
