"""The entries on single lesions: which are found, and at how many false positives."""

from brainuad.plan.grids import Grid
from brainuad.plan.looks import leading, styles_of
from brainuad.plan.register.entries import FigureEntry, TableEntry
from brainuad.plan.register.wording import (
    LED_METHODS,
    VOLUMES,
    bootstrap,
    spread,
    threshold,
)
from brainuad.plan.study import Study

MATCHED = (
    "Lesions are the connected components of the lesion mask on the evaluation grid, however "
    "small; predicted components are those of the segmentation (voxels that share a face, an edge "
    "or a corner belong together). A predicted component is true if at least 10 % of it lies on "
    "lesions, and a lesion is detected if true components cover at least 10 % of it. Voxels that "
    "the mask says to ignore are left out, and so is a component that consists mostly of them."
)


def lesions(study: Study) -> list[TableEntry | FigureEntry]:
    scored = Grid.of(study.methods, study.folds, study.lesion_cohorts)
    drawn_methods = leading(study.methods)
    curves = Grid.of(drawn_methods, study.folds, study.lesion_cohorts)
    table = TableEntry(
        name="lesions",
        module="lesions",
        inputs={
            "scores": scored.files("results/scores"),
            "lesions": scored.files("results/lesions"),
        },
        params={**scored.lists(), "bootstrap": bootstrap(study)},
        category="Beyond the paper",
        label="lesion by lesion",
        title="Lesion by lesion",
        heading="Lesion by lesion",
        caption=f"Which lesions are found, at {threshold(study)}. {MATCHED} *Lesion sensitivity* "
        "is the share of a scan's lesions that are detected; *false positives per scan* is the "
        "number of its predicted components that are not true; *lesion F1* is the harmonic mean "
        "of the lesion sensitivity and of the share of true components among the predicted ones "
        f"(0 where nothing is predicted). {spread(study)} Scans without a "
        "lesion (of that size) count for the false positives alone. The number of lesions is in "
        "brackets. Components smaller than the minimum size are removed from what is predicted, so "
        "that lesions of a few voxels can hardly be detected. The best method of a column is in "
        f"bold; a method that predicts nothing has no false positives either. {VOLUMES} The same "
        "numbers as fractions are in ``lesions.tsv``; ``results/lesions`` has a row per lesion.",
    )
    figure = FigureEntry(
        name="froc",
        module="froc",
        inputs={"scores": curves.files("results/froc")},
        params={**curves.lists(), "styles": styles_of(study, drawn_methods)},
        category="Beyond the paper",
        label="FROC",
        heading="Lesions detected against false positives",
        wide=True,
        caption="FROC curves: the share of all lesions of the test scans that are detected, "
        "against the mean number of false positives per scan, both as in *Lesion by lesion*. "
        f"The marker is {threshold(study)}; the curve is drawn from thresholds between half of it "
        "and four times it. A point of the curve is the highest share that any of these "
        "thresholds reaches with as many false positives or fewer: a threshold so low that "
        "components merge finds fewer lesions. Counts are summed over all scans and "
        "folds (for each fold its own threshold times the same factor), so that a scan with more "
        "lesions has more weight; the table has means over subjects. Fewer than 0.1 false "
        "positives per scan are drawn as 0.1. Each panel has its own scale, from zero. "
        f"{LED_METHODS}. All counts are in ``results/froc``.",
    )
    return [table, figure]
