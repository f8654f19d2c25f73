"""Dice against the volume of the lesions, one panel per data set."""

from pathlib import Path

from brainuad.evaluation.summaries import gather_scores
from brainuad.io import job
from brainuad.report import names
from brainuad.report.figures import charts
from brainuad.report.figures import style as figures


def main(
    *,
    scores: list[Path],
    methods: list[str],
    folds: list[int],
    datasets: list[str],
    svg: Path,
    png: Path,
) -> None:
    """Draw each test subject (its mean over folds) and the median in up to four volume bins."""
    gathered = gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    shown = figures.shown_methods(list(dict.fromkeys(methods)))
    gathered = gathered[gathered["method"].isin(shown)]
    gathered = gathered[gathered["metric"].isin(["dice", "lesion_volume_ml"])]
    keys = ["dataset", "modality", "method", "subject"]
    points = gathered.pivot_table(
        index=keys, columns="metric", values="value", aggfunc="mean", sort=False
    ).reset_index()
    # Of no score at all there is no column either.
    points = points.reindex(columns=[*keys, "dice", "lesion_volume_ml"])
    points = points.dropna(subset=["dice"]).query("lesion_volume_ml > 0")
    with figures.house_style():
        figure = charts.dice_by_volume(
            points,
            styles=figures.method_styles(shown),
            method_name=names.method_name,
            dataset_name=names.dataset_name,
        )
        figures.save_figure(figure, svg=svg, png=png)
    job.log(f"{len(points)} points of {points['subject'].nunique()} subjects")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scores=[Path(path) for path in snakemake.input.scores],
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
            **snakemake.params,
        )
