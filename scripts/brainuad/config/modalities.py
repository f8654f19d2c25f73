"""Modalities: any word that distinguishes the scans of a subject, such as t1 or flair."""

import re
from typing import Annotated

from brainuad.config.settings import Limits
from brainuad.io.errors import SettingsError

NAME = "[a-z][a-z0-9]*"
# Names of columns of the subject table, and of roles of files.
RESERVED = (
    *("age", "remarks", "brain_mask", "reason", "seg"),
    *("session", "sex", "site", "status", "subject"),
)
Modality = Annotated[
    str,
    Limits(
        pattern=f"^(?!({'|'.join(RESERVED)})$){NAME}$",
        description="a modality of small letters and digits, such as t1, t2 or flair",
    ),
]


def check_modality(name: str) -> None:
    """Raise SettingsError for a word that cannot name a modality."""
    if name in RESERVED:
        raise SettingsError(f"modalities: {name!r} has another meaning; use another word")
    if not re.fullmatch(NAME, name):
        raise SettingsError(
            f"modalities: {name!r} is not allowed; expected lower-case letters and digits, a "
            "letter first"
        )
