"""Targets with a name of their own: everything, or a single data set."""

from collections.abc import Callable, Iterable
from typing import Any

from brainuad.io.errors import SettingsError
from brainuad.plan.grids import Grid
from brainuad.plan.register.files import SCAN_INDEX, derivatives_folder, scan_pages_folder
from brainuad.plan.study import Cohort, Method, Study

CHECKED_MODELS = "results/models/sizes.tsv"
REPORT = "results/report/index.html"
# The folders with the findings of each scan: files, and pages to look at.
FINDINGS = (derivatives_folder, scan_pages_folder)


class Targets:
    """The files of each target."""

    def __init__(self, study: Study) -> None:
        self.study = study

    def everything(self) -> list[str]:
        derived = self.study.derived_cohorts
        index = [SCAN_INDEX] if derived else []
        return [*self._checked, REPORT, *self._findings(derived), *index]

    def of_dataset(self, dataset: str) -> Callable[[Any], list[str]]:
        """A function that gives the files of a run with one data set."""

        def files(wildcards: Any) -> list[str]:
            if dataset not in self.study.datasets:
                raise SettingsError(f"config: datasets.{dataset} is null: it is not in the run")
            cohorts = self.study.cohorts_of([dataset])
            pages = [f"results/report/quality/{cohort.name}" for cohort in cohorts]
            pages += self._findings(cohorts)
            if dataset in self.study.healthy:
                return [*self._checked, *self._scores(self.study.with_model, cohorts), *pages]
            if dataset not in self.study.with_masks:
                return [*self._checked, *pages]
            return [
                *self._checked,
                *self._scores(self.study.methods, cohorts),
                *(
                    f"results/report/figures/{figure}_{cohort.name}.{ending}"
                    for cohort in cohorts
                    for figure in ("panel", "precision_recall")
                    for ending in ("svg", "png")
                ),
                *pages,
            ]

        return files

    @property
    def _checked(self) -> list[str]:
        """The check that the models can be trained; not needed for the model of a bundle."""
        return [] if self.study.bundle is not None else [CHECKED_MODELS]

    def _scores(self, methods: Iterable[Method], cohorts: list[Cohort]) -> list[str]:
        return Grid.of(methods, self.study.folds, cohorts).files("results/scores")

    def _findings(self, cohorts: Iterable[Cohort]) -> list[str]:
        derived = [cohort for cohort in cohorts if cohort in self.study.derived_cohorts]
        return [folder(cohort) for cohort in derived for folder in FINDINGS]
