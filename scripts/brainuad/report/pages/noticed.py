"""What a reader should know before the numbers: what was left out, and what is odd."""

from collections.abc import Sequence

import pandas as pd

from brainuad.evaluation.thresholds import rests_on_little
from brainuad.report.labels import Labels
from brainuad.report.pages.conclusions import PLACE, joined
from brainuad.report.tables.left_out import counts


def noticed(
    left_out: pd.DataFrame,
    quality: Sequence[dict],
    thresholds: pd.DataFrame | None,
    labels: Labels,
) -> list[tuple[str, str]]:
    """Short sentences, each with the name of the section that says more.

    The tables are those of left_out and thresholds; `quality` is what `overview.quality_of` gives.
    """
    scans = sum(part["scans"] for part in quality)
    flagged = sum(len(part["flagged"]) for part in quality)
    sentences = [
        (
            f"Left out: {counts(left_out)}." if len(left_out) else "No scan was left out.",
            "left-out",
        ),
        (
            f"{flagged} of {scans} preprocessed scans {'is' if flagged == 1 else 'are'} flagged: "
            "their measures of quality stand out.",
            "quality",
        ),
    ]
    if thresholds is not None:
        few = [
            labels.cohort(*place)
            for place, part in thresholds.groupby(PLACE, sort=False)
            if any(map(rests_on_little, part["patients"], part["lesion_voxels"]))
        ]
        if few:
            sentence = f"The thresholds of {joined(few)} rest on few validation patients or voxels."
            sentences.append((sentence, "segmentation"))
    return sentences
