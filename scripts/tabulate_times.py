"""The table of times: seconds that each method takes for a volume, and how many times DDPM's."""

from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.config.settings import settings_from
from brainuad.evaluation.reconstruction_times import COLUMNS, RATIO, SECONDS
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import summarize_scores
from brainuad.io import job
from brainuad.io.tables import read_table
from brainuad.report.tables.files import write_results

# The diffusion model with nothing added: what a condition, patches or more timesteps cost.
REFERENCE = "ddpm"
NOTE = (
    "Mean over rounds of a few test subjects of the first fold; in brackets its {confidence:.0f} % "
    "bootstrap interval over rounds. The fastest method of a column is in bold. From the slices in "
    "memory to their reconstructions in memory, compiled where whole data sets are. The methods "
    "of a column took turns in one job, on one machine; ratios are of the same round. Paper: cDDPM "
    "takes 1.02 times as long as DDPM, and 0.63 times as long as pDDPM."
)


def main(*, times: list[Path], tsv: Path, html: Path, tex: Path, bootstrap: dict[str, Any]) -> None:
    """Summarize the times of all jobs; a method's ratio is to DDPM in the same job and round."""
    settings = settings_from(BootstrapSettings, bootstrap)
    measured = pd.concat([pd.DataFrame(columns=COLUMNS), *map(read_table, times)])
    # The interval is over rounds, as that of scores is over subjects.
    rounds = with_ratios(measured).rename(columns={"round": "subject"})
    write_results(
        summarize_scores(rounds, metrics=[SECONDS, RATIO], bootstrap=settings),
        metrics=[SECONDS, RATIO],
        title="Time of reconstruction",
        note=NOTE.format(confidence=100 * settings.confidence),
        tsv=tsv,
        html=html,
        tex=tex,
    )
    job.log(f"{len(measured)} times of {len(times)} files")


def with_ratios(times: pd.DataFrame) -> pd.DataFrame:
    """Add each time's ratio to the reference's as a further metric; without it there is none."""
    keys = ["fold", "dataset", "modality", "round"]
    reference = times.loc[times["method"] == REFERENCE, [*keys, "value"]]
    pairs = times.merge(reference, on=keys, suffixes=("", "_of_reference"))
    ratios = pairs.assign(metric=RATIO, value=pairs["value"] / pairs["value_of_reference"])
    return pd.concat([times, ratios[COLUMNS]], ignore_index=True)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            times=[Path(path) for path in snakemake.input.times],
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
            bootstrap=snakemake.params.bootstrap,
        )
