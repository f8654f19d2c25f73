"""Captions: one text for Snakemake's report and for pages."""

import re
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest
from small_report import REGISTER

from brainuad.io.markup import as_text, to_html

CODE = re.compile("<code>.*?</code>")
CAPTION = "Of *all* in ``a_*.tsv``, x < y & z: **no proof**."


def test_a_caption_as_html():
    assert to_html(CAPTION) == (
        "Of <em>all</em> in <code>a_*.tsv</code>, x &lt; y &amp; z: <strong>no proof</strong>."
    )


@pytest.mark.parametrize("label", ["*x*", "a_ b`c", "`|sub|`", "back\\slash", "**", "a <b>"])
def test_words_of_a_user_are_shown_as_they_stand(label):
    shown = label.replace("<", "&lt;").replace(">", "&gt;")
    assert to_html(f"Of {as_text(label)}.") == f"Of {shown}."
    assert to_html(f"Of **{as_text(label)}** alone.") == f"Of <strong>{shown}</strong> alone."


def filled(template, **job):
    path = Path(__file__).parents[2] / "workflow" / "report" / f"{template}.rst"
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    text = environment.from_string(path.read_text(encoding="utf-8"))
    return text.render(snakemake=SimpleNamespace(**job))


def test_snakemake_is_given_the_caption_as_it_stands():
    assert filled("caption", params=SimpleNamespace(caption=CAPTION)) == CAPTION


@pytest.mark.parametrize("phantoms", [None, {"brats21": {}}])
def test_the_report_says_whether_scans_are_phantoms(phantoms):
    text = filled("workflow", config={"phantoms": phantoms})
    assert ("phantoms" in text) == (phantoms is not None) and "{" not in text


def test_captions_of_the_register_are_whole():
    for entry in [*REGISTER.tables.values(), *REGISTER.figures.values()]:
        shown = to_html(entry.caption)
        assert len(shown) > 80 and not {"{", "}", "`", "  "} & {*shown, *shown.split(" ")}, entry
        assert shown.count("<em>") == shown.count("</em>") and "*" not in re.sub(CODE, "", shown)
