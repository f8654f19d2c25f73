"""The sections beyond the paper's tables, and the comparisons with the paper and other runs."""

from brainuad.io.markup import as_text
from brainuad.plan.grids import Grid
from brainuad.plan.register.entries import PROJECT, FigureEntry, Section, TableEntry
from brainuad.plan.register.files import table_file
from brainuad.plan.register.lesions import lesions
from brainuad.plan.register.wording import VOLUMES, bootstrap, drawn, interval, threshold
from brainuad.plan.study import Study

PAPER = PROJECT / "resources" / "paper"
BOTH_RUNS = ("segmentation", "reconstruction")


def beyond(study: Study) -> Section:
    return Section(
        "beyond",
        "Beyond the paper",
        "Beyond",
        "single lesions, subgroups, whole scans, false positives, calibration",
        [
            *lesions(study),
            _subgroups(study),
            _detection(study),
            *_false_positives(study),
            *_calibration(study),
        ],
    )


def scans(study: Study) -> Section:
    cohorts = study.derived_cohorts
    threshold = (
        "The threshold is the bundle's, which 1 % of healthy voxels exceed."
        if study.bundle is not None
        else "The threshold is the one fitted on the lesion masks of the cohort (scans that it was "
        "fitted on have the partition ``validation`` in ``anomalies.tsv``), or else the one that "
        "1 % of healthy voxels exceed."
    )
    table = TableEntry(
        name="anomalies",
        module="anomalies",
        inputs={"derivatives": [f"results/derivatives/{cohort.name}" for cohort in cohorts]},
        params={"cohorts": [[cohort.dataset, cohort.modality] for cohort in cohorts]},
        category="Beyond the paper",
        label="scan by scan",
        title="Scan by scan",
        # Without lesion masks it is what there is to be seen.
        first=not study.lesion_cohorts,
        caption=f"What {study.maps_method.label} finds in each scan: the volume above the "
        "threshold in the scan's own space, the number of its connected parts (lesion candidates), "
        "the highest value of the anomaly map, the mean score in the brain, and the share of "
        f"healthy test scans whose mean score is not higher (%). {threshold} All scans are in "
        "``anomalies.tsv``; maps, masks and candidates are in ``results/derivatives``. **These are "
        "findings of a research method, and not for diagnosis.**",
    )
    leads_to = ("scans/index.html", "All scans, each with a page and a viewer")
    about = "what was found in each scan, and a page with a viewer for each"
    if not cohorts:
        return Section("scans", "Scan by scan", "Scans", about, [])
    return Section("scans", "Scan by scan", "Scans", about, [table], leads_to)


def _subgroups(study: Study) -> TableEntry:
    scored = Grid.of(study.methods, study.folds, study.lesion_cohorts)
    return TableEntry(
        name="subgroups",
        module="subgroups",
        inputs={
            "scores": scored.files("results/scores"),
            "subjects": [f"results/subjects/{dataset}.tsv" for dataset in study.with_masks],
        },
        params={**scored.lists(), "bootstrap": bootstrap(study)},
        category="Beyond the paper",
        label="subgroups",
        title="Subgroups",
        heading="Subgroups",
        caption="Dice and AUPRC of the test subjects by the volume of their lesions, by age, sex "
        "and site: a row per group, a column per method, with the number of subjects, each with "
        f"its mean over folds. Dice is at {threshold(study)}. "
        f"The {interval(study)} over subjects ({drawn(study)}) is below each mean; a "
        "group of one subject has none. A subject of unknown age, sex or site is in no such group. "
        "Both measures are higher for larger lesions in any case: the AUPRC of a random map is "
        "the share of lesion voxels. So groups by age, sex or site may differ only "
        f"because their lesions do; and among so many groups some differ by chance. {VOLUMES} The "
        "same numbers as fractions are in ``subgroups.tsv``.",
    )


