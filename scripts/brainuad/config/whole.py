"""The whole config, with a field for each top-level key."""

from dataclasses import dataclass
from typing import Annotated, Literal

from brainuad.config.datasets import DatasetBlock
from brainuad.config.device import DeviceName, Gpu
from brainuad.config.evaluation import Evaluation, Experiments, MethodBlock
from brainuad.config.limits import Count, Line, NonNegativeInt, Text
from brainuad.config.models import ModelBlock, Pretraining
from brainuad.config.phantoms import Phantoms
from brainuad.config.preprocessing import Hdbet, HeadTemplate, Preprocessing, Template
from brainuad.config.settings import Limits

# These names are used for files and rows; the excluded ones mean something else in tables.
ModelName = Limits(
    pattern="^(?!(average|pretraining)$)[A-Za-z0-9][A-Za-z0-9_ -]*$",
    description="a name of letters, digits, _, - and spaces, a letter or digit first, that is "
    "neither average nor pretraining",
)
DatasetName = Limits(
    pattern="^[a-z][a-z0-9_]*$",
    description="a name of small letters, digits and _, with a letter first",
)


@dataclass(frozen=True)
class ReferenceRun:
    """Another run of this workflow, which this one is compared with."""

    name: Line
    folder: Text


@dataclass(frozen=True)
class Config:
    """Every key; config/config.yaml explains each."""

    seed: NonNegativeInt
    device: DeviceName
    gpu: Gpu
    checkpoint_minutes: NonNegativeInt
    threads_per_training: Count
    on_broken_scan: Literal["leave_out", "stop"]
    keep_intermediate: bool
    phantoms: Phantoms | None
    datasets: Annotated[dict[str, DatasetBlock | None], DatasetName]
    folds: Count
    keep_leaks: bool
    reference_run: ReferenceRun | None
    bundle: Text | None
    template: Template
    head_template: HeadTemplate | None
    hdbet: Hdbet
    preprocessing: Preprocessing
    pretraining: Pretraining
    models: Annotated[dict[str, ModelBlock], ModelName]
    methods: Annotated[dict[str, MethodBlock], ModelName]
    evaluation: Evaluation
    experiments: Experiments
