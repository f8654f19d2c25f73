"""Any modality, and patients with several, go through the chain by config alone."""

import zipfile
from pathlib import Path

import pandas as pd
import pytest
import yaml

from conftest import BRIEF, MINIATURE, demo_config, make_working_directory, merged

PHANTOMS = {name: {"subjects": 6, "spacing": [4.0, 4.0, 4.0]} for name in ("ixi", "brats21")}
PHANTOMS |= {name: {"subjects": 3, "spacing": [4.0, 4.0, 4.0]} for name in ("mslub", "wmh")}
HEALTHY = {"healthy": True, "validation": 1, "test": 1}
# The FLAIR scans of one set of phantoms stand for those of healthy people.
VOLUNTEERS = {
    "layout": "files",
    "root": "resources/phantoms/brats21",
    "files": {"flair": "{subject}/{subject}_flair.nii.gz"},
    "modalities": ["flair"],
    "skull_stripping": "none",
    **HEALTHY,
}
COHORTS = {
    ("mslub", "t1"): "MSLUB T1",
    ("mslub", "t2"): "MSLUB T2",
    ("mslub", "flair"): "MSLUB FLAIR",
    ("wmh", "flair"): "WMH",
}
CONFIG = {
    "phantoms": PHANTOMS,
    "datasets": {
        "ixi": {"archives": [], "demographics": None, **HEALTHY},
        "volunteers": VOLUNTEERS,
        "brats21": None,
        "mslub": {
            "archives": [],
            "modalities": ["t1", "t2", "flair"],
            "validation": 1,
            "native": True,
        },
        "atlas": None,
        "wmh": {"modalities": ["flair"], "validation": 1},
    },
    "models": {"ddpm": {"training": BRIEF}},
    "evaluation": {
        "methods": ["thresh", "ddpm"],
        "later_methods": [],
        "maps_method": "ddpm",
        "comparison": {"reference": "ddpm"},
    },
    "experiments": {
        **{name: {"models": []} for name in ("timesteps", "conditioning")},
        **{name: {"methods": []} for name in ("contrast", "histograms", "postprocessing")},
    },
}


@pytest.fixture(scope="module")
def study(tmp_path_factory, snakemake) -> Path:
    values = merged(merged(demo_config(), MINIATURE), CONFIG)
    # The demo's phantoms of all five, of which two are not asked for here.
    values["phantoms"] = PHANTOMS
    directory = make_working_directory(tmp_path_factory.mktemp("modalities") / "study", values)
    # The volunteers' scans are at hand, as one's own are.
    snakemake(directory, "resources/phantoms/brats21")
    snakemake(directory)
    return directory


def read(file: Path) -> pd.DataFrame:
    return pd.read_csv(file, sep="\t", dtype={"subject": str})


def test_each_cohort_is_scored_by_the_model_of_its_modality(study):
    scores = {
        (dataset, modality): read(study / f"results/scores/ddpm/fold0/{dataset}_{modality}.tsv")
        for dataset, modality in COHORTS
    }
    for (_, modality), table in scores.items():
        assert set(table["modality"]) == {modality}
        assert table.loc[table["metric"] == "auprc", "value"].between(0, 1).all()
    trained = {file.parts[-3] for file in study.glob("results/models/ddpm/*/fold0/weights.pt")}
    assert trained == {"t1", "t2", "flair"}


def test_a_patients_scans_share_the_split(study):
    subjects = [
        set(read(study / f"results/scores/ddpm/fold0/mslub_{modality}.tsv")["subject"])
        for modality in ("t1", "t2", "flair")
    ]
    assert subjects[0] == subjects[1] == subjects[2]


def test_tables_and_derivatives_tell_the_cohorts_apart(study):
    table = read(study / "results/report/tables/segmentation.tsv")
    pairs = set(zip(table["dataset"], table["modality"], strict=True))
    assert pairs == set(COHORTS)
    page = (study / "results/report/index.html").read_text(encoding="utf-8")
    for (dataset, modality), label in COHORTS.items():
        assert label in page
        derivatives = study / f"results/derivatives/{dataset}_{modality}"
        maps = derivatives.glob("sub-*/anat/*_anomalymap.nii.gz")
        assert len(list(maps)) == (3 if dataset == "mslub" else 0)


def test_what_nothing_reads_any_more_is_gone_but_masks_and_transforms(study):
    for stage in ("resampled", "stripped", "registered"):
        assert not list((study / "results" / stage).rglob("*.n*")), stage
    subjects = set(read(study / "results/scores/ddpm/fold0/wmh_flair.tsv")["subject"])
    for kept in (
        "brain_masks/wmh_flair/chunk000/{}/brain_mask.nii.gz",
        "transforms/wmh_flair/chunk000/{}/to_template.mat",
    ):
        assert all((study / "results" / kept.format(subject)).is_file() for subject in subjects)


def test_derivatives_of_one_more_data_set_reconstruct_nothing(study, snakemake, tmp_path):
    """Those of its scans in the template's space are still there."""
    overlay = tmp_path / "native.yaml"
    overlay.write_text(yaml.safe_dump({"datasets": {"wmh": {"native": True}}}))
    config = str(study / "config/config.yaml")
    plan = snakemake(study, "--dry-run", "--configfile", config, str(overlay)).stdout
    assert "rule write_derivatives:" in plan
    assert "rule reconstruct" not in plan and "rule map_anomalies:" not in plan


def test_anomaly_maps_take_a_part_of_what_their_values_would(study):
    files = list(study.glob("results/anomaly_maps/*/fold0/*.npz"))
    for file in files:
        with zipfile.ZipFile(file) as archive:
            maps = archive.getinfo("anomaly_maps.npy")
        assert maps.compress_size < 0.4 * maps.file_size
    assert files


def test_second_run_has_nothing_to_do(study, snakemake):
    assert "Nothing to be done" in snakemake(study, "--dry-run").stdout
    config = yaml.safe_load((study / "config/config.yaml").read_text(encoding="utf-8"))
    assert config["datasets"]["wmh"]["modalities"] == ["flair"]
