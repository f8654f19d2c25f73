"""Params are compared by names and values, and not by the order of keys."""

from brainuad.plan.params import compared


def texts(**params):
    return {
        name: value(None) if callable(value) else value
        for name, value in compared(**params).items()
    }


def test_order_of_keys_is_no_difference():
    one, other = texts(settings={"a": 1, "b": 2}), texts(settings={"b": 2, "a": 1})
    assert {name: repr(value) for name, value in one.items()} == {
        name: repr(value) for name, value in other.items()
    }


def test_two_flags_that_change_places_are_one():
    one, other = texts(first=True, second=False), texts(first=False, second=True)
    assert set(map(repr, one.values())) != set(map(repr, other.values()))


def test_functions_of_wildcards_are_asked():
    assert texts(value=lambda wildcards: [1, None])["value"] == [1, None]
    assert (
        texts(value=lambda wildcards: 1)["compared"] != texts(value=lambda wildcards: 2)["compared"]
    )
