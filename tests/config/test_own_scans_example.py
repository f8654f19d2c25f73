"""docs/how-to/own_scans.md: its configs are ones that the workflow takes."""

import re

import yaml
from small_study import PAPER, PROJECT, merged

from brainuad.config.reading import read_config
from brainuad.plan.study import Study
from brainuad.training.model_checks import check_model

BLOCKS = re.findall(
    r"```yaml\n(.*?)```",
    (PROJECT / "docs" / "how-to" / "own_scans.md").read_text(encoding="utf-8"),
    flags=re.DOTALL,
)


def test_the_study_of_the_example_is_planned():
    study = Study(read_config(merged(PAPER, yaml.safe_load(BLOCKS[0])), PAPER))
    assert list(study.cohorts) == ["controls_t1", "patients_t1"]
    assert study.models == ["cddpm"] and study.maps_method.name == "cddpm_ens"


def test_the_small_model_of_the_example_can_be_trained():
    """On its grid of 4 mm, and with the template as it is fetched."""
    values = merged(yaml.safe_load(BLOCKS[0]), yaml.safe_load(BLOCKS[1]))
    config = read_config(merged(PAPER, merged(values, yaml.safe_load(BLOCKS[2]))), PAPER)
    assert config["preprocessing"]["spacing"] == PAPER["preprocessing"]["spacing"]
    model = config["models"]["cddpm"]
    size = check_model(
        model["kind"], model["settings"], model["training"], size=(48, 48), timestep=500
    )
    assert size.parameters < 2_000_000
    assert config["evaluation"]["methods"] == ["thresh", "zscore", "cddpm_ens"]


def test_the_applied_bundle_names_keys_that_there_are():
    applied = yaml.safe_load(BLOCKS[3])
    assert set(applied) <= set(PAPER)
    block = yaml.safe_load(BLOCKS[0])["datasets"]["patients"]
    assert applied["datasets"]["patients"] == block
