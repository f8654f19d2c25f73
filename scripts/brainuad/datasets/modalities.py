"""Modalities: any word by which the scans of a subject are told apart, such as t1 or flair."""

import re

from brainuad.io.errors import SettingsError

NAME = re.compile(r"[a-z][a-z0-9]*")
# Columns of the subject table, and roles of files, have these names.
TAKEN = (
    *("subject", "session", "seg", "brain_mask", "age", "sex", "site"),
    *("status", "reason"),
)


def check_modality(name: str) -> None:
    """SettingsError for a word that cannot name a modality."""
    if name in TAKEN:
        raise SettingsError(f"modalities: {name!r} has another meaning; use another word")
    if not NAME.fullmatch(name):
        raise SettingsError(
            f"modalities: {name!r} is none; expected lower-case letters and digits, a letter first"
        )
