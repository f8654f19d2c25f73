"""The decisions that paper and released code leave open: the `# ASSUME` comments of the code."""

import re
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]

MARK = re.compile(r"#\sASSUME:\s*(.*)")
CONTINUATION = re.compile(r"\s*#\s?(?!\s*ASSUME)(.*)")


def decisions() -> list[list[str]]:
    """The module of each decision ("models/diffusion", "reconstruct"), and its text."""
    return [
        [file.relative_to(SCRIPTS).with_suffix("").as_posix().removeprefix("brainuad/"), text]
        for file in sorted(SCRIPTS.rglob("*.py"))
        for text in assumptions_of(file)
    ]


def assumptions_of(file: Path) -> list[str]:
    """The text of each `# ASSUME` comment of a file, with the comment lines that continue it."""
    found = []
    lines = file.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        match = MARK.search(line)
        if match is None:
            continue
        text = [match[1]]
        for following in lines[number:]:
            continued = CONTINUATION.fullmatch(following)
            if continued is None:
                break
            text.append(continued[1].strip())
        found.append(" ".join(text).strip())
    return found
