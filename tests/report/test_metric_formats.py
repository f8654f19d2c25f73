import math

from brainuad.report import metric_formats
from brainuad.report.metric_formats import METRICS


def test_every_metric_says_how_it_is_shown():
    assert METRICS["psnr"].scale == 1
    assert metric_formats.number(0.01429, "l1") == "14.3"
    assert metric_formats.number(7.434, "l1_ratio") == "7.43"
    assert metric_formats.number(0.00011, "lpips") == "0.11"
    assert metric_formats.number(math.nan, "dice") == "\u2013"


def test_a_difference_has_its_sign():
    assert metric_formats.signed(0.0123, "dice") == "+1.2"
    assert metric_formats.signed(-0.0123, "dice") == "\u22121.2"
    assert metric_formats.signed(math.nan, "dice") == "\u2013"
