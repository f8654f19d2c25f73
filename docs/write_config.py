"""Write docs/reference/config.md: every key, its comment and default, and what values it takes."""

import ast
import dataclasses
import importlib
import json
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

PROJECT = Path(__file__).resolve().parents[1]
sys.path.append(str(PROJECT / "scripts"))

from brainuad.config import limits  # noqa: E402
from brainuad.config.checks import kinds_in  # noqa: E402
from brainuad.config.settings import Limits, hints_of  # noqa: E402
from brainuad.config.whole import Config  # noqa: E402

PAGE = PROJECT / "docs" / "reference" / "config.md"
CONFIG = PROJECT / "config" / "config.yaml"
HEADER = """# Config keys

Made by `make docs` from [config/config.yaml](../../config/config.yaml), which says what each key
means and what the paper's value is, and from `scripts/brainuad/config/`, which says what values it
takes. [config/README.md](../../config/README.md) says how a file of your own changes them.
"""
WORDS = {int: "an integer", float: "a number", bool: "true or false", str: "text"}
COLUMNS = "| key | takes |\n|---|---|"


def document() -> str:
    """The page as Markdown."""
    hints = hints_of(Config)
    parts = [HEADER]
    for name, text in sections():
        rows = "\n".join(f"| `{key}` | {taken} |" for key, taken in _keys(hints[name], name))
        parts.append(f"## {name}\n\n```yaml\n{text}\n```\n\n{COLUMNS}\n{rows}\n")
    parts += [_settings_of_models(), _settings_of_scores()]
    return "\n".join(parts)


def sections() -> list[tuple[str, str]]:
    """Each key of the top level, with its part of the file: the comment above, and the value."""
    found, name, lines = [], "", []
    for line in CONFIG.read_text(encoding="utf-8").split("\n\n", 1)[1].splitlines():
        if match := re.match(r"(\w+):", line):
            name = match[1]
        elif name and line.startswith("#"):
            found.append((name, lines))
            name, lines = "", []
        if not line.startswith("# ---"):
            lines.append(line)
    found.append((name, lines))
    return [(name, "\n".join(lines).strip()) for name, lines in found]


def _keys(hint: Any, name: str) -> Iterator[tuple[str, str]]:
    """All keys of a block with what they take; `*` stands for a name of the user's choice."""
    block, bounds, may_be_null = _unwrapped(hint)
    null = ", or null" if may_be_null else ""
    if dataclasses.is_dataclass(block):
        if null:
            yield name, f"the keys below{null}"
        for field in dataclasses.fields(block):
            default = field.default is not dataclasses.MISSING
            left_out = f"; left out: {_shown(field.default)}" if default else ""
            for key, taken in _keys(hints_of(block)[field.name], f"{name}.{field.name}"):
                yield key, taken + (left_out if key == f"{name}.{field.name}" else "")
    elif typing.get_origin(block) is dict and "Any" not in str(block):
        inner = typing.get_args(block)[1]
        yield name, f"a block for each name{null}"
        yield from _keys(inner, f"{name}.*")
    else:
        yield name, _taken(block, bounds) + null


def _unwrapped(hint: Any) -> tuple[Any, Limits, bool]:
    """A type without its limits and without None, these limits, and whether None was there."""
    bounds, may_be_null = Limits(), False
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (it for it in typing.get_args(hint) if it is not types.NoneType)
        may_be_null = True
    if typing.get_origin(hint) is typing.Annotated:
        hint, bounds = typing.get_args(hint)
    return hint, bounds, may_be_null


def _taken(block: Any, bounds: Limits) -> str:
    origin = typing.get_origin(block)
    if origin is Literal:
        return " or ".join(f"`{it}`" for it in typing.get_args(block))
    if origin is tuple:
        fewest, most = bounds.items
        count = f"{fewest} " if most == fewest else f"{fewest} or more " if fewest else ""
        each = _taken(*_unwrapped(typing.get_args(block)[0])[:2])
        order = ", in rising order" if bounds.rising else ""
        twice = ", none twice" if bounds.unique else ""
        return f"a list of {count}entries, each {each}{order}{twice}"
    if block is Any or origin is dict:
        return "keys with values, by its kind (below)"
    if bounds.pattern:
        return bounds.description
    ranges = {
        f"{bounds.minimum} or more": bounds.minimum is not None,
        f"more than {bounds.above}": bounds.above is not None,
        f"at most {bounds.maximum}": bounds.maximum is not None,
        f"less than {bounds.below}": bounds.below is not None,
    }
    return ", ".join([WORDS[block], *(bound for bound, is_given in ranges.items() if is_given)])


def _shown(default: Any) -> str:
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _settings_of_models() -> str:
    parts = ["## Kinds of model\n"]
    for kind in kinds_in("config/kinds"):
        settings = importlib.import_module(f"brainuad.config.kinds.{kind}").Settings
        rows = "\n".join(f"| `{key}` | {taken} |" for key, taken in _keys(settings, "settings"))
        parts.append(f"### {kind}\n\n{COLUMNS}\n{rows}\n")
    return "\n".join(parts)


def _settings_of_scores() -> str:
    """Read and not imported: scores need packages that aren't in Snakemake's environment."""
    known = {**vars(typing), **vars(limits), "Limits": Limits}
    rows = []
    for kind in kinds_in("scores"):
        text = (PROJECT / f"scripts/brainuad/scores/{kind}.py").read_text(encoding="utf-8")
        tree = ast.parse(text)
        values = {
            ast.unparse(node.targets[0]): ast.unparse(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign)
        }
        block = next(node for node in tree.body if isinstance(node, ast.ClassDef))
        fields = [node for node in block.body if isinstance(node, ast.AnnAssign)]
        settings = [it for it in fields if "ClassVar" not in ast.unparse(it.annotation)]
        for field in settings:
            hint = eval(ast.unparse(field.annotation), dict(known))
            taken = _taken(*_unwrapped(hint)[:2])
            if field.value is not None:
                default = ast.unparse(field.value)
                taken += f"; left out: `{_as_yaml(values.get(default, default))}`"
            rows.append(f"| `{kind}` | `score.{field.target.id}` | {taken} |")
        if not settings:
            rows.append(f"| `{kind}` | none | |")
    table = "\n".join(["| kind | key | takes |", "|---|---|---|", *rows])
    return f"## Kinds of score\n\n{table}\n"


def _as_yaml(default: str) -> str:
    return json.dumps(ast.literal_eval(default))


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
