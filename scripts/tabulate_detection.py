"""How well patients are told from healthy subjects by the mean residual of the whole scan."""

from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.config.settings import settings_from
from brainuad.evaluation.detection import AUROC, scan_detection
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import gather_scores
from brainuad.io import job
from brainuad.report import names
from brainuad.report.tables.files import write_results

NOTE = (
    "AUROC of the mean residual in the brain, without threshold: how often a patient's scan scores "
    "higher than a healthy subject's (50 % is chance). Mean over folds \u00b1 standard deviation "
    "over folds (a dash: there is one fold only), in brackets the {confidence:.0f} % bootstrap "
    "interval over patients and healthy subjects, which says nothing where all are told apart. The "
    "best method of a column is in bold. Patients and healthy subjects are of different data sets, "
    "so that scanner, site, age and head count too: a high value is no proof that lesions are "
    "seen. {compared}"
)


def main(
    *,
    scores: list[Path],
    methods: list[str],
    folds: list[int],
    datasets: list[str],
    healthy: list[str],
    tsv: Path,
    html: Path,
    tex: Path,
    bootstrap: dict[str, Any],
) -> None:
    """Compare the test subjects of each lesion set with those of the `healthy` sets.

    The TSV holds fractions, the page and the LaTeX show per cent.
    """
    settings = settings_from(BootstrapSettings, bootstrap)
    gathered = gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    table = scan_detection(gathered, healthy=healthy, bootstrap=settings)
    write_results(
        table,
        metrics=[AUROC],
        title="Patients told from healthy subjects",
        note=NOTE.format(confidence=100 * settings.confidence, compared=compared(table)),
        tsv=tsv,
        html=html,
        tex=tex,
    )
    job.log(f"{len(gathered)} scores of {len(scores)} files in {len(table)} rows")


def compared(table: pd.DataFrame) -> str:
    """Who was compared with whom, as "Test subjects: 20 of WMH T1 against 158 of IXI T1."."""
    places = table.drop_duplicates(["dataset", "modality"]).to_dict("records")
    pairs = [
        f"{place['subjects']} of {names.dataset_name(place['dataset'], place['modality'])} against "
        f"{place['healthy_subjects']} of {names.dataset_name(place['healthy'], place['modality'])}"
        for place in places
    ]
    return f"Test subjects: {', '.join(pairs)}." if pairs else ""


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scores=[Path(path) for path in snakemake.input.scores],
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
            **snakemake.params,
        )
