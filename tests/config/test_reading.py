"""A config is whole and fits together, or one line names the key that is wrong."""

from pathlib import Path

import pytest
import yaml
from small_study import PAPER, demo_values, merged

from brainuad.config.reading import read_config
from brainuad.io.errors import SettingsError

PROJECT = Path(__file__).resolve().parents[2]

CASES = {
    "unknown key": ({"sede": 1}, "config: sede: unknown key; did you mean 'seed'?"),
    "unknown nested key": (
        {"preprocessing": {"registration": {"tranform": "Affine"}}},
        "preprocessing.registration.tranform: unknown key; did you mean 'transform'?",
    ),
    "wrong value": ({"device": "gpu"}, "device: 'gpu' is not one of"),
    "wrong type": ({"folds": "five"}, "folds: expected an integer, got 'five'"),
    "out of range": ({"folds": 0}, "folds: 0 does not fit, expected 1 or more"),
    "data set without a layout": (
        {"datasets": {"oasis": {}}},
        "datasets.oasis: the key 'layout' is missing",
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
        "datasets.wmh.root: 'data/{study}' contains {study}",
    ),
    "root that is the working directory": (
        {"datasets": {"wmh": {"root": "resources/.."}}},
        "datasets.wmh.root: 'resources/..' is or holds the working directory",
    ),
    "number as the name of a data set": (
        {"datasets": {"2024": None}},
        "datasets: '2024' is not allowed; expected a name of small letters",
    ),
    "name of a data set with a line break": (
        {"datasets": {"mine\n": None}},
        r"datasets: 'mine\n' is not allowed; expected a name of small letters",
    ),
    "label of two lines": (
        {"datasets": {"wmh": {"label": "WMH\n"}}},
        r"datasets.wmh.label: 'WMH\n' does not fit, expected text that is not empty, in one line",
    ),
    "path with a zero byte": (
        {"datasets": {"wmh": {"root": "wmh\0"}}},
        r"datasets.wmh.root: 'wmh\x00' does not fit",
    ),
    "subject that YAML takes for a number": (
        {"datasets": {"wmh": {"exclude": [12]}}},
        "datasets.wmh.exclude.0: YAML does not read 12 as text; put it in quotes",
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
        "datasets: ixi and wmh are both healthy and have t1",
    ),
    "password in the config": (
        {"datasets": {"wmh": {"password": "secret"}}},
        "datasets.wmh.password: give {file: path} or",
    ),
    "no weights of HD-BET": (
        {"hdbet": {"weights": {"local": "weights.zip"}}},
        "hdbet.weights.local: there is no 'weights.zip'",
    ),
    "version of HD-BET that is text": (
        {"hdbet": {"version": "1"}},
        "hdbet.version: '1' is not one of 1, 2",
    ),
    "more networks than HD-BET 1 has": (
        {"hdbet": {"networks": 6}},
        "hdbet.networks: 6 does not fit, expected at most 5",
    ),
    "networks of HD-BET 2": (
        {"hdbet": {"version": 2, "networks": 5}},
        "hdbet.networks: version 2 is one network",
    ),
    "unknown setting of a method": (
        {"models": {"cddpm": {"settings": {"netwrok": {}}}}},
        "models.cddpm.settings.netwrok: unknown key; did you mean 'network'?",
    ),
    "unknown kind of method": (
        {"models": {"cddpm": {"kind": "difusion"}}},
        "models.cddpm.kind: 'difusion' is not one of",
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
        {"models": {"cddpm": {"kind": "spark"}}},
        "models.cddpm.kind: 'spark' is not one of",
    ),
    "timestep beyond the schedule": (
        {"methods": {"cddpm": {"timesteps": [5000]}}},
        "methods.cddpm.timesteps: 5000 is beyond the 1000 timesteps",
    ),
    "timestep of an experiment beyond the schedule": (
        {"experiments": {"conditioning": {"timesteps": [5000]}}},
        "experiments.conditioning.timesteps: 5000 is beyond the 1000 timesteps",
    ),
    "experiment of a method without timesteps": (
        {"experiments": {"timesteps": {"models": ["vae"]}}},
        "experiments.timesteps.models: 'vae' is not a model of kind diffusion",
    ),
    "condition of a method without one": (
        {"experiments": {"conditioning": {"models": ["pddpm"]}}},
        "experiments.conditioning.models: 'pddpm' is not a model of kind diffusion",
    ),
    "experiment on unknown scans": (
        {"experiments": {"histograms": {"cohorts": ["ixi"]}}},
        "experiments.histograms.cohorts: 'ixi' is not a data set with a modality",
    ),
    "condition of patients": (
        {"experiments": {"conditioning": {"cohorts": ["brats21_t2"]}}},
        "experiments.conditioning.cohorts: 'brats21_t2' is not of a healthy data set",
    ),
    "data set with a name of the tables": (
        {"datasets": {"test": {"layout": "bids", "root": ".", "healthy": False, "modalities": []}}},
        "datasets.test",
    ),
    "size that the downsampling does not divide": (
        {"preprocessing": {"normalization": {"size": [96, 96, 51]}}},
        "preprocessing.normalization.size: 51 is not divisible by downsampling, 2",
    ),
    "levels of the registration that do not fit": (
        {"preprocessing": {"registration": {"shrink_factors": [4, 2, 1]}}},
        "preprocessing.registration.iterations: give as many entries as in shrink_factors",
    ),
    "number that YAML takes for text": (
        {"preprocessing": {"bias_correction": {"tolerance": "5e-4"}}},
        "tolerance: expected a number, got '5e-4'; with an exponent, YAML needs a decimal point",
    ),
    "ghosts from more to fewer": (
        {"models": {"ae": {"training": {"augmentation": {"ghosting": {"ghosts": [10, 4]}}}}}},
        "models.ae.training.augmentation.ghosting.ghosts: [10, 4] is not in order",
    ),
    "no ghost": (
        {"models": {"ae": {"training": {"augmentation": {"ghosting": {"ghosts": [0, 4]}}}}}},
        "models.ae.training.augmentation.ghosting.ghosts.0: 0 does not fit, expected 1 or more",
    ),
    "blur from more to less": (
        {"models": {"ae": {"training": {"augmentation": {"blur": {"deviation": [2, 1]}}}}}},
        "models.ae.training.augmentation.blur.deviation: [2, 1] is not in order",
    ),
    "warm-up longer than the training": (
        {"models": {"ddpm": {"training": {"warmup_steps": 100000}}}},
        "training.warmup_steps: 100000 is not below",
    ),
    "percentiles the wrong way round": (
        {"preprocessing": {"normalization": {"percentiles": [99, 1]}}},
        "percentiles: 99 is not below 1",
    ),
    "nothing to train on": (
        {"datasets": {"ixi": None}},
        "there is no healthy data set with t1 to train on",
    ),
    "no size of a phantom": (
        {"phantoms": {"ixi": {"subjects": 9, "spacing": [2, 2, 2]}, "wmh": None}},
        "phantoms.wmh",
    ),
    "pretraining without an encoder": (
        {"models": {"ddpm": {"pretrained": "spark"}}},
        "models.ddpm.pretrained: the model has no encoder",
    ),
    "comparison of a method that is no row": (
        {"evaluation": {"comparison": {"reference": "vae"}}},
        "evaluation.comparison.reference: 'vae' is not one of evaluation.methods",
    ),
    "table row of an unknown method": (
        {"evaluation": {"methods": ["cddpn"]}},
        "evaluation.methods: 'cddpn' is not a method; did you mean 'cddpm'?",
    ),
    "method of an unknown model": (
        {
            "methods": {
                "mine": {
                    "label": "x",
                    "colour": "#000000",
                    "model": "cdppm",
                    "score": {"kind": "absolute"},
                }
            }
        },
        "methods.mine.model: 'cdppm' is not a model; did you mean 'cddpm'?",
    ),
    "timesteps without a model": (
        {"methods": {"thresh": {"timesteps": [500]}}},
        "methods.thresh.timesteps: the method has no model",
    ),
    "diffusion model without timesteps": (
        {"methods": {"cddpm": {"timesteps": []}}},
        "methods.cddpm.timesteps: the model cddpm reconstructs from timesteps",
    ),
    "samples of a deterministic model": (
        {"methods": {"ae": {"samples": 10}}},
        "methods.ae.samples: the model ae is deterministic",
    ),
    "samples without a model": (
        {"methods": {"thresh": {"samples": 2}}},
        "methods.thresh.samples: the method has no model",
    ),
    "no sample": (
        {"methods": {"cddpm": {"samples": 0}}},
        "methods.cddpm.samples: 0 does not fit, expected 1 or more",
    ),
    "unknown score": (
        {"methods": {"cddpm": {"score": {"kind": "absolut"}}}},
        "methods.cddpm.score.kind: 'absolut' is not one of",
    ),
    "name of a method that tables use": (
        {
            "methods": {
                "average": {
                    "label": "x",
                    "colour": "#000000",
                    "model": None,
                    "score": {"kind": "intensity"},
                }
            }
        },
        "methods: 'average' is not allowed; expected a name of letters",
    ),
    "colour that is none": (
        {"methods": {"cddpm": {"colour": "red"}}},
        "methods.cddpm.colour: 'red' does not fit, expected a colour such as '#d55e00'",
    ),
    "modality that is a column": (
        {"datasets": {"wmh": {"modalities": ["seg"]}}},
        "datasets.wmh.modalities.0: 'seg' does not fit, expected a modality",
    ),
    "two ways to a password": (
        {"datasets": {"wmh": {"password": {"file": "a", "environment": "B"}}}},
        "datasets.wmh.password: give either file or environment",
    ),
    "histograms without reconstructions": (
        {"experiments": {"histograms": {"methods": ["thresh"]}}},
        "experiments.histograms.methods: 'thresh' has no reconstructions",
    ),
    "two labels alike": (
        {"methods": {"cddpm": {"label": "AE"}}},
        "methods.cddpm.label: 'AE' is also the label of ae",
    ),
    "timesteps of a model that knows none": (
        {"methods": {"ae": {"timesteps": [500]}}},
        "methods.ae.timesteps: the model ae has none",
    ),
    "reference of times that is no method": (
        {"evaluation": {"times_reference": "dddpm"}},
        "evaluation.times_reference: 'dddpm' is not a method; did you mean 'ddpm'?",
    ),
    "gamma that is too fine for a path": (
        {"experiments": {"histograms": {"gammas": [0.1234567]}}},
        "experiments.histograms.gammas: 0.1234567 has too many digits",
    ),
    "an entry twice": (
        {"evaluation": {"methods": ["thresh", "thresh"]}},
        "evaluation.methods: an entry appears twice",
    ),
}


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES.keys())
def test_one_line_names_the_key(changes, expected):
    with pytest.raises(SettingsError) as caught:
        read_config(merged(demo_values(), changes), PAPER)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("config: ")


