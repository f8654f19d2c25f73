"""Leave out the subjects of a data set whose scan is in another data set too."""

from pathlib import Path

from brainuad.datasets.copies import leave_out_copies
from brainuad.io import job, tables
from brainuad.io.scan_names import name_of_row


def main(
    *, listed: Path, earlier: dict[str, Path], healthy: list[str], dataset: str, output: Path
) -> None:
    """Compare the voxels of the listed scans with those of the data sets earlier in the config.

    earlier  subject tables by data set
    healthy  the run's data sets of healthy people
    """
    # ASSUME: two data sets of patients may name the same files, to score them with other labels;
    # such a scan is a copy only if its file has another path.
    table = tables.read_table(listed)
    compared = leave_out_copies(
        table,
        {name: tables.read_table(path) for name, path in earlier.items()},
        sharing_files=set() if dataset in healthy else set(earlier) - set(healthy),
    )
    tables.write_table(compared, output)
    copies = compared[compared["status"] != table["status"]]
    for _, row in copies.iterrows():
        job.log(f"{name_of_row(row)} {row['status']}: {row['reason']}")
    shown = ", ".join(earlier) or "no other data set"
    job.log(f"{dataset}: compared with {shown}; {len(copies)} rows left out")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            listed=Path(snakemake.input.listed),
            earlier={Path(path).stem: Path(path) for path in snakemake.input.earlier},
            healthy=snakemake.params.healthy,
            dataset=snakemake.wildcards.dataset,
            output=Path(snakemake.output.subjects),
        )
