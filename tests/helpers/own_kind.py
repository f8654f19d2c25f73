"""A kind of one's own: a file in a package of models or scores."""

import importlib
import sys


def put_into(package, code, tmp_path, monkeypatch):
    """Make a package hold one file alone, own.py."""
    (tmp_path / "own.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(package, "__path__", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, f"{package.__name__}.own", raising=False)
    importlib.invalidate_caches()
