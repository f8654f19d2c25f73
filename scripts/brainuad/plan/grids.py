"""Combinations of method, fold and cohort, as parallel lists."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from brainuad.config.bundles import TAKEN
from brainuad.io.bundle_files import HEALTHY_THRESHOLD
from brainuad.plan.study import Cohort, Method, Study


@dataclass(frozen=True)
class Grid:
    """Parallel lists, a row for each file of a result."""

    rows: tuple[tuple[str, int, Cohort], ...]

    @classmethod
    def of(
        cls, methods: Iterable[Method | str], folds: Sequence[int], cohorts: Sequence[Cohort]
    ) -> "Grid":
        """Every combination; cohorts vary fastest, methods slowest."""
        names = [method if isinstance(method, str) else method.name for method in methods]
        return cls(
            tuple((name, fold, cohort) for name in names for fold in folds for cohort in cohorts)
        )

    def __add__(self, other: "Grid") -> "Grid":
        return Grid(self.rows + other.rows)

    def __bool__(self) -> bool:
        return bool(self.rows)

    def files(self, folder: str, ending: str = ".tsv") -> list[str]:
        """The file of each row: {folder}/{method}/fold{fold}/{cohort}{ending}."""
        return [
            f"{folder}/{method}/fold{fold}/{cohort.name}{ending}"
            for method, fold, cohort in self.rows
        ]

    def lists(self) -> dict[str, list]:
        """Method, fold and data set of each row, as parallel lists."""
        return {
            "methods": [method for method, _, _ in self.rows],
            "folds": [fold for _, fold, _ in self.rows],
            "datasets": [cohort.dataset for _, _, cohort in self.rows],
        }


def threshold_files(study: Study, grid: Grid) -> list[str]:
    """The threshold that each lesion cohort is scored at: its own, or the bundle's."""
    # ASSUME: a bundle is applied at the threshold that 1 % of healthy voxels exceed, which makes no
    # assumption about patients. The thresholds fitted on lesions are in the bundle too.
    if study.bundle is not None:
        return [f"{TAKEN}/{HEALTHY_THRESHOLD}"] * len(grid.rows)
    return grid.files("results/thresholds", ".json")
