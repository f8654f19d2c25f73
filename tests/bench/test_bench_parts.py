"""What `make bench` measures is there: found by name, as it is started in a process of its own."""

import ast
import importlib
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench"


def signature_of(module, function):
    """The names of a function's arguments, and of those that must be given."""
    tree = ast.parse((BENCH / f"{module}.py").read_text(encoding="utf-8"))
    (found,) = [
        node.args
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    assert not found.args, "parts take their arguments by name"
    given = zip(found.kwonlyargs, found.kw_defaults, strict=True)
    needed = {argument.arg for argument, default in given if default is None}
    return {argument.arg for argument in found.kwonlyargs}, needed


def test_each_part_is_a_function_that_takes_its_arguments(monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    parts = importlib.import_module("run").PARTS
    assert len(parts) > 20
    for module, function, arguments in parts:
        known, needed = signature_of(module, function)
        assert needed <= set(arguments) <= known, (module, function)
