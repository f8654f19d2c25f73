"""Write docs/reference/messages.md: every message of the workflow's own errors."""

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs" / "reference" / "messages.md"
SCRIPTS = PROJECT / "scripts"
# The errors that a user can act on (scripts/brainuad/io/errors.py), and what becomes of them.
KINDS = {"SettingsError": "stops the run", "ScanError": "leaves the scan out"}
STAGES = {
    "config": "Reading the config",
    "plan": "Planning the run",
    "datasets": "Listing the data sets",
    "images": "Reading scans and masks",
    "preprocessing": "Preprocessing",
    "training": "Training",
    "models": "Models and weights",
    "inference": "Reconstruction",
    "scores": "Scores",
    "evaluation": "Evaluation",
    "report": "Report",
    "compute": "GPUs",
    "io": "Files",
}
OTHERS = "Steps of single rules"
HEADER = """# Messages

Every error that the workflow's own code raises, collected by `make docs`; `…` stands for what
differs. Each says what is wrong and what to do. [Troubleshooting](../troubleshooting.md) treats the
ones that are met most, and those of other programs.

What *stops the run* stops a job and all that needs it. What *leaves the scan out* is listed in the
report under *Left out*, and the rest goes on; with `on_broken_scan: stop` it stops the run too.
"""


def document() -> str:
    """The page as Markdown."""
    found: dict[str, dict[str, list[str]]] = {}
    for file in sorted(SCRIPTS.rglob("*.py")):
        parts = file.relative_to(SCRIPTS).parts
        stage = STAGES.get(parts[1], OTHERS) if len(parts) > 2 else OTHERS
        for kind, text in messages_of(file):
            found.setdefault(stage, {}).setdefault(kind, []).append(text)
    parts = [HEADER]
    for stage in (*STAGES.values(), OTHERS):
        for kind, what_follows in KINDS.items():
            if texts := found.get(stage, {}).get(kind):
                items = "\n".join(f"- {_as_code(text)}" for text in dict.fromkeys(texts))
                parts.append(f"## {stage}: {what_follows}\n\n{items}\n")
    return "\n".join(parts)


def messages_of(file: Path) -> list[tuple[str, str]]:
    """The errors that a file raises in words: kind and text, in the order of the file."""
    raised = [
        node.exc
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    ]
    raised.sort(key=lambda call: call.lineno)
    named = [(ast.unparse(call.func), call.args) for call in raised]
    texts = [(kind, text_of(arguments[0])) for kind, arguments in named if kind in KINDS]
    return [(kind, text) for kind, text in texts if len(re.findall("[a-z]{2,}", text)) > 2]


def text_of(node: ast.expr) -> str:
    """A text with `…` in the place of each value; only that for what is no text."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text_of, node.values))
    return "…"


def _as_code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