def _detection(study: Study) -> TableEntry:
    cohorts = [*study.healthy_cohorts, *study.lesion_cohorts]
    scored = Grid.of(study.with_model, study.folds, cohorts)
    return TableEntry(
        name="detection",
        module="detection",
        inputs={"scores": scored.files("results/scores")},
        params={**scored.lists(), "healthy": study.healthy, "bootstrap": bootstrap(study)},
        category="Beyond the paper",
        label="scan-level detection",
        title="Patients against healthy subjects",
        heading="Patients against healthy subjects",
        caption="The area under the ROC curve (AUROC) of a scan's mean score in the brain, which "
        "needs no threshold. It is the probability that a patient (a test subject of the lesion "
        "set) scores higher than a healthy test subject of the same modality; 50 % is chance. The "
        "first line of a cell is the mean over folds \u00b1 the standard deviation over folds (a "
        f"dash if there is one fold); the second line is the {interval(study)} over patients and "
        f"healthy subjects ({drawn(study)}), which is not informative if all are separated. The "
        "best method of a column is in bold. Patients and healthy subjects come from different "
        "data sets, so differences in scanner, site, age and head size count too: **a high value "
        "does not prove that lesions are detected**.",
    )


def _false_positives(study: Study) -> list[TableEntry]:
    healthy = study.with_thresholds(study.healthy_cohorts)
    scored = Grid.of(study.methods, study.folds, healthy)
    table = TableEntry(
        name="false_positives",
        module="false_positives",
        inputs={"scores": scored.files("results/threshold_scores")},
        params={**scored.lists(), "bootstrap": bootstrap(study)},
        category="Beyond the paper",
        label="false positives",
        title="False positives in healthy brains",
        heading="False positives in healthy subjects",
        caption="The volume that is marked as anomalous in the brains of healthy test subjects, "
        "which is all false, at the threshold fitted on the validation subjects of each lesion set "
        "of the same modality, and at those that 1, 2 and 5 % of the voxels of healthy validation "
        "subjects exceed. The first line of a cell is the mean over folds \u00b1 the standard "
        "deviation over folds (none if there is one fold); the second line is the "
        f"{interval(study)} over subjects ({drawn(study)}). There are also the median and the 95th "
        "percentile over subjects, each subject with its mean over folds, and the share of "
        "scans in which nothing is called anomalous. The best method at a threshold is in bold. "
        "Compare these with Dice: a method that finds nothing has no false positives either. "
        f"{VOLUMES}",
    )
    by_group = TableEntry(
        name="false_positives_by_group",
        module="false_positives_by_group",
        inputs={
            **table.inputs,
            "subjects": [
                f"results/subjects/{name}.tsv"
                for name in dict.fromkeys(cohort.dataset for cohort in healthy)
            ],
        },
        params=table.params,
        category="Beyond the paper",
        label="false positives by group",
        title="False positives by age, sex and site",
        heading="False positives by age, sex and site",
        caption="The volume that is called anomalous in healthy test subjects, by age, sex and "
        "site, at the threshold that 1 % of the voxels of healthy validation subjects exceed: at "
        "it, all methods call about the same share of all voxels anomalous. A row per group, a "
        "column per method, with the number of subjects, each with its mean over folds. The "
        f"{interval(study)} over subjects ({drawn(study)}) is below each mean; a group of "
        "one subject has none. A subject of unknown age, sex or site is in no such group. The "
        "volumes are larger in larger brains in any case. Age, sex and site may be related, so "
        f"that groups of one may differ only because of another. {VOLUMES} The same numbers are in "
        "``false_positives_by_group.tsv``.",
    )
    return [table, by_group]


def _calibration(study: Study) -> list[TableEntry | FigureEntry]:
    scored = Grid.of(study.methods, study.folds, study.lesion_cohorts)
    table = TableEntry(
        name="calibration",
        module="calibration",
        inputs={"scores": scored.files("results/threshold_scores")},
        params={**scored.lists(), "bootstrap": bootstrap(study)},
        category="Beyond the paper",
        label="calibration",
        title="Calibration of thresholds",
        heading="How much depends on the threshold",
        caption="The first table has the Dice at a data set's own threshold, fitted on its "
        "validation subjects, and the best that any one threshold would reach on the test "
        "subjects, chosen fold by fold before small components are removed. Nobody can know that "
        "threshold; the difference is what the fitting lost. The second table has each data set "
        "(columns) segmented with the threshold of each data set of the same modality (rows), and "
        "with those that 1, 2 and 5 % of the voxels of healthy validation subjects exceed, for "
        "each method; the difference to the data set's own threshold, in percentage points, is in "
        "brackets. All are means over folds of the mean over test subjects, in per cent. The same "
        "numbers as fractions, with intervals over subjects, are in ``calibration.tsv``.",
    )
    figure = FigureEntry(
        name="calibration",
        module="calibration",
        inputs={"table": table_file("calibration")},
        category="Beyond the paper",
        label="calibration",
        wide=True,
        caption="Dice (%) of each method on each data set, at the data set's own threshold "
        "(*own*), at those fitted on the other data sets of the same modality, at the one that 1 % "
        "of healthy voxels exceed, and at the best that could be chosen on the test subjects "
        "themselves (*best*). The colour is the difference to the own threshold: brown is lower, "
        "blue is higher. The best threshold is chosen before small components are removed, so that "
        "its Dice may be a little below that of the own threshold by chance.",
    )
    return [table, figure]


