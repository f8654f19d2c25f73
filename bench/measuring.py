"""Measuring: rows of the bench's table, best times, peak memory, a process for each part."""

import json
import operator
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
RESULTS = PROJECT / "bench" / "results.tsv"
SHORTEST_TIMING = 2.0
COMPARISONS = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True)
class Row:
    """A row of the table. Rates (`.../s`) are better when higher, other values when lower.

    peak_memory_mib  that of a process which did nothing else, or of the GPU where one is used
    reference        the value of a plain library for the same, in the same process and unit
    goal             a condition on `value` or `ratio`, such as "ratio >= 0.7"
    """

    what: str
    value: float
    unit: str
    peak_memory_mib: float | None = None
    reference: str | None = None
    reference_value: float | None = None
    goal: str | None = None

    @property
    def ratio(self) -> float | None:
        """How many times better than the reference; above 1 is faster, smaller or nearer."""
        if self.reference_value is None:
            return None
        ratio = self.value / self.reference_value
        return ratio if self.unit.endswith("/s") else 1 / ratio

    @property
    def met(self) -> str | None:
        """Whether the goal is met: yes or no."""
        if self.goal is None:
            return None
        name, comparison, limit = self.goal.split()
        return "yes" if COMPARISONS[comparison](getattr(self, name), float(limit)) else "no"

    def record(self) -> dict[str, Any]:
        """The row as a dict by column."""
        return asdict(self) | {"ratio": self.ratio, "met": self.met}


@dataclass(frozen=True)
class Timing:
    """Best seconds of the work and of its reference; peak memory (MiB) before the reference ran."""

    seconds: float
    reference_seconds: float | None
    peak_memory_mib: float


def peak_memory_mib() -> float:
    """The peak memory of this process."""
    # Not getrusage: its peak includes the memory of the process that started this one.
    status = dict(
        line.split(":", 1)
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    )
    return int(status["VmHWM"].split()[0]) / 1024


def side_by_side(
    work: Callable[[], object],
    reference: Callable[[], object] | None = None,
    *,
    runs: int = 3,
) -> Timing:
    """Time both in turns, so that other load on the machine affects both, and take the best.

    Each runs once untimed, then at least `runs` times and for at least two seconds.
    """
    elapsed(work)
    peak = peak_memory_mib()
    if reference:
        elapsed(reference)
    ours, theirs = [], []
    while len(ours) < runs or sum(ours + theirs) < SHORTEST_TIMING:
        ours.append(elapsed(work))
        if reference:
            theirs.append(elapsed(reference))
    return Timing(min(ours), min(theirs, default=None), peak)


def elapsed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_own_process(module: str, function: str, **arguments: Any) -> Any:
    """The result of a function of a bench module, in a process of its own (run_alone)."""
    done = subprocess.run(
        [sys.executable, str(PROJECT / "bench" / "run_alone.py")],
        input=pickle.dumps((module, function, arguments)),
        stdout=subprocess.PIPE,
        check=True,
    )
    *log, returned = done.stdout.decode().splitlines()
    print("".join(f"         {line}\n" for line in log), end="", flush=True)
    return json.loads(returned)
