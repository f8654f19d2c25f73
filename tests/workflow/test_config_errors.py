"""A wrong config stops the run with one line that names the key and says what to do."""

import pytest

from conftest import demo_config, make_working_directory, merged

CASES = {
    "unknown key": ({"sede": 1}, "'sede' was unexpected"),
    "unknown nested key": (
        {"preprocessing": {"registration": {"tranform": "Affine"}}},
        "preprocessing.registration: Additional properties are not allowed ('tranform'",
    ),
    "wrong value": ({"device": "gpu"}, "device: 'gpu' is not one of"),
    "wrong type": ({"folds": "five"}, "folds: 'five' is not of type 'integer'"),
    "out of range": ({"folds": 0}, "folds: 0 is less than the minimum of 1"),
    "data set without a layout": (
        {"datasets": {"oasis": {}}},
        "datasets.oasis: 'layout' is a required property",
    ),
    "name of a rule": (
        {
            "datasets": {
                "all": {"layout": "bids", "root": ".", "healthy": False, "modalities": ["t1"]}
            }
        },
        "datasets.all: a rule has this name",
    ),
    "unknown layout": (
        {"datasets": {"wmh": {"layout": "whm"}}},
        "datasets.wmh.layout: 'whm' is not one of",
    ),
    "files without a pattern": (
        {"datasets": {"wmh": {"layout": "files", "files": {"t1": "{subject}.nii"}}}},
        "datasets.wmh.files: there is no pattern for seg",
    ),
    "pattern without the subject": (
        {"datasets": {"wmh": {"layout": "files", "files": {"t1": "T1.nii"}}}},
        "datasets.wmh.files.t1: the pattern 'T1.nii' has no {subject}",
    ),
    "pattern with a star": (
        {"datasets": {"wmh": {"layout": "files", "files": {"t1": "{subject}/*.nii"}}}},
        "datasets.wmh.files.t1: the pattern '{subject}/*.nii' holds *",
    ),
    "pattern that leaves the root": (
        {"datasets": {"wmh": {"layout": "files", "files": {"t1": "/data/{subject}.nii"}}}},
        "datasets.wmh.files.t1: the pattern '/data/{subject}.nii' leaves the root",
    ),
    "wildcard in a path": (
        {"datasets": {"wmh": {"root": "data/{study}"}}},
        "datasets.wmh.root: 'data/{study}' holds {study}",
    ),
    "root that is the working directory": (
        {"datasets": {"wmh": {"root": "resources/.."}}},
        "datasets.wmh.root: 'resources/..' is or holds the working directory",
    ),
    "number as the name of a data set": (
        {"datasets": {"2024": None}},
        "datasets: '2024' is none; expected a name of small letters",
    ),
    "subject that YAML takes for a number": (
        {"datasets": {"wmh": {"exclude": [12]}}},
        "datasets.wmh.exclude.0: 12 is no text to YAML; put it in quotes",
    ),
    "part of no archive": (
        {"datasets": {"wmh": {"part": "Test/WMH"}}},
        "datasets.wmh: layout wmh takes no 'part'",
    ),
    "no threshold without validation": (
        {"datasets": {"wmh": {"validation": 0}}},
        "datasets.wmh: the threshold needs 'validation' subjects",
    ),
    "validation without lesion masks": (
        {"datasets": {"wmh": {"lesion_masks": False}}},
        "datasets.wmh: without lesion masks there is nothing to validate",
    ),
    "two healthy sets": (
        {"datasets": {"wmh": {"healthy": True, "test": 2}}},
        "datasets: ixi and wmh are both healthy and in t1",
    ),
    "password in the config": (
        {"datasets": {"wmh": {"password": "secret"}}},
        "datasets.wmh.password: give {file: path} or",
    ),
    "no released lists": (
        {"datasets": {"wmh": {"splits": {"folder": "lists", "name": "WMH"}}}},
        "datasets.wmh.splits.folder: there is no WMH_*.csv below 'lists'",
    ),
    "no weights of HD-BET": (
        {"hdbet": {"weights": {"local": "weights.zip"}}},
        "hdbet.weights.local: there is no 'weights.zip'",
    ),
    "no such folder": (
        {"phantoms": None, "atlas": {"image": None}},
        "root: there is no folder 'resources/phantoms/",
    ),
    "no such atlas": ({"phantoms": None}, "atlas.image: there is no file 'resources/phantoms/"),
    "template without a head": (
        {"head_template": None},
        "skull_stripping is 'template', which needs head_template",
    ),
    "unknown setting of a method": (
        {"methods": {"cddpm": {"settings": {"netwrok": {}}}}},
        "netwrok",
    ),
    "unknown kind of method": (
        {"methods": {"cddpm": {"kind": "difusion"}}},
        "methods.cddpm.kind: 'difusion' is not one of",
    ),
    "unknown transform": (
        {"preprocessing": {"registration": {"transform": "Afine"}}},
        "preprocessing.registration.transform: 'Afine' is not one of",
    ),
    "even median": (
        {"evaluation": {"postprocessing": {"median_size": 4}}},
        "evaluation.postprocessing.median_size",
    ),
    "kind that pretrains": (
        {"methods": {"cddpm": {"kind": "spark"}}},
        "methods.cddpm.kind: 'spark' is not one of",
    ),
    "method with a suffix that has a meaning": (
        {
            "methods": {
                "mine_ens": {"kind": "thresh", "pretrained": None, "settings": {}, "training": None}
            }
        },
        "methods: 'mine_ens' is none; expected a name of letters",
    ),
    "timestep beyond the schedule": (
        {"evaluation": {"timesteps": [5000]}},
        "evaluation.timesteps: 5000 is beyond the 1000 timesteps",
    ),
    "timestep of an experiment beyond the schedule": (
        {"experiments": {"conditioning": {"timesteps": [5000]}}},
        "experiments.conditioning.timesteps: 5000 is beyond the 1000 timesteps",
    ),
    "experiment of a method without timesteps": (
        {"experiments": {"timesteps": {"methods": ["vae"]}}},
        "experiments.timesteps.methods: 'vae' is no method of kind diffusion",
    ),
    "condition of a method without one": (
        {"experiments": {"conditioning": {"methods": ["pddpm"]}}},
        "experiments.conditioning.methods: 'pddpm' is no method of kind diffusion",
    ),
    "experiment on unknown scans": (
        {"experiments": {"histograms": {"scans": ["ixi"]}}},
        "experiments.histograms.scans: 'ixi' is no data set with a modality",
    ),
    "condition of patients": (
        {"experiments": {"conditioning": {"scans": ["brats21_t2"]}}},
        "experiments.conditioning.scans: 'brats21_t2' is not of a healthy data set",
    ),
    "data set with a name of the tables": (
        {"datasets": {"test": {"layout": "bids", "root": ".", "healthy": False, "modalities": []}}},
        "datasets.test",
    ),
    "no such network for LPIPS": (
        {"evaluation": {"perceptual": {"weights": "resnet.pth", "sha256": None}}},
        "evaluation.perceptual.weights: there is no file 'resnet.pth'",
    ),
    "no such other run": (
        {"other_run": {"name": "as released", "folder": "elsewhere"}},
        "other_run.folder: there is no 'elsewhere/results/report/tables/segmentation.tsv'",
    ),
    "size that the downsampling does not divide": (
        {"preprocessing": {"normalization": {"size": [96, 96, 51]}}},
        "preprocessing.normalization.size: 51 does not divide by downsampling, 2",
    ),
    "levels of the registration that do not fit": (
        {"preprocessing": {"registration": {"shrink_factors": [4, 2, 1]}}},
        "preprocessing.registration: has an entry for each level, but iterations 2, shrink",
    ),
    "number that YAML takes for text": (
        {"preprocessing": {"bias_correction": {"tolerance": "5e-4"}}},
        "tolerance: '5e-4' is not a number to YAML; write it with a point",
    ),
    "warm-up longer than the training": (
        {"methods": {"ddpm": {"training": {"warmup_steps": 100000}}}},
        "methods.ddpm.training.warmup_steps: 100000 is not below",
    ),
    "percentiles the wrong way round": (
        {"preprocessing": {"normalization": {"percentiles": [99, 1]}}},
        "percentiles: 99 is not below 1",
    ),
    "two modalities of a lesion set": (
        {"datasets": {"mslub": {"modalities": ["t1", "t2"]}}},
        "datasets.mslub.modalities",
    ),
    "nothing to train on": ({"datasets": {"ixi": None}}, "there is no healthy one to train on"),
    "no size of a phantom": (
        {"phantoms": {"ixi": {"subjects": 9, "spacing": [2, 2, 2]}, "wmh": None}},
        "phantoms.wmh",
    ),
    "pretraining without an encoder": (
        {"methods": {"ddpm": {"pretrained": "spark"}}},
        "methods.ddpm.pretrained: there is no encoder",
    ),
    "comparison of a method that is no row": (
        {"evaluation": {"comparison": {"method": "vae"}}},
        "evaluation.comparison.method: 'vae' is not one of evaluation.methods",
    ),
    "table row of an unknown method": (
        {"evaluation": {"methods": ["cddpn"]}},
        "evaluation.methods: 'cddpn' is no method",
    ),
}


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES.keys())
def test_one_line_names_the_key(tmp_path, snakemake, changes, expected):
    directory = make_working_directory(tmp_path / "study", merged(demo_config(), changes))
    done = snakemake(directory, "--dry-run", check=False)
    assert done.returncode != 0
    printed = done.stdout + done.stderr
    assert len([line for line in printed.splitlines() if expected in line]) == 1, printed


