"""Names that Snakemake or the locale cannot use."""

import re
import sys

WILDCARD = re.compile(r"\{\s*\w+\s*(?:,[^}]*)?\}")


def why_taken_for_pattern(path: str) -> str:
    """The problem with a path that contains {word}, which Snakemake cannot escape; else ""."""
    if found := WILDCARD.search(path):
        return (
            f"contains {found[0]}, which Snakemake takes for a wildcard; rename it, or name a link "
            "to it"
        )
    return ""


def why_not_encoded(text: str) -> str:
    """The problem with a text whose file names this process would encode wrongly; else ""."""
    encoding = sys.getfilesystemencoding()
    if not text.isascii() and encoding != "utf-8":
        return (
            f"has letters beyond ASCII, and file names are {encoding} in this terminal's locale; "
            "start it as: PYTHONUTF8=1 snakemake ..."
        )
    return ""
