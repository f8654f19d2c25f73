"""docs/explanation/architecture.md: the drawn rules and the packages are those of the code."""

import re
import sys

from small_study import PROJECT

sys.path.insert(0, str(PROJECT / "docs"))

import draw_rules
import write_rules

PAGE = (PROJECT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
DRAWN = set(re.findall(r"^  (\w+) --> (\w+)$", PAGE, flags=re.MULTILINE))
# They are in no run of the demo.
ELSEWHERE = {
    *("fetch_template", "fetch_hdbet_weights", "take_preprocessed_scans"),
    *("score_perceptual_distance", "make_bundle", "take_bundle"),
}
LIBRARY = PROJECT / "scripts/brainuad"


def reached(rule: str) -> set[str]:
    following = {second for first, second in DRAWN if first == rule}
    return following.union(*map(reached, following))


def test_every_rule_of_the_demo_is_drawn():
    names = {
        draw_rules.drawn_as(rule.name) for rule in write_rules.rules() if rule.name not in ELSEWHERE
    }
    assert {rule for edge in DRAWN for rule in edge} == names - set(draw_rules.LEFT_OUT)


def test_who_reads_what_a_rule_writes_is_drawn_behind_it():
    rules = [rule for rule in write_rules.rules() if rule.name not in ELSEWHERE]
    writers = {path: rule.name for rule in rules for path in write_rules.paths(rule, "output")}
    pairs = {
        (draw_rules.drawn_as(writers[path]), draw_rules.drawn_as(rule.name))
        for rule in rules
        for path in write_rules.paths(rule, "input")
        if path in writers
    }
    assert len(pairs) > 15
    for writer, reader in pairs:
        assert reader in reached(writer) or reader == writer, "run docs/draw_rules.py"


def test_detours_are_left_out():
    edges = {("a", "b"), ("b", "c"), ("a", "c"), ("a", "d")}
    assert draw_rules.without_detours(edges) == {("a", "b"), ("b", "c"), ("a", "d")}


def test_packages_import_from_their_own_line_and_above():
    lines = [
        re.findall(r"`(\w+)/`", line.split("|")[1])
        for line in PAGE.split("| package | holds |")[1].splitlines()
        if line.startswith("| `")
    ]
    packages = {path.parent.name for path in LIBRARY.glob("*/__init__.py")}
    assert {package for line in lines for package in line} == packages
    allowed: set[str] = set()
    for line in lines:
        allowed |= set(line)
        for package in line:
            text = "".join(file.read_text() for file in LIBRARY.joinpath(package).rglob("*.py"))
            imported = set(re.findall(r"^\s*from brainuad\.(\w+)", text, flags=re.MULTILINE))
            assert imported <= ({"io", "config", "plan"} if package == "plan" else allowed)
