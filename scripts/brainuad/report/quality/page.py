"""The quality page of a cohort: every scan in a picture, its measures, and what stands out."""

from pathlib import Path
from urllib.parse import quote

import jinja2
import numpy as np
import pandas as pd

from brainuad.io.scan_names import name_of_row
from brainuad.preprocessing import outliers, quality
from brainuad.report.figures import pictures
from brainuad.report.pages.style import STYLE
from brainuad.report.quality.thumbnails import BESIDE_MIDLINE_MM, TEMPLATE_COLOUR
from brainuad.report.tables.layout import plain_table

TEMPLATE = "page.html.jinja"
EXCLUDED = "excluded by the config"


def left_out_when_listed(subjects: pd.DataFrame, *, modality: str) -> pd.DataFrame:
    """The rows of a subject table without a usable scan of this modality: scan, stage, reason."""
    missing = subjects[(subjects["status"] == "left_out") | subjects[modality].isna()]
    names = [name_of_row(row) for row in missing.to_dict("records")]
    return missing.assign(scan=names, stage="listing")[["scan", "stage", "reason"]]


def with_unmeasured(table: pd.DataFrame, left_out: pd.DataFrame) -> pd.DataFrame:
    """Put the scans that only inspection left out before those of `flag_outliers`, flagged too."""
    unmeasured = left_out[left_out["stage"] == quality.INSPECTED]
    if unmeasured.empty:
        return table
    rows = pd.DataFrame(
        {
            "scan": unmeasured["scan"],
            "outlier_score": np.inf,
            "flagged": True,
            "why": "used, but could not be measured: " + unmeasured["reason"],
        }
    ).sort_values("scan")
    together = pd.concat([rows, table], ignore_index=True) if len(table) else rows
    return together.reindex(columns=table.columns)


def render(
    table: pd.DataFrame,
    *,
    left_out: pd.DataFrame,
    name: str,
    dataset: str,
    modality: str,
    picture_size: tuple[int, int] | None,
) -> str:
    """The page as HTML, from a table of `flag_outliers` and `with_unmeasured`.

    `name` is the cohort as people read it: IXI T1. Pictures are in pictures/{scan}.png, but of
    unmeasured scans there are none. The page needs no network, and works as a file. A measure that
    no scan has is not shown.
    """
    shown = [measure for measure in quality.MEASURES if table[measure.name].notna().any()]
    unmeasured = left_out["stage"] == quality.INSPECTED
    without_picture = set(left_out.loc[unmeasured, "scan"])
    scans = [
        {
            "name": row["scan"],
            "address": None
            if row["scan"] in without_picture
            else f"pictures/{quote(row['scan'])}.png",
            "flagged": bool(row["flagged"]),
            "outlier_score": score_text(row["outlier_score"]),
            "why": row["why"],
            "texts": [measure.text(row[measure.name]) for measure in shown],
        }
        for row in table.to_dict("records")
    ]
    excluded = left_out.loc[left_out["reason"] == EXCLUDED, "scan"].tolist()
    # Columns of the table that are sorted from their low end: the name, then what is bad if low.
    low_first = [0] + [
        column
        for column, measure in enumerate(shown, start=2)
        if measure.concern is quality.Concern.LOW
    ]
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    source = Path(__file__).with_name(TEMPLATE).read_text(encoding="utf-8")
    return environment.from_string(source).render(
        name=name,
        dataset=dataset,
        modality=modality,
        scans=scans,
        flagged=int(table["flagged"].sum()),
        judged=bool((table[[measure.name for measure in shown]].count() >= outliers.FEWEST).any()),
        compared=bool(table["overlap"].notna().any()),
        lesions=bool(table["lesion_outside"].notna().any()),
        measures=[(measure, measure.text(table[measure.name].median())) for measure in shown],
        limit=outliers.LIMIT,
        limits=[
            f"{measure.label.lower()} "
            f"{'below' if measure.concern is quality.Concern.LOW else 'above'} "
            f"{measure.text(measure.limit)}"
            for measure in shown
            if measure.limit is not None
        ],
        beside_midline=f"{BESIDE_MIDLINE_MM:.0f}\u00a0mm",
        fewest=outliers.FEWEST,
        width=picture_size[0] if picture_size else 0,
        height=picture_size[1] if picture_size else 0,
        colours={
            "mask": pictures.MASK_COLOUR,
            "lesion": pictures.LESION_COLOUR,
            "template": TEMPLATE_COLOUR,
        },
        excluded=excluded,
        low_first=low_first,
        left_out=_left_out_html(left_out[~unmeasured]),
        style=STYLE,
    )


def score_text(score: float) -> str:
    """An outlier score as people read it; a dash where there is none."""
    if np.isinf(score):
        return "\u221e"
    return "\u2013" if pd.isna(score) else f"{score:.1f}"


def _left_out_html(left_out: pd.DataFrame) -> str:
    shown = left_out.set_axis(["Scan", "Stage", "Reason"], axis="columns")
    return plain_table(shown) if len(shown) else ""
