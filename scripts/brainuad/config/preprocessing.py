"""Settings of the preprocessing, from raw scans to the grid of the models."""

from dataclasses import dataclass
from typing import Annotated, Literal

from brainuad.config.limits import (
    Address,
    Count,
    NonNegative,
    NonNegativeInt,
    Positive,
    Sha256,
    Text,
)
from brainuad.config.settings import Limits
from brainuad.io.errors import SettingsError

Levels = Annotated[tuple[NonNegativeInt, ...], Limits(items=(1, None))]
Factors = Annotated[tuple[Count, ...], Limits(items=(1, None))]
LabelInterpolation = Literal["nearest", "linear"]
Percentile = Annotated[float, Limits(minimum=0, maximum=100)]


@dataclass(frozen=True)
class ArchivedFile:
    """A member of a zip archive at an https address."""

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
    """A head with its brain mask, which is carried over to other heads to strip their skulls."""

    image: str
    brain_mask: str


@dataclass(frozen=True)
class HdbetWeights:
    """Where the weights of HD-BET 2 come from."""

    local: str | None
    address: Address
    sha256: Sha256 | None


@dataclass(frozen=True)
class Hdbet:
    """Skull stripping by HD-BET."""

    version: Literal[1, 2]
    networks: Annotated[int, Limits(minimum=1, maximum=5)] | None
    mirroring: bool | None
    weights: HdbetWeights


@dataclass(frozen=True)
class LinearRegistration:
    """A linear registration by ANTs; the levels go from coarse to fine.

    transform            the kind of transform
    rigid_start          register rigidly first, using all voxels of a grid of 8 mm
    iterations           largest number of iterations of each level
    shrink_factors       how much larger the voxels of each level are
    smoothing_sigmas     sigma, in voxels, of each level's Gaussian
    sampling_rate        share of a level's voxels that the mutual information is computed from
    label_interpolation  of brain and lesion masks: by nearest neighbours, or linearly, as released
    """

    # ASSUME: the default in config/config.yaml is not the released schedule but one at a third of
    # its cost: a rigid start, no coarse level, fewer samples. Without the rigid start, few samples
    # register some heads that are turned by 25 degrees wrongly; bench/registration.py shows the
    # errors.
    transform: Literal["Affine", "Similarity", "Rigid"]
    rigid_start: bool
    iterations: Levels
    shrink_factors: Factors
    smoothing_sigmas: Levels
    sampling_rate: Annotated[float, Limits(above=0, maximum=1)]
    label_interpolation: LabelInterpolation

    def __post_init__(self) -> None:
        levels = [len(self.iterations), len(self.shrink_factors), len(self.smoothing_sigmas)]
        if len(set(levels)) > 1:
            raise SettingsError(
                "iterations: give as many entries as in shrink_factors and smoothing_sigmas, one "
                f"for each level; they have {levels[0]}, {levels[1]} and {levels[2]}"
            )


@dataclass(frozen=True)
class BiasCorrection:
    """N4 bias field correction.

    shrink_factor   the field is fitted on a grid that is coarser by this factor
    iterations      largest number of iterations of each level, coarse to fine
    tolerance       change of the field at which a level ends
    mask_smoothing  sigma in voxels of the Gaussian that turns the brain mask into weights
    """

    shrink_factor: Count
    iterations: Factors
    tolerance: Positive
    mask_smoothing: NonNegative


@dataclass(frozen=True)
class CurvatureFlow:
    """Number of iterations; time_step in mm^2 per iteration, at most 1/16 on voxels of 1 mm."""

    iterations: Count
    time_step: Positive


@dataclass(frozen=True)
class Normalization:
    """How intensities are scaled to about [0, 1], and volumes brought to one size.

    curvature_flow  None switches it off
    size            voxels (x, y, z) before the downsampling
    downsampling    by this factor along each axis
    percentiles     of the intensities in the brain; they become 0 and 1
    """

    curvature_flow: CurvatureFlow | None
    size: Annotated[tuple[Annotated[int, Limits(minimum=8)], ...], Limits(items=(3, 3))]
    downsampling: Count
    percentiles: Annotated[tuple[Percentile, ...], Limits(items=(2, 2))]

    def __post_init__(self) -> None:
        low, high = self.percentiles
        if low >= high:
            raise SettingsError(f"percentiles: {low:g} is not below {high:g}")
        if undivided := [edge for edge in self.size if edge % self.downsampling]:
            raise SettingsError(
                f"size: {undivided[0]} is not divisible by downsampling, {self.downsampling}"
            )


@dataclass(frozen=True)
class Preprocessing:
    """Settings of all stages."""

    scans_per_job: Count
    spacing: Positive
    registration: LinearRegistration
    keep_last_slice: bool
    bias_correction: BiasCorrection
    normalization: Normalization
