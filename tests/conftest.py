"""Tests share two processes: a file stays in one, as do all files that look at one finished run."""

import pytest

# The fixture of workflow/conftest.py that runs the whole chain.
CHAIN = "chain"


# Before the plugin looks at the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests stay together, and begin with those that take longest."""
    for item in items:
        group = CHAIN if CHAIN in item.fixturenames else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: (CHAIN not in item.fixturenames, "workflow" not in item.path.parts))
