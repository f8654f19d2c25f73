"""How well the mean residual of the whole scan separates patients from healthy subjects."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import pandas as pd

from brainuad.evaluation.detection import AUROC, scan_detection
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.report.labels import Labels
from brainuad.report.tables import Table
from brainuad.report.tables.layout import table_of_summary


def tabulate(
    scores: pd.DataFrame,
    *,
    healthy: Sequence[str],
    bootstrap: BootstrapSettings,
    labels: Labels,
) -> Table:
    """Compare the test subjects of each lesion set with those of the `healthy` sets."""
    detection = scan_detection(
        scores,
        healthy=healthy,
        bootstrap=bootstrap,
    )
    table = table_of_summary(detection, metrics=[AUROC], labels=labels)
    return replace(table, html=f"{table.html}{compared(detection, labels)}")


def compared(detection: pd.DataFrame, labels: Labels) -> str:
    """Who was compared with whom, as "Test subjects: 20 of WMH T1 against 158 of IXI T1."."""
    places = detection.drop_duplicates(["dataset", "modality"]).to_dict("records")
    pairs = [
        f"{place['subjects']} of {labels.cohort(place['dataset'], place['modality'])} against "
        f"{place['healthy_subjects']} of {labels.cohort(place['healthy'], place['modality'])}"
        for place in places
    ]
    return f'<p class="note">Test subjects: {escape(", ".join(pairs))}.</p>' if pairs else ""
