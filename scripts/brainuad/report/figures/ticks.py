"""Ticks of logarithmic axes as people write them."""

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator

FEWEST_TICKS = 3


def plain_log_ticks(axis: Axis) -> None:
    """A few round numbers as ticks of a logarithmic axis, written plainly: 0.05, 0.1, 20."""
    low, high = axis.get_view_interval()
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        ticks = np.outer(powers, steps).ravel()
        ticks = ticks[(ticks >= low) & (ticks <= high)]
        if len(ticks) >= FEWEST_TICKS:
            break
    else:
        ticks = MaxNLocator(4).tick_values(low, high)
        ticks = ticks[(ticks >= low) & (ticks <= high)]
    axis.set_ticks(ticks, [f"{tick:.4g}" for tick in ticks])
    axis.set_ticks([], minor=True)
