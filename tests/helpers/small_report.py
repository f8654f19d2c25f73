"""A small study and its register, and tables and figures made by the scripts as it says."""

from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image
from small_study import merged, study_of

import draw_figure
import make_table
from brainuad.io.tables import read_table, write_table
from brainuad.plan.register import Register
from brainuad.report.labels import Labels
from brainuad.report.pages.pages import page, write_text

PAPER = Path(__file__).parents[2] / "resources" / "paper"
# Two folds of three data sets, whose scans are no phantoms.
SMALL = {
    "folds": 2,
    "phantoms": None,
    "datasets": {
        "ixi": {"splits": {"folder": "lists", "name": "IXI"}},
        "brats21": None,
        "atlas": None,
        "wmh": {"stratify": "site"},
    },
    "evaluation": {
        "methods": ["thresh", "ae", "ddpm", "cddpm", "cddpm_ens"],
        "maps_method": "cddpm_ens",
        "bootstrap": {"rounds": 100},
        "comparison": {"reference": "cddpm_ens", "rounds": 100},
    },
    "experiments": {
        "timesteps": {"timesteps": [250, 500], "models": ["ddpm", "cddpm"]},
        "contrast": {"methods": ["thresh", "cddpm_ens"]},
        "histograms": {
            "gammas": [0.5, 1.0],
            "cohorts": ["ixi_t2", "mslub_t2"],
            "methods": ["ddpm", "cddpm_ens"],
        },
        "postprocessing": {"methods": ["ddpm", "cddpm_ens"]},
    },
}
WITHOUT_EXPERIMENTS = {
    **{name: {"models": []} for name in ("timesteps", "conditioning")},
    **{name: {"methods": []} for name in ("contrast", "histograms", "postprocessing")},
}


def register_of(**changes: Any) -> Register:
    """The register of the small study, with some blocks of its config changed."""
    return Register(study_of(merged(SMALL, changes)), snakemake="9.0.0")


NO_SCORES = {"scores": [], "methods": [], "folds": [], "datasets": []}
REGISTER = register_of()
PLAIN_LABELS = REGISTER.labels
# Also of data sets that are not in the small study.
PLAIN_LABELS["datasets"] |= {"brats21": "BraTS21", "atlas": "ATLAS"}
LABELS = Labels(**PLAIN_LABELS)


def write_small_table(name: str, folder: Path, **changes: Any) -> dict[str, Path]:
    """Have the script make a table of the register into a folder; gives its files by their endings.

    Files and values that `changes` names stand for those of the register.
    """
    entry = REGISTER.tables[name]
    files = outputs(folder, name)
    make_table.main(
        module=entry.module,
        title=entry.title,
        caption=entry.caption,
        labels=PLAIN_LABELS,
        **files,
        **entry.inputs | entry.params | changes,
    )
    return files


def write_small_figure(name: str, *, svg: Path, png: Path, **changes: Any) -> None:
    """As `write_small_table`, a figure."""
    entry = REGISTER.figures[name]
    given = entry.inputs | entry.params | changes
    draw_figure.main(module=entry.module, labels=PLAIN_LABELS, svg=svg, png=png, **given)


def outputs(folder: Path, name: str) -> dict[str, Path]:
    return {ending: folder / f"{name}.{ending}" for ending in ("tsv", "html", "tex")}


def texts_of(files: dict[str, Path]) -> tuple[pd.DataFrame, str, str]:
    """What was written: the tidy table, the page and the LaTeX."""
    page, latex = (files[ending].read_text(encoding="utf-8") for ending in ("html", "tex"))
    return read_table(files["tsv"]), page, latex


def tabulated(folder: Path) -> Path:
    """Scores of two methods and folds, tabulated; gives the folder of tables."""
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
                path = folder / method / f"fold{fold}" / f"{dataset}_{modality}.tsv"
                columns = ["subject", "modality", "metric", "value"]
                write_table(pd.DataFrame(rows, columns=columns), path)
                scores.append(path)
                methods.append(method)
                folds.append(fold)
                datasets.append(dataset)
    lists = {"scores": scores, "methods": methods, "folds": folds, "datasets": datasets}
    tables = folder / "tables"
    for name in ("segmentation", "reconstruction", "comparison"):
        write_small_table(name, tables, **lists)
    for path in scores:
        frame = read_table(path).assign(gamma=2.0)
        write_table(frame[frame["metric"].isin(["dice", "auprc"])], path)
    write_small_table("contrast", tables, **lists)
    ours = [tables / f"{name}.tsv" for name in ("segmentation", "reconstruction", "contrast")]
    paper = {"printed": [PAPER / "segmentation.tsv", PAPER / "reconstruction.tsv"]}
    paper["rerun"] = PAPER / "independent_rerun.tsv"
    write_small_table("compare_with_paper", tables, ours=ours[:2], **paper)
    write_small_table("claims", tables, ours=ours, claims=PAPER / "claims.tsv")
    return tables


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="720" height="300">'
    '<rect width="720" height="300" fill="#ccc"/></svg>'
)


def overview_files(folder: Path) -> dict[str, Any]:
    """All that write_overview needs; tables that nobody looks at are a word, figures are grey."""
    tables = tabulated(folder)
    for name in REGISTER.tables:
        if not (tables / f"{name}.html").exists():
            write_text(page(title="Not shown", body=f"Body of {name}."), tables / f"{name}.html")
    quality = {
        "subject": ["001", "a & b"],
        "session": "",
        "overlap": [0.95, 0.9],
        "brain_ml": [1400.0, 1500.0],
        "flagged": [False, True],
        "why": ["", "mutual information 0.10 is low (median 0.40)"],
    }
    write_table(pd.DataFrame(quality), tables / "quality_ixi_t1.tsv")
    facts = [["source", "SRI24"], ["orientation", "LPS"]]
    write_table(pd.DataFrame(facts, columns=["name", "value"]), tables / "facts.tsv")
    left_out = {
        "dataset": ["ixi", "ixi", "wmh"],
        "modality": ["", "t2", "t1"],
        "subject": ["7", "8", "9"],
        "session": "",
    }
    write_table(pd.DataFrame(left_out), tables / "left_out.tsv")
    thresholds = {
        "dataset": ["mslub", "mslub", "wmh"],
        "modality": ["t2", "t2", "t1"],
        "patients": [20, 4, 20],
        "lesion_voxels": [5000, 5000, 5000],
    }
    write_table(pd.DataFrame(thresholds), tables / "thresholds.tsv")
    for name, figure in REGISTER.figures.items():
        path = folder / f"{name}.{figure.ending}"
        if figure.ending == "svg":
            path.write_text(SVG, encoding="utf-8")
        else:
            Image.new("L", (720, 300), 200).save(path)
    return {
        "segmentation": [tables / "segmentation.tsv"],
        **{name: tables / f"{name}.tsv" for name in ("contrast", "comparison")},
        "tables": [tables / f"{name}.html" for name in REGISTER.tables],
        "figures": [folder / f"{name}.{each.ending}" for name, each in REGISTER.figures.items()],
        "quality": [tables / "quality_ixi_t1.tsv"],
        **{name: tables / f"{name}.tsv" for name in ("left_out", "thresholds")},
        "template_facts": tables / "facts.tsv",
        "decisions": [["models/module", "lesions are < 1 l."]],
        "output": folder / "index.html",
        "title": "A <title>",
        "phantoms": False,
        "without_model": ["thresh"],
        "sections": REGISTER.sections,
        "labels": PLAIN_LABELS,
        "cohort_labels": REGISTER.cohort_labels,
    }
