"""The sections on the segmentation of lesions, and its pictures."""

from brainuad.io.markup import as_text
from brainuad.plan.grids import Grid, threshold_files
from brainuad.plan.looks import leading, styles_of, styles_of_models
from brainuad.plan.register.entries import FigureEntry, Files, Note, Section, TableEntry
from brainuad.plan.register.files import varied
from brainuad.plan.register.wording import (
    LED_METHODS,
    VOLUMES,
    bootstrap,
    interval,
    lesion_set_label,
    spread,
    threshold,
)
from brainuad.plan.study import Cohort, Method, Study

# More curves than this, if methods that do not lead are drawn too, can't be distinguished.
MOST_CURVES = 4
ONE_PERCENT = (
    "Dice at the threshold that 1 % of the brain voxels of healthy validation subjects exceed (at "
    "1 %), for which no lesion is needed, "
)


def segmentation(study: Study) -> Section:
    scored = Grid.of(study.methods, study.folds, study.lesion_cohorts)
    scores = {"scores": scored.files("results/scores")}
    summarized = {**scored.lists(), "bootstrap": bootstrap(study)}
    comparison = study.config["evaluation"]["comparison"]
    reference = as_text(study.all_methods[comparison["reference"]].label)
    volumes = Grid.of(leading(study.methods), study.folds, study.lesion_cohorts)
    return Section(
        "segmentation",
        "Segmentation of lesions",
        "Segmentation",
        "later methods, precision and recall, tests, thresholds, lesion volumes, timesteps",
        [
            *_segmentation_tables(study),
            *_precision_recall(study),
            TableEntry(
                name="comparison",
                module="comparison",
                inputs=scores,
                params={**summarized, **comparison},
                category="Tables",
                label="one method against the others",
                title=f"{study.all_methods[comparison['reference']].label} against the others",
                heading="More than chance?",
                caption=f"{reference} minus each other method, per data set: the mean difference "
                f"over subjects with its {interval(study)}, and the two-sided p of a paired "
                f"permutation test ({comparison['rounds']} rounds, seed {study.seed}), in which a "
                "subject counts once, with its mean over sessions and folds. p (Holm) is corrected "
                "for all tests of the same metric. Where two methods share fewer than two subjects "
                "there is no row. The same numbers as fractions are in ``comparison.tsv``.",
            ),
            _thresholds(study),
            FigureEntry(
                name="dice_by_volume",
                module="dice_by_volume",
                inputs={"scores": volumes.files("results/scores")},
                params={
                    **volumes.lists(),
                    "styles": styles_of(study, leading(study.methods)),
                },
                category="Results",
                label="Dice by lesion volume",
                heading="Dice by lesion volume",
                wide=True,
                caption="Dice of each test scan (its mean over folds), at "
                f"{threshold(study)}, against the volume of its lesions. Lines join the medians "
                "of groups of scans of similar lesion volume; there is no line where a data set "
                "has fewer than eight test scans. In data sets of 16 subjects or fewer, the "
                "methods are drawn side by side around the scan's volume. "
                f"{LED_METHODS}. {VOLUMES}",
            ),
            *_postprocessing(study),
            *_timesteps(study),
        ],
    )


def _segmentation_tables(study: Study) -> list[TableEntry]:
    """Tables of the first methods, and of the later ones with the reference of the comparison."""
    dices, without_lesions = ["dice", "dice_healthy"], ONE_PERCENT
    if study.bundle is not None:
        dices, without_lesions = ["dice"], ""

    def entry(name: str, methods: list[Method], label: str, title: str, opening: str) -> TableEntry:
        scored = Grid.of(methods, study.folds, study.lesion_cohorts)
        return TableEntry(
            name=name,
            module="scores",
            inputs={"scores": scored.files("results/scores")},
            params={
                **scored.lists(),
                "bootstrap": bootstrap(study),
                "metrics": [*dices, "auprc", "precision", "recall"],
                "shown": [*dices, "auprc"],
                "average": True,
            },
            category="Tables",
            label=label,
            title=title,
            heading=title,
            first=name == "segmentation" and bool(study.lesion_cohorts),
            caption=f"{opening}Dice at {threshold(study)}, {without_lesions}and the area under "
            "the precision-recall curve (AUPRC), which needs no threshold. "
            f"{spread(study)} The best method of a column is in bold. The last "
            "columns are the plain mean over the data sets. The same numbers as fractions, "
            f"with precision and recall, are in ``{name}.tsv``.",
        )

    first, later = study.first_methods, study.later_methods
    title = "Segmentation of lesions"
    entries = [entry("segmentation", first, "segmentation", title, "")]
    if later:
        reference = study.all_methods[study.config["evaluation"]["comparison"]["reference"]]
        title = "Segmentation by later methods"
        opening = f"Methods and scores beyond the paper, compared with {reference.label}: "
        rows = later if reference in later else [reference, *later]
        entries.append(entry("segmentation_later", rows, "later methods", title, opening))
    return entries


