"""A bundle with the right files and settings, and nothing in the others."""

import json
from pathlib import Path
from typing import Any

from brainuad.io import bundle_files


def bare_bundle(folder: Path, settings: dict[str, Any]) -> Path:
    for name in (*bundle_files.ALWAYS, bundle_files.WEIGHTS, "thresholds/fitted_mslub.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"content of {name}", encoding="utf-8")
    content = json.dumps({"format": bundle_files.FORMAT, **settings})
    (folder / bundle_files.SETTINGS).write_text(content, encoding="utf-8")
    bundle_files.write_checksums(folder)
    return folder
