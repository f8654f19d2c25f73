"""Scores of a few subjects, for the tests of summaries and of the tables made of them."""

import pandas as pd

from brainuad.evaluation import summaries
from brainuad.evaluation.statistics import BootstrapSettings

BOOTSTRAP = BootstrapSettings(rounds=200, confidence=0.95, seed=3)


def scores_of(values, *, method="cddpm_ens", fold=0, dataset="brats21", metric="dice"):
    return pd.DataFrame(
        {
            "method": method,
            "fold": fold,
            "dataset": dataset,
            "modality": "t2",
            "subject": [f"s{place}" for place in range(len(values))],
            "metric": metric,
            "value": values,
        }
    )


def summary_of(*frames, metrics=("dice",), **more):
    return summaries.summarize_scores(
        pd.concat(frames, ignore_index=True), metrics=metrics, bootstrap=BOOTSTRAP, **more
    )
