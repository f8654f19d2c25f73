"""Plain values become frozen dataclasses; what does not fit is named."""

from dataclasses import FrozenInstanceError, dataclass, make_dataclass
from pathlib import Path
from typing import Literal

import pytest

from brainuad.config.settings import settings_from
from brainuad.io.errors import SettingsError


@dataclass(frozen=True)
class Inner:
    width: float


@dataclass(frozen=True)
class Outer:
    count: int
    sizes: tuple[int, ...]
    colour: Literal["red", "blue"]
    inner: Inner | None
    name: str = "plain"


VALUES = {"count": 2, "sizes": [1, 2], "colour": "red", "inner": {"width": 3}}


def test_nested_values():
    settings = settings_from(Outer, VALUES)
    assert settings == Outer(2, (1, 2), "red", Inner(3.0))
    assert isinstance(settings.inner.width, float)
    assert settings_from(Outer, {**VALUES, "inner": None}).inner is None
    with pytest.raises(FrozenInstanceError):
        settings.count = 3


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cuont": 1}, "cuont: unknown key; did you mean 'count'?"),
        ({"inner": {"widht": 1}}, "inner.widht: unknown key; did you mean 'width'?"),
        ({"colour": "green"}, "colour: 'green' is not one of red, blue"),
        ({"count": "2"}, "count: expected an integer, got '2'"),
        ({"count": True}, "count: expected an integer, got True"),
        (
            {"inner": {"width": "wide"}},
            "inner.width: expected a number, got 'wide'",
        ),
        (
            {"inner": {"width": "1e-4"}},
            "inner.width: expected a number, got '1e-4'; with an exponent, YAML needs a decimal "
            "point, as in 1.0e-4",
        ),
        ({"inner": {"width": float("nan")}}, "inner.width: expected a number, got nan"),
        ({"inner": 3}, "inner: expected keys with values, got 3"),
        ({"sizes": 48}, "sizes: expected a list, got 48"),
        ({"sizes": "48"}, "sizes: expected a list, got '48'"),
        ({"sizes": [1, "2"]}, "sizes.1: expected an integer, got '2'"),
    ],
)
def test_what_does_not_fit_is_named(changes, expected):
    with pytest.raises(SettingsError) as caught:
        settings_from(Outer, {**VALUES, **changes})
    assert expected in str(caught.value)


def test_missing_key_is_named():
    values = {key: value for key, value in VALUES.items() if key != "sizes"}
    with pytest.raises(SettingsError, match="the key 'sizes' is missing"):
        settings_from(Outer, values)


@pytest.mark.parametrize(
    ("hint", "value", "shown"),
    [
        (tuple[int, int], [48, 48], "tuple[int, int]"),
        (list[int], [48], "list[int]"),
        (int | float, 1, "int | float"),
        (Path, "weights.pt", "Path"),
    ],
)
def test_a_type_that_no_setting_has_is_named(hint, value, shown):
    own = make_dataclass("Own", [("size", hint)], frozen=True)
    with pytest.raises(SettingsError) as caught:
        settings_from(own, {"size": value})
    assert str(caught.value).startswith(f"size: {shown} is no type of a setting; write int, ")
