"""The name of a scan within its cohort: its subject and, if there is one, its session."""

from collections.abc import Mapping


def scan_name(subject: str, session: str = "") -> str:
    """Such as sub-01_ses-2; without a session ("") the subject's name alone.

    Folders and arrays use this name. It is never parsed: tables and arrays also have subject and
    session separately.
    """
    return f"{subject}_ses-{session}" if session else subject


def name_of_row(row: Mapping[str, str]) -> str:
    """The name of the scan in a row of a table that has the columns subject and session."""
    return scan_name(row["subject"], row["session"])


def plain_session(session: str) -> str:
    """A session without its prefix, as in tables: 2 for ses-2."""
    return session.removeprefix("ses-")
