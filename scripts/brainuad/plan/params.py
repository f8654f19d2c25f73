"""Params that Snakemake compares by their names and values."""

from collections.abc import Callable
from typing import Any

from brainuad.io.params import canonical, values_of


def compared(**params: Any) -> dict[str, Any]:
    """Params of a rule (values or functions of wildcards), and `compared`, the text of them all.

    Snakemake compares a job's params as a set of values, each as Python prints it: it would miss
    two flags that swap their values, and see a change if a dict has its keys in another order.
    """

    def text(wildcards: Any) -> str:
        return canonical({name: _value(param, wildcards) for name, param in params.items()})

    return {name: _in_one_order(param) for name, param in params.items()} | {"compared": text}


def _value(param: Any, wildcards: Any) -> Any:
    return param(wildcards) if callable(param) else param


def _in_one_order(param: Any) -> Any:
    if not callable(param):
        return values_of(canonical(param))
    function: Callable = param
    return lambda wildcards: values_of(canonical(function(wildcards)))
