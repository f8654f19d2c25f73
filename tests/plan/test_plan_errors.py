"""An error of a plan stops Snakemake with one line."""

import inspect

import pytest

from brainuad.io.errors import SettingsError
from brainuad.plan.errors import TranslatingErrors, translating_errors


class Stopped(Exception):
    pass


class Plan:
    word = "plain"

    def fails(self, wildcards):
        raise SettingsError("config: this key")

    def gives(self, key):
        return lambda wildcards: self.fails(wildcards)


def test_errors_are_translated_also_by_functions_that_are_given():
    plan = TranslatingErrors(Plan(), Stopped)
    for function in (plan.fails, plan.gives("key")):
        with pytest.raises(Stopped, match="config: this key"):
            function(None)
    assert plan.word == "plain"


def test_other_errors_stay_what_they_are():
    with pytest.raises(ZeroDivisionError):
        translating_errors(lambda: 1 / 0, Stopped)()


def test_snakemake_sees_what_a_function_takes():
    assert list(inspect.signature(TranslatingErrors(Plan(), Stopped).fails).parameters) == [
        "wildcards"
    ]
