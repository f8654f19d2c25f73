"""Digests of the code behind a rule: they follow what it means, not how it is written.

A rule has the digest of its script as a param, so that what must not change a result (a comment,
a log line, another order of imports) makes nothing anew, and what may change one does.
"""

import ast
import builtins
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from brainuad.io.errors import SettingsError

SCRIPTS = Path(__file__).resolve().parents[2]
LIBRARY = "brainuad"
# Modules that don't count, and why none of them can change a result. One that decides a number has
# no place here: compute.device and compute.compilation move the last digits.
WITHOUT_EFFECT = {
    "brainuad.io.job": "where a job's log goes, and that its files appear whole",
    "brainuad.io.progress": "a bar for whoever watches; it gives on what it is given",
    "brainuad.io.errors": "the names of errors; which is raised where is said in other modules",
    "brainuad.compute.gpus": "which of several GPUs is free",
    "brainuad.compute.machine": "what computed, in words, for the record",
    "brainuad.config.device": "where networks are computed; the precision is a param",
    **dict.fromkeys(
        (
            "brainuad.config.evaluation",
            "brainuad.config.limits",
            "brainuad.config.models",
            "brainuad.config.preprocessing",
        ),
        "what settings there are and which values are refused; the values are params",
    ),
    "brainuad.training.signals": "when a training stops; resumed it ends the same",
    "brainuad.version": "which release this is, for the record",
}
LOG = "brainuad.io.job.log"
PROGRESS_BAR = "brainuad.io.progress.progress_bar"

BLOCKS = ("body", "orelse", "finalbody")
# `ctx` repeats what the place says; `kind` is the u before a text.
WITHOUT_MEANING = ("ctx", "kind", "returns", "type_comment")


