"""From wildcards to the results that a job reads: reconstructions, anomaly maps, thresholds."""

from pathlib import Path
from typing import Any

from brainuad.config.bundles import TAKEN
from brainuad.io.bundle_files import HEALTHY_REFERENCE, HEALTHY_RESIDUALS, HEALTHY_THRESHOLD
from brainuad.io.errors import SettingsError
from brainuad.plan.grids import Grid, threshold_files
from brainuad.plan.resources import one_of
from brainuad.plan.study import Cohort, Method, Study


class ResultsPlan:
    """What rules that score and draw ask; each method takes the wildcards of a job."""

    def __init__(self, study: Study) -> None:
        self.study = study

    def partitions(self, wildcards: Any) -> list[str]:
        """The partitions that are scored: validation too, if a threshold is fitted on it."""
        dataset = self.study.cohorts[wildcards.cohort].dataset
        if dataset in self.study.healthy:
            return ["validation", "test"]
        if dataset in self.study.with_masks and self.study.bundle is None:
            return ["validation", "test"]
        return ["test"]

    def score(self, wildcards: Any) -> dict[str, Any]:
        """How the method in the path scores."""
        return self.study.all_methods[wildcards.method].score

    def reconstructions(self, wildcards: Any) -> str | list[str]:
        """The model's results for the method in the path; an empty list if it has no model."""
        method = self.study.all_methods[wildcards.method]
        if method.model is None:
            return []
        return method.reconstructions(wildcards.fold, wildcards.cohort)

    def needed_reconstructions(self, wildcards: Any) -> str | list[str]:
        """The reconstructions of the method in the path; SettingsError if it has none."""
        self.study.model_of(wildcards.method)
        return self.reconstructions(wildcards)

    def reference(self, wildcards: Any) -> str | list[str]:
        """The healthy scores that a normative method compares with; an empty list for others."""
        method = self.study.all_methods[wildcards.method]
        if not method.is_normative:
            return []
        modality = self.study.cohorts[wildcards.cohort].modality
        return self.reference_of(method, modality, wildcards.fold)

    def reference_of(self, method: Method, modality: str, fold: int | str) -> str:
        """The scores of healthy validation scans, voxel by voxel: the run's, or the bundle's."""
        if self.study.bundle is not None:
            return f"{TAKEN}/{HEALTHY_REFERENCE}"
        cohort = self.study.training_cohort(modality).name
        return f"results/healthy_scores/{method.name}/fold{fold}/{cohort}.npz"

    def holds_reference(self, wildcards: Any) -> bool:
        """Whether the reference of a normative method is from the cohort in the path."""
        method = self.study.all_methods[wildcards.method]
        return method.is_normative and self.study.cohorts[wildcards.cohort].dataset in (
            self.study.healthy
        )

    def mapped(self, wildcards: Any) -> str:
        """The anomaly maps of `maps_method` and the first fold, which are written scan by scan."""
        method = self.study.maps_method.name
        return f"results/anomaly_maps/{method}/fold{self.study.first_fold}/{wildcards.cohort}.npz"

    def score_of_maps(self) -> str:
        """What the values of these maps are, in words."""
        if self.study.maps_method.is_normative:
            return "z-scores, in standard deviations of healthy scans at the same place"
        return "anomaly scores"

    def reconstructions_of_maps(self, wildcards: Any) -> str | list[str]:
        """The reconstructions of these maps; an empty list if their method has none."""
        method = self.study.maps_method
        if not method.reconstructs:
            return []
        return method.reconstructions(self.study.first_fold, wildcards.cohort)

    def wildcards_of_derived(self) -> dict[str, str]:
        """The patterns of the wildcards in `reconstructions_of_maps`."""
        method = self.study.maps_method
        return {
            "model": one_of([method.model] if method.reconstructs else []),
            "asked": method.asked,
            "fold": str(self.study.first_fold),
        }

    def threshold_of_maps(self, wildcards: Any) -> str:
        """The threshold of these maps: that of the cohort's lesion masks, or of healthy voxels."""
        method, fold = self.study.maps_method, self.study.first_fold
        cohort = self.study.cohorts[wildcards.cohort]
        if cohort in self.study.lesion_cohorts:
            return threshold_files(self.study, Grid.of([method], [fold], [cohort]))[0]
        return self.healthy_threshold_of(method, cohort.modality, fold)

    def healthy_residuals_of_derived(self, wildcards: Any) -> str:
        """The healthy residuals that the scans with derivatives are compared with."""
        modality = self.study.cohorts[wildcards.cohort].modality
        return self.healthy_residuals_of(self.study.maps_method, modality, self.study.first_fold)

    def healthy_residuals_of(self, method: Method, modality: str, fold: int | str) -> str:
        """The distribution of a method's anomaly maps over the healthy test subjects."""
        if self.study.bundle is not None:
            return f"{TAKEN}/{HEALTHY_RESIDUALS}"
        cohort = self.study.training_cohort(modality).name
        return f"results/healthy_residuals/{method.name}/fold{fold}/{cohort}.npz"

    def healthy_threshold_of(self, method: Method, modality: str, fold: int | str) -> str:
        """The threshold that few healthy voxels exceed, which needs no lesion masks."""
        if self.study.bundle is not None:
            return f"{TAKEN}/{HEALTHY_THRESHOLD}"
        cohort = self.study.training_cohort(modality).name
        return f"results/healthy_residuals/{method.name}/fold{fold}/{cohort}.json"

    def healthy_threshold(self, wildcards: Any) -> str:
        """The healthy threshold of the method, modality and fold in the path."""
        method = self.study.all_methods[wildcards.method]
        modality = self.study.cohorts[wildcards.cohort].modality
        return self.healthy_threshold_of(method, modality, wildcards.fold)

    def given_threshold(self, wildcards: Any) -> str | list[str]:
        """The bundle's threshold, for lesion cohorts; an empty list if they fit their own."""
        return [] if self.study.bundle is None else f"{TAKEN}/{HEALTHY_THRESHOLD}"

    def fitted_threshold(self) -> dict[str, str]:
        """The output with the threshold that a lesion cohort fits; none if a bundle gives one."""
        if self.study.bundle is not None:
            return {}
        return {"threshold": "results/thresholds/{method}/fold{fold}/{cohort}.json"}

    def _lesion_cohorts_of_modality(self, wildcards: Any) -> list[Cohort]:
        """The lesion cohorts in the modality of the cohort in the path."""
        return self.study.lesion_cohorts_in(self.study.cohorts[wildcards.cohort].modality)

    def fitted_on(self, wildcards: Any) -> list[str]:
        """The data sets at whose thresholds a cohort is scored."""
        return [cohort.dataset for cohort in self._lesion_cohorts_of_modality(wildcards)]

    def thresholds_of_modality(self, wildcards: Any) -> list[str]:
        folder = f"results/thresholds/{wildcards.method}/fold{wildcards.fold}"
        cohorts = self._lesion_cohorts_of_modality(wildcards)
        return [f"{folder}/{cohort.name}.json" for cohort in cohorts]

    def perceptual_weights(self, wildcards: Any) -> list[str]:
        """The user's file with the network that LPIPS is measured with."""
        weights = self.study.config["evaluation"]["perceptual"]["weights"]
        if not Path(weights).is_file():
            raise SettingsError(
                f"config: evaluation.perceptual.weights: there is no file {weights!r}; put it "
                "there, or set evaluation.perceptual to null"
            )
        return [weights]

    def perceptual_sha256(self, wildcards: Any) -> str | None:
        return self.study.config["evaluation"]["perceptual"]["sha256"]
