"""The typed config as a JSON Schema, with which editors complete and check config files."""

import dataclasses
import types
import typing
from typing import Any, Literal

from brainuad.config.settings import Limits, hints_of, required_keys
from brainuad.config.whole import Config

TYPES = {int: "integer", float: "number", bool: "boolean", str: "string"}
KEYWORDS = {
    "minimum": "minimum",
    "above": "exclusiveMinimum",
    "maximum": "maximum",
    "below": "exclusiveMaximum",
    "pattern": "pattern",
}


def schema() -> dict[str, Any]:
    """The schema of a whole config."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_schema_of(Config)}


def _schema_of(hint: Any) -> dict[str, Any]:
    limits = Limits()
    if typing.get_origin(hint) is typing.Annotated:
        hint, limits = typing.get_args(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        (inner,) = (option for option in arguments if option is not types.NoneType)
        return {"anyOf": [_schema_of(inner), {"type": "null"}]}
    if hint is Any:
        return {}
    if dataclasses.is_dataclass(hint):
        return _schema_of_block(hint)
    if origin is tuple:
        return {"type": "array", "items": _schema_of(arguments[0]), **_counts(limits)} | (
            {"uniqueItems": True} if limits.unique else {}
        )
    if origin is dict:
        names = {"propertyNames": {"pattern": limits.pattern}} if limits.pattern else {}
        return {"type": "object", "additionalProperties": _schema_of(arguments[1]), **names}
    if origin is Literal:
        return {"enum": list(arguments)}
    found = {key: getattr(limits, name) for name, key in KEYWORDS.items()}
    return {"type": TYPES[hint]} | {key: limit for key, limit in found.items() if limit is not None}


def _schema_of_block(block: type) -> dict[str, Any]:
    hints = hints_of(block)
    required = required_keys(block)
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _schema_of(hint) for name, hint in hints.items()},
    } | ({"required": required} if required else {})


def _counts(limits: Limits) -> dict[str, int]:
    fewest, most = limits.items
    return ({"minItems": fewest} if fewest else {}) | ({"maxItems": most} if most else {})
