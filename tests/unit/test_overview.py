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
    assert "No subject and no scan was left out." in overview.left_out_html(
        pd.DataFrame(columns=columns)
    )
    row = pd.DataFrame([["ixi", float("nan"), "007", "listing", "a < b"]], columns=columns)
    page = overview.left_out_html(row)
    assert "Left out: 1 whole subject and 0 single scans. The stage listing means: excluded" in page
    assert ">IXI<" in page and "a &lt; b" in page
    scans = pd.DataFrame([["ixi", "t1", "008", "registered", "far"]] * 2, columns=columns)
    page = overview.left_out_html(pd.concat([row, scans], ignore_index=True))
    assert "Left out: 1 whole subject and 2 single scans." in page


def test_pictures_are_inside_the_page(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"abc")
    picture = overview.pictures_of([path], ["brats21_t2"])[0]
    assert picture.name == "BraTS21 T2"
    assert picture.data == "data:image/png;base64," + base64.b64encode(b"abc").decode()


def quality_table(information, marked=()):
    return pd.DataFrame(
        {
            "subject": [f"s{place}" for place in range(len(information))],
            "overlap": information,
            "brain_ml": 1400.0,
            "marked": [place in marked for place in range(len(information))],
            "why": ["far off" if place in marked else "" for place in range(len(information))],
        }
    )


def test_quality_counts_the_marked_and_names_what_was_registered():
    nan = float("nan")
    measures = [quality_table([0.4, 0.1, 0.4], [1]), quality_table([nan, nan]), quality_table([])]
    quality = overview.quality_of(measures, ["my_set_t1", "mslub_t2", "wmh_t1"])
    assert [part["name"] for part in quality] == ["my_set T1", "MSLUB T2", "WMH T1"]
    assert [part["scans"] for part in quality] == [3, 2, 0]
    assert [[scan["subject"] for scan in part["marked"]] for part in quality] == [["s1"], [], []]
    facts = pd.DataFrame({"name": ["source", "shape"], "value": ["SRI24", "240 x 240 x 155"]})
    assert overview.registered_to(facts, quality) == (
        "Registered to the atlas: my_set T1. The atlas: SRI24. "
        "Taken as they came, preprocessed elsewhere: MSLUB T2."
    )


def test_nothing_was_registered_where_all_came_preprocessed():
    quality = overview.quality_of([quality_table([float("nan")] * 2)], ["mslub_t2"])
    assert overview.registered_to(None, quality) == (
        "Nothing was registered here. Taken as they came, preprocessed elsewhere: MSLUB T2."
    )


def test_unmeasured_scans_are_not_said_to_come_preprocessed():
    unmeasured = quality_table([float("nan")], [0]).assign(brain_ml=float("nan"))
    quality = overview.quality_of([unmeasured], ["ixi_t1"])
    assert (quality[0]["scans"], len(quality[0]["marked"])) == (1, 1)
    facts = pd.DataFrame({"name": ["source"], "value": ["SRI24"]})
    assert overview.registered_to(facts, quality) == ""


def test_splits_are_a_row_per_data_set():
    columns = ["dataset", "fold", "source", "train", "validation", "test", "leaks", "leaks_kept"]
    rows = [
        ["ixi", 0, "drawn with seed 2025", 358, 44, 158, 0, 0],
        ["ixi", 1, "drawn with seed 2025", 358, 44, 158, 0, 0],
        ["wmh", 0, "released lists in splits", 0, 10, 50, 3, 3],
    ]
    page = overview.splits_html(pd.DataFrame(rows, columns=columns))
    assert "drawn with seed 2025" in page and ">none<" in page
    assert "3 per fold, kept" in page
    assert page.count("<tr>") == 3
