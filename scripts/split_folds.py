"""Partition a data set's subjects for one fold: train, validation, test."""

from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.datasets.released_splits import no_problems, released_split
from brainuad.datasets.splits import all_for_test, split_healthy, split_lesions
from brainuad.io import job, tables
from brainuad.io.errors import SettingsError


def main(
    *,
    subjects: Path,
    lists: list[Path],
    output: Path,
    problems: Path,
    fold: int,
    healthy: bool,
    lesion_masks: bool,
    validation: int,
    test: int | None,
    stratify: str | None,
    seed: int,
    splits: dict[str, Any] | None,
) -> None:
    """Write subject, session and partition, and the problems found in the released lists.

    With `splits` (folder, name, keep_leaks) the split is read from the CSV files `lists`;
    keep_leaks keeps the subjects that are in two partitions. Without `splits` the split is drawn.
    Lesion sets have no training partition, and the same split in all folds.
    """
    table = tables.read_table(subjects)
    found = no_problems()
    if not healthy and not lesion_masks:
        split = all_for_test(table)
    elif splits is not None:
        split, found = released_split(
            table,
            lists=lists,
            name=splits["name"],
            fold=fold,
            healthy=healthy,
            keep_leaks=splits["keep_leaks"],
        )
    else:
        sizes = {"validation": validation, "stratify": stratify, "seed": seed}
        try:
            if healthy:
                split = split_healthy(table, fold=fold, test=test or 0, **sizes)
            else:
                split = split_lesions(table, test=test, **sizes)
        except SettingsError as error:
            raise SettingsError(f"datasets.{subjects.stem}: {error}") from None
    tables.write_table(split, output)
    tables.write_table(found, problems)
    people = split.drop_duplicates(["subject", "partition"])
    job.log(f"{output}: {counts(people['partition'])} subjects, {len(split)} scans")
    job.log(f"{problems}: {counts(found['problem']) or 'nothing to report'}")


def counts(names: pd.Series) -> str:
    """How often each name occurs: 358 train, 44 validation."""
    return ", ".join(f"{number} {name}" for name, number in names.value_counts().items())


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            subjects=Path(snakemake.input.subjects),
            lists=[Path(path) for path in snakemake.params.lists],
            output=Path(snakemake.output.split),
            problems=Path(snakemake.output.problems),
            fold=int(snakemake.wildcards.fold),
            healthy=snakemake.params.healthy,
            lesion_masks=snakemake.params.lesion_masks,
            validation=snakemake.params.validation,
            test=snakemake.params.test,
            stratify=snakemake.params.stratify,
            splits=snakemake.params.splits,
            seed=snakemake.params.seed,
        )
