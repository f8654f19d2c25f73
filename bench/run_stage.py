"""Run one script's main in this process, and print what it took (started by preprocessing.py).

stdin: pickle of (script, arguments). Last line of stdout: JSON [processor seconds, peak MiB].
"""

import importlib
import json
import pickle
import sys
import time
from pathlib import Path

from brainuad.registration import load_ants

WITH_ANTS = ("strip_skull", "register_to_atlas", "correct_bias")


def main() -> None:
    script, arguments = pickle.load(sys.stdin.buffer)
    stage = importlib.import_module(script).main
    if script in WITH_ANTS:
        load_ants()
    started = time.process_time()
    stage(**arguments)
    seconds = time.process_time() - started
    # Not getrusage: its peak includes the memory of the process that started this one.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(json.dumps([seconds, int(status["VmHWM"].split()[0]) / 1024]))


if __name__ == "__main__":
    main()
