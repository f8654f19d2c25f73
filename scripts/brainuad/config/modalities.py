"""Modalities: any word by which the scans of a subject are told apart, such as t1 or flair."""

import re
from typing import Annotated

from brainuad.config.settings import Limits
from brainuad.io.errors import SettingsError

NAME = "[a-z][a-z0-9]*"
# Columns of the subject table, and roles of files, have these names.
TAKEN = (
    *("age", "remarks", "brain_mask", "reason", "seg"),
    *("session", "sex", "site", "status", "subject"),
)
Modality = Annotated[
    str,
    Limits(
        pattern=f"^(?!({'|'.join(TAKEN)})$){NAME}$",
        description="a modality of small letters and digits, such as t1, t2 or flair",
    ),
]


def check_modality(name: str) -> None:
    """SettingsError for a word that cannot name a modality."""
    if name in TAKEN:
        raise SettingsError(f"modalities: {name!r} has another meaning; use another word")
    if not re.fullmatch(NAME, name):
        raise SettingsError(
            f"modalities: {name!r} is none; expected lower-case letters and digits, a letter first"
        )
