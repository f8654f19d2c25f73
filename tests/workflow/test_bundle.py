"""A bundle made by the chain in miniature, and applied in a folder that has nothing else."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import make_working_directory

METHOD = "ddpm_ens_z"


@pytest.fixture(scope="module")
def bundle(chain, snakemake, tmp_path_factory) -> Path:
    """Made where the model was trained, and taken elsewhere."""
    project, directory = chain
    made = f"results/bundles/{METHOD}_t2"
    snakemake(directory, made, project=project)
    given = tmp_path_factory.mktemp("given") / "a model"
    shutil.copytree(directory / made, given)
    return given


@pytest.fixture(scope="module")
def applied(chain, bundle, snakemake, tmp_path_factory) -> Path:
    """A run on the chain's patients of MSLUB, as if they were somebody's own."""
    project, directory = chain
    template = directory / "resources/phantoms/template"
    values = {
        "bundle": str(bundle),
        "device": "cpu",
        "threads_per_training": 1,
        "head_template": {
            "image": str(template / "head.nii.gz"),
            "brain_mask": str(template / "brain_mask.nii.gz"),
        },
        "datasets": {
            "mine": {
                "label": "Mine",
                "layout": "mslub",
                "root": str(directory / "resources/unpacked/mslub"),
                "healthy": False,
                "modalities": ["t2"],
                "skull_stripping": "template",
            }
        },
    }
    own = make_working_directory(tmp_path_factory.mktemp("applied") / "own", values)
    snakemake(own, project=project)
    return own


def test_anomaly_maps_are_those_of_the_run_that_trained(chain, applied):
    """From the raw scans on; a scan's place in the batches moves the last digits of float32.

    In the same batches they are equal: tests/bundles.
    """
    place = f"results/anomaly_maps/{METHOD}/fold0"
    trained = np.load(chain[1] / place / "mslub_t2.npz", allow_pickle=False)
    own = np.load(applied / place / "mine_t2.npz", allow_pickle=False)
    assert sorted(own["names"]) == sorted(trained["names"]) and len(own["names"]) == 3
    rows = [trained["names"].tolist().index(subject) for subject in own["names"]]
    found, expected = own["anomaly_maps"], trained["anomaly_maps"][rows]
    # In standard deviations, which are a small part of the intensities.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
    assert own["anomaly_maps"].any()
    np.testing.assert_allclose(own["mean_residual"], trained["mean_residual"][rows], rtol=1e-4)


def test_scores_are_at_the_threshold_of_the_bundle(chain, applied):
    name = f"{METHOD}/fold0"
    own = _scores(applied / f"results/scores/{name}/mine_t2.tsv")
    trained = _scores(chain[1] / f"results/scores/{name}/mslub_t2.tsv")
    # Of the subjects tested in both runs; the one that fitted the threshold there is tested here.
    assert set(trained.index) < set(own.index)
    np.testing.assert_allclose(own.loc[trained.index, "auprc"], trained["auprc"], rtol=1e-3)
    log = (applied / f"logs/score_segmentation/{name}/mine_t2.log").read_text()
    threshold = yaml.safe_load(
        (chain[1] / f"results/healthy_residuals/{name}/ixi_t2.json").read_text()
    )["threshold"]
    assert f"3 test scans scored at threshold {threshold:.6g}" in log


def _scores(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t").pivot_table(
        index="subject", columns="metric", values="value"
    )


def test_nothing_was_trained_and_the_page_shows_what_there_is(applied):
    made = {path.name for path in (applied / "results").iterdir()}
    assert not made & {"models", "pretraining", "thresholds", "healthy_scores", "bundles"}
    page = (applied / "results/report/index.html").read_text()
    assert "the template of the bundle a model" in page
    assert "the bundle" in page and "fitted on validation subjects" not in page
    assert 'id="training"' not in page and 'id="comparisons"' not in page
    assert len(list((applied / "results/derivatives/mine_t2").rglob("*_anomalymap.nii.gz"))) == 3


def test_a_second_run_changes_nothing(chain, applied, snakemake):
    done = snakemake(applied, "--dry-run", project=chain[0])
    assert "Nothing to be done" in done.stdout + done.stderr


def test_a_damaged_bundle_stops_the_run_before_anything_is_made(chain, bundle, snakemake, tmp_path):
    copy = tmp_path / "damaged"
    shutil.copytree(bundle, copy)
    with (copy / "models/model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"?")
    raw = str(chain[1] / "resources/unpacked/mslub")
    mine = {"layout": "mslub", "root": raw, "healthy": False, "modalities": ["t2"]}
    values = {"bundle": str(copy), "datasets": {"mine": mine | {"skull_stripping": "none"}}}
    own = make_working_directory(tmp_path / "own", values)
    failed = snakemake(own, "results/template/brain.nii.gz", project=chain[0], check=False)
    assert failed.returncode != 0
    assert f"bundle {copy}: models/model.safetensors is damaged or was changed" in failed.stderr
    assert not list((own / "results").glob("bundle/**/*.*"))
    # What is seen by names alone is said before any job.
    (copy / "models/model.pt").write_bytes(b"")
    failed = snakemake(own, "--dry-run", project=chain[0], check=False)
    assert failed.returncode != 0
    # A dry run tells its errors on stdout.
    assert "holds models/model.pt, which may be a pickle" in failed.stdout + failed.stderr
