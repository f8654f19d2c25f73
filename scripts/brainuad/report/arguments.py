"""What the register names for a table or figure, read before it is made."""

from typing import Any

from brainuad.config.settings import settings_from
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import gather_scores
from brainuad.io.job import log

GATHERED = ("scores", "lesions")


def read_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments with the files of GATHERED as one tidy table each, `bootstrap` as its settings.

    The lists beside the files (methods, folds, datasets) become columns of the tables. All other
    arguments stay as they are.
    """
    read = dict(arguments)
    if gathered := [name for name in GATHERED if name in read]:
        origins = {name: read.pop(name) for name in ("methods", "folds", "datasets")}
        for name in gathered:
            files = read[name]
            read[name] = gather_scores(files, **origins)
            log(f"{len(read[name])} {name} of {len(files)} files")
    if "bootstrap" in read:
        read["bootstrap"] = settings_from(BootstrapSettings, read["bootstrap"])
    return read