def comparisons(study: Study, measured: list[str]) -> Section:
    """Comparisons of the tables named in `measured`; phantoms are not compared with the paper."""
    ours = [table_file(name) for name in BOTH_RUNS]
    parts = []
    if study.config["phantoms"] is None:
        parts += _paper(measured, ours)
    if study.config["reference_run"] is not None:
        parts.append(_reference_run(study, ours))
    about = "our numbers compared with the paper's, or with those of another run"
    heading = "Compared with the paper and other runs"
    return Section("comparisons", heading, "Comparisons", about, parts)


def _paper(measured: list[str], ours: list[str]) -> list[TableEntry]:
    # If a number is in several of them, the first counts.
    claimed = ("segmentation", "reconstruction", "contrast", "histograms", "times")
    claims = TableEntry(
        name="claims",
        module="claims",
        inputs={
            "ours": [table_file(name) for name in claimed if name in measured],
            "claims": f"{PAPER}/claims.tsv",
        },
        category="Paper",
        label="claims",
        title="Claims of the paper",
        heading="What the paper claims",
        caption="What the paper says in words, as quantities that can be measured: the paper's "
        "number, ours, and whether the claim holds here. It holds if the direction is the "
        "paper's, whatever the size; chance is not considered. A claim over several methods is "
        "judged only if all of them were measured in this run. The l1 ratio is that within the "
        "brain; the paper does not say how it defines its own.",
    )
    numbers = TableEntry(
        name="compare_with_paper",
        module="compare_with_paper",
        inputs={
            "ours": ours,
            "printed": [f"{PAPER}/{name}.tsv" for name in BOTH_RUNS],
            "rerun": f"{PAPER}/independent_rerun.tsv",
        },
        category="Paper",
        label="compared with the paper",
        title="Compared with the paper",
        heading="The paper's numbers",
        caption="Our means over folds, \u00b1 the standard deviation over folds, and below them "
        "the paper's numbers with the difference (ours \u2212 paper). The paper's are those of "
        "arXiv 2312.04215 v1. *Rerun* is what others measured with the authors' public code "
        "(MCDDPM, arXiv 2409.19623), where they did. A dash means that a method was not measured "
        "in this run. In bold: our best of a column. How the paper defines its l1 ratio is "
        "unknown: its one number is below both of ours, that within the brain and that of "
        "all voxels (as released).",
    )
    return [claims, numbers]


def _reference_run(study: Study, ours: list[str]) -> TableEntry:
    reference = study.config["reference_run"]
    return TableEntry(
        name="compare_runs",
        module="compare_runs",
        inputs={
            "ours": ours,
            "reference": [f"{reference['folder']}/{table_file(name)}" for name in BOTH_RUNS],
        },
        category="Tables",
        label="compared with another run",
        title=f"Compared with the run \u201c{reference['name']}\u201d",
        heading="Another run",
        caption="This run (ours) compared with another run of this workflow, "
        f"**{as_text(reference['name'])}** (theirs): means over folds, \u00b1 the standard "
        "deviation over folds (a dash where there is one fold), and the difference (ours \u2212 "
        "theirs). A dash in place of a mean means that the run has no such number. The two runs "
        "may differ in their subjects, splits and settings, so the difference need not be between "
        "the same scans. The same numbers as fractions, with precision and recall, are in "
        "``compare_runs.tsv``.",
    )
