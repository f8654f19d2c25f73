"""How a stage times work on a GPU: groups of calls, and their peak memory."""

import time
from collections.abc import Callable

import torch

from on_gpu import rows


def wait() -> None:
    if not rows.is_dry():
        torch.cuda.synchronize()


def seconds_of(work: Callable[[int], object], *, times: int, groups: int = 5) -> float:
    """Seconds of one call, from the best group of calls without a wait in between."""
    if rows.is_dry():
        times = groups = 1
    best = float("inf")
    for group in range(groups):
        wait()
        started = time.perf_counter()
        for number in range(times):
            work(group * times + number)
        wait()
        best = min(best, (time.perf_counter() - started) / times)
    return best


def peak_memory() -> float | None:
    return None if rows.is_dry() else torch.cuda.max_memory_allocated() / 2**20
