"""A bundle with the right files and settings and nothing in the others, and a config for it."""

import json
from pathlib import Path
from typing import Any

from small_study import PAPER, merged

from brainuad.config.reading import read_config
from brainuad.io import bundle_files

MINE = {
    "label": "Mine",
    "layout": "bids",
    "root": "scans",
    "healthy": False,
    "modalities": ["t2"],
    "skull_stripping": "none",
    "lesion_masks": False,
}


def bare_bundle(folder: Path, settings: dict[str, Any]) -> Path:
    for name in (*bundle_files.ALWAYS, bundle_files.WEIGHTS, "thresholds/fitted_mslub.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"content of {name}", encoding="utf-8")
    content = json.dumps({"format": bundle_files.FORMAT, **settings})
    (folder / bundle_files.SETTINGS).write_text(content, encoding="utf-8")
    bundle_files.write_checksums(folder)
    return folder


def config_applying(bundle: Path, *, mine: dict | None = None, **changes: Any) -> dict[str, Any]:
    """The config of one's own scans, in T2 and without masks, to which the bundle is applied."""
    values = {"bundle": str(bundle), "device": "cpu", "datasets": {"mine": MINE | (mine or {})}}
    return read_config(merged(values, changes), PAPER)
