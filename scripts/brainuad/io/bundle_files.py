"""The files of a bundle, which is a trained method that can be shared, and their checksums.

A bundle may come from anybody: names and checksums are checked first, and only numbers and text are
read afterwards. Nothing in it is code.
"""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from brainuad.io.errors import SettingsError
from brainuad.io.formats import what_pointer_file

# The version of the layout of files and of the keys in SETTINGS; other versions are not read.
FORMAT = 4
CHECKSUMS = "checksums.sha256"
METADATA = "configs/metadata.json"
SETTINGS = "configs/settings.json"
WEIGHTS = "models/model.safetensors"
TEMPLATE = "template/brain.nii.gz"
HEALTHY_RESIDUALS = "healthy/residuals.npz"
# In bundles of a method with a normative score.
HEALTHY_REFERENCE = "healthy/reference.npz"
HEALTHY_THRESHOLD = "thresholds/healthy.json"
SCORES = "scores/scores.tsv"
SUBGROUPS = "scores/subgroups.tsv"
CARD = "docs/README.md"
LICENCE = "docs/license.txt"
ALWAYS = (
    *(METADATA, SETTINGS, TEMPLATE, HEALTHY_RESIDUALS, HEALTHY_THRESHOLD),
    *(SCORES, SUBGROUPS, CARD, LICENCE),
)
FITTED_THRESHOLD = re.compile(r"thresholds/fitted_[a-z][a-z0-9_]*\.json")
# An empty file that Snakemake leaves in a folder that it made.
MARK = ".snakemake_timestamp"
# Suffixes of formats of Python and PyTorch that may contain code.
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib", ".ts")
LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


def fitted_threshold(dataset: str) -> str:
    """The file of the threshold that was fitted on a data set."""
    return f"thresholds/fitted_{dataset}.json"


def write_checksums(bundle: Path) -> None:
    """List the SHA-256 of every file of a bundle, as `sha256sum --check` reads it."""
    lines = [f"{sha256_of(bundle / name)}  {name}\n" for name in _files_in(bundle)]
    (bundle / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def read_settings(bundle: Path) -> dict[str, Any]:
    """The settings of a bundle, after the names of its files were checked, but not their content.

    Raises SettingsError, one line, if there is no bundle, it has another format, lacks a file,
    holds an unknown one, or its settings are damaged.
    """
    if not (bundle / SETTINGS).is_file():
        raise SettingsError(
            f"bundle {bundle}: there is no {SETTINGS}; name the folder of a bundle, which "
            "`snakemake ... bundle` makes"
        )
    settings = _parsed(bundle)
    if settings.get("format") != FORMAT:
        raise SettingsError(
            f"bundle {bundle}: has format {settings.get('format')!r}, and this workflow reads "
            f"{FORMAT}; make it again, or apply it with the workflow that made it"
        )
    checksums = _checked_names(bundle, _needed_by(settings))
    _check(bundle, SETTINGS, checksums)
    return settings


def check_bundle(bundle: Path) -> None:
    """Raise SettingsError, one line, if any byte of any file of a bundle was lost or changed."""
    settings = read_settings(bundle)
    checksums = _checked_names(bundle, _needed_by(settings))
    for name in checksums:
        _check(bundle, name, checksums)


def _parsed(bundle: Path) -> dict[str, Any]:
    try:
        settings = json.loads((bundle / SETTINGS).read_text(encoding="utf-8"))
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise SettingsError(f"bundle {bundle}: {SETTINGS} is damaged; get the bundle again")
    return settings


def _needed_by(settings: dict[str, Any]) -> list[str]:
    """The files of a bundle with these settings, which are not checked yet."""
    methods = settings.get("methods")
    blocks = methods.values() if isinstance(methods, dict) else ()
    scores = [block.get("score") for block in blocks if isinstance(block, dict)]
    is_normative = any(isinstance(it, dict) and it.get("kind") == "normative" for it in scores)
    return [
        *ALWAYS,
        *([WEIGHTS] if settings.get("models") else []),
        *([HEALTHY_REFERENCE] if is_normative else []),
    ]


def _checked_names(bundle: Path, needed: list[str]) -> dict[str, str]:
    """The checksums by name, after a check for missing and unknown files."""
    found = _files_in(bundle)
    for name in found:
        if name.lower().endswith(PICKLES):
            raise SettingsError(
                f"bundle {bundle}: holds {name}, which may be a pickle and run code when it is "
                "read; do not use it, and ask its author for a bundle without pickles"
            )
        if not _is_known(name):
            raise SettingsError(
                f"bundle {bundle}: holds {name}, which is not a file of a bundle; delete it if you "
                "put it there, else get the bundle again"
            )
    if missing := [name for name in [CHECKSUMS, *needed] if name not in found]:
        raise SettingsError(f"bundle {bundle}: lacks {missing[0]}; get the bundle again")
    checksums = _read_checksums(bundle)
    for name in found:
        if name not in checksums and name != CHECKSUMS:
            raise SettingsError(
                f"bundle {bundle}: {CHECKSUMS} does not list {name}; get the bundle again"
            )
    for name in checksums:
        if name not in found:
            raise SettingsError(f"bundle {bundle}: lacks {name}; get the bundle again")
    return checksums


def _files_in(bundle: Path) -> list[str]:
    """The names of all files but Snakemake's mark, sorted; SettingsError for a link or pipe."""
    names = []
    for folder, folders, files in os.walk(bundle):
        for name in [*folders, *files]:
            path = Path(folder, name)
            if path.is_symlink():
                raise SettingsError(
                    f"bundle {bundle}: {path.relative_to(bundle)} is a link; put the file itself "
                    "in its place"
                )
            if not path.is_file() and not path.is_dir():
                raise SettingsError(
                    f"bundle {bundle}: {path.relative_to(bundle)} is not a regular file; get the "
                    "bundle again"
                )
        names += [Path(folder, name).relative_to(bundle).as_posix() for name in files]
    return sorted(name for name in names if name != MARK or (bundle / MARK).stat().st_size)


def _is_known(name: str) -> bool:
    return name in (CHECKSUMS, WEIGHTS, HEALTHY_REFERENCE, *ALWAYS) or bool(
        FITTED_THRESHOLD.fullmatch(name)
    )


def _read_checksums(bundle: Path) -> dict[str, str]:
    lines = (bundle / CHECKSUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    matches = [LINE.fullmatch(line) for line in lines]
    if not all(matches):
        raise SettingsError(f"bundle {bundle}: {CHECKSUMS} is damaged; get the bundle again")
    return {match[2]: match[1] for match in matches}


def _check(bundle: Path, name: str, checksums: dict[str, str]) -> None:
    if pointer := what_pointer_file(bundle / name):
        raise SettingsError(f"bundle {bundle}: {name} {pointer}")
    if sha256_of(bundle / name) != checksums[name]:
        raise SettingsError(
            f"bundle {bundle}: {name} is damaged or was changed: its SHA-256 is not that of "
            f"{CHECKSUMS}; get the bundle again"
        )


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
