"""Write docs/reference/assumptions.md: every `# ASSUME` of the code, with its place."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from brainuad.plan.decisions import assumptions_of

PROJECT = Path(__file__).resolve().parents[1]
HEADER = """# Decisions

Where the workflow differs from the paper or the authors' code, and where neither fixes what to do.
Collected from the `# ASSUME` comments by `make docs`; the config's comments name the rest.

| where | decision |
|---|---|
"""


def document() -> str:
    """The page as Markdown, in the order of the files' names."""
    rows = []
    for file in sorted((PROJECT / "scripts").rglob("*.py")):
        place = file.relative_to(PROJECT)
        for text in assumptions_of(file):
            escaped = text.replace("|", "\\|")
            rows.append(f"| [`{place.name}`](../../{place}) | {escaped} |")
    return HEADER + "\n".join(rows) + "\n"


if __name__ == "__main__":
    (PROJECT / "docs" / "reference" / "assumptions.md").write_text(document(), encoding="utf-8")
