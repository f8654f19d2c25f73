"""Files from outside the workflow, whose state is a param.

They are not inputs of rules: Snakemake would compare the time of a folder, and delete each result
that is older than a file from a machine whose clock was ahead.
"""

import csv
import hashlib
import os
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from brainuad.io.folders import walk
from brainuad.io.formats import what_pointer
from brainuad.io.text_rows import read_text_rows

FETCHED_TEMPLATE = "resources/template/fetched.nii.gz"
MADE_BY_RULES = ("resources/phantoms/", "resources/unpacked/", FETCHED_TEMPLATE, "results/")
XLS_SCAN = re.compile(rb"[ -~\xa0-\xff]+?\.nii(?:\.gz)?", re.IGNORECASE)
PathsOf = Callable[[Any], list[str]]


def made_by_rules(paths_of: PathsOf) -> PathsOf:
    """An input function: the paths that the workflow makes itself."""

    def made(wildcards: Any) -> list[str]:
        return [path for path in paths_of(wildcards) if path.startswith(MADE_BY_RULES)]

    return made


def state_of_others(paths_of: PathsOf) -> Callable[[Any], str | None]:
    """A param: the state of the paths that come from outside, so that a change reruns the job."""

    def state(wildcards: Any) -> str | None:
        others = [path for path in paths_of(wildcards) if not path.startswith(MADE_BY_RULES)]
        return state_of(*others) if others else None

    return state


@cache
def state_of(*paths: str) -> str:
    """A digest of the names, sizes and times of files, and of all files below folders."""
    digest = hashlib.sha256()
    for path in paths:
        files = [path]
        if os.path.isdir(path):
            files += [os.path.join(folder, name) for folder, names in walk(path) for name in names]
        for file in files:
            state = "" if os.path.isdir(file) else _file_state(file)
            digest.update(os.fsencode(f"{file} {state}\n"))
    return digest.hexdigest()


def _file_state(path: str) -> str:
    """Size and time of a file; of a broken link its own, and "unreadable" if there is neither."""
    for look in (os.stat, os.lstat):
        with suppress(OSError):
            status = look(path)
            return f"{status.st_size} {status.st_mtime_ns}"
    return "unreadable"


def of_a_link(file: str) -> str:
    """The end of a message on a missing file, if it is a git-annex link without content."""
    reason = what_pointer(Path(file))
    return f": it {reason}" if reason else ""


def files_named_in(table: str) -> list[str]:
    """The paths that a table names, which are relative to its folder; none if it is no table.

    A cell with `/` or `.nii` counts as a path.
    """
    try:
        if table.lower().endswith(".xls"):
            # Snakemake's environment has no reader of spreadsheets. An .xls holds a text as bytes
            # of Latin-1, unless it has other letters.
            content = Path(table).read_bytes()
            cells = [text.decode("latin-1") for text in XLS_SCAN.findall(content)]
        else:
            cells = [cell.strip() for row in read_text_rows(Path(table)) for cell in row]
    # The job that lists the subjects says what is wrong.
    except (OSError, ValueError, csv.Error):
        return []
    folder = os.path.dirname(table)
    return [os.path.join(folder, cell) for cell in cells if "/" in cell or ".nii" in cell.lower()]
