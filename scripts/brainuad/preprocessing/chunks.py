"""Scans in chunks: one process handles many scans, and a broken scan does not stop the others.

A chunk is a folder with a folder for each scan, named by the scan, and `left_out.tsv` (scan, stage,
reason), which every stage passes on to the next.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from brainuad.io import job, rows
from brainuad.io.errors import ScanError

LEFT_OUT = "left_out.tsv"


class LeftOut(NamedTuple):
    """A row of left_out.tsv: a scan, the stage in which it failed, and why."""

    scan: str
    stage: str
    reason: str


def process_chunk(
    source: Path,
    target: Path,
    *,
    stage: str,
    process: Callable[[Path, Path], None],
) -> None:
    """Run `process(folder_in, folder_out)` on each scan's folder of `source`, in sorted order.

    A ScanError leaves the scan out: the reason is added to the rows of earlier stages in
    `target`/left_out.tsv, and the scan's folder is removed.
    """
    process_scans(
        scans_in(source),
        target,
        stage=stage,
        process=lambda name, folder: process(source / name, folder),
        earlier=read_left_out(source),
    )


def process_scans(
    names: Sequence[str],
    target: Path,
    *,
    stage: str,
    process: Callable[[str, Path], None],
    earlier: Sequence[LeftOut] = (),
) -> None:
    """Like `process_chunk`, for the first stage: `process(name, folder_out)` finds the scan."""
    left_out = list(earlier)
    with job.replacing(target) as chunk:
        chunk.mkdir()
        for number, name in enumerate(names, start=1):
            folder = chunk / name
            folder.mkdir()
            try:
                process(name, folder)
            except ScanError as error:
                shutil.rmtree(folder)
                left_out.append(LeftOut(name, stage, " ".join(str(error).split())))
                job.log(f"{stage}: {name} left out: {error}")
            else:
                job.log(f"{stage}: {name} done ({number} of {len(names)})")
        write_left_out(left_out, chunk)


def keep(chunk: Path, name: str, target: Path) -> None:
    """Copy one file of each scan of a chunk to `target`/{scan}/{name}.

    Snakemake may remove the chunk itself when no other job reads it.
    """
    with job.replacing(target) as kept:
        kept.mkdir()
        for scan in scans_in(chunk):
            (kept / scan).mkdir()
            shutil.copy(chunk / scan / name, kept / scan / name)


def scans_in(chunk: Path) -> list[str]:
    """The names of the scans of a chunk, sorted."""
    return sorted(folder.name for folder in chunk.iterdir() if folder.is_dir())


def read_left_out(chunk: Path) -> list[LeftOut]:
    """The scans that this and earlier stages left out."""
    return [LeftOut(**row) for row in rows.read_rows(chunk / LEFT_OUT)]


def write_left_out(left_out: Sequence[LeftOut], chunk: Path) -> None:
    """Write the file that `read_left_out` reads."""
    rows.write_rows(LeftOut._fields, left_out, chunk / LEFT_OUT)
