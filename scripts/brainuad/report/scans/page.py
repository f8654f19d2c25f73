"""The page of a scan: its viewer, its candidates, and what the findings rest on."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import numpy as np

from brainuad.images.volumes import Volume
from brainuad.report.pages.style import STYLE
from brainuad.report.scans.results import ScanResult
from brainuad.report.scans.small_volumes import (
    WHITE,
    SmallVolumes,
    as_base64,
    volumes_above,
)

FOLDER = Path(__file__).parent
# What lies beside the pages, from where.
BESIDE = {
    "niivue.umd.js": FOLDER / "niivue" / "niivue.umd.js",
    "niivue_license.txt": FOLDER / "niivue" / "LICENSE",
    "viewer.js": FOLDER / "viewer.js",
}
STYLE_FILE = "style.css"
# The folder, beside the pages, of the pictures that the quality page shows of each scan.
QUALITY_VIEWS = "quality"


def style() -> str:
    """The style sheet of the pages and of the index."""
    return STYLE + (FOLDER / STYLE_FILE).read_text(encoding="utf-8")


@cache
def template(name: str) -> jinja2.Template:
    """A template of this folder; what is filled in is escaped."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string((FOLDER / name).read_text(encoding="utf-8"))


def render(
    result: ScanResult,
    *,
    anomaly_map: Volume,
    shown: SmallVolumes,
    cohort: str,
    method: str,
    files: str,
    stands_out: str | None,
    quality_page: str,
    quality_views: bool,
) -> str:
    """The page as HTML, which needs the files of `BESIDE` and the style sheet beside it.

    anomaly_map    on the file's own grid, of which volumes are counted
    cohort         as people read it: IXI T1; `method` likewise
    files          the folder of the files that the page shows, as text
    stands_out     why its preprocessing does, None if it does not
    quality_page   the folder of the cohort's quality page, which a folder given away has not
    quality_views  whether the scan has a picture in `QUALITY_VIEWS`
    """
    levels, volumes = zip(*volumes_above(anomaly_map, result.threshold), strict=True)
    return template("scan.html.jinja").render(
        scan=result,
        cohort=cohort,
        method=method,
        standing=standing(result),
        threshold=number(result.threshold),
        top=number(levels[-1]),
        highest_deviation=number(shown.highest_deviation),
        candidates=[_candidate(row) for row in result.candidates],
        facts=_facts(result),
        origin=f"The threshold, {number(result.threshold)}: {result.origin}.",
        files=files,
        voxels=" x ".join(f"{edge:.3g}" for edge in shown.scan.spacing),
        stands_out=stands_out,
        quality={
            "views": f"{QUALITY_VIEWS}/{quote(result.name)}.png" if quality_views else None,
            "address": f"{quality_page}index.html#{quote(f'scan-{result.scan}')}",
            "picture": f"{quality_page}pictures/{quote(result.scan)}.png",
        },
        shown={
            "scan": as_base64(shown.scan, slope=1),
            "map": as_base64(shown.anomaly_map, slope=shown.maximum / WHITE),
            "deviation": shown.deviation
            and as_base64(shown.deviation, slope=shown.highest_deviation / WHITE),
            "highest_deviation": shown.highest_deviation,
            "levels": [float(f"{level:.6g}") for level in levels],
            "volumes": [float(f"{volume:.4g}") for volume in volumes],
            "fitted": levels.index(result.threshold),
            "centre": _centre(shown.scan),
        },
    )


def standing(result: ScanResult) -> str:
    """How a scan compares with healthy ones, in a sentence."""
    if np.isnan(result.percentile):
        return "There are no healthy scans to compare its mean score with."
    total = result.healthy_scans
    below = round(result.percentile * total / 100)
    share = f"all {total}" if below == total else f"{below} of the {total}"
    return f"Its mean score is at or above that of {share} healthy test scans."


def number(value: float) -> str:
    """Three digits; of large numbers all before the point."""
    text = f"{value:.3g}"
    return f"{value:.0f}" if "e+" in text else text


def _facts(result: ScanResult) -> list[tuple[str, str]]:
    facts = [
        ("Subject", result.subject),
        ("Session", result.session),
        ("Split", result.partition),
        ("Volume of candidates", f"{number(result.volume_ml)}\u00a0ml"),
        ("Candidates", str(len(result.candidates))),
        ("Highest value", number(result.maximum)),
        ("Mean score", number(result.mean_residual)),
    ]
    return [(name, value) for name, value in facts if value]


def _candidate(row: Mapping[str, str]) -> dict[str, Any]:
    place = [row[axis] for axis in "xyz"]
    return {
        "number": row["index"],
        "volume": number(float(row["volume_ml"])),
        "peak": number(float(row["peak"])),
        "mean": number(float(row["mean"])),
        "side": row["side"],
        "place": place,
        "shown_place": [round(float(value)) for value in place],
    }


def _centre(volume: Volume) -> list[float]:
    middle = (np.array(volume.data.shape) - 1) / 2
    return (volume.affine @ [*middle, 1])[:3].round(2).tolist()