def _thresholds(study: Study) -> TableEntry:
    fitted = Grid.of(study.methods, study.folds, study.lesion_cohorts)
    healthy = Grid.of(study.methods, study.folds, study.with_thresholds(study.healthy_cohorts))
    return TableEntry(
        name="thresholds",
        module="thresholds",
        inputs={
            "fitted": fitted.files("results/thresholds", ".json"),
            "healthy": healthy.files("results/healthy_residuals", ".json"),
            "shares": healthy.files("results/healthy_shares", ".json"),
        },
        params={"places_of_fitted": _places(fitted), "places_of_healthy": _places(healthy)},
        category="Tables",
        label="what thresholds rest on",
        title="What the thresholds rest on",
        heading="What the thresholds rest on",
        caption="Each fitted threshold has the best Dice on the pooled voxels of validation "
        "patients. The table has the number of these patients with a lesion on the evaluation "
        "grid, and of their lesion voxels; a warning above it names where these are few. The table "
        "also has the share of the brain voxels of healthy validation subjects that score above "
        "the fitted threshold, and the threshold that 1 % of these voxels exceed: it needs no "
        "lesion, and is the one used for scans without lesion masks. Thresholds and shares are "
        "means over folds; counts that differ between folds are shown as a range. A row per fold "
        "is in ``thresholds.tsv``.",
    )


def _places(grid: Grid) -> list[dict[str, str | int]]:
    return [
        {"method": method, "fold": fold, "dataset": cohort.dataset, "modality": cohort.modality}
        for method, fold, cohort in grid.rows
    ]


def _postprocessing(study: Study) -> list[TableEntry]:
    methods = study.methods_of_experiment("postprocessing")
    scored = Grid.of(methods, study.folds, study.lesion_cohorts)
    if not scored:
        return []
    return [
        TableEntry(
            name="postprocessing",
            module="scores",
            inputs={"scores": scored.files("results/postprocessing")},
            params={
                **scored.lists(),
                "bootstrap": bootstrap(study),
                "metrics": ["dice"],
                "shown": ["dice"],
                "average": True,
                "extra": "variant",
                "reference": "all steps",
            },
            category="Experiments",
            label="post-processing",
            title="Segmentation without steps of post-processing",
            heading="What post-processing contributes",
            caption="Dice with all steps of post-processing, and with each of them left out in "
            "turn: the removal of small components, the median filter, the erosion of the brain "
            "mask (the mask itself is kept). The reconstructions are the same throughout; "
            f"thresholds were fitted again on validation subjects for each. {spread(study)} If a "
            "step was left out, the second line is the difference to the same method with all "
            "steps, in percentage points. The last column is the plain mean over the data sets. "
            "The best method of a column is in bold, for each step separately.",
        )
    ]


def _timesteps(study: Study) -> list[FigureEntry]:
    experiment = study.config["experiments"]["timesteps"]
    models = Grid.of(experiment["models"], study.folds, study.lesion_cohorts)
    files, scored = varied(models, "results/timesteps", "t", experiment["timesteps"])
    if not scored:
        return []
    return [
        FigureEntry(
            name="timesteps",
            module="timesteps",
            inputs={"scores": files},
            params={**scored.lists(), "styles": styles_of_models(study, experiment["models"])},
            category="Experiments",
            label="Dice against timestep",
            heading="By the timestep of the noise",
            wide=True,
            caption="Dice against the timestep t to which scans are noised before they are "
            "reconstructed in one step. No model was retrained; for each timestep the threshold "
            "was fitted on validation subjects. Lines are means over test subjects and folds, "
            "bands one standard deviation over the folds (none where there is one fold). Each "
            "panel has its own scale, from zero.",
        )
    ]


