"""What the documents name is there: pages, places in them, files, rules, targets of make."""

import re
from pathlib import Path

import pytest
from small_study import PROJECT, study_of

from brainuad.plan.register import Register

PAGES = sorted(
    page
    for pattern in (
        *("*.md", "docs/**/*.md", "config/*.md", "envs/*.md", "results/*.md"),
        *("containers/*.md", "resources/*.md", "resources/paper/*.md", "scripts/**/*.md"),
    )
    for page in PROJECT.glob(pattern)
)
NAMES = [str(page.relative_to(PROJECT)) for page in PAGES]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
TOP_FOLDERS = "bench|config|demo|docs|envs|profiles|scripts|tests|workflow"
# What a run makes, and what a bundle holds.
MADE = re.compile(r"demo/(apply$|(apply/)?(results|logs))|docs/(README\.md|license\.txt)$")
# What a reader writes.
WRITTEN = {
    "scripts/brainuad/models/inpainting.py",
    "scripts/brainuad/report/tables/extremes.py",
    "tests/models/test_inpainting.py",
    "tests/report/test_extremes_table.py",
    "tests/scores/test_power.py",
}


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Those of the headings, as forges and MyST name them."""
    heads = re.findall(r"^#+ (.*)$", prose(page), flags=re.MULTILINE)
    words = (re.sub(r"[^\w\s-]", "", head.replace("`", "").lower()) for head in heads)
    return {word.strip().replace(" ", "-") for word in words}


def test_pages_are_found():
    assert {"README.md", "docs/README.md", "docs/how-to/own_scans.md"} <= set(NAMES)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page):
    for link in LINK.findall(prose(page)):
        if link.startswith("https://"):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_named_files_exist(page):
    for name in re.findall(rf"`((?:{TOP_FOLDERS})/[\w./-]+)`", prose(page)):
        assert MADE.match(name) or name in WRITTEN or (PROJECT / name).exists(), name


def test_code_named_beside_the_paper_exists():
    page = PROJECT / "docs/explanation/from_paper_to_code.md"
    files = re.findall(r"`([a-z_0-9]+/[\w/]+\.py)`", page.read_text(encoding="utf-8"))
    assert len(files) > 20
    for file in files:
        assert (PROJECT / "scripts/brainuad" / file).is_file(), file


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_targets_of_make_exist(page):
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), flags=re.MULTILINE)
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"(?:`|^    |\n    )make ([a-z-]+)", text)
    assert set(named) <= set(targets)


def test_every_page_of_the_documentation_is_in_its_list():
    listing = PROJECT / "docs/README.md"
    links = LINK.findall(prose(listing))
    linked = {(listing.parent / link.partition("#")[0]).resolve() for link in links}
    assert {*PROJECT.glob("docs/**/*.md")} - {listing} <= linked


def test_tables_and_figures_of_the_report_are_those_of_the_register():
    page = (PROJECT / "docs/reference/report.md").read_text(encoding="utf-8")
    named = {
        kind: re.findall(rf"`{kind}/([\w*{{}}]+)(?:\.tsv)?`", page)
        for kind in ("tables", "figures")
    }
    register = Register(study_of({"phantoms": None, "reference_run": None}), snakemake="9")
    elsewhere = {"compare_runs", "quality_{cohort}"}
    for kind, entries in (("tables", register.tables), ("figures", register.figures)):
        patterns = [re.escape(name).replace(r"\*", r"\w+") for name in named[kind]]
        unnamed = [name for name in entries if not any(re.fullmatch(p, name) for p in patterns)]
        assert unnamed == [], kind
        gone = [
            name
            for name, pattern in zip(named[kind], patterns, strict=True)
            if name not in elsewhere and not any(re.fullmatch(pattern, entry) for entry in entries)
        ]
        assert gone == [], kind
