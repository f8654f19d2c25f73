"""What every script needs of the process it runs in: its log, and files that appear whole."""

import fcntl
import os
import shutil
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from brainuad.io.errors import ScanError, SettingsError

TERMINAL_VARIABLE = "BRAINUAD_TERMINAL"


def start_jobs_in_utf8() -> None:
    """Have the Pythons that this process starts use UTF-8, for file names too, in any locale."""
    os.environ["PYTHONUTF8"] = "1"


@contextmanager
def logging_to(path: str | Path) -> Iterator[None]:
    """Send all output of this process, of its children and of C code to a log file.

    The file descriptors themselves are redirected: replacing `sys.stderr` would lose what child
    processes and C libraries print. An error that a user can act on (ScanError, SettingsError)
    is one line on the terminal; every traceback goes to the log. Both end the process with code 1.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    terminal = os.dup(2)
    os.environ[TERMINAL_VARIABLE] = str(terminal)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    _wait_for_twin(descriptor)
    os.truncate(descriptor, 0)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    try:
        yield
    except (ScanError, SettingsError) as error:
        traceback.print_exc()
        _tell(terminal, f"{error}")
        sys.exit(1)
    except Exception as error:
        traceback.print_exc()
        _tell(terminal, f"{type(error).__name__}: {error} (see {path})")
        sys.exit(1)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _tell(terminal: int, line: str) -> None:
    """Write a line to the terminal, also one with the name of a file that is not UTF-8."""
    os.write(terminal, f"{line}\n".encode(errors="backslashreplace"))


def _wait_for_twin(descriptor: int) -> None:
    """Hold the log until this process ends, after a job of the same log has ended.

    A job may outlive a Snakemake that was killed; its successor must not write beside it. Where the
    file system knows no such locks, nothing is held.
    """
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def log(message: str) -> None:
    """Write one line to the log at once."""
    print(message, flush=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path, which takes the place of `path` only if the block succeeds.

    A reader never sees half a file or half a folder, also when the process is killed: what it left
    behind is removed by the next one that writes here. The temporary path keeps its name, since
    many writers choose the format by the suffix.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        temporary = partial / path.name
        yield temporary
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
