import pytest

from brainuad.plan.decisions import assumptions_of

MARK = "# ASSUME" + ":"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (f"{MARK} one line\nx = 1\n", ["one line"]),
        (f"    {MARK} two\n    # lines.\n    x = 1  # not this\n", ["two lines."]),
        (f"x = 1  {MARK} beside code\n\n# not this\n", ["beside code"]),
        (f"{MARK} first\n{MARK} second\n# of two\n", ["first", "second of two"]),
        (f"{MARK}\n# on the next line: 2 \u00b5m\n", ["on the next line: 2 \u00b5m"]),
        ("# ASSUMED: no\n# assume: no\n", []),
    ],
)
def test_comments_by_hand(tmp_path, code, found):
    (tmp_path / "a.py").write_text(code, encoding="utf-8")
    assert assumptions_of(tmp_path / "a.py") == found
