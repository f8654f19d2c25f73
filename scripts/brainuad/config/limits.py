"""Limits that many settings share."""

from typing import Annotated

from brainuad.config.settings import Limits

Count = Annotated[int, Limits(minimum=1)]
NonNegativeInt = Annotated[int, Limits(minimum=0)]
Positive = Annotated[float, Limits(above=0)]
NonNegative = Annotated[float, Limits(minimum=0)]
Share = Annotated[float, Limits(minimum=0, maximum=1)]
Interval = Annotated[tuple[NonNegative, ...], Limits(items=(2, 2), rising=True)]
CountInterval = Annotated[tuple[Count, ...], Limits(items=(2, 2), rising=True)]
# No path has a zero byte.
Text = Annotated[str, Limits(pattern=r"^[^\x00]+$", description="text that is not empty")]
Line = Annotated[
    str, Limits(pattern=r"^[^\n\r\x00]+$", description="text that is not empty, in one line")
]
Texts = Annotated[tuple[Text, ...], Limits(unique=True)]
Timesteps = Annotated[tuple[Count, ...], Limits(unique=True)]
SomeTimesteps = Annotated[tuple[Count, ...], Limits(items=(1, None), unique=True)]
Sha256 = Annotated[str, Limits(pattern="^[0-9a-f]{64}$", description="64 hexadecimal digits")]
Address = Annotated[str, Limits(pattern="^https://.+$", description="an address with https://")]
