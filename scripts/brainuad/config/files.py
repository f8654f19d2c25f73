"""Check config files before Snakemake reads them.

Of two equal keys, parsers of YAML and JSON take the last one silently, and an unquoted `no` is
false in YAML.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from brainuad.config.settings import dotted
from brainuad.io.errors import SettingsError

YAML_TAG = "tag:yaml.org,2002:"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def has_keys(file: str | Path) -> bool:
    """Whether a config file has keys: Snakemake refuses a file that is empty or only comments.

    True for a file that does not exist, of which Snakemake complains itself. Raises SettingsError
    with file and line if the file cannot be read, is not UTF-8, is neither YAML nor JSON, has no
    keys at its top level, the same key twice in one block, or a key that is not text.
    """
    path = Path(file).absolute()
    if not path.exists():
        return True
    text = _decoded(path)
    if _is_json(text, path):
        return True
    try:
        document = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SettingsError(
            f"{path}, line {mark.line + 1}: is not YAML: {error.problem or error.context}"
        ) from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: is not YAML: {' '.join(str(error).split())}") from None
    if document is None or document.tag == f"{YAML_TAG}null":
        return False
    if not isinstance(document, yaml.MappingNode):
        raise SettingsError(f"{path}: has no keys at its top level; write `key: value`")
    for block, name in _blocks(document):
        _check_keys(block, name, path)
    return True


def read_yaml(path: Path) -> Any:
    """The content of one of the project's own YAML files."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)


def _decoded(path: Path) -> str:
    try:
        content = path.read_bytes()
        text = content.decode("utf-8")
        # UTF-16 without its mark is valid UTF-8, with a zero byte next to each letter.
        place = content.find(b"\0")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        place = error.start
    if place >= 0:
        line = content.count(b"\n", 0, place) + 1
        raise SettingsError(
            f"{path}, line {line}: holds a character that is not UTF-8; save the file as UTF-8"
        )
    return text


def _is_json(text: str, path: Path) -> bool:
    """Whether a text is a JSON object, which Snakemake tries first; equal keys are refused."""

    def without_equal_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for place, (key, _) in enumerate(pairs):
            if any(key == earlier for earlier, _ in pairs[:place]):
                raise SettingsError(
                    f"{path}: the key {key!r} appears twice in one block; keep one of them"
                )
        return dict(pairs)

    try:
        return isinstance(json.loads(text, object_pairs_hook=without_equal_keys), dict)
    except json.JSONDecodeError:
        return False


def _blocks(document: yaml.Node) -> Iterator[tuple[yaml.MappingNode, str]]:
    """Each block of keys once, with the dotted name of the key that it belongs to."""
    seen = set()
    waiting = [(document, "")]
    while waiting:
        node, name = waiting.pop()
        # The block of an anchor is also the value of each of its aliases.
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield node, name
            children = [(child, dotted(name, key.value)) for key, child in node.value]
        else:
            children = [(child, name) for child in node.value]
        waiting.extend(reversed(children))


def _check_keys(block: yaml.MappingNode, name: str, path: Path) -> None:
    lines: dict[str, int] = {}
    for node, _ in block.value:
        line = node.start_mark.line + 1
        key = node.value
        # `<<` takes over the keys of another block.
        if node.tag not in (f"{YAML_TAG}str", f"{YAML_TAG}merge"):
            raise SettingsError(
                f"{path}, line {line}: YAML does not read the key {dotted(name, key)} as text; put "
                "it in quotes"
            )
        if key in lines:
            raise SettingsError(
                f"{path}, line {line}: the key {dotted(name, key)} appears twice, first in line "
                f"{lines[key]}; keep one of them"
            )
        lines[key] = line
