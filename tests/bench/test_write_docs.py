"""docs/reference/benchmarks.md is made of tables: what counts as a figure of a CPU or a GPU."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
COLUMNS = [
    *("device", "machine", "date", "stage", "what", "value", "unit", "peak_memory_mib"),
    *("reference", "reference_value", "goal", "ratio", "met"),
]
CARD = "Some card, 80 GiB; a CPU, 16 cores used, 128 GiB of memory; Python 3.11.7, torch 2.13.0"
PAGE = """# Old

Old words.

## On a CPU

Old CPU. 2020-01-01.

| what | measured |
|---|---:|
| old work | 7 s |

## On a GPU

Old card. 2020-01-01.

### Fast?

Old stage.
"""


@pytest.fixture
def write_docs(monkeypatch):
    monkeypatch.syspath_prepend(PROJECT / "bench")
    import write_docs

    return write_docs


@pytest.fixture
def written(write_docs, tmp_path):
    """The page after some tables; (tables, page before) to page."""

    def write(*tables: Path, page: str = PAGE) -> str:
        file = tmp_path / "page.md"
        file.write_text(page)
        write_docs.write(list(tables), file, tmp_path / "images" / "losses.svg")
        return file.read_text()

    return write


def table(path: Path, *rows: dict, device: str = "cuda", machine: str = CARD) -> Path:
    """Write a table; cells that a row does not name are empty."""
    common = {"device": device, "machine": machine, "date": "2026-11-26", "stage": "fast"}
    lines = [COLUMNS, *([(common | row).get(name, "") for name in COLUMNS] for row in rows)]
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
    return path


def section(page: str, title: str) -> str:
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page, flags=re.DOTALL | re.MULTILINE)[1]


STEP = {
    "what": "step",
    "value": "3.5",
    "unit": "TFLOP/s",
    "reference": "products",
    "reference_value": "7",
    "ratio": "0.5",
    "goal": "ratio >= 0.4",
    "met": "yes",
}


def test_a_table_of_the_cpu_replaces_its_section_alone(written, tmp_path):
    rows = (STEP | {"peak_memory_mib": "130"}, {"what": "map", "value": "2", "unit": "s"})
    page = written(table(tmp_path / "results.tsv", *rows, device="cpu", machine="New CPU"))
    assert section(page, "On a CPU") == (
        "\nNew CPU. 2026-11-26.\n\n"
        "| what | measured | memory (MiB) | reference | its | ratio | goal |\n"
        "| --- | ---: | ---: | --- | ---: | ---: | --- |\n"
        "| step | 3.5 TFLOP/s | 130 | products | 7 TFLOP/s | 0.5 | ratio >= 0.4: yes |\n"
        "| map | 2 s |  |  |  |  |  |\n\n"
    )
    assert section(page, "On a GPU") == "\nOld card. 2020-01-01.\n\n### Fast?\n\nOld stage.\n"
    assert "Old words." not in page


def test_stages_of_a_gpu_have_headings_and_passed_tests_are_counted(written, tmp_path):
    right = {"stage": "right", "unit": "passed", "goal": "value >= 1"}
    rows = (
        right | {"what": "test_a.py: one", "value": "1", "met": "yes"},
        right | {"what": "test_a.py: two[a|b]", "value": "0", "met": "no"},
        right | {"what": "test_a.py: three", "value": "1", "met": "yes"},
        {
            "stage": "right",
            "what": "test_a.py: one: loss",
            "value": "0.011",
            "goal": "value <= 0.01",
            "met": "no",
        },
        {"stage": "right", "what": "stage right: failed, exit code 1", "value": "93", "unit": "s"},
        STEP,
        {"what": "stage fast: came to its end", "value": "150.2", "unit": "s"},
        {"stage": "limits", "what": "fits | 24 GB", "value": "1", "unit": "1 for yes"},
        {"stage": "limits", "what": "fits | 12 GB", "value": "0", "unit": "1 for yes"},
    )
    page = written(table(tmp_path / "results.tsv", *rows))
    assert section(page, "On a GPU") == (
        f"\n{CARD}. 2026-11-26.\n\n"
        "### Right?\n\n**Failed, exit code 1** after 93 s.\n\n"
        "Tests: 2 passed, 1 failed.\n\n- **failed**: `test_a.py: two[a|b]`\n\n"
        "| what | measured | goal |\n| --- | ---: | --- |\n"
        "| test_a.py: one: loss | 0.011 | value <= 0.01: no |\n\n"
        "### Fast?\n\nCame to its end after 150.2 s.\n\n"
        "| what | measured | reference | its | ratio | goal |\n"
        "| --- | ---: | --- | ---: | ---: | --- |\n"
        "| step | 3.5 TFLOP/s | products | 7 TFLOP/s | 0.5 | ratio >= 0.4: yes |\n\n"
        "### Limits?\n\n**It did not end.**\n\n"
        "| what | measured |\n| --- | ---: |\n"
        "| fits \\| 24 GB | yes |\n| fits \\| 12 GB | no |\n"
    )
    assert "| old work | 7 s |" in section(page, "On a CPU")


def test_without_rows_the_sections_stay_and_an_empty_page_says_how_to_fill_them(written):
    once = written()
    assert section(once, "On a CPU") == section(PAGE, "On a CPU")
    assert section(once, "On a GPU") == section(PAGE, "On a GPU")
    assert written(page=once) == once
    assert section(written(page=""), "On a GPU") == (
        "\nNothing has run on a GPU yet; `bench/on_gpu.sh --out FOLDER` on a machine with one "
        "makes this section.\n"
    )


def test_curves_next_to_a_table_of_a_gpu_are_drawn(written, tmp_path):
    results = table(tmp_path / "out" / "results.tsv", STEP)
    for name in ("cpu", "bf16"):
        (tmp_path / "out" / f"curve_{name}.tsv").write_text(
            "epoch\tstep\ttraining_loss\tseconds\n1\t4\t0.5\t0.1\n2\t8\t0.25\t0.1\n"
        )
    image = tmp_path / "images" / "losses.svg"
    page = written(results)
    assert section(page, "On a GPU").endswith("(../images/losses.svg)\n")
    drawn = image.read_bytes()
    assert b"<svg" in drawn
    assert written(results) == page
    assert image.read_bytes() == drawn
    # A later run without curves must not be shown with these.
    assert "losses.svg" not in written(table(tmp_path / "later" / "results.tsv", STEP))
    assert not image.exists()


def test_a_table_that_is_not_of_one_cpu_or_gpu_is_refused_in_one_line(written, tmp_path):
    one = table(tmp_path / "one.tsv", STEP)
    dry = table(tmp_path / "dry.tsv", STEP, device="dry")
    mixed = table(tmp_path / "mixed.tsv", STEP, {"device": "dry"})
    cards = table(tmp_path / "cards.tsv", STEP, {"machine": "Other card"})
    empty = table(tmp_path / "empty.tsv")
    (tmp_path / "nothing.tsv").write_text("")
    (tmp_path / "other.tsv").write_text("device\twhat\ncuda\tstep\n")
    staged = one.read_text().replace("stage\t", "").replace("fast\t", "")
    (tmp_path / "no_stage.tsv").write_text(staged)
    for tables, words in (
        ([dry], "device 'dry'"),
        ([mixed], "device 'dry'"),
        ([one, dry], "device 'dry'"),
        ([one, one], "give one"),
        ([cards], "several machines"),
        ([empty], "no rows"),
        ([tmp_path / "nothing.tsv"], "can't be read"),
        ([tmp_path / "missing.tsv"], "No such file"),
        ([tmp_path / "other.tsv"], "lacks the columns machine, date, value"),
        ([tmp_path / "no_stage.tsv"], "without a stage"),
    ):
        with pytest.raises(SystemExit, match=words) as refused:
            written(*tables)
        assert str(refused.value).startswith(str(tables[-1]))
        assert "\n" not in str(refused.value)
        assert (tmp_path / "page.md").read_text() == PAGE
