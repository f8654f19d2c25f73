"""What the tables say, in sentences whose numbers and names are the tables' own."""

from collections.abc import Sequence

import pandas as pd

from brainuad.report.labels import Labels
from brainuad.report.metric_formats import METRICS

PLACE = ["dataset", "modality"]
NAMED = 3
SIGNIFICANT = 0.05
NO_LESION_MASKS = "No data set of this run has lesion masks, so nothing was segmented against them."
NOTHING_SHARED = "No lesion set has an AUPRC of every method, so no method is called the best."


def conclusions(
    segmentation: pd.DataFrame,
    *,
    contrast: pd.DataFrame | None,
    comparison: pd.DataFrame | None,
    without_model: Sequence[str],
    labels: Labels,
) -> list[str]:
    """What the tables say, in a few sentences, whichever method is ahead.

    Methods are compared by AUPRC, which needs no threshold, over the sets that all of them have.
    `comparison` is a table of comparison.compare; `without_model` names the methods that take no
    network.
    """
    if segmentation.empty:
        return [NO_LESION_MASKS]
    auprc = _by_place(segmentation, "auprc")
    if auprc.empty:
        return [NOTHING_SHARED]
    ranked = auprc.mean().sort_values(ascending=False, kind="stable")
    best, sets = ranked.index[0], len(auprc)
    dices = _by_place(segmentation, "dice")
    dice = f", and a Dice of {_percent(dices[best].mean())}" if best in dices else ""
    where = (
        f"Averaged over {sets} lesion sets" if sets > 1 else f"On {labels.cohort(*auprc.index[0])}"
    )
    if len(ranked) > 1 and ranked.iloc[0] == ranked.iloc[1]:
        equal = joined([labels.method(method) for method in ranked.index[ranked == ranked.iloc[0]]])
        return [f"{where}, {equal} share the highest AUPRC, {_percent(ranked[best])}."]
    sentences = [
        f"{where}, {labels.method(best)} has the highest AUPRC, {_percent(ranked[best])}{dice}."
    ]
    if len(ranked) > 1:
        sentences.append(_ranking(auprc, ranked, labels))
        if sentence := _certainty(segmentation, auprc, ranked, labels):
            sentences.append(sentence)
        if sentence := _without_network(auprc, ranked, without_model, labels):
            sentences.append(sentence)
    if comparison is not None and (sentence := _tested(comparison, labels)):
        sentences.append(sentence)
    if contrast is not None and (sentence := _under_contrast(auprc, contrast, labels)):
        sentences.append(sentence)
    return sentences


