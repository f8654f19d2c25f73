import pandas as pd
from small_report import LABELS

from brainuad.report.pages.conclusions import conclusions


def findings(segmentation, contrast, comparison, without_model=()):
    return conclusions(
        segmentation,
        contrast=contrast,
        comparison=comparison,
        without_model=without_model,
        labels=LABELS,
    )


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
    first, above, certainty = findings(pd.concat([summary(AUPRC), dices]), None, None)
    assert first == (
        "Averaged over 2 lesion sets, cDDPM has the highest AUPRC, 44.0\u00a0%, "
        "and a Dice of 22.0\u00a0%."
    )
    assert above == "Its AUPRC is above that of Thresh (25.0\u00a0%) on 1 of 2 sets."
    assert "6 test subjects per set and one fold" in certainty
    assert certainty.endswith("on 1 of 2 sets.")


def test_the_best_network_is_compared_with_what_takes_none():
    *_, sentence = findings(summary(AUPRC), None, None, without_model=["thresh"])
    assert sentence == (
        "Without a network, Thresh reaches 25.0\u00a0%; cDDPM, the best method with one, reaches "
        "44.0\u00a0% and has the higher AUPRC on 1 of 2 sets."
    )
    assert "Without" not in " ".join(findings(summary(AUPRC), None, None))
    both = ["thresh", "cddpm"]
    assert "Without" not in " ".join(findings(summary(AUPRC), None, None, without_model=both))


def test_finding_is_as_plain_when_thresholding_wins():
    values = AUPRC | {("cddpm", "brats21"): 0.1}
    assert "Thresh has the highest AUPRC" in findings(summary(values), None, None)[0]


def test_finding_under_changed_contrast_compares_with_the_main_table():
    changed = summary({key: value / 2 for key, value in AUPRC.items()}, gamma=2.0)
    sentence = findings(summary(AUPRC), changed, None)[-1]
    assert "to the power of 2" in sentence
    assert "from 44.0\u00a0% to 22.0\u00a0% for cDDPM and from 25.0\u00a0% to 12.5" in sentence


def test_many_methods_are_not_all_named():
    values = {(f"m{place}", "wmh"): 0.9 - 0.1 * place for place in range(7)}
    _, above, _ = findings(summary(values), None, None)
    assert "m1 (80.0\u00a0%)" in above and "and m3 (60.0\u00a0%) on 1 of 1 set." in above
    assert above.endswith("The other 3 methods lie between 30.0\u00a0% (m6) and 50.0\u00a0% (m4).")
    changed = summary({key: value / 2 for key, value in values.items()}, gamma=0.5)
    sentence = findings(summary(values), changed, None)[-1]
    assert "of the best 3 of 7 methods changes from 90.0\u00a0% to 45.0\u00a0% for m0" in sentence
    assert "m3" not in sentence
    four = {key: value for key, value in values.items() if key[0] < "m5"}
    assert "Last is m4 with 50.0" in findings(summary(four), None, None)[1]


def test_finding_counts_the_tests_that_came_out():
    tests = pd.DataFrame(
        {
            "method": "cddpm",
            "metric": ["auprc"] * 5 + ["dice"],
            "difference": [0.2, 0.1, 0.3, -0.1, 0.0, 0.5],
            "p_corrected": [0.01, 0.049, 0.05, 0.02, 1.0, 0.001],
        }
    )
    sentence = findings(summary(AUPRC), None, tests)[-1]
    assert sentence.startswith("In 5 paired tests over subjects")
    assert "cDDPM has the higher AUPRC in 2 and the lower in 1, with p below 0.05" in sentence
    assert sentence.endswith("; in 2 the difference may be chance.")
    certain = findings(summary(AUPRC), None, tests[:2])[-1]
    assert certain.endswith("in 2 and the lower in 0, with p below 0.05 after Holm's correction.")
    assert len(findings(summary(AUPRC), None, tests[:0])) == 3


def test_finding_without_lesion_sets_or_with_one():
    assert "has lesion masks" in findings(summary(AUPRC)[:0], None, None)[0]
    assert "no method is called the best" in findings(summary(AUPRC, metric="l1"), None, None)[0]
    only = {key: value for key, value in AUPRC.items() if key[1] == "brats21"}
    first, above, _ = findings(summary(only), None, None)
    assert first.startswith("On BraTS21 T2, cDDPM has")
    assert above.endswith("on 1 of 1 set.")


def test_lone_subjects_have_no_interval_to_speak_of():
    unknown = summary(AUPRC, half_width=float("nan"))
    assert len(findings(unknown, None, None)) == 2
    known = summary(AUPRC)
    known.loc[known["dataset"] == "mslub", ["ci_low", "ci_high"]] = float("nan")
    assert findings(known, None, None)[2].endswith("on 1 of 1 set.")


def test_a_tie_is_no_victory():
    values = {("thresh", "wmh"): 0.3, ("ddpm", "wmh"): 0.3, ("ae", "wmh"): 0.2}
    (sentence,) = findings(summary(values), None, None)
    assert sentence == "On WMH T2, DDPM and Thresh share the highest AUPRC, 30.0\u00a0%."
