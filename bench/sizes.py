"""The two sizes that the bench measures: the paper's, and the demo's."""

import runpy
from dataclasses import dataclass
from typing import Any

import yaml
from measuring import PROJECT


@dataclass(frozen=True)
class Size:
    """A config, and the shape (slices, rows, columns) of its volumes."""

    config: dict[str, Any]
    grid: tuple[int, int, int]


def size_of(name: str) -> Size:
    """`paper` or `demo`."""
    config = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text())
    if name == "paper":
        return Size(config, (50, 96, 96))
    merged = runpy.run_path(str(PROJECT / "tests" / "workflow" / "conftest.py"))["merged"]
    changes = yaml.safe_load((PROJECT / "demo" / "config" / "config.yaml").read_text())
    return Size(merged(config, changes), (25, 48, 48))
