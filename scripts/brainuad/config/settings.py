"""From the config's plain values to frozen dataclasses, so that a typo raises with its name."""

import dataclasses
import enum
import math
import types
import typing
from typing import Any, TypeVar

from brainuad.io.errors import SettingsError

Settings = TypeVar("Settings")


def settings_from(cls: type[Settings], values: dict[str, Any]) -> Settings:
    """Build a frozen dataclass from plain values, nested dataclasses, tuples and enums included.

    Raises SettingsError naming the key that is unknown or missing, or the value that does not fit.
    """
    if not isinstance(values, dict):
        raise SettingsError(f"{cls.__name__}: expected keys with values, got {values!r}")
    fields = {field.name: field for field in dataclasses.fields(cls)}
    if unknown := sorted(set(values) - set(fields)):
        raise SettingsError(
            f"{cls.__name__}: unknown key {unknown[0]!r}; known are {', '.join(fields)}"
        )
    required = {
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    if missing := sorted(required - set(values)):
        raise SettingsError(f"{cls.__name__}: the key {missing[0]!r} is missing")
    hints = typing.get_type_hints(cls)
    return cls(
        **{name: _convert(hints[name], values[name], f"{cls.__name__}.{name}") for name in values}
    )


def _convert(hint: Any, value: Any, name: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        inner = next(option for option in typing.get_args(hint) if option is not type(None))
        return _convert(inner, value, name)
    if dataclasses.is_dataclass(hint):
        return value if isinstance(value, hint) else settings_from(hint, value)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise SettingsError(f"{name}: expected a list, got {value!r}")
        item = typing.get_args(hint)[0]
        return tuple(_convert(item, element, name) for element in value)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        try:
            return hint(value)
        except ValueError:
            options = ", ".join(option.value for option in hint)
            raise SettingsError(f"{name}: {value!r} is not one of {options}") from None
    if hint is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if hint in (int, bool, str) and type(value) is not hint:
        raise SettingsError(f"{name}: expected {hint.__name__}, got {value!r}")
    if hint is float:
        raise SettingsError(f"{name}: expected a number, such as 1.0e-4, got {value!r}")
    return value
