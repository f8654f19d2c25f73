"""Resources and wildcards of rules."""

from collections.abc import Callable, Iterable
from typing import Any

from brainuad.plan.study import Cohort


def scaled_by_attempt(amount: int) -> Callable[[Any, int], int]:
    """An amount of memory or time for the first attempt; each retry requests that much more."""

    def scaled(wildcards: Any, attempt: int) -> int:
        return attempt * amount

    return scaled


def of_path(name: str) -> Callable[[Any], str]:
    """A function that gives a wildcard of the path."""
    return lambda wildcards: getattr(wildcards, name)


def one_of(names: Iterable[str | Cohort]) -> str:
    """The pattern of a wildcard that is one of these names; without names it matches nothing."""
    return "|".join(name if isinstance(name, str) else name.name for name in names) or "(?!)"