def test_the_same_key_twice_is_named_also_in_a_file_of_the_command_line(tmp_path, snakemake):
    directory = make_working_directory(tmp_path / "study", demo_config())
    own, other = directory / "config" / "config.yaml", tmp_path / "other.yaml"
    other.write_text("gpu:\n  compile: true\n  compile: false\n", encoding="utf-8")
    done = snakemake(directory, "--dry-run", "--configfile", str(other), check=False)
    line = f"{other}, line 3: the key gpu.compile stands there twice, first in line 2"
    assert line in done.stdout + done.stderr
    with own.open("a", encoding="utf-8") as file:
        file.write("folds: 2\n")
    done = snakemake(directory, "--dry-run", check=False)
    assert "the key folds stands there twice" in done.stdout + done.stderr


def test_an_empty_config_is_the_papers(tmp_path, snakemake):
    directory = make_working_directory(tmp_path / "study", {})
    (directory / "config" / "config.yaml").write_text("# nothing yet\n", encoding="utf-8")
    done = snakemake(directory, "--dry-run", check=False)
    assert "there is no folder 'resources/data/" in done.stdout + done.stderr


def test_a_password_is_not_repeated(tmp_path, snakemake):
    values = merged(demo_config(), {"datasets": {"wmh": {"password": "swordfish"}}})
    done = snakemake(make_working_directory(tmp_path / "study", values), "--dry-run", check=False)
    assert "swordfish" not in done.stdout + done.stderr
