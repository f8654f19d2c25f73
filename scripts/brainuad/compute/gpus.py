"""Several GPUs on one machine: each job takes one that no other job has.

Snakemake counts GPUs but does not assign them, so the jobs share them by a lock per GPU.
"""

import fcntl
import os
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import torch

from brainuad.io.job import log

SECONDS_BETWEEN_TRIES = 1.0


def visible_gpus() -> list[str]:
    """The UUIDs of the GPUs that torch sees, in its order; CUDA_VISIBLE_DEVICES is respected.

    UUIDs are used since under SLURM every job sees its own GPU as number 0.
    """
    numbers = range(torch.cuda.device_count())
    return [str(torch.cuda.get_device_properties(number).uuid) for number in numbers]


def claim(identifiers: Sequence[str], folder: Path | None = None) -> int:
    """The index of a GPU that belongs to this process until the process ends.

    It is the first free one; if there is none, the process waits, with one line in the log. A
    process that claims again gets the GPU it has. The locks are in `folder`, by default one for
    each user on the machine, so they separate the jobs of one user, not those of several users.
    """
    if not identifiers:
        raise ValueError("no GPU to claim")
    # TMPDIR is not used, since it may differ between jobs.
    folder = folder or Path("/tmp") / f"brainuad-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # These stay open on purpose. A record lock belongs to the process: it ends with the process,
    # and children don't inherit it (unlike a lock of flock). But closing any descriptor of a file
    # releases the process's lock on it.
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
        time.sleep(SECONDS_BETWEEN_TRIES)


def _lock(descriptor: int) -> bool:
    """Lock a file and write this process's id to it; False if another process holds it."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return True


def _last_holder(descriptor: int) -> int | None:
    """The id of the process that locked the file last; it may hold the lock no longer."""
    text = os.pread(descriptor, 32, 0).decode()
    return int(text) if text.isdigit() else None
