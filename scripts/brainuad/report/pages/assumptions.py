"""The decisions that paper and released code leave open, as the code's comments mark them."""

import re
from pathlib import Path

MARK = re.compile(r"#\sASSUME:\s*(.*)")
CONTINUATION = re.compile(r"\s*#\s?(?!\s*ASSUME)(.*)")


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