SHIPPED = {
    "the paper": (),
    "demo": ("demo/config/config.yaml",),
    "demo with all methods": ("demo/config/config.yaml", "demo/config/full.yaml"),
    "as released": ("config/as_released.yaml",),
    "everything": ("config/benchmark.yaml",),
    "the authors' archive": ("config/authors_archive.yaml", "config/as_released.yaml"),
}


@pytest.mark.parametrize("files", SHIPPED.values(), ids=SHIPPED.keys())
def test_shipped_configs_are_read(files):
    values = {}
    for file in files:
        values = merged(values, yaml.safe_load((PROJECT / file).read_text(encoding="utf-8")))
    config = read_config(values, PAPER)
    assert config["datasets"]["ixi"]["label"] == "IXI"
    assert config["methods"]["thresh"]["timesteps"] == []
    assert config["methods"]["thresh"]["samples"] == 1


def test_a_password_is_not_repeated():
    values = merged(demo_values(), {"datasets": {"wmh": {"password": "swordfish"}}})
    with pytest.raises(SettingsError) as caught:
        read_config(values, PAPER)
    assert "swordfish" not in str(caught.value)


def test_order_of_keys_is_the_papers():
    turned = dict(reversed(PAPER.items()))
    turned["methods"] = dict(reversed(PAPER["methods"].items()))
    config = read_config(turned, PAPER)
    assert list(config) == list(PAPER)
    assert list(config["methods"]) == list(PAPER["methods"])
