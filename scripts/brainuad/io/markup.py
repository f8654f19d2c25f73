"""The markup of captions: reStructuredText for Snakemake's report, converted to HTML for the page.

It has ``code``, **strong** and *emphasis*; a character after a backslash is plain text.
"""

import html
import re

SPECIAL = re.compile(r"[\\*`|_]")
WORDS = r"(?:\\.|[^\\])+?"
MARKED = re.compile(
    rf"\\(?P<plain>.)|``(?P<code>.+?)``|\*\*(?P<strong>{WORDS})\*\*|\*(?P<em>{WORDS})\*"
)


def as_text(words: str) -> str:
    """Escape a user's words, such as a label, so that a caption shows them unchanged."""
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
