"""The page of all results, from the tables and figures of a small study."""

import re

import pytest
from small_report import (
    NO_SCORES,
    REGISTER,
    WITHOUT_EXPERIMENTS,
    overview_files,
    register_of,
    write_small_table,
)

import write_overview
from brainuad.io.errors import SettingsError
from brainuad.io.markup import to_html
from brainuad.io.tables import read_table, write_table
from brainuad.report.pages.pages import body_of


@pytest.fixture
def files(tmp_path):
    return overview_files(tmp_path)


def page_of(files):
    write_overview.main(**files)
    return files["output"].read_text(encoding="utf-8")


def with_other_config(files, **changes):
    """The files of a study of another config, of which less is shown."""
    register = register_of(**changes)
    return files | {
        "sections": register.sections,
        "tables": [path for path in files["tables"] if path.stem in register.tables],
        "figures": [path for path in files["figures"] if path.stem in register.figures],
    }


def sections_of(text):
    return re.findall(r'<section id="([^"]+)"', text)


def test_everything_is_on_the_page_once(files):
    text = page_of(files)
    assert sections_of(text) == [
        *("finding", "segmentation", "contrast", "conditioning", "pictures", "reconstruction"),
        *("beyond", "comparisons", "training", "scans", "quality", "splits", "left-out"),
        *("decisions", "run"),
    ]
    assert '<p><a href="scans/index.html">' in text
    navigation = text[text.index("<nav") : text.index("</nav>")]
    assert re.findall(r'<a href="#([^"]+)"', navigation) == sections_of(text)
    for path in files["tables"]:
        assert text.count(body_of(path)) == 1, path
        assert f'href="tables/{path.stem}.tsv"' in text
    assert "Not shown" not in text
    assert re.findall(r'<h3 class="own">(.*)</h3>', text)[:5] == [
        *("Segmentation of lesions", "Scans, reconstructions and anomaly maps"),
        *("What was left out, and what is odd", "Segmentation by later methods"),
        "Precision and recall",
    ]
    assert 'alt="Scans, reconstructions and anomaly maps: MSLUB"' in text
    assert text.count("<figure>") == len(REGISTER.figures)


def test_the_caption_of_several_pictures_stands_once(files):
    text = page_of(files)
    for figure in REGISTER.figures.values():
        # One panel stands at the head of the page, the others in their section.
        times = 2 if figure.module == "panels" else 1
        assert text.count(f'<p class="note">{to_html(figure.caption)}</p>') == times


def test_what_is_left_out_or_odd_is_told_at_once(files):
    text = page_of(files)
    odd = text[text.index("what is odd") : text.index('<section id="segmentation"')]
    assert 'Left out: 1 whole subject and 2 single scans. <a href="#left-out">' in odd
    assert "1 of 2 preprocessed scans is flagged" in odd
    # A fold with few patients is enough.
    assert "The thresholds of MSLUB T2 rest on few validation patients or voxels." in odd
    nothing = read_table(files["left_out"]).head(0)
    write_table(nothing, files["left_out"])
    text = page_of(files | {"thresholds": None})
    assert "No scan was left out." in text and "rest on few" not in text
    assert "for any viewer, are in <code>results/derivatives</code>" in text


def test_page_stands_alone(files):
    text = page_of(files)
    assert "http" not in text and "<script src" not in text and "<link" not in text
    assert set(re.findall(r'src="([^"]+);', text)) == {"data:image/webp", "data:image/svg+xml"}
    assert (
        "A &lt;title&gt;" in text and "lesions are &lt; 1 l." in text and ">models/module<" in text
    )


def test_quality_and_finding_are_told(files):
    text = page_of(files)
    assert '<a href="quality/ixi_t1/index.html">IXI T1</a>' in text
    assert "a &amp; b" in text and "mutual information 0.10 is low" in text and ">001<" not in text
    assert "Registered to the template: IXI T1. The template: SRI24." in text
    assert "cDDPM ENS has the highest AUPRC, 40.0\u00a0%, and a Dice of 35.0\u00a0%" in text
    assert "has the higher AUPRC in 0 and the lower in 0, with p below" in text
    assert "raised to the power of 2" in text


def test_phantoms_are_not_compared_with_the_paper(files):
    assert "These scans are phantoms" not in page_of(files)
    text = page_of(with_other_config(files, phantoms={"ixi": {"subjects": 9}}) | {"phantoms": True})
    assert "These scans are phantoms" in text and "are not\ncompared with them" in text
    assert "comparisons" not in sections_of(text)


def test_experiments_may_be_missing(files):
    changed = with_other_config(files, experiments=WITHOUT_EXPERIMENTS)
    text = page_of(changed | {"contrast": None})
    assert not {"contrast", "conditioning"} & set(sections_of(text))
    assert "raised to the power" not in text and "By the timestep" not in text


def test_study_without_lesion_masks_and_template(files, tmp_path):
    for name in ("segmentation", "contrast", "comparison"):
        write_small_table(name, tmp_path / "tables", **NO_SCORES)
        assert read_table(tmp_path / "tables" / f"{name}.tsv").empty
    text = page_of(files | {"template_facts": None})
    assert '<p class="finding">No data set of this run has lesion masks' in text
    assert text.count("There are no scores for this table.") == 2
    assert text.count("There is nothing to compare") == 1
    assert "Nothing was registered here." in text and "as it was found" not in text


def test_page_of_another_kind_is_named(files, tmp_path):
    (tmp_path / "other.html").write_text("<html></html>", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"other\.html"):
        page_of(files | {"tables": [tmp_path / "other.html"]})
