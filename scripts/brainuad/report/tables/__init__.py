"""The tables of the report, a file each: `tabulate` makes it from files and plain values."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Table:
    """A table as numbers and as readers see it.

    tidy   its numbers, fractions as they were scored
    html   the table laid out, scaled and rounded, with what its numbers alone can say
    latex  the same for the booktabs package
    """

    tidy: pd.DataFrame
    html: str
    latex: str
