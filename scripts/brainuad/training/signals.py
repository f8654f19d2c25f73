"""Signals that ask a process to end, kept until its work comes to a good place."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def noting_signals() -> Iterator[list[int]]:
    """Collect SIGTERM and SIGINT in a list, for the loop to end at a moment that suits it."""
    received: list[int] = []

    def note(number: int, frame: object) -> None:
        received.append(number)

    previous = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
