"""The sizes to measure: the paper's, the demo's, and a miniature to try a script in seconds."""

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


MINIATURE = {
    "models": {
        "cddpm": {
            "settings": {
                "network": {"channels": 4, "multipliers": [1], "attention_heads": 1},
                "encoder": {"width": 4},
            }
        },
        "dae": {"settings": {"network": {"channels": 4, "levels": 2}}},
        "anogan": {"settings": {"channels": [4, 4, 8, 8], "latent": 4}},
    },
    "pretraining": {"decoder_width": 32},
}


def size_of(name: str) -> Size:
    """`paper`, `demo` or `miniature`."""
    config = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))
    if name == "paper":
        return Size(config, (50, 96, 96))
    merged = runpy.run_path(str(PROJECT / "tests" / "workflow" / "conftest.py"))["merged"]
    demo = yaml.safe_load((PROJECT / "demo" / "config" / "config.yaml").read_text(encoding="utf-8"))
    config = merged(config, demo)
    if name == "demo":
        return Size(config, (25, 48, 48))
    return Size(merged(config, MINIATURE), (6, 48, 48))
