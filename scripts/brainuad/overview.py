"""The page that shows a whole run: what was found, in words, tables and figures, and how."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pandas as pd

from brainuad.metric_formats import METRICS
from brainuad.names import dataset_name, method_name
from brainuad.report_pages import TABLE_STYLE
from brainuad.report_tables import plain_table

TEMPLATE = "overview.html.jinja"
MEDIA_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
PLACE = ["dataset", "modality"]
LISTING_NOTE = (
    "The stage listing means: excluded, or files missing or unusable. The other stages are those "
    "of preprocessing."
)
NO_LESION_MASKS = "No data set of this run has lesion masks, so nothing was segmented against them."


@dataclass(frozen=True)
class Picture:
    """A figure of the page: a short name above it, and its file (PNG or SVG)."""

    name: str
    path: Path

    @property
    def data(self) -> str:
        """The whole file as an address, so that the page needs no other file."""
        content = base64.b64encode(self.path.read_bytes()).decode("ascii")
        return f"data:{MEDIA_TYPES[self.path.suffix]};base64,{content}"


def pictures_of(paths: Sequence[Path], names: Sequence[str]) -> list[Picture]:
    """Pair files with names such as "brats21_t2", shown as BraTS21 T2."""
    pictures = []
    for path, name in zip(paths, names, strict=True):
        dataset, _, modality = name.rpartition("_")
        pictures.append(Picture(dataset_name(dataset, modality), path))
    return pictures


def render(**content: object) -> str:
    """Fill the page's template; texts are escaped, tables arrive as HTML."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    source = Path(__file__).with_name(TEMPLATE).read_text(encoding="utf-8")
    return environment.from_string(source).render(table_style=TABLE_STYLE, **content)


def findings(segmentation: pd.DataFrame, contrast: pd.DataFrame | None) -> list[str]:
    """What the tables say, in a few sentences, whichever method is ahead.

    Methods are compared by AUPRC, which needs no threshold, over the sets that all of them have.
    """
    auprc = _by_place(segmentation, "auprc")
    if auprc.empty:
        return ["There are no scores of lesion sets in this run."]
    ranked = auprc.mean().sort_values(ascending=False, kind="stable")
    best, sets = ranked.index[0], len(auprc)
    dices = _by_place(segmentation, "dice")
    dice = f", and a Dice of {_percent(dices[best].mean())}" if best in dices else ""
    where = (
        f"Averaged over {sets} lesion sets" if sets > 1 else f"On {dataset_name(*auprc.index[0])}"
    )
    sentences = [
        f"{where}, {method_name(best)} has the highest AUPRC, {_percent(ranked[best])}{dice}."
    ]
    noun = "sets" if sets > 1 else "set"
    if others := list(ranked.index[1:]):
        parts = [
            f"{method_name(other)} ({_percent(ranked[other])}) on "
            f"{int((auprc[best] > auprc[other]).sum())} of {sets} {noun}"
            for other in others
        ]
        sentences.append(f"Its AUPRC is above that of {_joined(parts)}.")
        sentences.append(_certainty(segmentation, best, others[0]))
    if contrast is not None and (sentence := _under_contrast(auprc, contrast)):
        sentences.append(sentence)
    return sentences


