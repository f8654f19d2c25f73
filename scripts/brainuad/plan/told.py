"""What goes wrong in a plan, told to Snakemake so that it prints one line."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from brainuad.io.errors import SettingsError


class Told:
    """An object whose SettingsErrors become errors of another kind.

    So do those of the functions that its methods give: Snakemake calls them later, with the
    wildcards of a job.
    """

    def __init__(self, target: Any, error: type[Exception]) -> None:
        self._target = target
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return told(getattr(self._target, name), self._error)


def told(value: Any, error: type[Exception]) -> Any:
    """A function that raises `error` in place of SettingsError; what is none, as it is."""
    if not callable(value):
        return value
    function: Callable = value

    @wraps(function)
    def telling(*arguments: Any, **named: Any) -> Any:
        try:
            return told(function(*arguments, **named), error)
        except SettingsError as reason:
            raise error(str(reason)) from None

    return telling
