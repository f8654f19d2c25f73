"""Speed: the paper's training step in its variants, reconstruction, and other work."""

import sys
import time

from on_gpu import part, rows
from on_gpu.variants import price_of_determinism

# How many compile at a time, while one is timed.
AT_A_TIME = 3
# (module, function, arguments), most important first.
PARTS = [
    ("variants", "peak", {}),
    ("variants", "step", {"variant": "production"}),
    ("around", "reconstruction", {}),
    ("variants", "step", {"variant": "eager"}),
    ("variants", "step", {"variant": "eager_last"}),
    ("around", "around", {}),
    ("variants", "step", {"variant": "free"}),
    ("around", "others", {}),
    ("variants", "step", {"variant": "blocks"}),
    ("variants", "step", {"variant": "first"}),
    ("variants", "step", {"variant": "graphs"}),
]


def main() -> None:
    deadline = time.monotonic() + float(sys.argv[2]) - 5
    at_a_time = 1 if rows.is_dry() else AT_A_TIME
    waiting = {
        " ".join([name, *given.values()]): (module, name, given) for module, name, given in PARTS
    }
    running, missing = {}, []
    while (waiting or running) and time.monotonic() < deadline:
        while waiting and len(running) < at_a_time:
            name = next(iter(waiting))
            module, function, arguments = waiting.pop(name)
            running[name] = part.started(f"on_gpu.{module}", function, **arguments)
        for name in [name for name, process in running.items() if process.poll() is not None]:
            if running.pop(name).returncode != 0:
                missing.append(f"{name} failed")
        time.sleep(0.1)
    price_of_determinism()
    # Processes that still run are in this process's group and end with it.
    missing += [f"{name} was cut off" for name in running]
    missing += [f"{name} was not begun" for name in waiting]
    if missing:
        sys.exit("; ".join(missing))


if __name__ == "__main__":
    main()
