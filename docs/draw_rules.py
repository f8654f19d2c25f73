"""Draw the rules into docs/explanation/architecture.md, as Snakemake sees them in a study.

    python docs/draw_rules.py STUDY [argument of Snakemake ...]

STUDY is a working directory whose subjects are listed, such as that of a finished demo: before,
Snakemake does not know the rules behind the checkpoint. Needs Snakemake on the PATH.
"""

import re
import subprocess
import sys
from pathlib import Path

import write_rules

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs" / "explanation" / "architecture.md"
PLACE = re.compile(r"(?<=<!-- rules -->\n).*(?=<!-- end of rules -->)", re.DOTALL)
# Rules of which a run takes one or the other, drawn as one.
SAME = {
    "strip_skull_with_hdbet1": "strip_skull",
    "strip_skull_with_hdbet2": "strip_skull",
    "reconstruct_for_derivatives": "reconstruct",
}
# Files whose rules do not wait for one another, drawn as one.
AS_ONE = ("analyses", "report")
# What asks for all, and what nothing waits for.
LEFT_OUT = ("all", "check_models")
Edges = set[tuple[str, str]]


def edges_of(graph: str) -> Edges:
    """From rule to rule, of Snakemake's graph in the language of Mermaid."""
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]$", graph, re.MULTILINE))
    pairs = re.findall(r"^\s*(id\d+) --> (id\d+)$", graph, re.MULTILINE)
    drawn = {key: drawn_as(name) for key, name in names.items() if name not in LEFT_OUT}
    known = [pair for pair in pairs if set(pair) <= set(drawn)]
    return {(drawn[it], drawn[other]) for it, other in known if drawn[it] != drawn[other]}


def drawn_as(name: str) -> str:
    """The rule, or the file, that stands for a rule."""
    name = SAME.get(name, name)
    file = next(rule.file for rule in write_rules.rules() if rule.name == name)
    return file if file in AS_ONE else name


def without_detours(edges: Edges) -> Edges:
    """Only the edges that no longer way replaces: what a rule waits for last."""
    after: dict[str, set[str]] = {}
    for first, second in edges:
        after.setdefault(first, set()).add(second)

    def reached(rule: str) -> set[str]:
        following = after.get(rule, set())
        return following.union(*map(reached, following))

    return {
        (first, second)
        for first, following in after.items()
        for second in following
        if not any(second in reached(other) for other in following - {second})
    }


def drawing(edges: Edges) -> str:
    """The graph as a block of Markdown, the rules of a file in one frame."""
    files: dict[str, list[str]] = {}
    for rule in write_rules.rules():
        name = drawn_as(rule.name)
        if name in set().union(*edges) and name not in files.setdefault(rule.file, []):
            files[rule.file].append(name)
    lines = ["flowchart TB"]
    for file, names in files.items():
        if names and file not in AS_ONE:
            inside = [f"    {name}" for name in names]
            lines += [f"  subgraph of_{file}[{file}]", *inside, "  end"]
    order = [name for names in files.values() for name in names]
    lines += [f"  {file}[[{file}]]" for file in AS_ONE if file in order]
    lines += [
        f"  {first} --> {second}"
        for first, second in sorted(edges, key=lambda edge: tuple(map(order.index, edge)))
    ]
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def main(study: str, *arguments: str) -> None:
    """Ask Snakemake for the graph, and put it into the page."""
    command = ["snakemake", "--directory", study, *arguments, "--rulegraph", "mermaid-js"]
    graph = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    block = drawing(without_detours(edges_of(graph)))
    PAGE.write_text(PLACE.sub(lambda _: block, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
