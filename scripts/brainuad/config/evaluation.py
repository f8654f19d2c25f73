"""Methods as the config describes them, how they are evaluated, and the experiments."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from brainuad.config.limits import (
    Count,
    Line,
    NonNegativeInt,
    Positive,
    Sha256,
    SomeTimesteps,
    Text,
    Texts,
    Timesteps,
)
from brainuad.config.settings import Limits
from brainuad.io.errors import SettingsError

Colour = Annotated[
    str, Limits(pattern="^#[0-9a-fA-F]{6}$", description="a colour such as '#d55e00'")
]
Fractions = Annotated[
    tuple[Annotated[float, Limits(above=0, maximum=1)], ...], Limits(items=(1, None), unique=True)
]
Gammas = Annotated[tuple[Positive, ...], Limits(items=(1, None), unique=True)]
# The score that compares another score with that of healthy scans, of which it needs a few.
NORMATIVE = "normative"
FEWEST_HEALTHY_SCANS = 3
# The residual with its sign: only the normative score uses it, and no anomaly map is made from it.
SIGNED = "signed"
# The score of a model that maps anomalies itself, and reconstructs nothing.
OWN_MAP = "own_map"
SomeTexts = Annotated[tuple[Text, ...], Limits(items=(1, None), unique=True)]


@dataclass(frozen=True)
class MethodBlock:
    """A row of the tables: a model, how it reconstructs, and how its reconstructions are scored.

    model      None if the score needs no reconstruction
    timesteps  reconstructions from these are averaged; empty if the model needs a single pass
    samples    how often the model reconstructs a scan, each time with other noise
    score      `kind`, a module of `brainuad.scores`, and the settings of that module
    """

    label: Line
    colour: Colour
    model: str | None
    score: dict[str, Any]
    timesteps: Timesteps = ()
    samples: Count = 1


def takes_own_map(score: dict[str, Any]) -> bool:
    """Whether a score, or the one that it compares, is the map that a model makes itself."""
    return (score["of"] if score["kind"] == NORMATIVE else score)["kind"] == OWN_MAP


@dataclass(frozen=True)
class PostprocessingSettings:
    """How scores become an anomaly map and a segmentation.

    order               steps in the order they run; one that is not named is left out
    erosion_iterations  how often the brain mask is eroded in each axial slice; 0 keeps it
    median_size         edge of the cubic median window in voxels, odd; 1 changes nothing
    minimum_component   the smallest component that is kept, in voxels; 1 keeps all
    """

    order: Annotated[tuple[Literal["erosion", "median"], ...], Limits(unique=True)]
    erosion_iterations: NonNegativeInt
    median_size: Count
    minimum_component: Count

    def __post_init__(self) -> None:
        if self.median_size % 2 == 0:
            raise SettingsError(f"median_size: {self.median_size} is even, expected an odd number")


@dataclass(frozen=True)
class Bootstrap:
    """Bootstrap of means over subjects: the number of resamples, and the confidence level."""

    rounds: Count
    confidence: Annotated[float, Limits(above=0, below=1)]


@dataclass(frozen=True)
class Comparison:
    """The row that is tested against every other row, and the number of permutations."""

    reference: str
    rounds: Count


@dataclass(frozen=True)
class Perceptual:
    """The network that LPIPS is measured with."""

    weights: Text
    sha256: Sha256 | None


@dataclass(frozen=True)
class Evaluation:
    """How methods are compared.

    later_methods  methods of papers after this one: they have a segmentation table of their own,
                   and rows in all other tables
    """

    methods: SomeTexts
    later_methods: Texts
    maps_method: str
    times_reference: str
    postprocessing: PostprocessingSettings
    bootstrap: Bootstrap
    comparison: Comparison
    perceptual: Perceptual | None


@dataclass(frozen=True)
class TimestepsExperiment:
    """Dice as a function of the timestep of the reconstruction."""

    timesteps: SomeTimesteps
    models: Texts


@dataclass(frozen=True)
class ConditioningExperiment:
    """Reconstructions for which the encoder sees only a part of the slice."""

    timesteps: SomeTimesteps
    visible_fractions: Fractions
    cohorts: Texts
    models: Texts


@dataclass(frozen=True)
class ContrastExperiment:
    """Segmentation of scans whose intensities x were changed to x^gamma."""

    gamma: Positive
    methods: Texts


@dataclass(frozen=True)
class HistogramsExperiment:
    """Intensities before and after reconstruction."""

    gammas: Gammas
    bins: Annotated[int, Limits(minimum=2)]
    cohorts: Texts
    methods: Texts


@dataclass(frozen=True)
class PostprocessingExperiment:
    """Segmentation without one of the steps of post-processing."""

    methods: Texts


@dataclass(frozen=True)
class Experiments:
    """The paper's other experiments; an experiment without methods or models is left out."""

    timesteps: TimestepsExperiment
    conditioning: ConditioningExperiment
    contrast: ContrastExperiment
    histograms: HistogramsExperiment
    postprocessing: PostprocessingExperiment
