"""The values of a rule's params as canonical texts, and back to values in its script.

Snakemake compares a job's params as a set of values without their names, each as Python prints it:
it would miss two flags that swap their values, and see a change in reordered keys of a dict.
"""

import json
from typing import Any

# The key that marks a tuple, which JSON does not have.
TUPLE = "(tuple)"


def canonical(value: Any) -> str:
    """Plain values as JSON with sorted keys: equal values give equal texts, others different ones.

    Plain values are None, bools, ints, floats, texts, and lists, tuples and dicts of them with
    texts as keys; 1, 1.0 and True differ, and so do [1] and (1,). Raises TypeError for others.
    """
    return json.dumps(_marked(value), sort_keys=True)


def values_of(text: str) -> Any:
    """The values from which `canonical` made a text, bit by bit; keys of dicts are sorted."""
    return json.loads(text, object_hook=_unmarked)


def _marked(value: Any) -> Any:
    if isinstance(value, tuple):
        return {TUPLE: _marked(list(value))}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    if not isinstance(value, dict):
        return value
    for key in value:
        # JSON would convert a number to a text.
        if not isinstance(key, str) or key == TUPLE:
            raise TypeError(f"{key!r} can't be a key in params; only other texts can")
    return {key: _marked(item) for key, item in value.items()}


def _unmarked(block: dict[str, Any]) -> Any:
    return tuple(block[TUPLE]) if TUPLE in block else block
