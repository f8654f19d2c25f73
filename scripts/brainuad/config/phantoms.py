"""Phantoms, which can replace data sets."""

from dataclasses import dataclass
from typing import Annotated, Literal

from brainuad.config.limits import Count, NonNegativeInt
from brainuad.config.settings import Limits
from brainuad.io.errors import SettingsError

Archive = Literal["tar", "zip"]


@dataclass(frozen=True)
class PhantomSettings:
    """How many phantoms of a data set to make, and how.

    spacing          voxel size (mm) across, front to back, and upwards
    truncated        how many of the last subjects get a file cut in half
    single_modality  how many of the subjects before them have no T2 (IXI only)
    lesion_load      factor on the amount of lesions; 1 is the usual amount
    archive          how the tree is packed (ATLAS's tar is compressed with gzip, as the real one);
                     None leaves it unpacked
    """

    subjects: Count
    spacing: Annotated[
        tuple[Annotated[float, Limits(minimum=0.5, maximum=12)], ...], Limits(items=(3, 3))
    ]
    truncated: NonNegativeInt = 0
    single_modality: NonNegativeInt = 0
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
    Limits(
        pattern="^(ixi|brats21|mslub|atlas|wmh|clinic)$",
        description="one of the five data sets, or clinic",
    ),
]
