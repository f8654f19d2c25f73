"""Partition of a data set's subjects for one fold: train, validation, test."""

from pathlib import Path

from brainuad import job, tables
from brainuad.splits import split_healthy, split_lesions


def main(
    *,
    subjects: Path,
    output: Path,
    fold: int,
    healthy: bool,
    validation: int,
    test: int | None,
    stratify: str | None,
    seed: int,
) -> None:
    """Write subject and partition; lesion sets have no training part, all folds the same split."""
    table = tables.read_table(subjects)
    if healthy:
        split = split_healthy(
            table,
            fold=fold,
            validation=validation,
            test=test or 0,
            stratify=stratify,
            seed=seed,
        )
    else:
        split = split_lesions(table, validation=validation, test=test, stratify=stratify, seed=seed)
    tables.write_table(split, output)
    job.log(
        f"{output}: " + ", ".join(f"{n} {p}" for p, n in split["partition"].value_counts().items())
    )


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            subjects=Path(snakemake.input.subjects),
            output=Path(snakemake.output[0]),
            fold=int(snakemake.wildcards.fold),
            **snakemake.params,
        )
