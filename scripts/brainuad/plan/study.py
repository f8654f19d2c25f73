"""The study that a config describes: its cohorts, models and methods."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from brainuad.config.evaluation import NORMATIVE, MethodBlock, takes_own_map
from brainuad.config.settings import settings_from
from brainuad.io.errors import SettingsError

# In paths, in place of timesteps, for models that reconstruct in one pass.
ONE_PASS = "one_pass"
# The score of experiments without a method.
RESIDUAL = {"kind": "absolute"}


@dataclass(frozen=True)
class Cohort:
    """The scans of one data set in one modality: what most rules work on."""

    dataset: str
    modality: str

    @property
    def name(self) -> str:
        """Such as ixi_t2; names of data sets may contain underscores, those of modalities not."""
        return f"{self.dataset}_{self.modality}"


@dataclass(frozen=True, kw_only=True)
class Method(MethodBlock):
    """A row of the tables, with its name in the config."""

    name: str

    @property
    def is_normative(self) -> bool:
        """Whether its score compares a scan with healthy scans."""
        return self.score["kind"] == NORMATIVE

    @property
    def reconstructs(self) -> bool:
        """Whether its model makes a brain of a scan, and not an anomaly map."""
        return self.model is not None and not takes_own_map(self.score)

    def reconstructions(self, fold: int | str, cohort: str) -> str:
        """The file with the model's reconstructions of a cohort."""
        folder = f"results/reconstructions/{self.model}/{self.asked}"
        return f"{folder}/fold{fold}/{cohort}.npz"

    @property
    def asked(self) -> str:
        """Timesteps and samples, as a part of paths."""
        return asked_part(self.timesteps, self.samples)


def asked_part(timesteps: Sequence[int], samples: int = 1) -> str:
    """Timesteps and samples as a part of paths, such as t500x10; `asked_of_part` reads it."""
    if not timesteps:
        return ONE_PASS
    return f"t{'-'.join(map(str, timesteps))}{f'x{samples}' if samples > 1 else ''}"


def asked_of_part(part: str) -> tuple[list[int], int]:
    """The timesteps (none for one pass) and the number of samples in a part of a path."""
    if part == ONE_PASS:
        return [], 1
    timesteps, _, samples = part[1:].partition("x")
    return [int(number) for number in timesteps.split("-")], int(samples or 1)


