"""The schema file says what the typed config says, and refuses what the reader refuses."""

import json
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest
from small_study import PAPER, demo_values, merged

from brainuad.config.schema import schema
from brainuad.config.settings import settings_from
from brainuad.config.whole import Config
from brainuad.io.errors import SettingsError

PROJECT = Path(__file__).resolve().parents[2]

# From a key to a value that does not fit by itself; what does not fit together is the reader's.
WRONG = {
    "seed": "1",
    "folds": 0,
    "device": "gpu",
    "datasets": {"2024": {}},
    "template": {"sha256": "abc"},
    "preprocessing": {"registration": {"sampling_rate": 2.0}},
    "models": {"cddpm": {"training": {"optimizer": "sgd"}}},
    "methods": {"cddpm": {"colour": "red"}},
    "evaluation": {"bootstrap": {"confidence": 1.0}},
    "experiments": {"histograms": {"gammas": []}},
}

CHECK = """
import json, sys
from jsonschema import Draft202012Validator
given = json.load(sys.stdin)
validator = Draft202012Validator(given["schema"])
print(json.dumps([validator.is_valid(config) for config in given["configs"]]))
"""


def test_schema_file_is_made_from_the_config_package():
    module = runpy.run_path(str(PROJECT / "docs" / "write_schema.py"))
    assert module["SCHEMA"].read_text(encoding="utf-8") == module["document"](), "run `make docs`"


@pytest.mark.skipif(shutil.which("snakemake") is None, reason="jsonschema comes with Snakemake")
def test_schema_and_reader_agree():
    right = [PAPER, merged(PAPER, demo_values())]
    wrong = [merged(PAPER, {key: value}) for key, value in WRONG.items()]
    wrong.append(PAPER | {"unknown": 1})
    wrong.append({key: value for key, value in PAPER.items() if key != "seed"})
    for config in right:
        settings_from(Config, config)
    for config in wrong:
        with pytest.raises(SettingsError):
            settings_from(Config, config)
    python = Path(shutil.which("snakemake")).with_name("python")
    given = json.dumps({"schema": schema(), "configs": [*right, *wrong]})
    done = subprocess.run(
        [python, "-c", CHECK], input=given, text=True, capture_output=True, check=True
    )
    assert json.loads(done.stdout) == [True] * len(right) + [False] * len(wrong)
