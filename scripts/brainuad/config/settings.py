"""Build frozen dataclasses from plain values; an error names the key whose value does not fit.

The type of a field says what it takes, and `Annotated[int, Limits(minimum=1)]` adds limits.
"""

import dataclasses
import difflib
import functools
import math
import re
import types
import typing
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from brainuad.io.errors import SettingsError

Settings = TypeVar("Settings")
KINDS = {int: "an integer", bool: "true or false", str: "text"}


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits of a value besides its type; None means no limit.

    items        fewest and most entries of a list, or keys of a block
    unique       no entry appears twice in a list
    rising       no entry of a list is below the one before it
    pattern      of a whole text, or of the keys of a block
    description  what is wanted, in words, for a message
    """

    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    below: float | None = None
    items: tuple[int, int | None] = (0, None)
    unique: bool = False
    rising: bool = False
    pattern: str | None = None
    description: str = ""


def settings_from(cls: type[Settings], values: Any, name: str = "") -> Settings:
    """Build a frozen dataclass from plain values; nested dataclasses and lists included.

    `name` is the key that the values belong to. Raises SettingsError with the name of the key that
    is unknown (and the most similar known one), missing, or has a value that does not fit.
    """
    if not isinstance(values, dict):
        raise SettingsError(f"{name or cls.__name__}: expected keys with values, got {values!r}")
    hints = hints_of(cls)
    if unknown := [key for key in values if key not in hints]:
        raise SettingsError(
            f"{dotted(name, unknown[0])}: unknown key{nearest(unknown[0], list(hints))}"
        )
    if missing := [key for key in required_keys(cls) if key not in values]:
        raise SettingsError(f"{name or cls.__name__}: the key {missing[0]!r} is missing")
    converted = {
        key: _convert(hints[key], value, dotted(name, key)) for key, value in values.items()
    }
    try:
        return cls(**converted)
    # The class refuses keys that do not fit one another, and names one of them.
    except SettingsError as error:
        raise SettingsError(dotted(name, error)) from None


def required_keys(cls: type) -> list[str]:
    """The fields of a dataclass that have no default."""
    fields = dataclasses.fields(cls)
    return [field.name for field in fields if field.default is dataclasses.MISSING]


@functools.cache
def hints_of(cls: type) -> dict[str, Any]:
    """The types of a dataclass's fields, with their limits."""
    return typing.get_type_hints(cls, include_extras=True)


def nearest(word: Any, known: Sequence[str]) -> str:
    """The end of a message on an unknown word: the most similar known word, or all of them."""
    if close := difflib.get_close_matches(str(word), known, n=1):
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(known)}"


def dotted(name: str, key: Any) -> str:
    """The name of a key in a block that has a name itself: datasets.ixi."""
    return f"{name}.{key}" if name else str(key)


def _convert(hint: Any, value: Any, name: str) -> Any:
    limits = Limits()
    if typing.get_origin(hint) is typing.Annotated:
        hint, limits = typing.get_args(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [option for option in arguments if option is not types.NoneType]
        if len(inner) != 1:
            raise _unknown_type(hint, name)
        return None if value is None else _convert(inner[0], value, name)
    if hint is Any:
        return value
    if dataclasses.is_dataclass(hint):
        return value if isinstance(value, hint) else settings_from(hint, value, name)
    if origin is tuple and arguments[1:] != (...,):
        raise _unknown_type(hint, name)
    if origin in (tuple, dict):
        return _convert_many(origin, arguments, value, name, limits)
    if origin is Literal:
        if value not in arguments or type(value) is not type(arguments[0]):
            raise SettingsError(f"{name}: {value!r} is not one of {', '.join(map(str, arguments))}")
        return value
    return _check_limits(_convert_one(hint, value, name), limits, name)


def _convert_many(
    origin: type, arguments: tuple[Any, ...], value: Any, name: str, limits: Limits
) -> Any:
    wanted = {tuple: "a list", dict: "keys with values"}[origin]
    if not isinstance(value, dict if origin is dict else (list, tuple)):
        raise SettingsError(f"{name}: expected {wanted}, got {value!r}")
    fewest, most = limits.items
    if len(value) < fewest or (most is not None and len(value) > most):
        count = f"{fewest}" if fewest == most else f"{fewest} or more"
        raise SettingsError(f"{name}: expected {wanted} of {count}, got {value!r}")
    if origin is dict:
        for key in value:
            if limits.pattern and not re.fullmatch(limits.pattern, str(key)):
                raise SettingsError(
                    f"{name}: {key!r} is not allowed; expected {limits.description}"
                )
        return {
            key: _convert(arguments[1], entry, dotted(name, key)) for key, entry in value.items()
        }
    if limits.unique and len(set(map(repr, value))) < len(value):
        raise SettingsError(f"{name}: an entry appears twice in {value!r}; once is enough")
    entries = tuple(
        _convert(arguments[0], entry, f"{name}.{number}") for number, entry in enumerate(value)
    )
    if limits.rising and list(entries) != sorted(entries):
        raise SettingsError(f"{name}: {value!r} is not in order; give the smaller number first")
    return entries


def _convert_one(hint: Any, value: Any, name: str) -> Any:
    """An int, float, bool or text; YAML does not always read them as their writer meant them."""
    if hint is float:
        if type(value) not in (int, float) or not math.isfinite(value):
            raise SettingsError(
                f"{name}: expected a number, got {value!r}; with an exponent, YAML needs a decimal "
                "point, as in 1.0e-4"
            )
        return float(value)
    if type(value) is hint:
        return value
    if hint is str and value is not None and not isinstance(value, (dict, list)):
        raise SettingsError(
            f"{name}: YAML does not read {value} as text; put it in quotes, as you mean it"
        )
    if hint not in KINDS:
        raise _unknown_type(hint, name)
    raise SettingsError(f"{name}: expected {KINDS[hint]}, got {value!r}")


def _unknown_type(hint: Any, name: str) -> SettingsError:
    """For the fields of a reader's own kind: what a field of this type takes is not known."""
    shown = hint.__name__ if type(hint) is type else hint
    return SettingsError(
        f"{name}: {shown} is no type of a setting; write int, float, bool, str, Literal[...], "
        "tuple[int, ...] for a list, dict[str, int], a dataclass, or one of these | None"
    )


def _check_limits(value: Any, limits: Limits, name: str) -> Any:
    words = {
        f"{limits.minimum} or more": limits.minimum is not None and value < limits.minimum,
        f"more than {limits.above}": limits.above is not None and value <= limits.above,
        f"at most {limits.maximum}": limits.maximum is not None and value > limits.maximum,
        f"less than {limits.below}": limits.below is not None and value >= limits.below,
        limits.description or f"text like {limits.pattern}": limits.pattern is not None
        and not re.fullmatch(limits.pattern, value),
    }
    for wanted, is_beyond in words.items():
        if is_beyond:
            raise SettingsError(f"{name}: {value!r} does not fit, expected {wanted}")
    return value
