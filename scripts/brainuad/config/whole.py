"""The whole config, a field for each key of its top level."""

from dataclasses import dataclass
from typing import Annotated, Literal

from brainuad.config.datasets import DatasetBlock
from brainuad.config.device import DeviceName, Gpu
from brainuad.config.evaluation import Evaluation, Experiments, MethodBlock
from brainuad.config.limits import Count, NotNegative, Text
from brainuad.config.models import ModelBlock, Pretraining
from brainuad.config.phantoms import Phantoms
from brainuad.config.preprocessing import Hdbet, HeadTemplate, Preprocessing, Template
from brainuad.config.settings import Limits

# Names of files and of rows; tables give the reserved ones a meaning of their own.
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
    """Another run of this workflow, set beside this one."""

    name: Text
    folder: Text


@dataclass(frozen=True)
class Config:
    """Every key; what each means stands in config/config.yaml."""

    seed: NotNegative
    device: DeviceName
    gpu: Gpu
    checkpoint_minutes: NotNegative
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