class Study:
    """The data sets, cohorts, models and methods that the config describes.

    config  checked values, with the defaults of data sets
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.datasets: dict[str, dict[str, Any]] = {
            name: block for name, block in config["datasets"].items() if block is not None
        }
        self.folds = list(range(config["folds"]))
        self.first_fold = self.folds[0]
        self.seed: int = config["seed"]
        # A trained model that is applied; None if models are trained.
        self.bundle: str | None = config["bundle"]

    # ------------------------------------------------------------------------------------------
    # Data sets and cohorts.

    @cached_property
    def healthy(self) -> list[str]:
        """The data sets that are trained on."""
        return [name for name, block in self.datasets.items() if block["healthy"]]

    @cached_property
    def patients(self) -> list[str]:
        return [name for name in self.datasets if name not in self.healthy]

    @cached_property
    def with_masks(self) -> list[str]:
        """The data sets of patients with lesion masks: they are scored, others only get maps."""
        return [name for name in self.patients if self.datasets[name]["lesion_masks"]]

    @cached_property
    def preprocessed(self) -> list[str]:
        """The data sets whose scans come registered and corrected."""
        return [name for name, block in self.datasets.items() if block["layout"] == "preprocessed"]

    @cached_property
    def raw(self) -> list[str]:
        return [name for name in self.datasets if name not in self.preprocessed]

    def stripped_by(self, *methods: str) -> list[Cohort]:
        """The raw cohorts stripped by one of these: none, template, hdbet1 or hdbet2."""
        return self.cohorts_of(name for name in self.raw if self._skull_stripping(name) in methods)

    def _skull_stripping(self, dataset: str) -> str:
        method = self.datasets[dataset]["skull_stripping"]
        return f"hdbet{self.config['hdbet']['version']}" if method == "hdbet" else method

    def cohorts_of(self, datasets: Iterable[str]) -> list[Cohort]:
        """The cohorts of data sets, in the order of the config."""
        return [
            Cohort(dataset, modality)
            for dataset in datasets
            for modality in self.datasets[dataset]["modalities"]
        ]

    @cached_property
    def cohorts(self) -> dict[str, Cohort]:
        """All cohorts by their names."""
        return {cohort.name: cohort for cohort in self.cohorts_of(self.datasets)}

    @cached_property
    def healthy_cohorts(self) -> list[Cohort]:
        return self.cohorts_of(self.healthy)

    @cached_property
    def lesion_cohorts(self) -> list[Cohort]:
        """The cohorts with lesion masks."""
        return self.cohorts_of(self.with_masks)

    @cached_property
    def derived_cohorts(self) -> list[Cohort]:
        """The cohorts whose findings are written scan by scan, in the space of each scan.

        In a run that applies a bundle these are all cohorts.
        """
        return self.cohorts_of(
            name
            for name, block in self.datasets.items()
            if block["native"]
            or (name in self.patients and not block["lesion_masks"])
            or self.bundle is not None
        )

    def lesion_cohorts_in(self, modality: str) -> list[Cohort]:
        return [cohort for cohort in self.lesion_cohorts if cohort.modality == modality]

    def with_thresholds(self, cohorts: Iterable[Cohort]) -> list[Cohort]:
        """The cohorts in whose modality a threshold is fitted, since there are lesion masks."""
        return [cohort for cohort in cohorts if self.lesion_cohorts_in(cohort.modality)]

    def block_of(self, cohort: str) -> dict[str, Any]:
        """The config of the data set that a cohort (its name) belongs to."""
        return self.datasets[self.cohorts[cohort].dataset]

    @cached_property
    def modalities(self) -> list[str]:
        return sorted({cohort.modality for cohort in self.cohorts.values()})

    def training_cohort(self, modality: str) -> Cohort:
        """The healthy scans that models of a modality are trained on."""
        return next(cohort for cohort in self.healthy_cohorts if cohort.modality == modality)

    # ------------------------------------------------------------------------------------------
    # Models and methods.

    def model_of(self, method: str) -> str:
        """The model of a method; SettingsError if it has none that reconstructs."""
        if not self.all_methods[method].reconstructs:
            raise SettingsError(
                f"methods.{method} has no reconstructions; ask for "
                f"{', '.join(one.name for one in self.reconstructing) or 'a method that has some'}"
            )
        return self.all_methods[method].model

    @cached_property
    def all_methods(self) -> dict[str, Method]:
        """All methods of the config, in the run or not."""
        return {
            name: settings_from(Method, {"name": name, **block})
            for name, block in self.config["methods"].items()
        }

    @cached_property
    def methods(self) -> list[Method]:
        """The rows of the tables."""
        return [*self.first_methods, *self.later_methods]

    @cached_property
    def first_methods(self) -> list[Method]:
        """The methods of the first segmentation table."""
        return self.named(self.config["evaluation"]["methods"])

    @cached_property
    def later_methods(self) -> list[Method]:
        """The methods of the second segmentation table."""
        return self.named(self.config["evaluation"]["later_methods"])

    @cached_property
    def with_model(self) -> list[Method]:
        """The methods of the tables that reconstruct a brain."""
        return [method for method in self.methods if method.reconstructs]

    @cached_property
    def reconstructing(self) -> list[Method]:
        """The methods with different reconstructions: the first of those that share them."""
        first: dict[tuple, Method] = {}
        for method in self.with_model:
            first.setdefault((method.model, method.timesteps), method)
        return list(first.values())

    @cached_property
    def normative_methods(self) -> list[str]:
        """The names of all methods with a normative score."""
        return [name for name, method in self.all_methods.items() if method.is_normative]

    @property
    def maps_method(self) -> Method:
        """The method whose findings are written for each scan."""
        return self.all_methods[self.config["evaluation"]["maps_method"]]

    def named(self, names: Iterable[str]) -> list[Method]:
        return [self.all_methods[name] for name in names]

    def methods_of_experiment(self, experiment: str) -> list[Method]:
        return self.named(self.config["experiments"][experiment]["methods"])

    def cohorts_of_experiment(self, experiment: str) -> list[Cohort]:
        """The experiment's cohorts that are in the run, and whose healthy voxels are known."""
        known = [cohort.name for cohort in (*self.healthy_cohorts, *self.lesion_cohorts)]
        names = self.config["experiments"][experiment]["cohorts"]
        return [self.cohorts[name] for name in names if name in known]

    @cached_property
    def experiments(self) -> dict[str, dict[str, Any]]:
        """The experiments that have a cohort."""
        return {
            name: block
            for name, block in self.config["experiments"].items()
            if (self.cohorts_of_experiment(name) if "cohorts" in block else self.lesion_cohorts)
        }

    @cached_property
    def asked_methods(self) -> list[Method]:
        """The methods of tables, maps and experiments."""
        of_experiments = (block.get("methods", ()) for block in self.experiments.values())
        names = (name for methods in of_experiments for name in methods)
        return [*self.methods, self.maps_method, *self.named(names)]

    @cached_property
    def models(self) -> list[str]:
        """The models of tables, maps and experiments; other models of the config are not trained.

        A run that applies a bundle trains none.
        """
        if self.bundle is not None:
            return []
        names = {method.model for method in self.asked_methods}
        names.update(*(block.get("models", ()) for block in self.experiments.values()))
        return [name for name in self.config["models"] if name in names]

    def timesteps_asked_of(self, model: str) -> set[int]:
        """All timesteps from which a model reconstructs."""
        methods = (method for method in self.asked_methods if method.model == model)
        timesteps = {timestep for method in methods for timestep in method.timesteps}
        of_experiments = (
            block["timesteps"]
            for block in self.experiments.values()
            if model in block.get("models", ())
        )
        return timesteps.union(*of_experiments)

    def samples_asked_of(self, model: str) -> int:
        """The largest number of samples that a model reconstructs."""
        methods = (method for method in self.asked_methods if method.model == model)
        return max((method.samples for method in methods), default=1)

    @property
    def starts_from_spark(self) -> bool:
        """Whether a model that is trained starts from an encoder that is pretrained here."""
        return any(self.config["models"][name]["pretrained"] == "spark" for name in self.models)
