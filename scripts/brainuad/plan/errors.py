"""Errors of a plan as errors of Snakemake, which prints them as one line."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from brainuad.io.errors import SettingsError


class TranslatingErrors:
    """An object whose methods raise `error` in place of SettingsError.

    So do the functions that its methods return, which Snakemake calls later with the wildcards of
    a job.
    """

    def __init__(self, target: Any, error: type[Exception]) -> None:
        self._target = target
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return translating_errors(getattr(self._target, name), self._error)


def translating_errors(value: Any, error: type[Exception]) -> Any:
    """A function that raises `error` in place of SettingsError; any other value unchanged."""
    if not callable(value):
        return value
    function: Callable = value

    @wraps(function)
    def translating(*arguments: Any, **named: Any) -> Any:
        try:
            return translating_errors(function(*arguments, **named), error)
        except SettingsError as reason:
            raise error(str(reason)) from None

    return translating
