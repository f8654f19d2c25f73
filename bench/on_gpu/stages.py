"""Run the stages one after the other, each with its own time limit (see bench/on_gpu.sh)."""

import argparse
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from measuring import PROJECT, Row

from on_gpu import rows

# Seconds between SIGTERM and SIGKILL for a stage that has to end.
GRACE = 5


@dataclass(frozen=True)
class Stage:
    """A stage: its module, and its time limit in seconds."""

    name: str
    module: str
    seconds: int


STAGES = (
    Stage("right", "on_gpu.right", 120),
    Stage("fast", "on_gpu.fast", 175),
    Stage("whole", "on_gpu.whole", 175),
    Stage("limits", "on_gpu.limits", 65),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--dry", action="store_true")
    given = parser.parse_args()
    os.environ.update(
        ON_GPU_RESULTS=str(given.out / "results.tsv"),
        ON_GPU_WORK=str(given.work),
        TMPDIR=str(given.work),
    )
    if given.dry:
        os.environ["ON_GPU_DRY"] = "1"
    else:
        # Later stages use what earlier ones compiled. A dry run uses the machine's own cache.
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(given.work / "compiled")
        os.environ["TRITON_CACHE_DIR"] = str(given.work / "triton")
    rows.begin(given.out / "results.tsv")
    failures = [stage.name for stage in STAGES if not run(stage, given.out)]
    if failures:
        sys.exit(f"these stages failed: {', '.join(failures)}; their logs are in {given.out}")


def run(stage: Stage, out: Path) -> bool:
    """Run a stage in its own processes; return whether it ended in time and without an error."""
    os.environ["ON_GPU_STAGE"] = stage.name
    log = out / f"{stage.name}.log"
    print(f"--- {stage.name}: at most {stage.seconds} s, log in {log}", flush=True)
    # A CPU may take longer.
    seconds = stage.seconds * (3 if rows.is_dry() else 1)
    started = time.monotonic()
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", stage.module, str(out), str(seconds)],
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=PROJECT,
            start_new_session=True,
        )
        code = ended(process, seconds)
    taken = time.monotonic() - started
    end = {None: "cut off", 0: "came to its end"}.get(code, f"failed, exit code {code}")
    rows.write(Row(f"stage {stage.name}: {end}", taken, "s"))
    if code != 0:
        print(log.read_text(encoding="utf-8", errors="replace")[-3000:], flush=True)
    return code == 0


def ended(process: subprocess.Popen, seconds: float) -> int | None:
    """The exit code of a process, or None if it and all that it started had to be stopped."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(GRACE)
                time.sleep(0.2)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


if __name__ == "__main__":
    main()
