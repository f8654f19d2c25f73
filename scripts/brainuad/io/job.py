"""What every script needs: its log, and files and folders that are replaced as a whole."""

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
    """Make the Python processes that this one starts use UTF-8, even for file names."""
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
    """Write a line to the terminal, even if it contains a file name that is not UTF-8."""
    os.write(terminal, f"{line}\n".encode(errors="backslashreplace"))


def _wait_for_twin(descriptor: int) -> None:
    """Lock the log until this process ends; wait for another job with the same log to end.

    A job may outlive a Snakemake that was killed, and the next job must not write at the same time.
    On a file system without such locks nothing is locked.
    """
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def log(message: str) -> None:
    """Write one line to the log at once."""
    print(message, flush=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path, which takes the place of `path` only if the block succeeds.

    A reader never sees half a file or half a folder, even if the process is killed; the next
    process that writes here removes the rest. The temporary path has the same file name, since many
    writers choose the format by the suffix.
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
