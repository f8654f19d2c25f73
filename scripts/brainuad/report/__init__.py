"""What a reader sees: tables, figures and pages, from numbers that are there already."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol


class NamedFiles(Protocol):
    """The inputs of a job as Snakemake gives them: of each name a file or a list."""

    def items(self) -> Iterable[tuple[str, str | Iterable[str]]]: ...


def paths_by_name(inputs: NamedFiles) -> dict[str, Path | list[Path]]:
    """The files of each name as paths."""
    return {
        name: Path(files) if isinstance(files, str) else [Path(file) for file in files]
        for name, files in inputs.items()
    }
