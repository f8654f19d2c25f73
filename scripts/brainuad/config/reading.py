"""Make the values that Snakemake has merged a complete, checked config."""

import dataclasses
from typing import Any

from brainuad.config.bundles import with_bundle
from brainuad.config.checks import check_references
from brainuad.config.datasets import DatasetBlock
from brainuad.config.paths import with_plain_paths
from brainuad.config.settings import settings_from
from brainuad.config.whole import Config
from brainuad.io.errors import SettingsError

DATASET_DEFAULTS = {
    field.name: list(field.default) if isinstance(field.default, tuple) else field.default
    for field in dataclasses.fields(DatasetBlock)
    if field.default is not dataclasses.MISSING
}


def read_config(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The config as plain values: each data set and method with all its keys, paths in one form.

    values    the user's config
    defaults  the content of config/config.yaml, whose order of keys is kept: data sets and methods
              are rows and columns of the tables in this order

    Raises SettingsError with one line that names the key which is wrong.
    """
    said, values = values, _merged(defaults, values)
    _check_passwords(values)
    _check_types(values)
    values = with_bundle(values, said)
    _check_types(values)
    values = with_plain_paths(values)
    values["datasets"] = {
        name: None if block is None else {**DATASET_DEFAULTS, "label": name, **block}
        for name, block in values["datasets"].items()
    }
    values["methods"] = {
        name: {"timesteps": [], "samples": 1, **block} for name, block in values["methods"].items()
    }
    check_references(values)
    return values


def _check_types(values: dict[str, Any]) -> None:
    try:
        settings_from(Config, values)
    except SettingsError as error:
        raise SettingsError(f"config: {error}. See config/README.md.") from None


def _check_passwords(values: dict[str, Any]) -> None:
    """A config must not contain a password itself, and no message may repeat it."""
    datasets = values.get("datasets")
    for name, block in datasets.items() if isinstance(datasets, dict) else ():
        password = block.get("password") if isinstance(block, dict) else None
        if password is not None and (
            not isinstance(password, dict) or not set(password) <= {"file", "environment"}
        ):
            raise SettingsError(
                f"config: datasets.{name}.password: give {{file: path}} or {{environment: name "
                "of a variable}; the password itself does not belong in a config"
            )


def _merged(base: Any, values: Any) -> Any:
    """The defaults with what the values change, block by block, as Snakemake does it."""
    if not isinstance(base, dict) or not isinstance(values, dict):
        return values
    merged = {key: _merged(base[key], values[key]) if key in values else base[key] for key in base}
    return merged | {key: value for key, value in values.items() if key not in base}
