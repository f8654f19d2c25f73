"""Note signals that ask a process to end, so that it can save its work first."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def noting_signals() -> Iterator[list[int]]:
    """Collect SIGTERM and SIGINT in a list, which the training loop checks after each step."""
    received: list[int] = []

    def note(number: int, frame: object) -> None:
        received.append(number)

    previous = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
