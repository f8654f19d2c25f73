"""Write a trained method into a folder that can be shared: a MONAI bundle without any pickle."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.bundles.card import licence, model_card
from brainuad.bundles.metadata import metadata_of
from brainuad.config.settings import settings_from
from brainuad.datasets.partitions import VALIDATION
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.subgroups import group_scans, summarize_groups
from brainuad.evaluation.summaries import gather_scores, summarize_scores
from brainuad.images.computed_volumes import read_anomaly_maps
from brainuad.io import bundle_files, job
from brainuad.io.json_files import read_json, write_json
from brainuad.io.scan_names import name_of_row
from brainuad.io.tables import read_table, write_table
from brainuad.models.checkpoints import read_weights
from brainuad.models.shared_weights import write_shared_weights

METRICS = ["dice", "auprc", "precision", "recall", "ssim", "psnr", "l1", "l1_ratio"]
SCAN = ["subject", "session"]


def main(
    *,
    weights: Path | None,
    template: Path,
    template_facts: Path,
    healthy_reference: Path | None,
    healthy_residuals: Path,
    healthy_threshold: Path,
    false_positives: list[Path],
    thresholds: list[Path],
    scores: list[Path],
    anomaly_maps: list[Path],
    subjects: list[Path],
    splits: list[Path],
    output: Path,
    settings: dict[str, Any],
    facts: dict[str, Any],
) -> None:
    """Write the bundle; `io.bundle_files` says which files it has.

    healthy_reference  the pooled healthy scores of a method with a normative score; else None
    subjects, splits   tables of the data sets of `facts`, in their order; the healthy one is first
    anomaly_maps       of the same data sets
    thresholds         of each data set with lesions, named by its cohort
    scores             of each cohort that was scored
    settings, facts    made by `plan.bundles`
    """
    datasets, modality = list(facts["datasets"]), settings["modality"]
    (method,) = settings["methods"]
    partitions = {name: read_table(path) for name, path in zip(datasets, splits, strict=True)}
    known = {name: read_table(path) for name, path in zip(datasets, subjects, strict=True)}
    scans = pd.concat(
        [
            partitions[name].merge(known[name][[*SCAN, "age", "sex", "site"]], on=SCAN)
            for name in datasets
        ],
        keys=datasets,
        names=["dataset", None],
    ).reset_index("dataset")
    measured = gather_scores(
        scores,
        methods=[method] * len(scores),
        folds=[facts["fold"]] * len(scores),
        datasets=[path.stem.removesuffix(f"_{modality}") for path in scores],
    )
    bootstrap = settings_from(BootstrapSettings, facts["bootstrap"])
    summary = summarize_scores(measured, metrics=METRICS, bootstrap=bootstrap)
    # A scan that keep_leaks left in two partitions has a row in each.
    groups = group_scans(scans.drop_duplicates(["dataset", *SCAN]), measured)
    subgroups = summarize_groups(measured, groups, metrics=["dice", "auprc"], bootstrap=bootstrap)
    validated = {
        name: _validated(partitions[name], path)
        for name, path in zip(datasets, anomaly_maps, strict=True)
    }
    fitted = {"healthy": _threshold(healthy_threshold, validated[datasets[0]])}
    for path in thresholds:
        name = path.stem.removesuffix(f"_{modality}")
        fitted[name] = _threshold(path, validated[name])

    with job.replacing(output) as bundle:
        for name in ("configs", "docs", "healthy", "models", "scores", "template", "thresholds"):
            (bundle / name).mkdir(parents=True)
        if weights is None:
            (bundle / "models").rmdir()
        else:
            content = read_weights(weights)
            write_shared_weights(
                bundle / bundle_files.WEIGHTS,
                **{key: content[key] for key in ("kind", "settings", "state")},
            )
        shutil.copyfile(template, bundle / bundle_files.TEMPLATE)
        shutil.copyfile(healthy_residuals, bundle / bundle_files.HEALTHY_RESIDUALS)
        if healthy_reference is not None:
            shutil.copyfile(healthy_reference, bundle / bundle_files.HEALTHY_REFERENCE)
        for name, content in fitted.items():
            fitted_file = bundle_files.fitted_threshold(name)
            file = bundle_files.HEALTHY_THRESHOLD if name == "healthy" else fitted_file
            write_json(content, bundle / file)
        write_table(summary, bundle / bundle_files.SCORES)
        write_table(subgroups, bundle / bundle_files.SUBGROUPS)
        write_json({"format": bundle_files.FORMAT, **settings}, bundle / bundle_files.SETTINGS)
        write_json(metadata_of(settings, facts, summary), bundle / bundle_files.METADATA)
        card = model_card(
            name=output.name,
            settings=settings,
            facts=facts,
            people=scans.drop_duplicates(["dataset", "subject"]),
            thresholds=fitted,
            scores=summary,
            subgroups=subgroups,
            false_positives=pd.concat(map(read_table, false_positives)),
            template=read_table(template_facts).set_index("name")["value"],
        )
        (bundle / bundle_files.CARD).write_text(card, encoding="utf-8")
        (bundle / bundle_files.LICENCE).write_text(licence(facts), encoding="utf-8")
        bundle_files.write_checksums(bundle)
        bundle_files.check_bundle(bundle)
    job.log(f"{output}: {len(fitted)} thresholds, {len(summary)} scores")


def _validated(partitions: pd.DataFrame, anomaly_maps: Path) -> list[str]:
    """The validation subjects of whom a scan was preprocessed without an error."""
    rows = partitions[partitions["partition"] == VALIDATION].to_dict("records")
    mapped = set(read_anomaly_maps(anomaly_maps).names)
    return list(dict.fromkeys(row["subject"] for row in rows if name_of_row(row) in mapped))


def _threshold(path: Path, fitted_on: list[str]) -> dict[str, Any]:
    """The content of a threshold's file, with the names of the subjects it was fitted on."""
    return {**read_json(path), "fitted_on": fitted_on}


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            weights=Path(given) if (given := snakemake.input.weights) else None,
            template=Path(snakemake.input.template),
            template_facts=Path(snakemake.input.template_facts),
            healthy_reference=Path(given) if (given := snakemake.input.healthy_reference) else None,
            healthy_residuals=Path(snakemake.input.healthy_residuals),
            healthy_threshold=Path(snakemake.input.healthy_threshold),
            false_positives=[Path(path) for path in snakemake.input.false_positives],
            thresholds=[Path(path) for path in snakemake.input.thresholds],
            scores=[Path(path) for path in snakemake.input.scores],
            anomaly_maps=[Path(path) for path in snakemake.input.anomaly_maps],
            subjects=[Path(path) for path in snakemake.input.subjects],
            splits=[Path(path) for path in snakemake.input.splits],
            output=Path(snakemake.output.bundle),
            settings=snakemake.params.settings,
            facts=snakemake.params.facts,
        )
