"""Tests share two processes: a file stays in one, as do the files that look at one finished run."""

from typing import Any

import pytest

# They use the fixture `chain` of workflow/conftest.py, which runs every rule.
OF_ONE_RUN = tuple(f"tests/workflow/test_{name}.py" for name in ("chain", "bundle", "browser"))


def together(nodeid: str) -> str:
    """The name of the tests that a test stays with."""
    file = nodeid.split("::", 1)[0]
    return OF_ONE_RUN[0] if file in OF_ONE_RUN else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal out what stays together, in the order of the tests."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest."""

    def takes_little(item: pytest.Item) -> tuple[bool, bool]:
        return together(item.nodeid) != OF_ONE_RUN[0], "workflow" not in item.path.parts

    items.sort(key=takes_little)
