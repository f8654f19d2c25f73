"""docs/how-to/own_scans.md: its configs are ones that the workflow takes."""

import re

import yaml
from small_study import PAPER, PROJECT, merged

from brainuad.config.reading import read_config
from brainuad.plan.study import Study

BLOCKS = re.findall(
    r"```yaml\n(.*?)```",
    (PROJECT / "docs" / "how-to" / "own_scans.md").read_text(encoding="utf-8"),
    flags=re.DOTALL,
)


def test_the_study_of_the_example_is_planned():
    study = Study(read_config(merged(PAPER, yaml.safe_load(BLOCKS[0])), PAPER))
    assert list(study.cohorts) == ["controls_t1", "patients_t1"]
    assert study.models == ["cddpm"] and study.maps_method.name == "cddpm_ens"


def test_the_applied_bundle_names_keys_that_there_are():
    applied = yaml.safe_load(BLOCKS[1])
    assert set(applied) <= set(PAPER)
    block = yaml.safe_load(BLOCKS[0])["datasets"]["patients"]
    assert applied["datasets"]["patients"] == block
