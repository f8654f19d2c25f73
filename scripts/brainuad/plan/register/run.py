"""The sections on the run itself: training, splits, what was left out, how it was computed."""

from brainuad.plan.register.entries import PROJECT, REPORT, FigureEntry, Section, TableEntry
from brainuad.plan.study import Study

ENVIRONMENTS = ("core", "phantoms", "ants", "hdbet1", "hdbet2", "torch", "report")

# The page's template and script, which write_overview reads.
TEMPLATES = [REPORT / "pages" / name for name in ("overview.html.jinja", "overview.js")]

# The captions of the pages in Snakemake's report.
OVERVIEW_CAPTION = (
    "The whole run on one page: first the finding in words, the main table, a picture and what is "
    "odd; then sections to open, with all tables and figures, what was left out, the decisions "
    "that paper and released code leave open, and how it was run. A field searches the rows of all "
    "tables and the captions. The file needs no connection and no other file; the pages of scans "
    "and of quality control and the tables' files are in its folder."
)
QUALITY_CAPTION = (
    "Every scan that came through preprocessing, the outliers first. Above: the resampled scan "
    "with the outline of its brain mask. Below: the scan registered to the template, "
    "bias-corrected, with the outlines of the template's brain and ventricles; the sagittal view "
    "is 9 mm away from the midline. Scans that came preprocessed have one row, without the "
    "template. Radiological display: R is the patient's right."
)


def training(study: Study) -> Section:
    histories = training_tables(study, "history")
    return Section(
        "training",
        "Training",
        "Training",
        "the losses of each model",
        [
            FigureEntry(
                name="training",
                module="training",
                inputs={"histories": list(histories.values())},
                params={"trainings": list(histories)},
                category="Training",
                label="losses",
                wide=True,
                caption="Training and validation loss of each model against optimiser steps, one "
                "line per fold. Validation uses the same slices, timesteps and noise each time, or "
                "draws new ones if ``redrawn`` is set (as released); the dot is the step whose "
                "weights are used. Losses of different panels measure different things and cannot "
                "be compared.",
            )
        ],
    )


def training_tables(study: Study, name: str) -> dict[str, str]:
    """The table `name` of each training by "model/modality/fold0", pretraining first."""
    folders = {"pretraining": "results/pretraining"} if study.starts_from_spark else {}
    folders |= {model: f"results/models/{model}" for model in study.models}
    return {
        f"{model}/{modality}/fold{fold}": f"{folder}/{modality}/fold{fold}/{name}.tsv"
        for model, folder in folders.items()
        for modality in study.modalities
        for fold in study.folds
    }


def splits(study: Study) -> Section:
    grid = [(dataset, fold) for dataset in study.datasets for fold in study.folds]
    return Section(
        "splits",
        "Splits",
        "Splits",
        "which subjects are for training, validation and test",
        [
            TableEntry(
                name="splits",
                module="splits",
                inputs={
                    name: [f"results/splits/{dataset}/fold{fold}{ending}" for dataset, fold in grid]
                    for name, ending in (
                        ("splits", ".tsv"),
                        ("problems", "_problems.tsv"),
                    )
                },
                params={
                    "datasets": [dataset for dataset, _ in grid],
                    "folds": [fold for _, fold in grid],
                    "sources": [split_source(study, dataset) for dataset, _ in grid],
                },
                category="Quality control",
                label="splits",
                title="Splits",
                caption="Subjects for training, validation and test, per data set and fold, and "
                "where the lists come from. They are counted as drawn or listed, with those whose "
                "scans were then left out in preprocessing (they are in the table of what was left "
                "out); a column says how many had no usable scan at all. A leak is a subject in "
                "two partitions of a fold of the released lists. Unless leaks are kept, it stays "
                "in test if it is there, and otherwise in validation. Repeated rows are always "
                "dropped; a subject in the validation of several folds is only counted. The files "
                "``results/splits/*/fold*_problems.tsv`` name every subject.",
            )
        ],
    )


def split_source(study: Study, dataset: str) -> str:
    """Where a data set's split comes from, in words."""
    block = study.datasets[dataset]
    if block["splits"] is not None:
        return f"released lists in {block['splits']['folder']}"
    if dataset in study.patients and dataset not in study.with_masks:
        return "all subjects are tested (no lesion masks)"
    stratified = f", in proportion to {block['stratify']}" if block["stratify"] else ""
    return f"drawn with seed {study.seed}{stratified}"


def left_out(study: Study) -> Section:
    datasets, cohorts = study.datasets, study.cohorts
    return Section(
        "left-out",
        "Left out",
        "Left out",
        "every subject and scan that was left out, and why",
        [
            TableEntry(
                name="left_out",
                module="left_out",
                inputs={
                    "subjects": [f"results/subjects/{dataset}.tsv" for dataset in datasets],
                    "left_out": [f"results/slices/{cohort}_left_out.tsv" for cohort in cohorts],
                    "remarks": [f"results/subjects/remarks/{dataset}.tsv" for dataset in datasets],
                },
                params={
                    "cohorts": [[cohort.dataset, cohort.modality] for cohort in cohorts.values()],
                    "modalities": {name: block["modalities"] for name, block in datasets.items()},
                },
                category="Quality control",
                label="scans left out",
                title="Left out",
                caption="Every subject and scan that was left out, at which stage and why. The "
                "stage *listing* means that files were excluded, missing or unusable: of the whole "
                "subject, or of one modality where it is named. The other stages are those of "
                "preprocessing. Scans that are not listed came through. Below: rows of tables with "
                "age, sex and site that match no subject, and subjects without a row.",
            )
        ],
    )


def run(study: Study, made: list[str], snakemake: str) -> Section:
    """How the run was computed.

    made       the files that must exist before
    snakemake  its version
    """
    machines = training_tables(study, "machines")
    return Section(
        "run",
        "How it was run",
        "Run",
        "run times, machines, seeds and versions",
        [
            TableEntry(
                name="run",
                module="run",
                inputs={
                    "results": made,
                    "machines": list(machines.values()),
                    "environments": [f"{PROJECT}/envs/{name}.yaml" for name in ENVIRONMENTS],
                },
                params={
                    "trainings": list(machines),
                    "versions": {"snakemake": snakemake},
                    "seed": study.seed,
                    "benchmarks": "benchmarks",
                },
                category="Run",
                label="run times, machines, versions, seeds",
                title="Run details",
                caption="Run time and peak memory of each rule (from Snakemake's benchmarks), the "
                "machine that trained each model, seeds and versions. Memory is the largest "
                "resident set of any of the rule's jobs. The same training on another machine "
                "differs in the last digits at first, and visibly in the end if it is small. "
                "Another seed changes the demo's cDDPM ENS by up to 10 points of Dice and 12 of "
                "AUPRC on a data set, other vector instructions by up to 8 and 7.",
            )
        ],
    )
