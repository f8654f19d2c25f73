"""Normalize the paths of a config, and refuse data sets in folders that the workflow writes to."""

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from brainuad.io.errors import SettingsError
from brainuad.io.names import why_not_encoded, why_taken_for_pattern

# Where a config holds paths; `*` is any key, or any entry of a list.
PATHS = (
    "bundle",
    "datasets.*.archives.*",
    "datasets.*.demographics",
    "datasets.*.part",
    "datasets.*.password.file",
    "datasets.*.root",
    "datasets.*.splits.folder",
    "datasets.*.table",
    "evaluation.perceptual.weights",
    "head_template.*",
    "hdbet.weights.local",
    "models.*.pretrained",
    "reference_run.folder",
    "template.image",
)
# Folders of a working directory that jobs write to, except for resources/phantoms, which is a raw
# data set for all other rules.
WRITTEN = (
    *(".snakemake", "benchmarks", "logs", "results"),
    *("resources/template", "resources/hdbet", "resources/unpacked"),
)


def with_plain_paths(values: dict[str, Any]) -> dict[str, Any]:
    """A config with each path in one form: no `//`, no `/./`, no `/` at the end.

    Snakemake compares paths as text. Raises SettingsError for a path that it cannot use.
    """
    for path in PATHS:
        values = _changed(values, path.split("."), _plain_path, "")
    return values


def _changed(value: Any, keys: list[str], change: Callable[[str, str], str], name: str) -> Any:
    if not keys:
        return change(name, value) if isinstance(value, str) else value
    if isinstance(value, list) and keys[0] == "*":
        return [_changed(entry, keys[1:], change, name) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _changed(entry, keys[1:], change, f"{name}.{key}".lstrip("."))
        if keys[0] in ("*", key)
        else entry
        for key, entry in value.items()
    }


def _plain_path(name: str, path: str) -> str:
    if reason := why_unusable(path):
        raise SettingsError(f"config: {name}: {path!r} {reason}")
    # PurePosixPath keeps two slashes at the beginning, as POSIX allows.
    return str(PurePosixPath(re.sub("^/+", "/", path))) if path else path


def why_unusable(path: str) -> str:
    """Why Snakemake cannot use a path, or "" if it can."""
    return why_taken_for_pattern(path) or why_not_encoded(path)


def check_root(name: str, root: str) -> None:
    """Raise SettingsError if the working directory, or what jobs write there, is in a data set.

    `name` is that of the data set, `root` the folder with its scans.
    """
    folder, here = Path(root).resolve(), Path.cwd().resolve()
    if here.is_relative_to(folder):
        raise SettingsError(
            f"config: datasets.{name}.root: {root!r} is or holds the working directory, whose "
            "results would be listed as scans; put the scans into a folder of their own, or work "
            "in another one (snakemake --directory)"
        )
    for own in WRITTEN:
        written = (here / own).resolve()
        if folder.is_relative_to(written) or written.is_relative_to(folder):
            raise SettingsError(
                f"config: datasets.{name}.root: {root!r} is, holds or lies in {own}, where the "
                "workflow writes; put the scans into a folder of their own, such as "
                f"resources/data/{name}"
            )
