"""Several GPUs on one machine: each job takes one that no other job has.

Snakemake counts GPUs but assigns none, so the jobs settle it among themselves, by a lock per GPU.
"""

import fcntl
import os
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import torch

from brainuad.io.job import log

SECONDS_BETWEEN_LOOKS = 1.0


def visible_gpus() -> list[str]:
    """The UUIDs of the GPUs that torch sees, in its order; CUDA_VISIBLE_DEVICES is respected.

    Not their numbers: under SLURM every job sees its own GPU as number 0.
    """
    numbers = range(torch.cuda.device_count())
    return [str(torch.cuda.get_device_properties(number).uuid) for number in numbers]


def claim(identifiers: Sequence[str], folder: Path | None = None) -> int:
    """The index of a GPU that is this process's own until it ends, however it ends.

    Takes the first that is free; waits, with one line in the log, while there is none. A process
    that claims again gets the one it has. The locks lie in `folder`, by default one for each user
    on the machine itself, so they keep the jobs of one user apart, not those of several users.
    """
    if not identifiers:
        raise ValueError("no GPU to claim")
    # Not the folder of TMPDIR, which may differ from job to job.
    folder = folder or Path("/tmp") / f"brainuad-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Left open on purpose. A record lock belongs to the process: it ends with the process, and
    # children don't inherit it (as they would that of flock). But a process that closes a file
    # gives up its lock on it, through whichever descriptor it was taken.
    descriptors = [
        os.open(folder / f"{quote(identifier, safe='')}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        for identifier in identifiers
    ]
    # The one that this process already has comes first.
    order = sorted(
        range(len(descriptors)), key=lambda index: _last_holder(descriptors[index]) != os.getpid()
    )
    waiting = False
    while True:
        for index in order:
            if _lock(descriptors[index]):
                return index
        if not waiting:
            holders = ", ".join(str(_last_holder(descriptor)) for descriptor in descriptors)
            log(f"waiting for a free GPU (processes that hold one: {holders})")
            waiting = True
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _lock(descriptor: int) -> bool:
    """Lock a file and write who holds it, unless another process does."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return True


def _last_holder(descriptor: int) -> int | None:
    """The process that locked the file last, whether it still does or not."""
    text = os.pread(descriptor, 32, 0).decode()
    return int(text) if text.isdigit() else None
