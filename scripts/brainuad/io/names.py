"""Names that Snakemake or the locale cannot use."""

import re
import sys

WILDCARD = re.compile(r"\{\s*\w+\s*(?:,[^}]*)?\}")


def why_taken_for_pattern(path: str) -> str:
    """Where a path holds {word}: Snakemake knows no way to say that it is meant as it stands."""
    if found := WILDCARD.search(path):
        return (
            f"holds {found[0]}, which Snakemake takes for a wildcard; rename it, or name a link "
            "that leads there"
        )
    return ""


def why_not_encoded(text: str) -> str:
    """Where a text holds names of files that this process would look for by other bytes."""
    encoding = sys.getfilesystemencoding()
    if not text.isascii() and encoding != "utf-8":
        return (
            f"has letters beyond ASCII, and file names are {encoding} in this terminal's locale; "
            "start it as: PYTHONUTF8=1 snakemake ..."
        )
    return ""
