"""The markup of captions: reStructuredText for Snakemake's report, of which HTML is made here.

Known are ``code``, **strong** and *emphasis*; what stands behind a backslash is taken as it is.
"""

import html
import re

SPECIAL = re.compile(r"[\\*`|_]")
WORDS = r"(?:\\.|[^\\])+?"
MARKED = re.compile(
    rf"\\(?P<plain>.)|``(?P<code>.+?)``|\*\*(?P<strong>{WORDS})\*\*|\*(?P<em>{WORDS})\*"
)


def as_text(words: str) -> str:
    """Words of a user, such as a label, so that a caption shows them as they stand."""
    return SPECIAL.sub(r"\\\g<0>", words)


def to_html(caption: str) -> str:
    """A caption as HTML, its words escaped."""
    return MARKED.sub(_element, html.escape(caption, quote=False))


def _element(found: re.Match[str]) -> str:
    if found.lastgroup == "plain":
        return found["plain"]
    name = found.lastgroup
    content = found[name] if name == "code" else MARKED.sub(_element, found[name])
    return f"<{name}>{content}</{name}>"
