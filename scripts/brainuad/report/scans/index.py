"""The index of scans: a row with a picture and the numbers of each, the most anomalous first."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from brainuad.report.scans.page import FOLDER, number, style, template
from brainuad.report.scans.results import ScanResult, by_anomaly
from brainuad.report.scans.scan_quality import ScanQuality

COLUMNS = (
    *("Scan", "Data set", "Percentile", "Mean score", "Volume (ml)", "Candidates"),
    "Highest value",
)
TEXTS = ("Scan", "Data set")


def render(
    results: Mapping[str, Sequence[ScanResult]],
    *,
    folders: Mapping[str, str],
    qualities: Mapping[str, ScanQuality],
    title: str,
    overview: str | None = None,
) -> str:
    """The index as HTML, alone in one file but for the pictures.

    results    those of each cohort, by its name as people read it
    folders    where the pages of each lie, as seen from the index: "" for its own folder
    qualities  what is known of the preprocessing of each
    overview   the address of the page that shows the whole run, None where it is not told
    """
    together = [(result, cohort) for cohort, each in results.items() for result in each]
    together.sort(key=lambda pair: by_anomaly(pair[0]))
    return template("index.html.jinja").render(
        title=title,
        overview=overview,
        columns=COLUMNS,
        texts=TEXTS,
        scans=[
            _row(result, cohort, folders[cohort], qualities[cohort]) for result, cohort in together
        ],
        left_out=[
            (cohort, row) for cohort, quality in qualities.items() for row in quality.left_out
        ],
        style=style(),
        script=(FOLDER / "index.js").read_text(encoding="utf-8"),
    )


def _row(result: ScanResult, cohort: str, folder: str, quality: ScanQuality) -> dict[str, object]:
    values = (
        *(result.scan, cohort, number(result.percentile), number(result.mean_residual)),
        *(number(result.volume_ml), str(len(result.candidates)), number(result.maximum)),
    )
    return {
        "address": f"{folder}{quote(result.name)}.html",
        "picture": f"{folder}pictures/{quote(result.name)}.jpg",
        "stands_out": quality.flagged.get(result.scan),
        "cells": [
            (column, "" if value == "nan" else value)
            for column, value in zip(COLUMNS, values, strict=True)
        ],
    }
