"""What ran: versions, seeds, what trained each model, and the run time and memory of each rule."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.io import job, tables
from brainuad.report.pages import pages as report_pages
from brainuad.report.tables import run as run_tables

COLUMNS = ["kind", "name", "quantity", "value"]


def main(
    *,
    benchmarks: Path,
    machines: list[Path],
    trainings: list[str],
    versions: dict[str, Any],
    seeds: dict[str, Any],
    tsv: Path,
    html: Path,
) -> None:
    """Write kind (rule, training, version, seed), name, quantity and value.

    `machines` and `trainings` (model/modality/fold) are parallel. Keys of keys join by a blank.
    """
    rows = [("version", name, "version", value) for name, value in flattened(versions)]
    rows += [("seed", name, "seed", value) for name, value in flattened(seeds)]
    for folder in sorted(path for path in benchmarks.glob("*") if path.is_dir()):
        if files := sorted(folder.rglob("*.tsv")):
            rows += [("rule", folder.name, *fact) for fact in summarize_rule(files)]
    for training, file in zip(trainings, machines, strict=True):
        rows += machines_of(training, tables.read_table(file))
    table = pd.DataFrame(rows, columns=COLUMNS)
    tables.write_table(table, tsv)
    body = run_tables.run_html(table)
    report_pages.write_text(report_pages.page(title="Run details", body=body), html)
    job.log(f"{len(table)} facts of this run")


def flattened(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Pairs of name and text from nested dictionaries: {"torch": {"numpy": 2}} is "torch numpy"."""
    for key, value in values.items():
        name = f"{prefix} {key}".strip()
        if isinstance(value, dict):
            yield from flattened(value, name)
        else:
            yield name, str(value)


def machines_of(training: str, table: pd.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    """The facts of each machine that a training ran on; all but the first say from which step."""
    for machine in table.to_dict("records"):
        step = machine.pop("from_step")
        name = f"{training} from step {step}" if step else training
        yield from (("training", name, quantity, str(value)) for quantity, value in machine.items())


def summarize_rule(files: list[Path]) -> list[tuple[str, float]]:
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


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            versions=dict(snakemake.params.versions),
            seeds=dict(snakemake.params.seeds),
            benchmarks=Path(snakemake.params.benchmarks),
            machines=[Path(path) for path in snakemake.input.machines],
            trainings=list(snakemake.params.trainings),
        )
