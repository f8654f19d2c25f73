"""What ran: versions, seeds, what trained each model, and the run time and memory of each rule."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from brainuad.io.tables import read_table
from brainuad.report.labels import Labels
from brainuad.report.metric_formats import DASH
from brainuad.report.tables import Table
from brainuad.report.tables.layout import plain_latex, plain_table

COLUMNS = ["kind", "name", "quantity", "value"]
PIN = re.compile(r"^\s+- ([^\s=]+)==(\S+)", re.MULTILINE)
YES_OR_NO = {"True": "yes", "False": "no"}


def tabulate(
    results: Sequence[Path],
    *,
    machines: Sequence[Path],
    environments: Sequence[Path],
    trainings: Sequence[str],
    versions: Mapping[str, str],
    seed: int,
    benchmarks: str,
    labels: Labels,
) -> Table:
    """Facts as kind (version, seed, rule, training), name, quantity and value.

    The `results` are only to be there first. `machines` and `trainings` (model/modality/fold) are
    parallel. Versions are the pins of the env files `environments`, and those that are given;
    `benchmarks` is Snakemake's folder of them.
    """
    pins = dict(pin for path in environments for pin in PIN.findall(path.read_text("utf-8")))
    rows = [("version", name, "version", pin) for name, pin in sorted({**versions, **pins}.items())]
    rows.append(("seed", "run", "seed", str(seed)))
    for folder in sorted(path for path in Path(benchmarks).glob("*") if path.is_dir()):
        if files := sorted(folder.rglob("*.tsv")):
            rows += [("rule", folder.name, *fact) for fact in summarize_rule(files)]
    for training, file in zip(trainings, machines, strict=True):
        rows += machines_of(training, read_table(file))
    table = pd.DataFrame(rows, columns=COLUMNS)
    parts = parts_of(table, labels)
    return Table(
        table,
        "\n".join(
            f"<h3>{heading}</h3>{words}{plain_table(texts)}" for heading, words, texts in parts
        ),
        "\n".join(
            f"% {heading}\n{plain_latex(texts.map(str), columns='l' * texts.shape[1])}"
            for heading, _, texts in parts
        ),
    )


def machines_of(training: str, table: pd.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    """The facts of each machine that a training ran on; all but the first say from which step."""
    for machine in table.to_dict("records"):
        step = machine.pop("from_step")
        name = f"{training} from step {step}" if step else training
        yield from (("training", name, quantity, str(value)) for quantity, value in machine.items())


def summarize_rule(files: Sequence[Path]) -> list[tuple[str, float]]:
    """Seconds and peak memory (MiB, resident set) over the benchmark files of one rule."""
    frames = [
        pd.read_csv(path, sep="\t", na_values=["-", "NA"], encoding="utf-8") for path in files
    ]
    runs = pd.concat(frames, ignore_index=True)
    return [
        ("jobs", len(runs)),
        ("seconds_total", runs["s"].sum()),
        ("seconds_median", runs["s"].median()),
        ("seconds_max", runs["s"].max()),
        ("peak_memory_mib", runs["max_rss"].max()),
    ]


def parts_of(table: pd.DataFrame, labels: Labels) -> list[tuple[str, str, pd.DataFrame]]:
    """Each kind of fact: a heading, HTML about it and the facts as texts."""
    parts = []
    rules = table[table["kind"] == "rule"].astype({"value": float})
    if not rules.empty:
        texts, total = rules_texts(rules)
        parts.append(("Run times", f"<p>All jobs together: {total}.</p>", texts))
    trainings = table[table["kind"] == "training"]
    if not trainings.empty:
        parts.append(("What trained", "", machines_texts(trainings, labels)))
    for kind, heading in (("seed", "Seeds"), ("version", "Versions")):
        facts = table.loc[table["kind"] == kind, ["name", "value"]]
        texts = facts.set_axis(["Name", heading.removesuffix("s")], axis="columns")
        parts.append((heading, "", texts))
    return parts


def rules_texts(rules: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """A line per rule, the longest first, and the time of all; from rows name, quantity, value."""
    rules = rules.pivot_table(index="name", columns="quantity", values="value", dropna=False)
    rules = rules.sort_values("seconds_total", ascending=False)
    texts = pd.DataFrame(
        {
            "Rule": rules.index,
            "Jobs": [f"{jobs:.0f}" for jobs in rules["jobs"]],
            "Time, all jobs": [duration(value) for value in rules["seconds_total"]],
            "Median": [duration(value) for value in rules["seconds_median"]],
            "Longest": [duration(value) for value in rules["seconds_max"]],
            "Peak memory": [memory(value) for value in rules["peak_memory_mib"]],
        }
    )
    return texts, duration(rules["seconds_total"].sum())


def machines_texts(trainings: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """A line per model, modality and machine, with its folds; from rows name, quantity, value."""
    facts = trainings.pivot_table(index="name", columns="quantity", values="value", aggfunc="first")
    facts = facts.reindex(trainings["name"].unique())
    names = facts.index.str.extract(r"(?P<model>[^/]+)/(?P<modality>[^/]+)/fold(?P<fold>.+)")
    lines = names.set_index(facts.index).join(facts)
    keys = [name for name in lines if name != "fold"]
    grouped = lines.groupby(keys, sort=False)["fold"].agg(", ".join).reset_index()
    return pd.DataFrame(
        {
            "Model": list(map(labels.model, grouped["model"])),
            "Modality": grouped["modality"].str.upper(),
            "Folds": grouped["fold"],
            "Computed on": grouped["device"],
            "torch": grouped["torch"],
            "Precision": grouped["precision"],
            "Compiled": grouped["compiled"].map(YES_OR_NO),
            "Repeatable": grouped["deterministic"].map(YES_OR_NO),
        }
    )


def duration(seconds: float) -> str:
    """Seconds as people say them: 4.2 s, 3 min 20 s, 1 h 05 min."""
    if pd.isna(seconds):
        return DASH
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def memory(mebibytes: float) -> str:
    """Memory in MB or GB of 1024; a dash where it was not measured."""
    if pd.isna(mebibytes):
        return DASH
    return f"{mebibytes:.0f} MB" if mebibytes < 1024 else f"{mebibytes / 1024:.1f} GB"
