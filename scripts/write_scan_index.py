"""One index of all scans that have pages, over all cohorts, the most anomalous first."""

from pathlib import Path

from brainuad.io import job
from brainuad.report.pages.pages import write_text
from brainuad.report.scans import index
from brainuad.report.scans.results import read_results
from brainuad.report.scans.scan_quality import written_quality


def main(
    *, derivatives: list[Path], pages: list[Path], output: Path, cohort_labels: dict[str, str]
) -> None:
    """Write the index; the pages of a cohort are in a folder next to it, named by the cohort."""
    labels = {folder: cohort_labels[folder.name] for folder in derivatives}
    results = {label: read_results(folder) for folder, label in labels.items()}
    text = index.render(
        results,
        qualities={cohort_labels[folder.name]: written_quality(folder) for folder in pages},
        folders={label: f"{folder.name}/" for folder, label in labels.items()},
        title="All scans",
        overview="../index.html",
    )
    write_text(text, output)
    job.log(f"{sum(map(len, results.values()))} scans of {len(results)} cohorts")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            derivatives=[Path(path) for path in snakemake.input.derivatives],
            pages=[Path(path) for path in snakemake.input.pages],
            output=Path(snakemake.output.html),
            cohort_labels=snakemake.params.cohort_labels,
        )
