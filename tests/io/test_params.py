"""Params as one text: what is equal looks equal, what differs differs, and all comes back."""

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from brainuad.io.params import canonical, values_of

DIFFERENT = (
    *(None, True, False, 1, 0, 1.0, 0.0, -0.0, "", "1", "null", "True"),
    *([], (), {}, [[]], [()], ([],), [1], (1,), [1.0], [True], [None], ["(tuple)"]),
    *({"a": 1}, {"a": 1.0}, {"a": [1, 2]}, {"a": (1, 2)}, {"a": None}, {"a": {}}, {"": {}}),
    *({"first": True, "second": False}, {"first": False, "second": True}),
    *(
        0.1,
        0.1 + 2**-56,
        1e22,
        10**22,
        2.2250738585072014e-308,
        1.7976931348623157e308,
        math.inf,
        -math.inf,
    ),
    *("ä", "a\u0308", "a\nb", "{wildcard}", "\udcff"),
)


def same(first, second):
    """Equal, and of equal types all the way down; -0.0 is not 0.0."""
    if type(first) is not type(second):
        return False
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return repr(first) == repr(second)


@pytest.mark.parametrize("value", [*DIFFERENT, list(DIFFERENT), {"all": DIFFERENT}], ids=repr)
def test_values_come_back(value):
    assert same(values_of(canonical(value)), value)
    assert "\n" not in canonical(value)


def test_different_values_give_different_texts():
    for first, second in combinations(DIFFERENT, 2):
        assert canonical(first) != canonical(second), (first, second)


def test_floats_come_back_to_the_last_bit():
    bits = np.random.default_rng(0).integers(0, 2**64, 2000, dtype=np.uint64)
    values = [value for value in bits.view(np.float64).tolist() if math.isfinite(value)]
    assert values_of(canonical(values)) == values


def test_the_order_of_keys_is_lost_and_that_of_lists_is_not():
    first = {"b": [2, 1], "a": {"y": 1, "x": 2}}
    assert canonical(first) == canonical({"a": {"x": 2, "y": 1}, "b": [2, 1]})
    assert canonical(first) == '{"a": {"x": 2, "y": 1}, "b": [2, 1]}'
    assert canonical(first) != canonical({"b": [1, 2], "a": {"y": 1, "x": 2}})


@pytest.mark.parametrize("value", [{1: "a"}, {"a": {None: 1}}, [{"(tuple)": [1]}], [Path("a")]])
def test_what_json_would_change_is_refused(value):
    with pytest.raises(TypeError):
        canonical(value)
