"""The tables of a small made-up study, for the tests of the report's scripts."""

from pathlib import Path

import pandas as pd

import tabulate_beside_paper
import tabulate_claims
import tabulate_comparison
import tabulate_contrast
import tabulate_reconstruction
import tabulate_segmentation
from brainuad.io.tables import read_table, write_table

PAPER = Path(__file__).parents[2] / "resources" / "paper"
BOOTSTRAP = {"rounds": 100, "confidence": 0.95, "seed": 0}
COMPARISON = {"method": "cddpm_ens", "rounds": 100, "bootstrap": BOOTSTRAP}
NO_SCORES = {"scores": [], "methods": [], "folds": [], "datasets": []}


def tabulated(folder):
    """Scores of two methods and folds, tabulated by each script; gives the folder of tables."""
    scores, methods, folds, datasets = [], [], [], []
    for method, offset in (("thresh", 0.0), ("cddpm_ens", 0.2)):
        for fold in (0, 1):
            for dataset, modality in (("mslub", "t2"), ("wmh", "t1")):
                rows = [
                    (f"s{place}", modality, metric, value)
                    for place in range(3)
                    for metric, value in (
                        ("dice", 0.1 * place + offset + 0.1 * fold),
                        ("auprc", 0.2 + offset),
                        ("precision", 0.5),
                        ("recall", 0.5),
                        ("l1_ratio", 3.0),
                        ("lesion_volume_ml", 1.0 + place),
                    )
                ]
                path = folder / method / f"fold{fold}" / f"{dataset}.tsv"
                columns = ["subject", "modality", "metric", "value"]
                write_table(pd.DataFrame(rows, columns=columns), path)
                scores.append(path)
                methods.append(method)
                folds.append(fold)
                datasets.append(dataset)
    lists = {"scores": scores, "methods": methods, "folds": folds, "datasets": datasets}
    tables = folder / "tables"
    for name, tabulate in (
        ("segmentation", tabulate_segmentation),
        ("reconstruction", tabulate_reconstruction),
    ):
        tabulate.main(**lists, **outputs(tables, name), bootstrap=BOOTSTRAP)
    tabulate_comparison.main(**lists, **outputs(tables, "comparison"), **COMPARISON)
    for path in scores:
        frame = read_table(path).assign(gamma=2.0)
        write_table(frame[frame["metric"].isin(["dice", "auprc"])], path)
    tabulate_contrast.main(**lists, **outputs(tables, "contrast"), bootstrap=BOOTSTRAP)
    tabulate_beside_paper.main(
        ours=[tables / "segmentation.tsv", tables / "reconstruction.tsv"],
        printed=[PAPER / "segmentation.tsv", PAPER / "reconstruction.tsv"],
        rerun=PAPER / "independent_rerun.tsv",
        **outputs(tables, "beside_paper"),
    )
    tabulate_claims.main(
        ours=[tables / f"{name}.tsv" for name in ("segmentation", "reconstruction", "contrast")],
        claims=PAPER / "claims.tsv",
        **outputs(tables, "claims"),
    )
    return tables


def outputs(folder, name):
    return {ending: folder / f"{name}.{ending}" for ending in ("tsv", "html", "tex")}
