"""What ran: versions, seeds, and the run time and memory of each rule."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from brainuad import job, tables
from brainuad.report import report_pages, run_tables

COLUMNS = ["kind", "name", "quantity", "value"]


def main(
    *, benchmarks: Path, versions: dict[str, Any], seeds: dict[str, Any], tsv: Path, html: Path
) -> None:
    """Write kind (rule, version, seed), name, quantity and value; keys of keys join by a blank."""
    rows = [("version", name, "version", value) for name, value in flattened(versions)]
    rows += [("seed", name, "seed", value) for name, value in flattened(seeds)]
    for folder in sorted(path for path in benchmarks.glob("*") if path.is_dir()):
        if files := sorted(folder.rglob("*.tsv")):
            rows += [("rule", folder.name, *fact) for fact in summarize_rule(files)]
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


def summarize_rule(files: list[Path]) -> list[tuple[str, float]]:
    """Seconds and peak memory (MiB, resident set) over the benchmark files of one rule."""
    frames = [pd.read_csv(path, sep="\t", na_values=["-", "NA"]) for path in files]
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
        )
