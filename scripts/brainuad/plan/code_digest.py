"""Digests of the code behind a rule: they change with its meaning, not with its wording.

A rule has the digest of its script as a param, so that a change which cannot change a result (a
comment, a log line, the text of an error, another order of imports) reruns nothing, and every other
change reruns it.
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
# Modules that the digest leaves out, and why none of them can change a result. Modules that change
# numbers do not belong here: compute.device and compute.compilation change the last digits.
WITHOUT_EFFECT = {
    "brainuad.io.job": "where a job's log goes, and that files are replaced as a whole",
    "brainuad.io.progress": "a progress bar, which yields what it iterates over",
    "brainuad.io.errors": "the names of errors; other modules raise them",
    "brainuad.compute.gpus": "which of several GPUs is free",
    "brainuad.compute.machine": "a description of the machine, for the record",
    "brainuad.config.device": "where networks are computed; the precision is a param",
    **dict.fromkeys(
        (
            "brainuad.config.evaluation",
            "brainuad.config.limits",
            "brainuad.config.models",
            "brainuad.config.preprocessing",
        ),
        "which settings exist and which values are refused; the values are params",
    ),
    "brainuad.training.signals": "when a training is interrupted; a resumed one ends the same",
    "brainuad.version": "which release this is, for the record",
}
LOG = "brainuad.io.job.log"
PROGRESS_BAR = "brainuad.io.progress.progress_bar"
# A job that raises it has no result. Unlike it, the text of a ScanError is listed with its scan.
SETTINGS_ERROR = "brainuad.io.errors.SettingsError"

BLOCKS = ("body", "orelse", "finalbody")
# `ctx` follows from the position; `kind` is the prefix u of a string.
WITHOUT_MEANING = ("ctx", "kind", "returns", "type_comment")


@cache
def code_digest(script: str | Path, *parts: str | Path) -> str:
    """16 hex digits that change with the meaning of a script and of all that it imports.

    script  its name, or its file, whose folder contains the library
    parts   files that it imports or reads by name at run time, as paths below the library, such as
            models/diffusion.py; the bytes of a file that is not Python count, such as a template's

    A module counts as a whole, whatever is imported from it and wherever it is imported. Modules in
    WITHOUT_EFFECT do not count, and neither do comments, docstrings, log lines, progress bars, the
    texts of errors that end a job, and annotations outside the body of a class. Each process reads
    a file once. Raises SettingsError for a relative or star import, which can't be followed, and
    for a file that is not there or not Python.
    """
    file = SCRIPTS / f"{script}.py" if isinstance(script, str) else script
    root = file.parent
    files = files_behind(root, [file, *(root / LIBRARY / part for part in parts)])
    lines = sorted(f"{file.relative_to(root).as_posix()} {_read(file)[0]}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def files_behind(root: Path, files: Iterable[Path]) -> set[Path]:
    """Files below a folder, and those that they import, directly or indirectly."""
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
    """The file of a module or package below a folder; None for packages of others."""
    path = root.joinpath(*name.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


@cache
def _read(file: Path) -> tuple[str, frozenset[str]]:
    """The digest of a file's meaning, and the dotted names that it may import as modules."""
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise SettingsError(
            f"{file}: there is no such file; add it, or correct its name"
        ) from error
    if file.suffix != ".py":
        return hashlib.sha256(content).hexdigest(), frozenset()
    try:
        tree = ast.parse(content, filename=str(file))
    except SyntaxError as error:
        raise SettingsError(f"{file}, line {error.lineno}: is not Python: {error.msg}") from error
    meaning = _Meaning(file)
    meaning.write(tree)
    return hashlib.sha256("".join(meaning.text).encode()).hexdigest(), frozenset(meaning.imports)


class _Meaning:
    """A syntax tree as text, without the parts that have no meaning at run time.

    Empty fields are left out, so that a field which a later Python adds does not change the digest
    of code that does not use it: Python 3.10 to 3.13 give the same text, unlike with `ast.dump`.
    """

    def __init__(self, file: Path) -> None:
        self.text: list[str] = []
        self.imports: set[str] = set()
        self._file = file
        # The dotted name of each import, by the name that the code uses for it.
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
            # Annotations in the body of a class are read at run time, as the types of fields.
            is_hint = name == "annotation" and not isinstance(node, ast.AnnAssign)
            if value is not None and value != [] and not is_hint and name not in WITHOUT_MEANING:
                self.text.append(f"{name}=")
                self.write(value, in_class=in_class)
        self.text.append(")")

    def _statements(self, block: list[ast.stmt], *, in_class: bool) -> list[Any]:
        """The statements of a block that count; consecutive imports are sorted."""
        kept: list[Any] = []
        for statement in block:
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                kept += self._counting(statement, in_class=in_class)
            elif imported := list(self._import(statement)):
                before = kept.pop() if kept and isinstance(kept[-1], list) else []
                kept.append(sorted(before + imported))
        return kept

    def _counting(self, statement: ast.stmt, *, in_class: bool) -> Iterator[ast.AST]:
        """The part of a statement that counts, which may be nothing; imports are not given."""
        match statement:
            # Docstrings are constants.
            case ast.Pass() | ast.Expr(ast.Constant()):
                pass
            case ast.Expr(ast.Call(func, words)) if self._name_of(func) == LOG:
                yield from _effects(words)
            case ast.Raise(ast.Call(func, words), cause) if self._name_of(func) == SETTINGS_ERROR:
                yield from _effects(words)
                yield ast.Raise(func, cause)
            case ast.AnnAssign(target, _, value) if not in_class:
                if value is not None:
                    yield ast.Assign([target], value)
            case _:
                yield statement

    def _import(self, statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
        """A line for each name that a statement imports, except from modules without effect."""
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
        """The dotted name of a function, with its module if it is imported; "" without a name."""
        names = []
        while isinstance(function, ast.Attribute):
            names.append(function.attr)
            function = function.value
        if not isinstance(function, ast.Name):
            return ""
        return ".".join([self._bound.get(function.id, function.id), *reversed(names)])


def _effects(words: list[ast.expr]) -> Iterator[ast.expr]:
    """The side effects of a text that is told: calls of our own functions, and assignments."""
    for node in (node for word in words for node in ast.walk(word)):
        match node:
            case ast.NamedExpr():
                yield node
            case ast.Call(ast.Name(name)) if not hasattr(builtins, name):
                yield node
