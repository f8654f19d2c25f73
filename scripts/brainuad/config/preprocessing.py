"""Settings of the way from raw scans to the grid that models see."""

from dataclasses import dataclass
from typing import Annotated, Literal

from brainuad.config.limits import Address, Count, NotNegative, Positive, Sha256, Text, Zero
from brainuad.config.settings import Limits

Levels = Annotated[tuple[NotNegative, ...], Limits(items=(1, None))]
Factors = Annotated[tuple[Count, ...], Limits(items=(1, None))]
Percentile = Annotated[float, Limits(minimum=0, maximum=100)]


@dataclass(frozen=True)
class ArchivedFile:
    """A member of a zip at an address."""

    address: Address
    member: str
    sha256: Sha256 | None


@dataclass(frozen=True)
class Template:
    """The brain that every scan is registered to."""

    image: Text | None
    sha256: Sha256 | None
    archive: ArchivedFile


@dataclass(frozen=True)
class HeadTemplate:
    """A head with its brain mask, which may be carried over to other heads."""

    image: str
    brain_mask: str


@dataclass(frozen=True)
class HdbetWeights:
    """Where the weights of HD-BET come from."""

    local: str | None
    address: Address
    sha256: Sha256 | None


@dataclass(frozen=True)
class Hdbet:
    """Skull stripping by HD-BET."""

    weights: HdbetWeights
    test_time_augmentation: bool


@dataclass(frozen=True)
class Registration:
    """See `brainuad.preprocessing.registration.LinearRegistration`."""

    transform: Literal["Affine", "Similarity", "Rigid"]
    rigid_start: bool
    iterations: Levels
    shrink_factors: Factors
    smoothing_sigmas: Levels
    sampling_rate: Annotated[float, Limits(above=0, maximum=1)]
    label_interpolation: Literal["nearest", "linear"]


@dataclass(frozen=True)
class BiasCorrection:
    """See `brainuad.preprocessing.bias.BiasCorrection`."""

    shrink_factor: Count
    iterations: Factors
    tolerance: Positive
    mask_smoothing: Zero


@dataclass(frozen=True)
class CurvatureFlow:
    """See `brainuad.preprocessing.smoothing.CurvatureFlow`."""

    iterations: Count
    time_step: Positive


@dataclass(frozen=True)
class Normalization:
    """How intensities come to about [0, 1], and volumes to one size."""

    curvature_flow: CurvatureFlow | None
    size: Annotated[tuple[Annotated[int, Limits(minimum=8)], ...], Limits(items=(3, 3))]
    downsampling: Count
    percentiles: Annotated[tuple[Percentile, ...], Limits(items=(2, 2))]


@dataclass(frozen=True)
class Preprocessing:
    """All stages."""

    scans_per_job: Count
    spacing: Positive
    registration: Registration
    keep_last_slice: bool
    bias_correction: BiasCorrection
    normalization: Normalization
