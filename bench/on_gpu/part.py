"""One function of a stage in this process: python -m on_gpu.part MODULE FUNCTION ARGUMENTS.

The arguments are JSON. Processes of one stage may build and compile at the same time; `alone` times
one of them alone.
"""

import fcntl
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from on_gpu import rows


def started(module: str, function: str, **arguments: Any) -> subprocess.Popen:
    """Start the process that runs a function."""
    return subprocess.Popen(
        [sys.executable, "-m", "on_gpu.part", module, function, json.dumps(arguments)]
    )


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other part is timed, and let the others wait."""
    with (rows.work_folder() / "timing.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    module, function, arguments = sys.argv[1:]
    getattr(importlib.import_module(module), function)(**json.loads(arguments))
