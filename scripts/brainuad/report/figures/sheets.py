"""A figure measured in inches, from its left and from its top, as one lays out a page."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text


class Sheet:
    """A figure of `width` times `height` inches."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height))

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes whose upper left corner is x inches from the left and y inches from the top."""
        return self.figure.add_axes(
            (
                x / self.width,
                1 - (y + height) / self.height,
                width / self.width,
                height / self.height,
            )
        )

    def write(self, x: float, y: float, text: str, **look) -> Text:
        """Text at x inches from the left and y inches from the top."""
        return self.figure.text(x / self.width, 1 - y / self.height, text, **look)
