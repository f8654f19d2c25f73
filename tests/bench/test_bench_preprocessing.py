"""The benchmark calls the rules' scripts as they are."""

import importlib
import inspect
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[2]


def test_stages_have_the_arguments_of_their_scripts(monkeypatch):
    monkeypatch.syspath_prepend(PROJECT / "bench")
    stages = importlib.import_module("preprocessing").stages
    config = yaml.safe_load((PROJECT / "config/config.yaml").read_text(encoding="utf-8"))
    called = list(stages(Path("folder"), config, spacing=2.0))
    assert len(called) > 8
    for script, arguments in called:
        inspect.signature(importlib.import_module(script).main).bind(**arguments)
