"""Each rule hands its script what that reads, no more and no less."""

import re
from pathlib import Path

import pytest

from conftest import PROJECT

RULE = re.compile(r"^(?:    )?(?:rule|checkpoint) (\w+):\n(.*?)(?=^\S|\Z)", re.S | re.M)
NAME = re.compile(r"^        (\w+)=", re.M)
READ = re.compile(r"snakemake\.(input|output|params)\.(\w+)")
# What Snakemake compares, and no script reads.
COMPARED = re.compile(r"^(code|precision|\w+_files?)$")


def rules() -> dict[str, str]:
    files = sorted((PROJECT / "workflow" / "rules").glob("*.smk"))
    return {name: body for file in files for name, body in RULE.findall(file.read_text())}


def named_in(body: str, part: str) -> set[str]:
    """The names in one part of a rule; those of unpacked files are not known here."""
    block = re.search(rf"^    {part}:\n(.*?)(?=^    \S|\Z)", body, re.S | re.M)
    return set(NAME.findall(block[1])) if block else set()


@pytest.mark.parametrize("name", sorted(rules()))
def test_rule_names_what_its_script_reads(name):
    body = rules()[name]
    script = Path(PROJECT / "scripts" / f"{name}.py").read_text(encoding="utf-8")
    for part in ("input", "output", "params"):
        given = named_in(body, part)
        read = {word for kind, word in READ.findall(script) if kind == part}
        if "unpack(" in body or "**" in body:
            continue
        assert read <= given, f"{part}: the script reads what the rule does not give"
        if part == "params":
            assert {word for word in given - read if not COMPARED.match(word)} == set(), part
