import math

import pandas as pd
from small_report import LABELS

from brainuad.report.tables.claims import as_printed
from brainuad.report.tables.compare_with_paper import laid_out

NAN = math.nan
COLUMNS = ["method", "dataset", "modality", "metric", "paper", "rerun", "ours", "sd", "difference"]


def table(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


BESIDE = table(
    ("cddpm", "brats21", "t2", "dice", 0.5134, 0.4146, 0.55, 0.02, 0.0366),
    ("cddpm", "mslub", "t2", "dice", 0.1071, 0.0561, NAN, NAN, NAN),
    ("ddpm", "brats21", "t2", "dice", 0.4425, NAN, 0.40, NAN, -0.0425),
    ("ddpm", "mslub", "t2", "dice", 0.0480, NAN, NAN, NAN, NAN),
    ("cddpm", "ixi", "t2", "l1", 0.00968, 0.01486, 0.02, 0.001, 0.01032),
)


def cells(page):
    return page.split("<tbody>")[1].split("</tbody>")[0]


def test_the_rerun_stands_where_it_has_a_number():
    page = laid_out(BESIDE, LABELS).html
    beneath = '<span class="interval">{}</span>'.format
    lower = beneath("44.2 (\u22124.2)")
    ours = '55.0 <span class="spread">\u00b1 2.0</span>'
    assert f"{ours}{beneath('51.3 (+3.7)')}{beneath('rerun 41.5')}</td>" in page
    # Whatever was measured here.
    assert f">\u2013{beneath('10.7')}{beneath('rerun 5.6')}</td>" in page
    assert f">40.0{lower}</td>" in page
    assert f">\u2013{beneath('4.8')}</td>" in page
    assert cells(page).count("rerun") == 2 and page.count("rerun 14.9") == 1


def test_latex_holds_the_same_lines():
    latex = laid_out(BESIDE, LABELS).latex
    ours = r"\shortstack{\textbf{55.0} $\pm$ 2.0"
    assert rf"{ours}\\{{\scriptsize 51.3 (+3.7)}}\\{{\scriptsize rerun 41.5}}}}" in latex
    assert r"\shortstack{--\\{\scriptsize 10.7}\\{\scriptsize rerun 5.6}}" in latex
    assert r"\shortstack{40.0\\{\scriptsize 44.2 ($-$4.2)}}" in latex
    assert r"\shortstack{--\\{\scriptsize 4.8}}" in latex
    # A lone method is the best of nothing.
    assert r"\shortstack{20.0 $\pm$ 1.0\\{\scriptsize 9.7 (+10.3)}" in latex


def test_numbers_as_printed():
    assert as_printed(0.0102, "%") == "1.02 %"
    assert as_printed(-0.00461, "1e-3") == "\u22124.61 \u00b7 10\u207b\u00b3"
    assert as_printed(2.5, "1") == "2.50"
    assert as_printed(NAN, "dB") == "\u2013"
