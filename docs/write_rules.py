"""Write docs/reference/rules.md: every rule, read from the rule files."""

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.append(str(PROJECT / "scripts"))

from brainuad.plan.raw_files import FETCHED_TEMPLATE  # noqa: E402
from brainuad.plan.register.files import SCAN_INDEX  # noqa: E402
from brainuad.plan.targets import CHECKED_MODELS  # noqa: E402

CONSTANTS = {
    "FETCHED_TEMPLATE": FETCHED_TEMPLATE,
    "SCAN_INDEX": SCAN_INDEX,
    "CHECKED_MODELS": CHECKED_MODELS,
}
PAGE = PROJECT / "docs" / "reference" / "rules.md"
# In the order in which workflow/Snakefile includes them.
INCLUDED = re.compile(r'include: "rules/(\w+)\.smk"')
RULE = re.compile(r"^(rule|checkpoint) (\w+):\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(r"^    (\w+):(.*?)(?=^    \w|^    #|\Z)", re.MULTILINE | re.DOTALL)
HEADER = """# Rules

Made from `workflow/rules/` by `make docs`. Each rule runs the script of its name in `scripts/`, and
writes a log to `logs/{rule}/`. Inputs without a path are found by the plan
(`scripts/brainuad/plan/`): `snakemake --dry-run TARGET` shows the files. A cluster reserves the
memory and the time; each retry asks for as much again.
[results/README.md](../../results/README.md) says what each file holds, and
[the architecture](../explanation/architecture.md) how the rules follow one another.
"""


COLUMNS = "| rule | reads | writes | takes |\n|---|---|---|---|"


@dataclass(frozen=True)
class Rule:
    """A rule as its file has it, or a checkpoint."""

    name: str
    file: str
    is_checkpoint: bool
    is_local: bool
    does: str
    directives: dict[str, ast.Call]

    def argument(self, directive: str, key: str | None = None) -> ast.expr | None:
        """The first plain argument of a directive, or the one of a key."""
        call = self.directives.get(directive)
        if call is None:
            return None
        if key is None:
            return call.args[0] if call.args else None
        return next((word.value for word in call.keywords if word.arg == key), None)


def rules() -> list[Rule]:
    """All rules, in the order of the Snakefile and of its files."""
    snakefile = (PROJECT / "workflow" / "Snakefile").read_text(encoding="utf-8")
    return [rule for name in INCLUDED.findall(snakefile) for rule in rules_of(name)]


def rules_of(file: str) -> list[Rule]:
    """The rules of a file of workflow/rules."""
    text = (PROJECT / "workflow" / "rules" / f"{file}.smk").read_text(encoding="utf-8")
    local = re.search(r"^localrules:\n((?:    .*\n)+)", text, re.MULTILINE)
    names = set(re.findall(r"\w+", local[1])) if local else set()
    return [
        Rule(
            name,
            file,
            kind == "checkpoint",
            name in names,
            re.search(r'"""(.*?)"""', body, re.DOTALL)[1],
            {key: _arguments(given) for key, given in DIRECTIVE.findall(body)},
        )
        for kind, name, body in RULE.findall(text)
    ]


def _arguments(text: str) -> ast.Call:
    """The arguments of a directive, which have the form of those of a call."""
    return ast.parse(f"arguments(\n{text}\n)", mode="eval").body


def document() -> str:
    """The page as Markdown."""
    found = rules()
    sections = [HEADER]
    for file in dict.fromkeys(rule.file for rule in found):
        text = (PROJECT / "workflow" / "rules" / f"{file}.smk").read_text(encoding="utf-8")
        rows = "\n".join(map(_row, (rule for rule in found if rule.file == file)))
        about = text.split('"""')[1].splitlines()[0]
        sections.append(f"## {file}\n\n{about}\n\n{COLUMNS}\n{rows}\n")
    return "\n".join(sections)


def _row(rule: Rule) -> str:
    name = f"[`{rule.name}`](../../scripts/{rule.name}.py)"
    cells = (
        f"{name}{' (a checkpoint)' if rule.is_checkpoint else ''}<br>{rule.does}",
        "<br>".join(_files(rule, "input")) or "nothing",
        "<br>".join(_files(rule, "output")),
        _taken(rule),
    )
    return f"| {' | '.join(cells)} |"


def paths(rule: Rule, directive: str) -> list[str]:
    """The files that a rule names by their patterns."""
    return [path for _, found in _named(rule, directive) for path in found]


def _named(rule: Rule, directive: str) -> list[tuple[str, list[str]]]:
    """What is read or written: how the rule or the plan calls it, and its patterns, if any."""
    call = rule.directives.get(directive) or ast.parse("none()", mode="eval").body
    found = []
    for name, value in [("", it) for it in call.args] + [(w.arg, w.value) for w in call.keywords]:
        parts = list(ast.walk(value))
        patterns = [it.value for it in parts if isinstance(it, ast.Constant)]
        patterns += [CONSTANTS[it.id] for it in parts if getattr(it, "id", "") in CONSTANTS]
        paths = [it for it in patterns if it.startswith(("results/", "resources/"))]
        found.append((name or ("" if paths else _last_name(parts)), paths))
    return found


def _files(rule: Rule, directive: str) -> list[str]:
    """Patterns where the rule has them, else names."""
    return [
        shown
        for name, found in _named(rule, directive)
        for shown in ([f"`{path}`" for path in found] or [name.replace("_", " ")])
    ]


def _last_name(parts: list[ast.AST]) -> str:
    """The last name in an expression: `inspected` in `unpack(scans.inspected)`."""
    return next(part.attr for part in parts if isinstance(part, ast.Attribute))


def _taken(rule: Rule) -> str:
    environment = Path(rule.argument("conda").value).stem
    threads = re.sub(r"config\['(\w+)'\]", r"`\1`", ast.unparse(rule.argument("threads")))
    memory = rule.argument("resources", "mem_mb").args[0].value / 1000
    minutes = rule.argument("resources", "runtime").args[0].value
    words = [
        f"[{environment}](../../envs/{environment}.yaml)",
        "1 thread" if threads == "1" else f"{threads} threads",
        f"{memory:g} GB",
        f"{minutes} min" if minutes % 60 else f"{minutes // 60} h",
    ]
    if rule.argument("resources", "gpu") is not None:
        words.append("a GPU")
    if rule.is_local:
        words.append("never submitted")
    return ", ".join(words)


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
