"""Run one script of the workflow in this process, and measure it (measuring.in_own_process)."""

import importlib
import time
from typing import Any

from measuring import peak_memory_mib

from brainuad.preprocessing.registration import load_ants

WITH_ANTS = ("strip_skull", "register_to_template", "correct_bias")


def run(script: str, arguments: dict[str, Any]) -> tuple[float, float]:
    """CPU seconds of the script's main without imports, and the process's peak memory in MiB."""
    main = importlib.import_module(script).main
    if script in WITH_ANTS:
        load_ants()
    started = time.process_time()
    main(**arguments)
    return time.process_time() - started, peak_memory_mib()
