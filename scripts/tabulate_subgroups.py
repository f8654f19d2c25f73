"""Dice and AUPRC of each method by lesion volume, age, sex and site, from the subjects' scores."""

from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.config.settings import settings_from
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.subgroups import group_subjects, summarize_groups
from brainuad.evaluation.summaries import gather_scores
from brainuad.io import job
from brainuad.io.tables import read_table
from brainuad.report.tables import subgroups as subgroup_tables
from brainuad.report.tables.files import write_tables

KNOWN = ["dataset", "subject", "age", "sex", "site"]


def main(
    *,
    scores: list[Path],
    subjects: list[Path],
    methods: list[str],
    folds: list[int],
    datasets: list[str],
    subject_datasets: list[str],
    tsv: Path,
    html: Path,
    tex: Path,
    bootstrap: dict[str, Any],
) -> None:
    """Summarize the scores of each group; `subject_datasets` names the tables of subjects.

    The TSV holds fractions, the page and the LaTeX show per cent.
    """
    settings = settings_from(BootstrapSettings, bootstrap)
    gathered = gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    people = [
        read_table(path).assign(dataset=dataset)[KNOWN]
        for path, dataset in zip(subjects, subject_datasets, strict=True)
    ]
    known = pd.concat(people, ignore_index=True) if people else pd.DataFrame(columns=KNOWN)
    groups = group_subjects(known, gathered)
    table = summarize_groups(gathered, groups, metrics=subgroup_tables.SHOWN, bootstrap=settings)
    write_tables(
        table,
        title="Subgroups",
        body=subgroup_tables.subgroups_html(table, confidence=settings.confidence),
        latex=subgroup_tables.subgroups_latex(table),
        tsv=tsv,
        html=html,
        tex=tex,
    )
    job.log(f"{len(gathered)} scores of {len(scores)} files in {len(table)} rows")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scores=[Path(path) for path in snakemake.input.scores],
            subjects=[Path(path) for path in snakemake.input.subjects],
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
            **snakemake.params,
        )