def _by_place(summary: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Means as data sets x methods, only data sets for which every method has a number."""
    rows = summary[summary["metric"] == metric]
    if rows.empty:
        return pd.DataFrame()
    return rows.pivot_table(index=PLACE, columns="method", values="mean").dropna()


def _ranking(auprc: pd.DataFrame, ranked: pd.Series, labels: Labels) -> str:
    """On how many sets the best is above the next ones, and where the others lie."""
    best, others = ranked.index[0], ranked.index[1:]
    noun = "sets" if len(auprc) > 1 else "set"
    parts = [
        f"{labels.method(other)} ({_percent(ranked[other])}) on "
        f"{int((auprc[best] > auprc[other]).sum())} of {len(auprc)} {noun}"
        for other in others[:NAMED]
    ]
    sentence = f"Its AUPRC is above that of {joined(parts)}."
    if len(others) == NAMED + 1:
        sentence += f" Last is {labels.method(others[-1])} with {_percent(ranked.iloc[-1])}."
    elif len(others) > NAMED:
        sentence += (
            f" The other {len(others) - NAMED} methods lie between {_percent(ranked.iloc[-1])} "
            f"({labels.method(others[-1])}) and {_percent(ranked[others[NAMED]])} "
            f"({labels.method(others[NAMED])})."
        )
    return sentence


def _certainty(
    segmentation: pd.DataFrame, auprc: pd.DataFrame, ranked: pd.Series, labels: Labels
) -> str:
    """On how many data sets the intervals of the best two methods do not even touch."""
    best, second = ranked.index[:2]
    rows = segmentation[segmentation["metric"] == "auprc"].set_index([*PLACE, "method"])
    pairs = rows.loc[[(*place, method) for place in auprc.index for method in (best, second)]]
    low = pairs.xs(best, level="method")["ci_low"].to_numpy()
    high = pairs.xs(second, level="method")["ci_high"].to_numpy()
    # A lone subject has no interval.
    known = int((low == low).sum())
    if known == 0:
        return ""
    apart = int((low > high).sum())
    few, many = int(pairs["subjects"].min()), int(pairs["subjects"].max())
    count = f"{few}" if few == many else f"{few} to {many}"
    folds = int(pairs["folds"].max())
    noun = "sets" if known > 1 else "set"
    spread = "one fold" if folds == 1 else f"{folds} folds"
    return (
        f"With {count} test subjects per set and {spread}, the whole interval of its AUPRC is "
        f"above that of {labels.method(second)}, the next best, on {apart} of {known} {noun}."
    )


def _without_network(
    auprc: pd.DataFrame, ranked: pd.Series, without_model: Sequence[str], labels: Labels
) -> str:
    """How the best network compares with the best method that takes none."""
    plain = [method for method in ranked.index if method in without_model]
    networks = [method for method in ranked.index if method not in without_model]
    if not plain or not networks:
        return ""
    network, other = networks[0], plain[0]
    above = int((auprc[network] > auprc[other]).sum())
    noun = "sets" if len(auprc) > 1 else "set"
    return (
        f"Without a network, {labels.method(other)} reaches {_percent(ranked[other])}; "
        f"{labels.method(network)}, the best method with one, reaches {_percent(ranked[network])} "
        f"and has the higher AUPRC on {above} of {len(auprc)} {noun}."
    )


def _tested(comparison: pd.DataFrame, labels: Labels) -> str:
    """How many of the paired tests of AUPRC came out, and which way."""
    tests = comparison[comparison["metric"] == "auprc"].dropna(subset=["p_corrected"])
    if tests.empty:
        return ""
    certain = tests["p_corrected"] < SIGNIFICANT
    above = int((certain & (tests["difference"] > 0)).sum())
    below = int((certain & (tests["difference"] < 0)).sum())
    rest = len(tests) - above - below
    method = labels.method(tests["method"].iloc[0])
    return (
        f"In {len(tests)} paired tests over subjects, one for each other method and set, "
        f"{method} has the higher AUPRC in {above} and the lower in {below}, with p below "
        f"{SIGNIFICANT:g} after Holm's correction"
        + (f"; in {rest} the difference may be chance." if rest else ".")
    )


def _under_contrast(auprc: pd.DataFrame, contrast: pd.DataFrame, labels: Labels) -> str:
    """From what to what the AUPRC goes under the highest gamma, of the best methods under it."""
    changed = contrast[contrast["gamma"] != 1]
    if changed.empty:
        return ""
    gamma = changed["gamma"].max()
    means = _by_place(changed[changed["gamma"] == gamma], "auprc")
    common = auprc.index.intersection(means.index)
    methods = [method for method in means if method in auprc]
    if not len(common) or not methods:
        return ""
    before, after = auprc.loc[common].mean(), means.loc[common].mean()
    methods.sort(key=lambda method: -after[method])
    parts = [
        f"from {_percent(before[method])} to {_percent(after[method])} for {labels.method(method)}"
        for method in methods[:NAMED]
    ]
    whose = f" of the best {NAMED} of {len(methods)} methods" if len(methods) > NAMED else ""
    return (
        f"With every scan's intensities raised to the power of {gamma:g}, the mean AUPRC{whose} "
        f"changes {joined(parts)}."
    )


def _percent(value: float) -> str:
    return f"{value * METRICS['auprc'].scale:.{METRICS['auprc'].digits}f}\u00a0%"


def joined(parts: Sequence[str]) -> str:
    """Parts of a sentence as a list in it: a, b and c."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
