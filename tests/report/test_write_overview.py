"""The page of all results, from the tables of a small study."""

import re

import pandas as pd
import pytest
from small_report import BOOTSTRAP, COMPARISON, NO_SCORES, outputs, tabulated

import tabulate_comparison
import tabulate_contrast
import tabulate_segmentation
import write_overview
from brainuad.io.errors import SettingsError
from brainuad.io.tables import read_table, write_table
from brainuad.report.pages import pages as report_pages

PNG = b"\x89PNG"
RESULTS = ["segmentation", "contrast", "comparison", "reconstruction"]
PAPER_TABLES = ["claims", "beside_paper"]


@pytest.fixture
def files(tmp_path):
    """All that write_overview needs, of two lesion sets."""
    tables = tabulated(tmp_path)
    for name in ("left_out", "splits", "run", "mine"):
        body = f'<p>The body of {name}.</p><p class="note">Its note.</p>'
        report_pages.write_text(
            report_pages.page(title="Not shown", body=body), tables / f"{name}.html"
        )
    quality = {
        "subject": ["001", "a & b"],
        "overlap": [0.95, 0.9],
        "brain_ml": [1400.0, 1500.0],
        "marked": [False, True],
        "why": ["", "mutual information 0.10 is low (median 0.40)"],
    }
    write_table(pd.DataFrame(quality), tables / "quality_ixi_t1.tsv")
    facts = [["source", "SRI24"], ["orientation", "LPS"]]
    write_table(pd.DataFrame(facts, columns=["name", "value"]), tables / "facts.tsv")
    (tmp_path / "figure.png").write_bytes(PNG)
    source = tmp_path / "scripts/brainuad/models/module.py"
    source.parent.mkdir(parents=True)
    source.write_text("# ASSUME" + ": lesions are < 1 l.\n", encoding="utf-8")
    names = [*RESULTS, *PAPER_TABLES, "left_out", "splits", "run", "mine"]
    figures = ["panel_mslub", "panel_wmh", "precision_recall_wmh", "dice_by_volume", "training"]
    return {
        **{name: tables / f"{name}.tsv" for name in ("segmentation", "contrast", "comparison")},
        "tables": [tables / f"{name}.html" for name in names],
        "table_names": names,
        "figures": [tmp_path / "figure.png"] * len(figures),
        "figure_names": figures,
        "quality": [tables / "quality_ixi_t1.tsv"],
        "scans": ["ixi_t1"],
        "atlas_facts": tables / "facts.tsv",
        "sources": [source],
        "output": tmp_path / "index.html",
        "title": "A <title>",
        "phantoms": False,
    }


def page_of(files):
    write_overview.main(**files)
    return files["output"].read_text(encoding="utf-8")


def without(files, *names):
    """The same without some tables."""
    pairs = zip(files["table_names"], files["tables"], strict=True)
    kept = {name: path for name, path in pairs if name not in names}
    return files | {"table_names": list(kept), "tables": list(kept.values())}


def sections_of(page):
    return re.findall(r'<section id="([^"]+)"', page)


def test_everything_is_on_the_page_once(files):
    page = page_of(files)
    assert sections_of(page) == [
        *("finding", "segmentation", "contrast", "pictures", "reconstruction", "beside"),
        *("training", "further", "quality", "splits", "left-out", "decisions", "run"),
    ]
    assert re.findall(r'<a href="#([^"]+)"', page) == sections_of(page)
    for path in files["tables"]:
        assert page.count(report_pages.body_of(path)) == 1, path
    assert "Not shown" not in page and page.count("Its note.") == 4
    assert re.findall(r'<h3 class="own">(.*)</h3>', page)[:3] == [
        *("Precision and recall", "More than chance?", "Dice by lesion volume"),
    ]
    assert '<h3 class="own">Mine</h3>' in page and 'href="tables/mine.tsv"' in page
    assert 'alt="Scans, reconstructions and anomaly maps: MSLUB"' in page


def test_page_stands_alone(files):
    page = page_of(files)
    assert "http" not in page and "<script src" not in page and "<link" not in page
    assert re.findall(r'src="([^"]+)"', page) == ["data:image/png;base64,iVBORw=="] * 5
    assert (
        "A &lt;title&gt;" in page and "lesions are &lt; 1 l." in page and ">methods/module<" in page
    )


def test_quality_and_finding_are_told(files):
    page = page_of(files)
    assert '<a href="quality/ixi_t1/index.html">IXI T1</a>' in page
    assert "a &amp; b" in page and "mutual information 0.10 is low" in page and ">001<" not in page
    assert "Registered to the atlas: IXI T1. The atlas: SRI24." in page
    assert "cDDPM ENS has the highest AUPRC, 40.0\u00a0%, and a Dice of 35.0\u00a0%" in page
    assert "has the higher AUPRC in 0 and the lower in 0, with p below" in page
    assert "raised to the power of 2" in page


def test_phantoms_are_not_set_beside_the_paper(files):
    assert "These scans are phantoms" not in page_of(files)
    page = page_of(without(files, *PAPER_TABLES) | {"phantoms": True})
    assert "These scans are phantoms" in page and "are not set beside them" in page
    assert "beside" not in sections_of(page)


def test_experiments_may_be_missing(files):
    page = page_of(without(files, "contrast", "mine") | {"contrast": None, "comparison": None})
    assert not {"contrast", "further"} & set(sections_of(page))
    assert "raised to the power" not in page and "In paired tests" not in page


def test_study_without_lesion_masks_and_atlas(files, tmp_path):
    for name, tabulate, settings in (
        ("segmentation", tabulate_segmentation, {"bootstrap": BOOTSTRAP}),
        ("contrast", tabulate_contrast, {"bootstrap": BOOTSTRAP}),
        ("comparison", tabulate_comparison, COMPARISON),
    ):
        tabulate.main(**NO_SCORES, **outputs(tmp_path / "tables", name), **settings)
        assert read_table(files[name]).empty
    page = page_of(files | {"figures": [], "figure_names": [], "atlas_facts": None})
    assert '<p class="finding">No data set of this run has lesion masks' in page
    assert page.count("There are no scores for this table.") == 2
    assert page.count("There is nothing to compare") == 1
    assert "Nothing was registered here." in page and "as it was found" not in page
    assert "<img" not in page and "training" not in sections_of(page)


def test_page_of_another_kind_is_named(files, tmp_path):
    (tmp_path / "other.html").write_text("<html></html>", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"other\.html"):
        page_of(files | {"tables": [tmp_path / "other.html"], "table_names": ["segmentation"]})
