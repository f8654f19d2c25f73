"""What the register names for a table or figure, read before it is made."""

from typing import Any

from brainuad.config.settings import settings_from
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import gather_scores
from brainuad.io.job import log


def read_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments with the files of `scores` as one tidy table, and `bootstrap` as its settings.

    The lists beside the files (methods, folds, datasets) become columns of the table. All other
    arguments stay as they are.
    """
    read = dict(arguments)
    if "scores" in read:
        files = read["scores"]
        origins = {name: read.pop(name) for name in ("methods", "folds", "datasets")}
        read["scores"] = gather_scores(files, **origins)
        log(f"{len(read['scores'])} scores of {len(files)} files")
    if "bootstrap" in read:
        read["bootstrap"] = settings_from(BootstrapSettings, read["bootstrap"])
    return read
