"""docs/troubleshooting.md quotes messages that there are."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from small_study import PROJECT

sys.path.insert(0, str(PROJECT / "docs"))

import write_messages

PAGE = (PROJECT / "docs/troubleshooting.md").read_text(encoding="utf-8")
# A heading quotes a message; a line below says of what, and how it stands there if otherwise.
QUOTED = re.findall(r"^### `(.*)`\n(?:<!-- of ([^:>]*?)(?:: (.*))? -->)?", PAGE, flags=re.MULTILINE)
# What neither the project nor its Snakemake says.
FOREIGN = {"the shell", "the kernel", "torch"}


def as_pattern(message: str) -> re.Pattern[str]:
    """Where `…` may be any text; other runs of signs stand as they are, spaces and breaks alike."""
    parts = (re.escape(part) for part in message.split("…"))
    return re.compile(".*".join(parts).replace(r"\ ", r"\s+"), re.DOTALL)


def joined(text: str) -> str:
    """Source whose strings over several lines are put together."""
    return re.sub(r'"\s*\n\s*f?"', "", text).replace(r"\"", '"')


OURS = [
    message
    for file in write_messages.SCRIPTS.rglob("*.py")
    for _, message in write_messages.messages_of(file)
]


def quoted(*sources: str, other: bool = False) -> list[tuple[str, str]]:
    return [
        (message, given)
        for message, source, given in QUOTED
        if (source not in sources if other else source in sources)
    ]


def test_messages_are_quoted():
    assert len(QUOTED) >= 25
    assert len({message for message, _, _ in QUOTED}) == len(QUOTED)


@pytest.mark.parametrize("message", [message for message, _ in quoted("")])
def test_the_workflow_says_so(message):
    """A quotation may leave out the name before the message, and what to do."""
    assert any(as_pattern(message).search(said) for said in OURS), message


@pytest.mark.skipif(shutil.which("snakemake") is None, reason="needs Snakemake's own messages")
def test_snakemake_says_so():
    (package,) = (
        Path(shutil.which("snakemake")).parents[1].glob("lib/python*/site-packages/snakemake")
    )
    text = joined("\n".join(file.read_text(encoding="utf-8") for file in package.rglob("*.py")))
    for message, given in quoted("Snakemake"):
        looked_for = given or message
        parts = [part for part in re.split("…", looked_for) if part.strip()]
        assert all(part in text for part in parts), message


def test_named_files_say_so():
    for message, source, given in QUOTED:
        if source and source != "Snakemake" and source not in FOREIGN:
            text = joined((PROJECT / source).read_text(encoding="utf-8"))
            parts = [part for part in re.split("…", given or message) if part.strip()]
            assert all(part in text for part in parts), message