def _precision_recall(study: Study) -> list[FigureEntry]:
    shown = leading(study.methods)
    shown = shown if len(shown) > MOST_CURVES else study.methods
    return [
        FigureEntry(
            name=f"precision_recall_{cohort.name}",
            module="precision_recall",
            rule="plot_precision_recall",
            inputs=_maps_and_thresholds(study, cohort, shown),
            params={
                "methods": [method.name for method in shown],
                "styles": styles_of(study, shown),
                "cohort": [cohort.dataset, cohort.modality],
            },
            category="Results",
            label="precision and recall",
            of=lesion_set_label(study, cohort),
            heading="Precision and recall",
            caption="Precision against recall over all voxels of all test subjects of the first "
            f"fold. The marker is {threshold(study)}, before small components are removed. "
            "A curve ends where the anomaly score becomes zero: lesions in "
            "the eroded rim of the brain cannot be found. Grey lines join points of equal Dice; "
            "the dotted line is chance, the share of lesion voxels. The number after a method is "
            "the area under its pooled curve, which differs from the table's mean over subjects. "
            "The axis of precision ends below 100 % if all methods stay far below it (except in "
            f"their first 5 % of recall). {LED_METHODS} if more than four remain.",
        )
        for cohort in study.lesion_cohorts
    ]


def pictures(study: Study) -> Section:
    return Section(
        "pictures",
        "Pictures",
        "Pictures",
        "test subjects of each lesion set, as every method sees them",
        [
            *_panels(study),
            Note(
                "NIfTI files of anomaly maps, for any viewer, are in ``results/derivatives``: "
                "those of data sets with ``native: true``, of patients without lesion masks, and "
                "of all scans that a bundle is applied to."
            ),
        ],
    )


def _panels(study: Study) -> list[FigureEntry]:
    shown = leading(study.methods)
    return [
        FigureEntry(
            name=f"panel_{cohort.name}",
            module="panels",
            rule="plot_panel",
            inputs=_maps_and_thresholds(study, cohort, shown),
            params={
                "methods": [method.name for method in shown],
                "cohort": [cohort.dataset, cohort.modality],
                "postprocessing": study.config["evaluation"]["postprocessing"],
            },
            category="Results",
            label="slices",
            of=lesion_set_label(study, cohort),
            heading="Scans, reconstructions and anomaly maps",
            first=cohort == study.lesion_cohorts[0],
            ending="png",
            wide=True,
            caption="Test subjects of the first fold from the smallest to the largest lesion "
            "volume, each on the axial slice with the most lesion voxels, the same for all "
            "methods. The blue outline is the lesion as drawn, dotted where it is not scored. The "
            f"prediction, at {threshold(study)}, is orange; where more than four methods are "
            "shown, it is the white outline on the anomaly map, below the reconstruction. Each "
            "method has a colour scale of its own, from zero to the 99.5th percentile of its "
            f"scores; the arrow on it is the threshold. {LED_METHODS}; a method without a "
            "model has no reconstruction. Dice is computed on the whole volume. Radiological "
            f"display: R is the patient's right. {VOLUMES} They are marked \u201cgrid\u201d.",
        )
        for cohort in study.lesion_cohorts
    ]


def _maps_and_thresholds(study: Study, cohort: Cohort, methods: list[Method]) -> Files:
    """The files of a figure that shows all methods on one cohort, in the first fold."""
    grid = Grid.of(methods, [study.first_fold], [cohort])
    return {
        "slices": f"results/slices/{cohort.name}.npz",
        "split": f"results/splits/{cohort.dataset}/fold{study.first_fold}.tsv",
        "anomaly_maps": grid.files("results/anomaly_maps", ".npz"),
        "thresholds": threshold_files(study, grid),
    }
