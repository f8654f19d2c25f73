import base64

import pandas as pd
import pytest

from brainuad import overview


def summary(values, *, metric="auprc", half_width=0.05, **more):
    """A summary table from {(method, data set): mean}."""
    rows = [
        {
            "method": method,
            "dataset": dataset,
            "modality": "t2",
            "metric": metric,
            "mean": mean,
            "sd": float("nan"),
            "ci_low": mean - half_width,
            "ci_high": mean + half_width,
            "folds": 1,
            "subjects": 6,
        }
        for (method, dataset), mean in values.items()
    ]
    return pd.DataFrame(rows).assign(**more)


AUPRC = {
    ("thresh", "brats21"): 0.20,
    ("thresh", "mslub"): 0.30,
    ("cddpm", "brats21"): 0.60,
    ("cddpm", "mslub"): 0.28,
}


def test_finding_names_the_method_with_the_highest_mean_auprc():
    dices = summary({key: value / 2 for key, value in AUPRC.items()}, metric="dice")
    first, above, certainty = overview.findings(pd.concat([summary(AUPRC), dices]), None)
    assert first == (
        "Averaged over 2 lesion sets, cDDPM has the highest AUPRC, 44.0\u00a0%, "
        "and a Dice of 22.0\u00a0%."
    )
    assert above == "Its AUPRC is above that of Thresh (25.0\u00a0%) on 1 of 2 sets."
    assert "6 test subjects per set and one fold" in certainty
    assert "on 1 of 2 sets; where the intervals overlap, the order may be chance." in certainty


def test_finding_is_as_plain_when_thresholding_wins():
    values = AUPRC | {("cddpm", "brats21"): 0.1}
    assert "Thresh has the highest AUPRC" in overview.findings(summary(values), None)[0]


def test_finding_under_changed_contrast_compares_with_the_main_table():
    changed = summary({key: value / 2 for key, value in AUPRC.items()}, gamma=2.0)
    sentence = overview.findings(summary(AUPRC), changed)[-1]
    assert "to the power of 2" in sentence
    assert "cDDPM from 44.0\u00a0% to 22.0\u00a0% and Thresh from 25.0\u00a0% to 12.5" in sentence


def test_finding_without_lesion_sets_or_with_one():
    assert "no scores" in overview.findings(summary(AUPRC, metric="l1"), None)[0]
    only = {key: value for key, value in AUPRC.items() if key[1] == "brats21"}
    first, above, _ = overview.findings(summary(only), None)
    assert first.startswith("On BraTS21 T2, cDDPM has")
    assert above.endswith("on 1 of 1 set.")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (4.21, "4.2 s"),
        (59.96, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.7, "1 h 00 min"),
        (3900, "1 h 05 min"),
        (float("nan"), "\u2013"),
    ],
)
def test_duration(seconds, text):
    assert overview.duration(seconds) == text


def test_memory():
    assert overview.memory(512) == "512 MB"
    assert overview.memory(1536) == "1.5 GB"
    assert overview.memory(float("nan")) == "\u2013"


def test_left_out_says_in_words_that_there_is_none():
    columns = ["dataset", "modality", "subject", "stage", "reason"]
    assert "No scan was left out" in overview.left_out_html(pd.DataFrame(columns=columns))
    row = pd.DataFrame([["ixi", float("nan"), "007", "listing", "a < b"]], columns=columns)
    page = overview.left_out_html(row)
    assert "1 scan was left out" in page
    assert ">IXI<" in page and "a &lt; b" in page


def test_pictures_are_inside_the_page(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"abc")
    picture = overview.pictures_of([path], ["brats21_t2"])[0]
    assert picture.name == "BraTS21 T2"
    assert picture.data == "data:image/png;base64," + base64.b64encode(b"abc").decode()
