"""Write docs/assumptions.md: every `# ASSUME` of the code, with its place."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

HEADER = """# Decisions

Where the workflow differs from the paper or the authors' code, and where neither fixes what to do.
Collected from the `# ASSUME` comments by `make docs`; the config's comments name the rest.

| where | decision |
|---|---|
"""


def assumptions(file: Path) -> list[tuple[int, str]]:
    """Line and text of each `# ASSUME` comment, with the comment lines that continue it."""
    found = []
    lines = file.read_text().splitlines()
    for number, line in enumerate(lines, start=1):
        match = re.search(r"# ASSUME:\s*(.*)", line)
        if match is None:
            continue
        text = [match[1]]
        for following in lines[number:]:
            continued = re.fullmatch(r"\s*#\s?(?!\s*ASSUME)(.*)", following)
            if continued is None:
                break
            text.append(continued[1].strip())
        found.append((number, " ".join(text).strip()))
    return found


def document() -> str:
    """The page as Markdown, in the order of the files' names."""
    rows = []
    for file in sorted((PROJECT / "scripts").rglob("*.py")):
        place = file.relative_to(PROJECT)
        for _, text in assumptions(file):
            escaped = text.replace("|", "\\|")
            rows.append(f"| [`{place.name}`](../{place}) | {escaped} |")
    return HEADER + "\n".join(rows) + "\n"


if __name__ == "__main__":
    (PROJECT / "docs" / "assumptions.md").write_text(document())
