"""Results in JSON files."""

import json
from pathlib import Path
from typing import Any

from brainuad.io.job import replacing


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(content: Any, path: Path) -> None:
    """Write plain values, indented, atomically."""
    with replacing(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
