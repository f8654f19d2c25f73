"""Table of a data set's subjects, from its raw tree: who can be used, who is left out and why."""

from pathlib import Path

from brainuad import job, sources, tables
from brainuad.batches import OnBroken
from brainuad.errors import ScanError, SettingsError


def main(
    *,
    root: Path,
    output: Path,
    dataset: str,
    modalities: list[str],
    lesions: bool,
    on_broken: str,
    threads: int,
) -> None:
    """Find the subjects under `root`, read all their files once, and write the subject table.

    A subject without one of the modalities, or without its lesion mask, is left out. So is one
    with a broken file, unless `on_broken` is "stop": then the first one is fatal.
    """
    source = sources.source_named(dataset)
    checked = sources.check_subjects(
        sources.find_subjects(dataset, Path(root)),
        modalities=modalities,
        lesions=lesions,
        labels=source.LESION_LABELS,
        threads=threads,
    )
    left_out = [entry for entry in checked if entry.reason]
    for entry in left_out:
        job.log(f"{entry.raw.subject} left out: {entry.reason}")
    broken = [entry for entry in left_out if entry.broken]
    if broken and OnBroken(on_broken) is OnBroken.STOP:
        raise ScanError(broken[0].reason)
    if len(left_out) == len(checked):
        raise SettingsError(
            f"{dataset}: none of the {len(checked)} subjects under {root} can be used; "
            f"the first one: {left_out[0].reason}"
        )
    tables.write_table(
        sources.subject_table(checked, modalities=modalities, lesions=lesions), output
    )
    job.log(f"{dataset}: {len(checked) - len(left_out)} of {len(checked)} subjects can be used")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            root=Path(snakemake.input.root),
            output=Path(snakemake.output.subjects),
            dataset=snakemake.wildcards.dataset,
            modalities=snakemake.params.modalities,
            lesions=not snakemake.params.healthy,
            on_broken=snakemake.params.on_broken,
            threads=snakemake.threads,
        )