def _by_place(summary: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Means as data sets x methods, only data sets for which every method has a number."""
    rows = summary[summary["metric"] == metric]
    if rows.empty:
        return pd.DataFrame()
    return rows.pivot_table(index=PLACE, columns="method", values="mean").dropna()


def _certainty(segmentation: pd.DataFrame, best: str, second: str) -> str:
    """On how many data sets the intervals of two methods do not even touch."""
    rows = segmentation[segmentation["metric"] == "auprc"]
    low = rows.pivot_table(index=PLACE, columns="method", values="ci_low")
    high = rows.pivot_table(index=PLACE, columns="method", values="ci_high")
    apart = int((low[best] > high[second]).sum())
    few, many = int(rows["subjects"].min()), int(rows["subjects"].max())
    count = f"{few}" if few == many else f"{few} to {many}"
    folds = int(rows["folds"].max())
    noun = "sets" if len(low) > 1 else "set"
    spread = "one fold" if folds == 1 else f"{folds} folds"
    return (
        f"With {count} test subjects per set and {spread}, its interval lies wholly above that of "
        f"{method_name(second)}, the next best, on {apart} of {len(low)} {noun}"
        + ("." if apart == len(low) else "; where the intervals overlap, the order may be chance.")
    )


def _under_contrast(auprc: pd.DataFrame, contrast: pd.DataFrame) -> str:
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
        f"{method_name(method)} from {_percent(before[method])} to {_percent(after[method])}"
        for method in methods
    ]
    return (
        f"With every scan's intensities raised to the power of {gamma:g}, the mean AUPRC goes: "
        f"{_joined(parts)}."
    )


def _percent(value: float) -> str:
    return f"{value * METRICS['auprc'].scale:.{METRICS['auprc'].digits}f}\u00a0%"


def _joined(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def quality_of(measures: Sequence[pd.DataFrame], scans: Sequence[str]) -> list[dict]:
    """Of each quality table, named like "ixi_t1": its page, how many scans, and who is marked."""
    summaries = []
    for table, scan in zip(measures, scans, strict=True):
        dataset, _, modality = scan.rpartition("_")
        summaries.append(
            {
                "name": dataset_name(dataset, modality),
                "address": f"quality/{scan}/index.html",
                "scans": len(table),
                "marked": table[table["marked"]].to_dict("records"),
                "registered": bool(table["overlap"].notna().any()),
                "measured": bool(table["brain_ml"].notna().any()),
            }
        )
    return summaries


def registered_to(facts: pd.DataFrame | None, quality: Sequence[dict]) -> str:
    """Which scans were registered to which atlas, in a sentence or two.

    The facts of the atlas are None where all data sets came preprocessed.
    """
    registered = [summary["name"] for summary in quality if summary["registered"]]
    given = [
        summary["name"] for summary in quality if summary["measured"] and not summary["registered"]
    ]
    sentences = []
    if facts is None:
        sentences.append("Nothing was registered here.")
    elif registered:
        source = facts.set_index("name").at["source", "value"]
        sentences.append(f"Registered to the atlas: {_joined(registered)}. The atlas: {source}.")
    if given:
        sentences.append(f"Taken as they came, preprocessed elsewhere: {_joined(given)}.")
    return " ".join(sentences)


def splits_html(table: pd.DataFrame) -> str:
    """Which splits made the numbers, a row for each data set, sizes as ranges over the folds."""
    rows = []
    for (dataset, source), folds in table.groupby(["dataset", "source"], sort=False):
        sizes = {side.capitalize(): _range(folds[side]) for side in ("train", "validation", "test")}
        fate = "kept" if folds["leaks_kept"].any() else "dropped"
        leaks = f"{_range(folds['leaks'])} per fold, {fate}" if folds["leaks"].any() else "none"
        rows.append(
            {"Data set": dataset_name(dataset), "Splits": source, "Folds": len(folds)}
            | sizes
            | {"On two sides": leaks}
        )
    return plain_table(pd.DataFrame(rows))


def _range(counts: pd.Series) -> str:
    low, high = counts.min(), counts.max()
    return f"{low}" if low == high else f"{low} to {high}"


def left_out_html(table: pd.DataFrame) -> str:
    """What was left out as a table, or a sentence where there is nothing.

    A row without a modality is a whole subject, the others are scans.
    """
    if table.empty:
        return '<p class="note">No subject and no scan was left out.</p>'
    shown = pd.DataFrame(
        {
            "Data set": [
                dataset_name(dataset, modality if isinstance(modality, str) else None)
                for dataset, modality in zip(table["dataset"], table["modality"], strict=True)
            ],
            "Subject": table["subject"],
            "Stage": table["stage"],
            "Reason": table["reason"],
        }
    )
    scans = int((table["modality"].notna() & (table["modality"] != "")).sum())
    return (
        f"<p>Left out: {_counted(len(table) - scans, 'whole subject')} and "
        f"{_counted(scans, 'single scan')}. {LISTING_NOTE}</p>{plain_table(shown)}"
    )


def _counted(count: int, noun: str) -> str:
    """A count with its noun: 1 whole subject, 3 single scans."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def run_html(table: pd.DataFrame) -> str:
    """Run times, seeds and versions as three tables, from the tidy table of tabulate_run."""
    parts = []
    rules = table[table["kind"] == "rule"].astype({"value": float})
    if not rules.empty:
        rules = rules.pivot_table(index="name", columns="quantity", values="value", dropna=False)
        rules = rules.sort_values("seconds_total", ascending=False)
        shown = pd.DataFrame(
            {
                "Rule": rules.index,
                "Jobs": [f"{jobs:.0f}" for jobs in rules["jobs"]],
                "Time, all jobs": [duration(value) for value in rules["seconds_total"]],
                "Median": [duration(value) for value in rules["seconds_median"]],
                "Longest": [duration(value) for value in rules["seconds_max"]],
                "Peak memory": [memory(value) for value in rules["peak_memory_mib"]],
            }
        )
        total = duration(rules["seconds_total"].sum())
        parts.append(f"<h3>Run times</h3><p>All jobs together: {total}.</p>{plain_table(shown)}")
    for kind, title in (("seed", "Seeds"), ("version", "Versions")):
        facts = table.loc[table["kind"] == kind, ["name", "value"]]
        if not facts.empty:
            facts = facts.set_axis(["Name", title.removesuffix("s")], axis="columns")
            parts.append(f"<h3>{title}</h3>{plain_table(facts)}")
    return "\n".join(parts) or '<p class="note">Nothing is known about this run.</p>'


def duration(seconds: float) -> str:
    """Seconds as people say them: 4.2 s, 3 min 20 s, 1 h 05 min."""
    if pd.isna(seconds):
        return "\u2013"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def memory(mebibytes: float) -> str:
    """Memory in MB or GB of 1024; a dash where it was not measured."""
    if pd.isna(mebibytes):
        return "\u2013"
    return f"{mebibytes:.0f} MB" if mebibytes < 1024 else f"{mebibytes / 1024:.1f} GB"
