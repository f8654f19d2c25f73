"""Data sets as the config describes them."""

from dataclasses import dataclass
from typing import Annotated, Literal

from brainuad.config.limits import Count, Line, NonNegativeInt, Text, Texts
from brainuad.config.modalities import Modality
from brainuad.config.settings import Limits

Label = Annotated[int, Limits(minimum=1, maximum=255)]


@dataclass(frozen=True)
class ReleasedLists:
    """The authors' split lists `{name}_*.csv` below a folder."""

    folder: Text
    name: Text


@dataclass(frozen=True)
class Password:
    """Where to read the password of encrypted archives: one of the two is given."""

    file: Text | None = None
    environment: (
        Annotated[str, Limits(pattern="^[A-Za-z_][A-Za-z0-9_]*$", description="a variable's name")]
        | None
    ) = None


@dataclass(frozen=True)
class DatasetBlock:
    """A data set; config/config.yaml explains each key."""

    layout: str
    root: Text
    healthy: bool
    modalities: Annotated[tuple[Modality, ...], Limits(items=(1, None), unique=True)]
    label: Line | None = None
    archives: Texts = ()
    password: Password | None = None
    demographics: str | None = None
    exclude: Annotated[tuple[str, ...], Limits(unique=True)] = ()
    files: dict[str, str] | None = None
    table: str | None = None
    part: str | None = None
    lesion_masks: bool = True
    native: bool = False
    skull_stripping: Literal["hdbet", "template", "none"] = "hdbet"
    weighted_bias_correction: bool = True
    lesion_labels: Annotated[tuple[Label, ...], Limits(items=(1, None))] | None = None
    ignored_labels: tuple[Label, ...] | None = None
    validation: NonNegativeInt = 0
    test: Count | None = None
    stratify: Literal["age", "sex", "site"] | None = None
    splits: ReleasedLists | None = None
