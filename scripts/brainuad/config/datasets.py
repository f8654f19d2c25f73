"""Data sets as the config describes them, and the phantoms that may stand for them."""

from dataclasses import dataclass
from typing import Annotated, Literal

from brainuad.config.limits import Count, NotNegative, Text, Texts
from brainuad.config.settings import Limits
from brainuad.io.errors import SettingsError

Archive = Literal["tar", "zip"]
Label = Annotated[int, Limits(minimum=1, maximum=255)]
# Columns of a subject table, which no modality may be called.
COLUMNS = (
    "age",
    "remarks",
    "brain_mask",
    "reason",
    "seg",
    "session",
    "sex",
    "site",
    "status",
    "subject",
)
Modality = Annotated[
    str,
    Limits(
        pattern=f"^(?!({'|'.join(COLUMNS)})$)[a-z][a-z0-9]*$",
        description="a modality of small letters and digits, such as t1, t2 or flair",
    ),
]


@dataclass(frozen=True)
class ReleasedLists:
    """The authors' split lists `{name}_*.csv` below a folder."""

    folder: Text
    name: Text


@dataclass(frozen=True)
class Password:
    """Where the password of an encrypted archive stands; one of the two."""

    file: Text | None = None
    environment: (
        Annotated[str, Limits(pattern="^[A-Za-z_][A-Za-z0-9_]*$", description="a variable's name")]
        | None
    ) = None


@dataclass(frozen=True)
class DatasetBlock:
    """A data set; what each key means stands in config/config.yaml."""

    layout: str
    root: Text
    healthy: bool
    modalities: Annotated[tuple[Modality, ...], Limits(items=(1, None), unique=True)]
    label: Text | None = None
    archives: Texts = ()
    password: Password | None = None
    demographics: str | None = None
    exclude: Annotated[tuple[str, ...], Limits(unique=True)] = ()
    files: dict[str, str] | None = None
    table: str | None = None
    part: str | None = None
    lesion_masks: bool = True
    skull_stripping: Literal["hdbet", "template", "none"] = "hdbet"
    weighted_bias_correction: bool = True
    lesion_labels: Annotated[tuple[Label, ...], Limits(items=(1, None))] | None = None
    ignored_labels: tuple[Label, ...] | None = None
    validation: NotNegative = 0
    test: Count | None = None
    stratify: Literal["age", "sex", "site"] | None = None
    splits: ReleasedLists | None = None


@dataclass(frozen=True)
class PhantomSettings:
    """How much of a data set's tree to make of phantoms.

    spacing          voxel size (mm) across, front to back, and upwards
    truncated        how many of the last subjects get a file cut in half
    single_modality  how many of those before them come without T2 (IXI only)
    lesion_load      1 for the usual amount
    archive          how the tree is packed (ATLAS's tar is compressed with gzip, as the real one);
                     None leaves it unpacked
    """

    subjects: Count
    spacing: Annotated[
        tuple[Annotated[float, Limits(minimum=0.5, maximum=12)], ...], Limits(items=(3, 3))
    ]
    truncated: NotNegative = 0
    single_modality: NotNegative = 0
    lesion_load: Annotated[float, Limits(minimum=0.05, maximum=4)] = 1.0
    archive: Archive | None = None

    def __post_init__(self) -> None:
        whole = self.subjects - self.truncated
        if whole < 0:
            raise SettingsError(
                f"truncated: {self.truncated} is more than the {self.subjects} subjects"
            )
        if self.single_modality > whole:
            raise SettingsError(
                f"single_modality: {self.single_modality} is more than the {whole} subjects that "
                "are not truncated"
            )


Phantoms = Annotated[
    dict[str, PhantomSettings],
    Limits(pattern="^(ixi|brats21|mslub|atlas|wmh)$", description="one of the five data sets"),
]
