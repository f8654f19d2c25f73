"""The configs that tests start from, and the studies that they describe."""

from pathlib import Path

import yaml

from brainuad.config.reading import read_config
from brainuad.plan.study import Study

PROJECT = Path(__file__).resolve().parents[2]
PAPER = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))


def demo_values() -> dict:
    """What the demo's config says."""
    return yaml.safe_load((PROJECT / "demo/config/config.yaml").read_text(encoding="utf-8"))


def merged(base: dict, changes: dict) -> dict:
    """The config `base` with the keys of `changes`, as Snakemake merges two config files."""
    result = dict(base)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def study_of(changes: dict | None = None, *, base: dict | None = None) -> Study:
    """The demo's study, or that of `base`, with some keys changed."""
    values = demo_values() if base is None else base
    return Study(read_config(merged(values, changes or {}), PAPER))
