"""Settings of the way from raw scans to the grid that models see."""

from dataclasses import dataclass
from typing import Annotated, Literal

from brainuad.config.limits import Address, Count, NotNegative, Positive, Sha256, Text, Zero
from brainuad.config.settings import Limits
from brainuad.io.errors import SettingsError

Levels = Annotated[tuple[NotNegative, ...], Limits(items=(1, None))]
Factors = Annotated[tuple[Count, ...], Limits(items=(1, None))]
LabelInterpolation = Literal["nearest", "linear"]
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

    transform            the kind of map
    rigid_start          first a rigid one on voxels of 8 mm, all of them
    iterations           most iterations of each level
    shrink_factors       how much larger the voxels of each level are
    smoothing_sigmas     sigma, in voxels, of each level's Gaussian
    sampling_rate        share of a level's voxels that the mutual information is computed from
    label_interpolation  of brain and lesion masks: by nearest neighbours, or linearly, as released
    """

    # ASSUME: the default of config/config.yaml is not the released schedule but one at a third of
    # its cost: a rigid start, no coarse level, fewer samples. Without the start, few samples end in
    # a wrong place for some heads turned by 25 degrees; bench/registration.py shows the errors.
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
                "iterations: has an entry for each level, as shrink_factors and smoothing_sigmas, "
                f"but they have {levels[0]}, {levels[1]} and {levels[2]}"
            )


@dataclass(frozen=True)
class BiasCorrection:
    """N4.

    shrink_factor   how much coarser the field is fitted than the image
    iterations      most iterations of each level, coarse to fine
    tolerance       change of the field at which a level ends
    mask_smoothing  sigma in voxels of the Gaussian that turns the brain mask into weights
    """

    shrink_factor: Count
    iterations: Factors
    tolerance: Positive
    mask_smoothing: Zero


@dataclass(frozen=True)
class CurvatureFlow:
    """iterations: how often; time_step: mm^2 per iteration, at most 1/16 of a voxel at 1 mm."""

    iterations: Count
    time_step: Positive


@dataclass(frozen=True)
class Normalization:
    """How intensities come to about [0, 1], and volumes to one size.

    curvature_flow  None switches it off
    size            voxels (x, y, z) before the downsampling
    downsampling    by this factor along each axis
    percentiles     of the brain, which become 0 and 1
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
                f"size: {undivided[0]} does not divide by downsampling, {self.downsampling}"
            )


@dataclass(frozen=True)
class Preprocessing:
    """All stages."""

    scans_per_job: Count
    spacing: Positive
    registration: LinearRegistration
    keep_last_slice: bool
    bias_correction: BiasCorrection
    normalization: Normalization
