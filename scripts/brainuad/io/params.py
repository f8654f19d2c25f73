"""The values of a rule's params as one text each, and back in its script.

Snakemake compares a job's params as a set of values without their names, each as Python prints it:
two flags that change places, or keys of a dict that do, would mislead it.
"""

import json
from typing import Any

# What stands around a tuple, which JSON does not know.
TUPLE = "(tuple)"


def canonical(value: Any) -> str:
    """Plain values as JSON with sorted keys: equal values give equal texts, others different ones.

    Plain are None, bools, ints, floats, texts, and lists, tuples and dicts of them, whose keys are
    texts; 1, 1.0 and True are different values, [1] and (1,) too. Raises TypeError for any other.
    """
    return json.dumps(_marked(value), sort_keys=True)


def values_of(text: str) -> Any:
    """What `canonical` made a text of, to the last bit; the keys of dicts are sorted."""
    return json.loads(text, object_hook=_unmarked)


def _marked(value: Any) -> Any:
    if isinstance(value, tuple):
        return {TUPLE: _marked(list(value))}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    if not isinstance(value, dict):
        return value
    for key in value:
        # JSON would make a text of a number.
        if not isinstance(key, str) or key == TUPLE:
            raise TypeError(f"{key!r} can't be a key in params; only other texts can")
    return {key: _marked(item) for key, item in value.items()}


def _unmarked(block: dict[str, Any]) -> Any:
    return tuple(block[TUPLE]) if TUPLE in block else block
