"""Dice against the timestep to which slices are noised, one panel per data set."""

from pathlib import Path

from brainuad.evaluation.summaries import gather_scores
from brainuad.io import job
from brainuad.report.figures import style as figures
from brainuad.report.figures import timestep_charts


def main(
    *,
    scores: list[Path],
    methods: list[str],
    folds: list[int],
    datasets: list[str],
    svg: Path,
    png: Path,
) -> None:
    """Draw the mean over subjects, a line per method, in a band of one sd over folds."""
    gathered = gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    # Of no score at all there is no timestep either.
    gathered = gathered.reindex(columns=list(dict.fromkeys([*gathered, "timestep"])))
    points = timestep_charts.mean_by_timestep(gathered[gathered["metric"] == "dice"])
    styles = figures.method_styles(list(dict.fromkeys(methods)))
    with figures.house_style():
        figure = timestep_charts.dice_by_timestep(points, styles=styles)
        figures.save_figure(figure, svg=svg, png=png)
    job.log(f"{len(points)} points")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scores=[Path(path) for path in snakemake.input.scores],
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
            **snakemake.params,
        )
