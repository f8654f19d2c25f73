"""Methods as the config describes them, how they are evaluated, and the experiments."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from brainuad.config.limits import (
    Count,
    NotNegative,
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
# The score that compares another one with that of healthy scans, of which it needs a few.
NORMATIVE = "normative"
FEWEST_HEALTHY_SCANS = 3
# The score with a sign, which is compared and is no anomaly map itself.
SIGNED = "signed"
SomeTexts = Annotated[tuple[Text, ...], Limits(items=(1, None), unique=True)]


@dataclass(frozen=True)
class MethodBlock:
    """A row of the tables: a model, how it is asked, and how its answer is scored.

    model      None: the score needs no reconstruction
    timesteps  those whose reconstructions are averaged; empty: the model answers in one pass
    samples    how often the model reconstructs a scan, each time with other noise
    score      the file of `brainuad.scores` by its kind, and what that takes
    """

    label: Text
    colour: Colour
    model: str | None
    score: dict[str, Any]
    timesteps: Timesteps = ()
    samples: Count = 1


@dataclass(frozen=True)
class PostprocessingSettings:
    """How scores become an anomaly map and a segmentation.

    order               steps in the order they run; one that is not named is left out
    erosion_iterations  how often the brain mask is eroded in each axial slice; 0 keeps it
    median_size         edge of the cubic median window in voxels, odd; 1 changes nothing
    minimum_component   the smallest component that is kept, in voxels; 1 keeps all
    """

    order: Annotated[tuple[Literal["erosion", "median"], ...], Limits(unique=True)]
    erosion_iterations: NotNegative
    median_size: Count
    minimum_component: Count

    def __post_init__(self) -> None:
        if self.median_size % 2 == 0:
            raise SettingsError(f"median_size: {self.median_size} is even, expected an odd number")


@dataclass(frozen=True)
class Bootstrap:
    """Of means over subjects: resamples drawn, and the mass of the interval."""

    rounds: Count
    confidence: Annotated[float, Limits(above=0, below=1)]


@dataclass(frozen=True)
class Comparison:
    """The row that is tested against each other one."""

    reference: str
    rounds: Count


@dataclass(frozen=True)
class Perceptual:
    """The network by which LPIPS is measured."""

    weights: Text
    sha256: Sha256 | None


@dataclass(frozen=True)
class Evaluation:
    """How methods are compared.

    later_methods  those of papers after this one: they have a table of segmentation of their own,
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
    """Dice against the one timestep of a reconstruction."""

    timesteps: SomeTimesteps
    models: Texts


@dataclass(frozen=True)
class ConditioningExperiment:
    """The encoder sees a part of the slice."""

    timesteps: SomeTimesteps
    visible_fractions: Fractions
    cohorts: Texts
    models: Texts


@dataclass(frozen=True)
class ContrastExperiment:
    """Scans whose intensities x were changed to x^gamma."""

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
    """Without one of the steps."""

    methods: Texts


@dataclass(frozen=True)
class Experiments:
    """The paper's other experiments; without a method or model one is left out."""

    timesteps: TimestepsExperiment
    conditioning: ConditioningExperiment
    contrast: ContrastExperiment
    histograms: HistogramsExperiment
    postprocessing: PostprocessingExperiment
