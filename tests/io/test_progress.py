"""The bar is for a person at a terminal alone."""

import os
import pty

from brainuad.io.job import TERMINAL_VARIABLE
from brainuad.io.progress import progress_bar


def test_no_terminal_no_bar(tmp_path, monkeypatch):
    with (tmp_path / "out").open("w") as file:
        monkeypatch.setenv(TERMINAL_VARIABLE, str(file.fileno()))
        numbers = range(3)
        assert progress_bar(numbers, total=3, label="training") is numbers


def test_bar_on_a_terminal(monkeypatch):
    ours, theirs = pty.openpty()
    monkeypatch.setenv(TERMINAL_VARIABLE, str(theirs))
    assert list(progress_bar(range(3), total=3, label="training")) == [0, 1, 2]
    assert b"training" in os.read(ours, 10000)
