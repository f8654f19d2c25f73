"""Write the schema of the config, by which editors complete and check config files."""

import sys
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parent.parent
sys.path.append(str(PROJECT / "scripts"))

from brainuad.config.schema import schema  # noqa: E402

SCHEMA = PROJECT / "workflow" / "schemas" / "config.schema.yaml"
HEAD = (
    "# Made by `make docs` from scripts/brainuad/config. What each key means: config/config.yaml.\n"
)


def document() -> str:
    """The file's text."""
    return HEAD + yaml.safe_dump(schema(), sort_keys=False, width=100)


if __name__ == "__main__":
    SCHEMA.write_text(document(), encoding="utf-8")
