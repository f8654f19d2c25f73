"""The inputs and params of a bundle that is made, and the files of a bundle that is applied."""

from typing import Any

from brainuad.config.bundles import TAKEN, settings_of_bundle
from brainuad.io.bundle_files import (
    HEALTHY_REFERENCE,
    HEALTHY_RESIDUALS,
    HEALTHY_THRESHOLD,
    TEMPLATE,
    WEIGHTS,
)
from brainuad.plan.grids import Grid, threshold_files
from brainuad.plan.models import ModelsPlan
from brainuad.plan.register.wording import bootstrap, cohort_label
from brainuad.plan.results import ResultsPlan
from brainuad.plan.study import Cohort, Study

# By layout: the terms of use of the public data sets.
TERMS = {
    "ixi": "CC BY-SA 3.0, brain-development.org",
    "brats21": "terms of the BraTS challenge, Synapse syn25829067",
    "mslub": "CC BY, lit.fe.uni-lj.si",
    "atlas": "data-use form of ATLAS v2.0, fcon_1000.projects.nitrc.org",
    "wmh": "CC BY-NC 4.0, doi:10.34894/AECRSD",
    "preprocessed": "those of the data sets in the authors' archive",
}
PHANTOMS = "phantoms, drawn from ICBM152 2009a as shipped by nilearn; no person's scan"
OWN = "not known here: those under which the person who trained the model received the scans"
SRI24 = "CC BY-SA 3.0 (SRI24, Rohlfing et al. 2010, NITRC)"


class BundlesPlan:
    """What the rules for bundles ask; each method takes the wildcards of a job."""

    def __init__(self, study: Study) -> None:
        self.study = study

    # ------------------------------------------------------------------------------------------
    # Making a bundle: of one method and modality, in the first fold.

    # ASSUME: a bundle holds the first fold, whose findings are also written scan by scan, with the
    # thresholds, healthy residuals and scores of the same fold.

    def default(self) -> list[str]:
        """The bundles of the method `maps_method`, one for each modality."""
        method = self.study.maps_method.name
        return [f"results/bundles/{method}_{modality}" for modality in self.study.modalities]

    def inputs(self, wildcards: Any) -> dict[str, Any]:
        """All files that a bundle is made from, by the names of `make_bundle`."""
        method, modality = self.study.all_methods[wildcards.method], wildcards.modality
        healthy, fold = self._healthy(modality), self.study.first_fold
        lesions = self.study.lesion_cohorts_in(modality)
        measured = [*([healthy] if method.reconstructs else []), *lesions]
        results, models = ResultsPlan(self.study), ModelsPlan(self.study)
        weights = [] if method.model is None else models.weights_of(method.model, healthy, fold)
        cohorts = [healthy, *lesions]
        everyone = [cohort.dataset for cohort in cohorts]
        return {
            "weights": weights,
            "template": "results/template/brain.nii.gz",
            "template_facts": "results/template/facts.tsv",
            "healthy_reference": (
                results.reference_of(method, modality, fold) if method.is_normative else []
            ),
            "healthy_residuals": results.healthy_residuals_of(method, modality, fold),
            "healthy_threshold": results.healthy_threshold_of(method, modality, fold),
            "false_positives": Grid.of([method], [fold], [healthy]).files(
                "results/threshold_scores"
            ),
            "thresholds": threshold_files(self.study, Grid.of([method], [fold], lesions)),
            "scores": Grid.of([method], [fold], measured).files("results/scores"),
            "anomaly_maps": Grid.of([method], [fold], cohorts).files(
                "results/anomaly_maps", ending=".npz"
            ),
            "subjects": [f"results/subjects/{dataset}.tsv" for dataset in everyone],
            "splits": [f"results/splits/{dataset}/fold{fold}.tsv" for dataset in everyone],
        }

    def settings(self, wildcards: Any) -> dict[str, Any]:
        """The part of this config that a run which applies the bundle needs."""
        return settings_of_bundle(self.study.config, wildcards.method, wildcards.modality)

    def facts(self, wildcards: Any) -> dict[str, Any]:
        """Facts for the model card that are in no file; the healthy data set is first."""
        modality = wildcards.modality
        healthy = self._healthy(modality)
        cohorts = [healthy, *self.study.lesion_cohorts_in(modality)]
        is_phantom = self.study.config["phantoms"] is not None
        return {
            "datasets": {cohort.dataset: self._described(cohort) for cohort in cohorts},
            "template_terms": self._template_terms(),
            "phantoms": is_phantom,
            "fold": self.study.first_fold,
            "folds": len(self.study.folds),
            "bootstrap": bootstrap(self.study),
        }

    def _described(self, cohort: Cohort) -> dict[str, Any]:
        block = self.study.datasets[cohort.dataset]
        return {
            "label": cohort_label(self.study, cohort),
            "healthy": block["healthy"],
            "skull_stripping": self._stripping(block),
            "preprocessed": block["layout"] == "preprocessed",
            "terms": self._terms(cohort.dataset),
        }

    def _stripping(self, block: dict[str, Any]) -> str:
        stripping = block["skull_stripping"]
        version = self.study.config["hdbet"]["version"]
        named = {"hdbet": f"HD-BET {version}", "none": "came stripped"}
        return named.get(stripping, stripping)

    def _terms(self, dataset: str) -> str:
        if dataset in (self.study.config["phantoms"] or {}):
            return PHANTOMS
        return TERMS.get(self.study.datasets[dataset]["layout"], OWN)

    def _template_terms(self) -> str:
        # ASSUME: a bundle contains the template, since no scan can be registered without it. SRI24
        # may be redistributed (CC BY-SA); for a user's own template the licence file asks to check.
        image = self.study.config["template"]["image"]
        if image is None:
            return SRI24
        is_phantom = self.study.config["phantoms"] is not None
        return PHANTOMS if is_phantom and image.startswith("resources/phantoms/") else OWN

    def _healthy(self, modality: str) -> Cohort:
        return self.study.training_cohort(modality)

    # ------------------------------------------------------------------------------------------
    # Applying a bundle.

    def folder(self, wildcards: Any = None) -> list[str]:
        """The bundle that the config names."""
        return [self.study.bundle]

    def taken(self) -> list[str]:
        """The copies of the files that a run reads from its bundle."""
        has_model = self.study.maps_method.model is not None
        names = [TEMPLATE, HEALTHY_THRESHOLD, HEALTHY_RESIDUALS, *([WEIGHTS] if has_model else [])]
        names += [HEALTHY_REFERENCE] if self.study.maps_method.is_normative else []
        return [f"{TAKEN}/{name}" for name in names]
