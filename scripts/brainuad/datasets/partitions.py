"""The partitions of a split, and the scans in them."""

from collections.abc import Iterable, Mapping

from brainuad.io.scan_names import name_of_row

TRAIN, VALIDATION, TEST = "train", "validation", "test"


def scans_of(split: Iterable[Mapping[str, str]], partition: str) -> list[str]:
    """The names of the scans of a partition, in the order of the split's rows.

    The rows have the columns subject, session and partition.
    """
    if partition not in (TRAIN, VALIDATION, TEST):
        raise ValueError(f"partition {partition!r} is not one of {TRAIN}, {VALIDATION}, {TEST}")
    return [name_of_row(row) for row in split if row["partition"] == partition]