@cache
def code_digest(script: str | Path, *parts: str | Path) -> str:
    """16 hex digits that change with the meaning of a script and of all that it imports.

    script  its name, or its file, beside which the library lies
    parts   what it finds by name at run time, as paths below the library: models/diffusion.py;
            what is no Python, such as a template, counts by its bytes

    A module counts as a whole, whatever is imported from it and wherever the import stands; those
    named in WITHOUT_EFFECT don't. Nor do comments, docstrings, annotations but those in a class's
    body, log lines and progress bars. Files are read once in a process. Raises SettingsError for a
    relative or star import, which can't be followed.
    """
    file = SCRIPTS / f"{script}.py" if isinstance(script, str) else script
    root = file.parent
    files = files_behind(root, [file, *(root / LIBRARY / part for part in parts)])
    lines = sorted(f"{file.relative_to(root).as_posix()} {_read(file)[0]}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def files_behind(root: Path, files: Iterable[Path]) -> set[Path]:
    """Files below a folder, and those that they import, directly or through one another."""
    found: set[Path] = set()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        # Python runs the packages around a module before the module.
        packages = file.relative_to(root).parents[:-1] if file.suffix == ".py" else ()
        names = {".".join(package.parts) for package in packages} | _read(file)[1]
        waiting.extend(module for name in names if (module := _file_of(root, name)))
    return found


@cache
def _file_of(root: Path, name: str) -> Path | None:
    """The file of a module or package below a folder, if it is one of ours."""
    path = root.joinpath(*name.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


@cache
def _read(file: Path) -> tuple[str, frozenset[str]]:
    """The digest of what a file means, and the dotted names that it may import as modules."""
    content = file.read_bytes()
    if file.suffix != ".py":
        return hashlib.sha256(content).hexdigest(), frozenset()
    meaning = _Meaning(file)
    meaning.write(ast.parse(content, filename=str(file)))
    return hashlib.sha256("".join(meaning.text).encode()).hexdigest(), frozenset(meaning.imports)


class _Meaning:
    """A syntax tree as text, without what has no meaning when it runs.

    What is empty is left out, so that fields which a later Python adds change no digest of code
    that does not use them: Python 3.10 to 3.13 give the same, unlike `ast.dump`.
    """

    def __init__(self, file: Path) -> None:
        self.text: list[str] = []
        self.imports: set[str] = set()
        self._file = file
        # What imports bind here: the dotted name by the name that the code uses.
        self._bound: dict[str, str] = {}

    def write(self, value: Any, *, in_class: bool = False) -> None:
        """Append a node, a list of nodes or a plain value to the text."""
        if isinstance(value, list):
            self.text.append("[")
            for item in value:
                self.write(item, in_class=in_class)
            self.text.append("]")
        elif isinstance(value, ast.AST):
            self._write_node(value, in_class=in_class)
        else:
            self.text.append(f"{value!a},")

    def _write_node(self, node: ast.AST, *, in_class: bool) -> None:
        if isinstance(node, ast.Call) and node.args and self._name_of(node.func) == PROGRESS_BAR:
            node = node.args[0]
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            in_class = isinstance(node, ast.ClassDef)
        self.text.append(f"{type(node).__name__}(")
        for name in node._fields:
            value = getattr(node, name)
            if name in BLOCKS and isinstance(value, list):
                value = self._statements(value, in_class=in_class)
            # The annotations of a class's body are read at run time: they are the types of fields.
            is_hint = name == "annotation" and not isinstance(node, ast.AnnAssign)
            if value is not None and value != [] and not is_hint and name not in WITHOUT_MEANING:
                self.text.append(f"{name}=")
                self.write(value, in_class=in_class)
        self.text.append(")")

    def _statements(self, block: list[ast.stmt], *, in_class: bool) -> list[Any]:
        """The statements of a block that count; imports that follow one another are sorted."""
        kept: list[Any] = []
        for statement in block:
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                kept += self._counting(statement, in_class=in_class)
            elif imported := list(self._import(statement)):
                before = kept.pop() if kept and isinstance(kept[-1], list) else []
                kept.append(sorted(before + imported))
        return kept

    def _counting(self, statement: ast.stmt, *, in_class: bool) -> Iterator[ast.AST]:
        """What counts of a statement that is no import: itself, a part of it, or nothing."""
        match statement:
            # Docstrings are such constants.
            case ast.Pass() | ast.Expr(ast.Constant()):
                pass
            case ast.Expr(ast.Call(func, words)) if self._name_of(func) == LOG:
                yield from _effects(words)
            case ast.AnnAssign(target, _, value) if not in_class:
                if value is not None:
                    yield ast.Assign([target], value)
            case _:
                yield statement

    def _import(self, statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
        """A line for each name that a statement imports, but for modules without effect."""
        module = getattr(statement, "module", None)
        for alias in statement.names:
            if getattr(statement, "level", 0) or alias.name == "*":
                raise SettingsError(
                    f"{self._file}, line {statement.lineno}: a relative or star import can't be "
                    "followed; write the module's whole name, and what is imported from it"
                )
            name = f"{module}.{alias.name}" if module else alias.name
            if module or alias.asname:
                self._bound[alias.asname or alias.name] = name
            if not WITHOUT_EFFECT.keys() & {module, name}:
                self.imports.update({module, name} - {None})
                yield f"{'from' if module else 'import'} {name} as {alias.asname or alias.name}"

    def _name_of(self, function: ast.expr) -> str:
        """The dotted name of a function, from its module on where it is imported; else ""."""
        names = []
        while isinstance(function, ast.Attribute):
            names.append(function.attr)
            function = function.value
        if not isinstance(function, ast.Name):
            return ""
        return ".".join([self._bound.get(function.id, function.id), *reversed(names)])


def _effects(words: list[ast.expr]) -> Iterator[ast.expr]:
    """What a log line does beside telling: it calls functions of ours, or names a value."""
    for node in (node for word in words for node in ast.walk(word)):
        match node:
            case ast.NamedExpr():
                yield node
            case ast.Call(ast.Name(name)) if not hasattr(builtins, name):
                yield node
