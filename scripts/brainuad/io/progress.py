"""A progress bar on the terminal, for work that takes minutes."""

import os
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

from brainuad.io.job import TERMINAL_VARIABLE

Item = TypeVar("Item")


def progress_bar(
    iterable: Iterable[Item], *, total: int, label: str, initial: int = 0
) -> Iterable[Item]:
    """Show a bar on the terminal while iterating; without a terminal, just iterate.

    The process's own output goes to its log (`job.logging_to`), which keeps the terminal open under
    another descriptor.
    """
    terminal = int(os.environ.get(TERMINAL_VARIABLE, "2"))
    if not os.isatty(terminal):
        return iterable
    stream = os.fdopen(os.dup(terminal), "w", encoding="utf-8")
    return tqdm(iterable, total=total, initial=initial, desc=label, file=stream, leave=False)
