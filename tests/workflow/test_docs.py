"""The pages made from the code say what the code says."""

import re
import runpy
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_assumptions_are_collected():
    collected = runpy.run_path(str(PROJECT / "docs" / "collect_assumptions.py"))["document"]()
    page = (PROJECT / "docs" / "reference" / "assumptions.md").read_text()
    assert page == collected, "run `make docs`"


def test_rules_scripts_and_folders_have_one_name():
    """A rule's name is its script's, so that the log leads to the code."""
    for file in (PROJECT / "workflow" / "rules").glob("*.smk"):
        for block in re.split(r"^\s*(?:rule|checkpoint) ", file.read_text(), flags=re.M)[1:]:
            name = block.split(":")[0]
            assert f"scripts/{name}.py" in block, f"{file.name}: {name}"
            assert f'"logs/{name}/' in block, f"{file.name}: {name}"
            if "benchmark:" in block:
                assert f'"benchmarks/{name}/' in block, f"{file.name}: {name}"
