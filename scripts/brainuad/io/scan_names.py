"""What a scan is called within its cohort: by its subject and, where there is one, its session."""

from collections.abc import Mapping


def scan_name(subject: str, session: str = "") -> str:
    """Such as sub-01_ses-2; without a session ("") the subject's name alone.

    Folders and arrays hold scans by this name. It is never taken apart: whose scan it is stands in
    the tables and arrays that have subject and session beside each other.
    """
    return f"{subject}_ses-{session}" if session else subject


def name_of_row(row: Mapping[str, str]) -> str:
    """The name of the scan that a row of a table with the columns subject and session is about."""
    return scan_name(row["subject"], row["session"])


def plain_session(session: str) -> str:
    """A session as tables hold it: 2 for ses-2."""
    return session.removeprefix("ses-")
