import numpy as np
import pytest
from matplotlib.colors import to_hex

from brainuad.report.figures import compact_panels
from brainuad.report.figures.panels import MethodScale, MethodSlice, PanelRow
from brainuad.report.figures.pictures import LESION_COLOUR
from brainuad.report.figures.sheets import Sheet
from brainuad.report.figures.style import house_style

METHODS = ("Thresh", "AE", "DAE", "DDPM", "cDDPM")


def make_panel(*, subjects=2):
    generator = np.random.default_rng(0)
    lesions = np.zeros((8, 10), np.uint8)
    lesions[2:4, 3:5] = 1
    results = []
    for place in range(len(METHODS)):
        reconstruction = generator.random((8, 10)) if place > 0 else None
        prediction = np.zeros((8, 10), bool)
        prediction[2:5, 3:6] = True
        dice = 0.25 if place else float("nan")
        results.append(MethodSlice(reconstruction, generator.random((8, 10)), prediction, dice))
    row = PanelRow("patient01", 1.25, False, generator.random((8, 10)), lesions, tuple(results))
    scales = [MethodScale(name, 0.2, 0.1) for name in METHODS]
    with house_style():
        return compact_panels.draw_compact_panel([row] * subjects, scales, title="", aspect=1.0)


def test_two_rows_per_subject_and_a_column_per_method():
    figure = make_panel()
    # Scans twice, maps of five, reconstructions of four; five scales and what outlines mean.
    assert len(figure.axes) == 2 * (2 + 5 + 4) + 5 + 1
    texts = [text.get_text() for text in figure.texts]
    assert texts.count("no\nreconstruction") == 2
    assert [text for text in texts if text in METHODS] == list(METHODS)


def test_maps_have_both_outlines_and_the_dice():
    figure = make_panel(subjects=1)
    maps = [axes for axes in figure.axes if len(axes.collections) == 2]
    assert len(maps) == len(METHODS)
    for axes in maps:
        colours = {to_hex(lines.get_edgecolor()[0]) for lines in axes.collections}
        assert colours == {LESION_COLOUR, compact_panels.OUTLINE_COLOUR}
    written = [text.get_text() for axes in maps for text in axes.texts]
    assert written == ["Dice 25 %"] * 4


def test_sheets_are_measured_from_the_top_left():
    sheet = Sheet(4, 2)
    box = sheet.axes(1, 0.5, 2, 1).get_position()
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((0.25, 0.25, 0.75, 0.75))
    text = sheet.write(1, 0.5, "a", ha="right")
    assert (*text.get_position(), text.get_ha()) == (0.25, 0.75, "right")
