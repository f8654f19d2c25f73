"""Tables about the run itself: who was left out, run times, machines, seeds and versions."""

import pandas as pd

from brainuad.report.metric_formats import DASH
from brainuad.report.names import dataset_name, model_name
from brainuad.report.tables.layout import plain_table

YES_OR_NO = {"True": "yes", "False": "no"}
LISTING_NOTE = (
    "The stage listing means: excluded, or files missing or unusable. The other stages are those "
    "of preprocessing."
)


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
    """Run times, machines, seeds and versions as tables, from the tidy table of tabulate_run."""
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
    trainings = table[table["kind"] == "training"]
    if not trainings.empty:
        shown = plain_table(machines_of_models(trainings))
        parts.append(
            "<h3>What trained</h3><p>The same training on another machine differs in the last "
            "digits at first, and a small one visibly in the end. Another seed moves the demo's "
            "cDDPM ENS by up to 7 points of Dice and 10 of AUPRC on a data set.</p>"
            f"{shown}"
        )
    for kind, title in (("seed", "Seeds"), ("version", "Versions")):
        facts = table.loc[table["kind"] == kind, ["name", "value"]]
        if not facts.empty:
            facts = facts.set_axis(["Name", title.removesuffix("s")], axis="columns")
            parts.append(f"<h3>{title}</h3>{plain_table(facts)}")
    return "\n".join(parts) or '<p class="note">Nothing is known about this run.</p>'


def machines_of_models(trainings: pd.DataFrame) -> pd.DataFrame:
    """A line per model, modality and machine, with its folds; from rows name, quantity, value."""
    facts = trainings.pivot_table(index="name", columns="quantity", values="value", aggfunc="first")
    facts = facts.reindex(trainings["name"].unique())
    names = facts.index.str.extract(r"(?P<model>[^/]+)/(?P<modality>[^/]+)/fold(?P<fold>.+)")
    lines = names.set_index(facts.index).join(facts)
    keys = [name for name in lines if name != "fold"]
    grouped = lines.groupby(keys, sort=False)["fold"].agg(", ".join).reset_index()
    return pd.DataFrame(
        {
            "Model": [model_name(model) for model in grouped["model"]],
            "Modality": grouped["modality"].str.upper(),
            "Folds": grouped["fold"],
            "Computed on": grouped["device"],
            "torch": grouped["torch"],
            "Precision": grouped["precision"],
            "Compiled": grouped["compiled"].map(YES_OR_NO),
            "Repeatable": grouped["deterministic"].map(YES_OR_NO),
        }
    )


def duration(seconds: float) -> str:
    """Seconds as people say them: 4.2 s, 3 min 20 s, 1 h 05 min."""
    if pd.isna(seconds):
        return DASH
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def memory(mebibytes: float) -> str:
    """Memory in MB or GB of 1024; a dash where it was not measured."""
    if pd.isna(mebibytes):
        return DASH
    return f"{mebibytes:.0f} MB" if mebibytes < 1024 else f"{mebibytes / 1024:.1f} GB"
