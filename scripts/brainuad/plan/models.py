"""From wildcards to the files and values of models, and to where they are computed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from brainuad.config.bundles import TAKEN
from brainuad.config.checks import timesteps_of_schedule
from brainuad.config.device import device_of
from brainuad.io.bundle_files import WEIGHTS
from brainuad.io.errors import SettingsError
from brainuad.plan.study import Cohort, Study, asked_of_part


class ModelsPlan:
    """What rules that train or use models ask; each method takes the wildcards of a job."""

    def __init__(self, study: Study) -> None:
        self.study = study

    # ------------------------------------------------------------------------------------------
    # Where networks are computed.

    @property
    def precision(self) -> str:
        """The precision of a GPU, which changes more than the last digits of results."""
        return self.study.config["gpu"]["precision"]

    @property
    def gpus(self) -> int:
        """The number of GPUs that a job with networks requests."""
        return int(device_of(self.study.config)["name"] == "cuda")

    # ------------------------------------------------------------------------------------------
    # Training.

    def of_model(self, key: str) -> Callable[[Any], Any]:
        """A function that gives one value of the model's block."""
        return lambda wildcards: self.study.config["models"][wildcards.model][key]

    def training_slices(self, wildcards: Any) -> str:
        return f"results/slices/{self.study.training_cohort(wildcards.modality).name}.npz"

    def training_split(self, wildcards: Any) -> str:
        dataset = self.study.training_cohort(wildcards.modality).dataset
        return f"results/splits/{dataset}/fold{wildcards.fold}.tsv"

    def pretrained_encoder(self, wildcards: Any) -> list[str]:
        """The encoder that a model starts from: pretrained here, given by its path, or none."""
        pretrained = self.study.config["models"][wildcards.model]["pretrained"]
        if pretrained is None:
            return []
        if pretrained == "spark":
            return [f"results/pretraining/{wildcards.modality}/fold{wildcards.fold}/encoder.pt"]
        if not Path(pretrained).is_file():
            raise SettingsError(
                f"config: models.{wildcards.model}.pretrained: there is no file {pretrained!r}"
            )
        return [pretrained]

    def spark_settings(self, wildcards: Any = None) -> dict[str, Any]:
        """What SparK pretrains: the encoder of the models of the run that start from it.

        If no model of the run does, it is that of all models in the config, since Snakemake may be
        asked for the file of one.
        """
        pretraining, described = self.study.config["pretraining"], self.study.config["models"]
        starting = [name for name in described if described[name]["pretrained"] == "spark"]
        names = [name for name in starting if name in self.study.models] or starting
        # The last layer, where there is one, is not pretrained.
        encoders = {
            name: {
                key: value
                for key, value in described[name]["settings"]["encoder"].items()
                if key != "condition_width"
            }
            for name in names
        }
        encoder, *others = encoders.values()
        if any(other != encoder for other in others):
            raise SettingsError(f"config: models: {', '.join(encoders)} must have the same encoder")
        network = {key: pretraining[key] for key in ("decoder_width", "patch_size", "mask_ratio")}
        return {"network": network | encoder, "training": pretraining["training"]}

    # ------------------------------------------------------------------------------------------
    # Models are tried out before anything else runs.

    def scores_of_methods(self) -> dict[str, Any]:
        """Model, samples and score of each method of tables, maps and experiments."""
        return {
            method.name: {
                "model": method.model,
                "samples": method.samples,
                "score": method.score,
            }
            for method in self.study.asked_methods
        }

    def settings_of_models(self) -> dict[str, Any]:
        """Settings of each model that is trained, its largest timestep and number of samples.

        An encoder that is pretrained here always fits, so it is left out.
        """
        blocks = {name: self.study.config["models"][name] for name in self.study.models}
        return {
            name: {
                **block,
                "pretrained": None if block["pretrained"] == "spark" else block["pretrained"],
                "timestep": max(self.study.timesteps_asked_of(name), default=1),
                "samples": self.study.samples_asked_of(name),
            }
            for name, block in blocks.items()
        }

    def pretrained_files(self, wildcards: Any) -> list[str]:
        """The encoders given by their paths that models start from."""
        starts = [self.study.config["models"][name]["pretrained"] for name in self.study.models]
        return [path for path in starts if path not in (None, "spark")]

    def settings_of_pretraining(self) -> dict[str, Any] | None:
        """What SparK pretrains; None if no trained model starts from it."""
        return self.spark_settings() if self.study.starts_from_spark else None

    def slice_size(self) -> list[int]:
        """Rows and columns of the slices that models get."""
        normalization = self.study.config["preprocessing"]["normalization"]
        return [edge // normalization["downsampling"] for edge in normalization["size"][:2]]

    # ------------------------------------------------------------------------------------------
    # Trained models.

    def weights(self, wildcards: Any) -> str:
        """The weights of the model in the path, trained on the modality of the path's cohort."""
        return self.weights_of(wildcards.model, self._cohort(wildcards), wildcards.fold)

    def weights_of_method(self, wildcards: Any) -> str | list[str]:
        """The weights of the method in the path; an empty list if it has no model."""
        model = self.study.all_methods[wildcards.method].model
        if model is None:
            return []
        return self.weights_of(model, self._cohort(wildcards), wildcards.fold)

    def needed_weights(self, wildcards: Any) -> str | list[str]:
        """Those weights; SettingsError if the method has no model that reconstructs."""
        self.study.model_of(wildcards.method)
        return self.weights_of_method(wildcards)

    def weights_of(self, model: str, cohort: Cohort, fold: int | str) -> str:
        """The weights of a model: those trained here, or those of the bundle."""
        if self.study.bundle is not None:
            return f"{TAKEN}/{WEIGHTS}"
        return f"results/models/{model}/{cohort.modality}/fold{fold}/weights.pt"

    def _cohort(self, wildcards: Any) -> Cohort:
        return self.study.cohorts[wildcards.cohort]

    def gpus_of_method(self, wildcards: Any) -> int:
        return self.gpus if self.study.all_methods[wildcards.method].model is not None else 0

    def timesteps(self, wildcards: Any) -> list[int]:
        """The timesteps in the path; [1] for a model without timesteps, which makes one pass."""
        asked, _ = asked_of_part(wildcards.asked)
        last = timesteps_of_schedule(self.study.config["models"][wildcards.model])
        if last is not None and not 0 < max(asked, default=0) <= last:
            raise SettingsError(
                f"results/reconstructions/{wildcards.model}/{wildcards.asked}: the model "
                f"{wildcards.model} reconstructs from timesteps up to {last}, as in t{last // 2}"
            )
        return asked or [1]

    def samples(self, wildcards: Any) -> int:
        """The number of samples in the path."""
        _, samples = asked_of_part(wildcards.asked)
        return samples

    def timestep(self, wildcards: Any) -> int:
        return int(wildcards.timestep)

    def gamma(self, wildcards: Any) -> float:
        return float(wildcards.gamma)

    def timesteps_of_method(self, wildcards: Any) -> list[int]:
        return list(self.study.all_methods[wildcards.method].timesteps) or [1]

    def samples_of_method(self, wildcards: Any) -> int:
        return self.study.all_methods[wildcards.method].samples

    # ------------------------------------------------------------------------------------------
    # Methods that are timed in one job, on the healthy test subjects of a modality.

    def timed_dataset(self, wildcards: Any) -> str:
        return self.study.training_cohort(wildcards.modality).dataset

    def timed_split(self, wildcards: Any) -> str:
        dataset = self.study.training_cohort(wildcards.modality).dataset
        return f"results/splits/{dataset}/fold{self.study.first_fold}.tsv"

    def timed_weights(self, wildcards: Any) -> list[str]:
        cohort = self.study.training_cohort(wildcards.modality)
        return [
            self.weights_of(method.model, cohort, self.study.first_fold)
            for method in self.study.reconstructing
        ]

    def timed_timesteps(self) -> list[list[int]]:
        return [list(method.timesteps) or [1] for method in self.study.reconstructing]
