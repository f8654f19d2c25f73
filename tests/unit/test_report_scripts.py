"""Each script of the report on two small data sets, from files to files."""

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace

import jinja2
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

import plot_dice_by_volume
import plot_panel
import plot_precision_recall
import plot_training
import tabulate_beside_paper
import tabulate_claims
import tabulate_comparison
import tabulate_contrast
import tabulate_left_out
import tabulate_reconstruction
import tabulate_run
import tabulate_segmentation
import write_overview
from brainuad.metrics import ScoredVoxels
from brainuad.slices import SliceStack, write_slices
from brainuad.tables import read_table, write_table

BOOTSTRAP = {"rounds": 100, "confidence": 0.95, "seed": 0}
POSTPROCESSING = {
    "order": ["erosion", "median"],
    "erosion_iterations": 0,
    "median_size": 1,
    "minimum_component": 1,
}
METHODS = ["thresh", "ddpm", "ddpm_ens"]
PROJECT = Path(__file__).parents[2]
CAPTIONS = PROJECT / "workflow" / "report"
PAPER = PROJECT / "resources" / "paper"
COMPARISON = {"method": "cddpm_ens", "rounds": 100, "bootstrap": BOOTSTRAP}


def make_stack(generator):
    """Three ellipsoid brains of 4 mm voxels; each has a bright cube, the first the largest."""
    z, x, y = np.indices((6, 20, 24))
    brain = ((x - 9.5) / 9) ** 2 + ((y - 11.5) / 11) ** 2 + ((z - 2.5) / 4) ** 2 < 1
    images, lesions = [], []
    for size in (5, 3, 2):
        lesion = np.zeros(brain.shape, np.uint8)
        lesion[2:4, 6 : 6 + size, 8 : 8 + size] = 1
        lesion[4, 12, 12] = 2
        image = 0.3 + 0.05 * generator.random(brain.shape) + 0.5 * (lesion == 1)
        images.append((image * brain).astype(np.float32))
        lesions.append(lesion)
    return SliceStack(
        images=np.stack(images),
        brain_masks=np.stack([brain] * 3),
        lesions=np.stack(lesions),
        subjects=np.array(["big", "middle", "small"]),
        affines=np.stack([np.diag([4.0, 4.0, 4.0, 1.0])] * 3),
    )


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A folder with slices, split, reconstructions and thresholds of one lesion set."""
    folder = tmp_path_factory.mktemp("evaluated")
    stack = make_stack(np.random.default_rng(0))
    write_slices(stack, folder / "slices.npz")
    split = pd.DataFrame({"subject": stack.subjects, "partition": ["test", "test", "test"]})
    write_table(split, folder / "split.tsv")
    for method in METHODS:
        painted = np.where(stack.brain_masks, np.float32(0.32), 0) * (method != "thresh")
        np.savez(
            folder / f"{method}.npz",
            subjects=stack.subjects,
            reconstructions=painted.astype(np.float32),
        )
        (folder / f"{method}.json").write_text(json.dumps({"threshold": 0.2}), encoding="utf-8")
    return {
        "slices": folder / "slices.npz",
        "split": folder / "split.tsv",
        "reconstructions": [folder / f"{method}.npz" for method in METHODS],
        "thresholds": [folder / f"{method}.json" for method in METHODS],
        "methods": METHODS,
        "dataset": "mslub",
        "modality": "t2",
        "postprocessing": POSTPROCESSING,
    }


def check_figure(draw, tmp_path):
    """Draw twice, compare bytes, parse; gives the SVG as text."""
    files = []
    for attempt in ("first", "second"):
        svg, png = tmp_path / attempt / "a.svg", tmp_path / attempt / "a.png"
        draw(svg=svg, png=png)
        ElementTree.parse(svg)
        assert png.stat().st_size > 1000
        files.append((svg.read_bytes(), png.read_bytes()))
    assert files[0] == files[1]
    return files[0][0].decode()


def test_panel(evaluated, tmp_path):
    svg = check_figure(lambda **files: plot_panel.main(**evaluated, **files), tmp_path)
    # Three subjects; Thresh has two columns, DDPM ENS three, DDPM none: (1 + 2 + 3) x 3 pictures.
    assert len(re.findall(r'<g id="axes_\d+">', svg)) == 18 + 2


def test_panel_without_lesions_says_so(evaluated, tmp_path):
    stack = make_stack(np.random.default_rng(0))
    healthy = SliceStack(**{**vars(stack), "lesions": np.zeros_like(stack.lesions)})
    write_slices(healthy, tmp_path / "slices.npz")
    changed = evaluated | {"slices": tmp_path / "slices.npz"}
    check_figure(lambda **files: plot_panel.main(**changed, **files), tmp_path)


def test_precision_recall(evaluated, tmp_path):
    check_figure(lambda **files: plot_precision_recall.main(**evaluated, **files), tmp_path)


@pytest.mark.parametrize("change", ["nobody", "no lesion"])
def test_precision_recall_without_a_lesion_says_so(evaluated, tmp_path, change):
    stack = make_stack(np.random.default_rng(0))
    if change == "nobody":
        stack = SliceStack(**{**vars(stack), "subjects": np.array(["x", "y", "z"])})
    else:
        stack = SliceStack(**{**vars(stack), "lesions": np.zeros_like(stack.lesions)})
    write_slices(stack, tmp_path / "slices.npz")
    changed = evaluated | {"slices": tmp_path / "slices.npz"}
    svg = check_figure(lambda **files: plot_precision_recall.main(**changed, **files), tmp_path)
    assert 'id="axes_1"' not in svg


def test_area_of_the_pooled_curve_is_that_of_scikit_learn():
    generator = np.random.default_rng(1)
    lesion, healthy = generator.random(400).round(2) + 0.2, generator.random(3000).round(2)
    zeros_lesion, zeros_healthy = 50, 2000
    truth = np.repeat([1, 0, 1, 0], [400, 3000, zeros_lesion, zeros_healthy])
    scores = np.concatenate([lesion, healthy, np.zeros(zeros_lesion + zeros_healthy)])
    voxels = ScoredVoxels(
        lesion=lesion, healthy=healthy[healthy > 0], lesion_voxels=450, voxels=len(scores)
    )
    recalls, precisions, area = plot_precision_recall.curve(voxels)
    assert area == pytest.approx(average_precision_score(truth, scores))
    assert recalls[-1] == pytest.approx(400 / 450)
    assert len(recalls) == len(precisions) <= plot_precision_recall.POINTS


def test_operating_point_by_hand():
    voxels = ScoredVoxels(
        lesion=np.array([0.9, 0.4]), healthy=np.array([0.5, 0.1]), lesion_voxels=4, voxels=20
    )
    assert plot_precision_recall.operating_point(voxels, 0.3) == (0.5, pytest.approx(2 / 3))
    recall, precision = plot_precision_recall.operating_point(voxels, 1.0)
    assert recall == 0
    assert np.isnan(precision)


def test_training(tmp_path):
    columns = ["epoch", "step", "training_loss", "validation_loss", "seconds"]
    trained = pd.DataFrame([[1, 10, 0.3, 0.2, 1.0], [2, 20, 0.2, 0.1, 1.0]], columns=columns)
    write_table(trained, tmp_path / "trained.tsv")
    write_table(trained.iloc[:0], tmp_path / "untrained.tsv")
    histories = [tmp_path / "trained.tsv", tmp_path / "untrained.tsv"]
    labels = ["pretraining/t2/fold0", "thresh/t2/fold0"]
    svg = check_figure(
        lambda **files: plot_training.main(histories=histories, labels=labels, **files), tmp_path
    )
    assert len(re.findall(r'<g id="axes_\d+">', svg)) == 1


@pytest.fixture
def report(tmp_path):
    """Scores of two methods and folds, tabulated, with everything else that the page needs."""
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
                path = tmp_path / method / f"fold{fold}" / f"{dataset}.tsv"
                columns = ["subject", "modality", "metric", "value"]
                write_table(pd.DataFrame(rows, columns=columns), path)
                scores.append(path)
                methods.append(method)
                folds.append(fold)
                datasets.append(dataset)
    lists = {"scores": scores, "methods": methods, "folds": folds, "datasets": datasets}
    tables = tmp_path / "tables"
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


def test_tables_by_hand(report):
    tables = report
    table = read_table(tables / "segmentation.tsv").set_index(["method", "dataset", "metric"])
    row = table.loc[("cddpm_ens", "mslub", "dice")]
    # Fold means are .3 and .4.
    assert row["mean"] == pytest.approx(0.35)
    assert row["sd"] == pytest.approx(0.1 / np.sqrt(2))
    assert (row["folds"], row["subjects"]) == (2, 3)
    assert row["ci_low"] < 0.35 < row["ci_high"]
    assert set(table.index.get_level_values("metric")) == {"dice", "auprc", "precision", "recall"}
    assert "lesion_volume_ml" not in (tables / "segmentation.tsv").read_text(encoding="utf-8")
    reconstruction = read_table(tables / "reconstruction.tsv")
    assert reconstruction["metric"].unique().tolist() == ["l1_ratio"]
    assert read_table(tables / "contrast.tsv")["gamma"].unique().tolist() == [2.0]
    assert "$\\gamma$ = 2" in (tables / "contrast.tex").read_text(encoding="utf-8")


def test_comparison_by_hand(report):
    table = read_table(report / "comparison.tsv").set_index(["dataset", "metric"])
    assert set(table["method"]) == {"cddpm_ens"} and set(table["other"]) == {"thresh"}
    assert len(table) == 4
    row = table.loc[("mslub", "dice")]
    # Every subject is .2 better. Of the 8 flips of three signs, two are as far out as that.
    assert row[["difference", "ci_low", "ci_high"]].tolist() == pytest.approx([0.2] * 3)
    assert row["p"] == pytest.approx(2 / 8)
    assert row["p_corrected"] == pytest.approx(2 * 2 / 8)
    assert row["subjects"] == 3
    page = (report / "comparison.html").read_text(encoding="utf-8")
    assert "cDDPM ENS against the others" in page and "+20.0 [+20.0, +20.0]" in page
    tex = (report / "comparison.tex").read_text(encoding="utf-8")
    assert r"WMH T1 & Thresh & +20.0 [+20.0, +20.0] & 0.25 & 0.5 & 3 &" in tex


@pytest.mark.parametrize(("methods", "subjects"), [(["cddpm_ens"], 4), (["cddpm_ens", "ddpm"], 1)])
def test_nothing_to_compare_is_a_header_and_a_line(tmp_path, methods, subjects):
    rows = [[f"s{place}", "t2", "dice", 0.1 * place] for place in range(subjects)]
    write_table(
        pd.DataFrame(rows, columns=["subject", "modality", "metric", "value"]), tmp_path / "s.tsv"
    )
    tabulate_comparison.main(
        scores=[tmp_path / "s.tsv"] * len(methods),
        methods=methods,
        folds=[0] * len(methods),
        datasets=["mslub"] * len(methods),
        **outputs(tmp_path, "comparison"),
        **COMPARISON,
    )
    table = read_table(tmp_path / "comparison.tsv")
    assert table.empty and {"difference", "p", "p_corrected", "subjects"} <= set(table.columns)
    page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert page.count("There is nothing to compare") == 1 and "<table " not in page
    assert (tmp_path / "comparison.tex").read_text(encoding="utf-8").startswith("% There is")


def test_beside_paper_by_hand(report):
    table = read_table(report / "beside_paper.tsv")
    printed = [read_table(PAPER / f"{name}.tsv") for name in ("segmentation", "reconstruction")]
    assert len(table) == sum(map(len, printed))
    keys = ["method", "dataset", "modality", "metric"]
    row = table.set_index(keys).loc[("thresh", "mslub", "t2", "dice")]
    # Fold means are .1 and .2; printed are 6.21 %.
    assert row[["paper", "ours", "difference"]].tolist() == pytest.approx([0.0621, 0.15, 0.0879])
    # Thresh on MSLUB and WMH; the paper has no cDDPM ENS, and Thresh paints nothing.
    assert table["ours"].count() == 4
    page = (report / "beside_paper.html").read_text(encoding="utf-8")
    assert '15.0 <span class="spread">\u00b1 7.1</span>' in page
    assert '<span class="interval">6.2 (+8.8)</span>' in page
    tex = (report / "beside_paper.tex").read_text(encoding="utf-8")
    assert r"$\pm$ 7.1\\{\scriptsize 6.2 (+8.8)}}" in tex
    assert tex.count(r"\bottomrule") == 2 and "LPIPS ($10^{-3}$)" in tex


def test_nothing_of_the_paper_was_measured(tmp_path):
    nothing = {"scores": [], "methods": [], "folds": [], "datasets": []}
    tables = []
    for name, tabulate in (("a", tabulate_segmentation), ("b", tabulate_contrast)):
        tabulate.main(**nothing, **outputs(tmp_path, name), bootstrap=BOOTSTRAP)
        tables.append(tmp_path / f"{name}.tsv")
    tabulate_beside_paper.main(
        ours=tables, printed=[PAPER / "segmentation.tsv"], **outputs(tmp_path, "beside_paper")
    )
    table = read_table(tmp_path / "beside_paper.tsv")
    assert table["paper"].notna().all() and table[["ours", "difference"]].isna().all(axis=None)
    tabulate_claims.main(ours=tables, claims=PAPER / "claims.tsv", **outputs(tmp_path, "claims"))
    assert set(read_table(tmp_path / "claims.tsv")["verdict"]) == {"not measured"}


def test_claims_are_judged_by_all_tables(tmp_path):
    columns = ["method", "dataset", "modality", "metric", "mean"]
    plain = [("cddpm", "wmh", "t1", "dice", 0.2), ("ddpm", "wmh", "t1", "dice", 0.25)]
    changed = [("cddpm", "ixi", "t2", "entropy_difference", 0.1)]
    changed.append(("ddpm", *changed[0][1:4], 0.5))
    write_table(pd.DataFrame(plain, columns=columns), tmp_path / "plain.tsv")
    write_table(pd.DataFrame(changed, columns=columns).assign(gamma=2.0), tmp_path / "changed.tsv")
    tabulate_claims.main(
        ours=[tmp_path / "plain.tsv", tmp_path / "changed.tsv"],
        claims=PAPER / "claims.tsv",
        **outputs(tmp_path, "claims"),
    )
    table = read_table(tmp_path / "claims.tsv").set_index("claim")
    assert len(table) == len(read_table(PAPER / "claims.tsv"))
    row = table.loc["cDDPM gains no Dice over DDPM on WMH"]
    assert (row["ours"], row["paper"]) == pytest.approx((-0.05, -0.0009))
    assert row["verdict"] == "holds"
    assert sorted(table["ours"].dropna()) == pytest.approx([-0.05, 5.0])
    page = (tmp_path / "claims.html").read_text(encoding="utf-8")
    assert f"{len(table)} claims of the paper, 2 hold here, 0 do not, and {len(table) - 2}" in page
    assert ">\u22125.00 %<" in page and ">\u22120.09 %<" in page
    assert "not measured (for cDDPM, pDDPM)" in page
    tex = (tmp_path / "claims.tex").read_text(encoding="utf-8")
    assert r"$-$0.09 \% & $-$5.00 \% & holds" in tex and r"$-$4.61 $\cdot$ $10^{-3}$ & --" in tex


def test_left_out(tmp_path):
    listed = pd.DataFrame(
        [
            ["001", "a_t1.nii.gz", "a_t2.nii.gz", "ok", ""],
            ["002", "b_t1.nii.gz", "b_t2.nii.gz", "left_out", "cut short"],
            ["003", "c_t1.nii.gz", "", "partial", "no t2 scan"],
        ],
        columns=["subject", "t1", "t2", "status", "reason"],
    )
    write_table(listed, tmp_path / "ixi.tsv")
    write_table(listed[:1], tmp_path / "other.tsv")
    later = pd.DataFrame([["001", "registered", "too far"]], columns=["subject", "stage", "reason"])
    write_table(later, tmp_path / "later.tsv")
    tabulate_left_out.main(
        subjects=[tmp_path / "ixi.tsv", tmp_path / "other.tsv"],
        left_out=[tmp_path / "later.tsv"],
        datasets=["ixi", "other"],
        left_out_names=["ixi_t2"],
        tsv=tmp_path / "out.tsv",
        html=tmp_path / "out.html",
    )
    table = read_table(tmp_path / "out.tsv").fillna("")
    assert table.to_numpy().tolist() == [
        ["ixi", "", "002", "listing", "cut short"],
        ["ixi", "t2", "003", "listing", "no t2 scan"],
        ["ixi", "t2", "001", "registered", "too far"],
    ]
    assert "4 subjects were found" in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_run(tmp_path):
    header = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
    for name, seconds, memory in (("a", 10.0, "-"), ("b", 30.0, "2048.0"), ("c", 11.0, "100.0")):
        path = tmp_path / "benchmarks" / "train_model" / "t2" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{header}{seconds}\t0:00:10\t{memory}\t-\t-\t-\t0\t0\t0\t0\n")
    tabulate_run.main(
        benchmarks=tmp_path / "benchmarks",
        versions={"snakemake": "9.27.1", "torch": {"numpy": "2.3"}},
        seeds={"training": 7},
        tsv=tmp_path / "run.tsv",
        html=tmp_path / "run.html",
    )
    table = read_table(tmp_path / "run.tsv").set_index(["name", "quantity"])["value"]
    assert float(table["train_model", "jobs"]) == 3
    assert float(table["train_model", "seconds_total"]) == 51
    assert float(table["train_model", "seconds_median"]) == 11
    assert float(table["train_model", "seconds_max"]) == 30
    assert float(table["train_model", "peak_memory_mib"]) == 2048
    assert table["torch numpy", "version"] == "2.3"
    page = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert "51.0 s" in page and "2.0 GB" in page and ">7<" in page


@pytest.fixture
def overview_files(report, tmp_path):
    """All that write_overview needs, of two lesion sets."""
    tables = report
    figure = tmp_path / "figure.png"
    figure.write_bytes(b"\x89PNG")
    empty = pd.DataFrame(columns=["dataset", "modality", "subject", "stage", "reason"])
    write_table(empty, tables / "left_out.tsv")
    run = pd.DataFrame(
        [["seed", "training", "seed", 7]], columns=["kind", "name", "quantity", "value"]
    )
    write_table(run, tables / "run.tsv")
    write_table(
        pd.DataFrame(
            {
                "subject": ["001", "a & b"],
                "overlap": [0.95, 0.9],
                "brain_ml": [1400.0, 1500.0],
                "marked": [False, True],
                "why": ["", "mutual information 0.10 is low (median 0.40)"],
            }
        ),
        tables / "quality_ixi_t1.tsv",
    )
    write_table(
        pd.DataFrame([["source", "SRI24"], ["orientation", "LPS"]], columns=["name", "value"]),
        tables / "facts.tsv",
    )
    write_table(
        pd.DataFrame(
            {
                "dataset": ["ixi", "ixi"],
                "fold": [0, 1],
                "source": ["released lists in splits"] * 2,
                "train": [358, 361],
                "validation": [44, 44],
                "test": [158, 158],
                "leaks": [7, 9],
                "leaks_kept": [0, 0],
            }
        ),
        tables / "splits.tsv",
    )
    return {
        "segmentation": tables / "segmentation.tsv",
        "reconstruction": tables / "reconstruction.tsv",
        "contrast": tables / "contrast.tsv",
        "comparison": tables / "comparison.tsv",
        "beside_paper": tables / "beside_paper.tsv",
        "claims": tables / "claims.tsv",
        "left_out": tables / "left_out.tsv",
        "run": tables / "run.tsv",
        "precision_recall": [figure, figure],
        "panels": [figure, figure],
        "datasets": ["mslub_t2", "wmh_t1"],
        "dice_by_volume": figure,
        "training": figure,
        "quality": [tables / "quality_ixi_t1.tsv"],
        "scans": ["ixi_t1"],
        "atlas_facts": tables / "facts.tsv",
        "splits": tables / "splits.tsv",
        "output": tmp_path / "index.html",
        "title": "A <title>",
        "phantoms": False,
        "confidence": 0.95,
    }


@pytest.mark.parametrize("phantoms", [True, False])
def test_overview_stands_alone(overview_files, tmp_path, phantoms):
    files = overview_files | {"phantoms": phantoms}
    if phantoms:
        files |= {"beside_paper": None, "claims": None}
    write_overview.main(**files if phantoms else files | {"contrast": None})
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "http" not in page and "<script" not in page
    assert set(re.findall(r'src="([^"]{22})', page)) == {"data:image/png;base64,"}
    assert "A &lt;title&gt;" in page
    assert ("These scans are phantoms" in page) == phantoms
    assert ('id="contrast"' in page) == phantoms
    assert '<a href="quality/ixi_t1/index.html">IXI T1</a>' in page
    assert "a &amp; b" in page and "mutual information 0.10 is low" in page and ">001<" not in page
    assert "Registered to the atlas: IXI T1. The atlas: SRI24." in page
    assert "358 to 361" in page and "7 to 9 per fold, dropped" in page
    assert "cDDPM ENS has the highest AUPRC, 40.0\u00a0%, and a Dice of 35.0\u00a0%" in page
    assert "+20.0 [+20.0, +20.0]" in page
    assert ("demonstration on phantoms" in page) == phantoms
    assert ("6.2 (+8.8)" in page) == ("claims of the paper" in page) == (not phantoms)
    for anchor in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{anchor}"' in page


def test_overview_without_lesion_masks_and_atlas(overview_files, tmp_path):
    nothing = {"scores": [], "methods": [], "folds": [], "datasets": []}
    for name, tabulate, settings in (
        ("segmentation", tabulate_segmentation, {"bootstrap": BOOTSTRAP}),
        ("contrast", tabulate_contrast, {"bootstrap": BOOTSTRAP}),
        ("comparison", tabulate_comparison, COMPARISON),
    ):
        tabulate.main(**nothing, **outputs(tmp_path / "none", name), **settings)
        overview_files[name] = tmp_path / "none" / f"{name}.tsv"
        assert read_table(overview_files[name]).empty
    none = {"precision_recall": [], "panels": [], "datasets": [], "atlas_facts": None}
    write_overview.main(**overview_files | none)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert '<p class="finding">No data set of this run has lesion masks' in page
    assert page.count("There are no scores for this table.") == 2
    assert page.count("There is nothing to compare") == 1
    assert "Nothing was registered here." in page and "as it was found" not in page


def test_dice_without_a_scored_subject_says_so(tmp_path):
    columns = ["subject", "modality", "metric", "value"]
    write_table(pd.DataFrame(columns=columns), tmp_path / "scores.tsv")
    for count in (0, 1):
        svg = check_figure(
            lambda count=count, **files: plot_dice_by_volume.main(
                scores=[tmp_path / "scores.tsv"] * count,
                methods=["ddpm"] * count,
                folds=[0] * count,
                datasets=["mslub"] * count,
                **files,
            ),
            tmp_path / str(count),
        )
        assert 'id="axes_1"' not in svg


def test_dice_by_volume(tmp_path):
    rows = [
        (f"s{place}", "t2", metric, value)
        for place in range(3)
        for metric, value in (("dice", 0.1 * place), ("lesion_volume_ml", float(place)))
    ]
    columns = ["subject", "modality", "metric", "value"]
    write_table(pd.DataFrame(rows, columns=columns), tmp_path / "scores.tsv")
    check_figure(
        lambda **files: plot_dice_by_volume.main(
            scores=[tmp_path / "scores.tsv"],
            methods=["ddpm"],
            folds=[0],
            datasets=["mslub"],
            **files,
        ),
        tmp_path,
    )


class Anything:
    """Stands for wildcards or params: every name has a value."""

    bootstrap = SimpleNamespace(**BOOTSTRAP)

    def __getattr__(self, name):
        return f"<{name}>"


@pytest.mark.parametrize("phantoms", [None, {"brats21": {}}])
@pytest.mark.parametrize("caption", sorted(CAPTIONS.glob("*.rst")), ids=lambda path: path.stem)
def test_captions_can_be_filled(caption, phantoms):
    job = SimpleNamespace(wildcards=Anything(), params=Anything(), config={"phantoms": phantoms})
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    text = environment.from_string(caption.read_text(encoding="utf-8")).render(snakemake=job)
    assert "{" not in text and len(text) > 80
    if caption.stem == "workflow":
        assert ("phantoms" in text) == (phantoms is not None)
