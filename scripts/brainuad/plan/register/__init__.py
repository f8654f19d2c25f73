"""The register of tables and figures: one entry for each, with its inputs, params and captions.

The rules, Snakemake's report and the overview page are made from it. The modules of this folder
hold the entries by sections of the page. To add a table or figure, add an entry here and a file in
report/tables/ or report/figures/.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from brainuad.io.errors import SettingsError
from brainuad.plan.decisions import decisions
from brainuad.plan.raw_files import MADE_BY_RULES, state_of
from brainuad.plan.register.beyond import beyond, comparisons, scans
from brainuad.plan.register.entries import FigureEntry, Files, Note, Section, TableEntry
from brainuad.plan.register.experiments import conditioning, contrast, reconstruction
from brainuad.plan.register.files import (
    SCAN_INDEX,
    derivatives_folder,
    figure_file,
    scan_pages_folder,
    table_file,
)
from brainuad.plan.register.run import (
    OVERVIEW_CAPTION,
    QUALITY_CAPTION,
    TEMPLATES,
    left_out,
    run,
    splits,
    training,
)
from brainuad.plan.register.segmentation import pictures, segmentation
from brainuad.plan.register.wording import cohort_label, labels_of
from brainuad.plan.study import Study

Kind = TypeVar("Kind", TableEntry, FigureEntry)


class Register:
    """The tables and figures of a study; `snakemake` is the version of Snakemake.

    tables, figures  the entries by their names
    labels           the arguments of `report.labels.Labels`
    cohort_labels    the labels of cohorts, such as BraTS21 T2
    sections         of the page, as plain values, by the part of the page; `first` holds what
                     comes before the first section
    inputs_of_page   the files that the page is made from or links to
    inputs_of_scan_index  those of the index of scans
    """

    page_caption = OVERVIEW_CAPTION
    quality_caption = QUALITY_CAPTION
    templates_of_page = TEMPLATES

    def __init__(self, study: Study, *, snakemake: str) -> None:
        results = [
            segmentation(study),
            contrast(study),
            conditioning(study),
            pictures(study),
            reconstruction(study),
            beyond(study),
        ]
        results += [comparisons(study, list(_named(results, TableEntry))), training(study)]
        if study.bundle is not None:
            results = [_applied(section, study) for section in results]
        results.append(scans(study))
        about_scans = [splits(study), left_out(study)]
        self.figures = _named(results, FigureEntry)
        shown = [figure_file(each.name, each.ending) for each in self.figures.values()]
        quality = [table_file(f"quality_{cohort}") for cohort in study.cohorts]
        finished = [*results, *about_scans]
        self.inputs_of_scan_index: Files = {
            "derivatives": list(map(derivatives_folder, study.derived_cohorts)),
            "pages": list(map(scan_pages_folder, study.derived_cohorts)),
        }
        pages = self.inputs_of_scan_index["pages"]
        made = [*map(table_file, _named(finished, TableEntry)), *shown, *quality, *pages]
        about_run = [run(study, made, snakemake)]
        self.tables = _named([*finished, *about_run], TableEntry)
        self.labels = labels_of(study)
        self.cohort_labels = {
            name: cohort_label(study, cohort) for name, cohort in study.cohorts.items()
        }
        first = [part for section in results for part in section.parts if _is_first(part)]
        self.sections = {
            "first": _plain([Section("finding", "Finding", "Finding", "", first)], first=True),
            "results": _plain(results),
            "about_scans": _plain(about_scans),
            "about_run": _plain(about_run),
        }
        self.inputs_of_page: Files = {
            "segmentation": [
                table_file(name)
                for name in ("segmentation", "segmentation_later")
                if name in self.tables
            ],
            "comparison": [table_file("comparison")] if "comparison" in self.tables else [],
            "contrast": [table_file("contrast")] if "contrast" in self.tables else [],
            "left_out": table_file("left_out"),
            "thresholds": [table_file("thresholds")] if "thresholds" in self.tables else [],
            "tables": [table_file(name, "html") for name in self.tables],
            "figures": shown,
            "quality": quality,
            "template_facts": ["results/template/facts.tsv"] if study.raw else [],
            "scan_index": [SCAN_INDEX] if study.derived_cohorts else [],
        }

    def decisions(self, wildcards: Any) -> list[list[str]]:
        """The decisions marked in the code, for the page."""
        return decisions()

    def of_table(self, key: str) -> Callable[[Any], Any]:
        """A function from the wildcard `table` to an attribute of its entry."""
        return lambda wildcards: getattr(self.tables[wildcards.table], key)

    def of_figure(self, key: str) -> Callable[[Any], Any]:
        """A function from the wildcard `figure` to an attribute of its entry."""
        return lambda wildcards: getattr(self.figures[wildcards.figure], key)

    def label_of_cohort(self, wildcards: Any) -> str:
        """The label of the cohort in the path."""
        return self.cohort_labels[wildcards.cohort]

    def pattern_of_tables(self) -> str:
        """The pattern of the wildcard `table`."""
        return "|".join(self.tables)

    def pattern_of_figures(self, rule: str) -> str:
        """The pattern of the wildcard `figure` for the figures that a rule makes."""
        # Without a name, a pattern that matches nothing.
        names = [name for name, figure in self.figures.items() if figure.rule == rule]
        return "|".join(names) or "(?!)"

    def inputs_of_table(self, wildcards: Any) -> Files:
        """The files of this run that a table is made from."""
        inputs, _ = self._files_of_table(wildcards.table)
        return inputs

    def other_files_of_table(self, wildcards: Any) -> Files:
        """The files from outside that a table is made from, see `plan.raw_files`.

        Raises SettingsError if the reference run lacks one.
        """
        _, others = self._files_of_table(wildcards.table)
        for file in others.get("reference", []):
            if not Path(file).is_file():
                raise SettingsError(
                    f"config: reference_run.folder: there is no {file!r}; make that run first, or "
                    "set reference_run to null"
                )
        return others

    def state_of_table(self, wildcards: Any) -> str:
        """The state of these files."""
        others = self.other_files_of_table(wildcards).values()
        return state_of(*(file for files in others for file in _listed(files)))

    def _files_of_table(self, name: str) -> tuple[Files, Files]:
        """The files of this run, and those from outside, by argument name."""
        inputs: Files = {}
        others: Files = {}
        for argument, files in self.tables[name].inputs.items():
            made = all(file.startswith(MADE_BY_RULES) for file in _listed(files))
            (inputs if made else others)[argument] = files
        return inputs, others


# The tables and figures of scores in a run that applies a bundle: nothing was trained, fitted,
# compared or timed.
APPLIED = (
    *("segmentation", "precision_recall_", "dice_by_volume", "panel_"),
    *("lesions", "froc", "subgroups"),
)


def _listed(files: str | list[str]) -> list[str]:
    return [files] if isinstance(files, str) else files


def _applied(section: Section, study: Study) -> Section:
    shown = APPLIED if study.lesion_cohorts else ()
    parts = [
        part for part in section.parts if isinstance(part, Note) or part.name.startswith(shown)
    ]
    return replace(section, parts=parts)


def _named(sections: Iterable[Section], kind: type[Kind]) -> dict[str, Kind]:
    parts = [part for section in sections for part in section.parts]
    return {part.name: part for part in parts if isinstance(part, kind)}


def _plain(sections: Iterable[Section], *, first: bool = False) -> list[dict[str, Any]]:
    """The sections that have parts, as plain values, with what comes first or without it."""
    shown = [
        replace(section, parts=[part for part in section.parts if _is_first(part) == first])
        for section in sections
    ]
    return [
        {
            "name": section.name,
            "heading": section.heading,
            "short": section.short,
            "about": section.about,
            "leads_to": section.leads_to,
            "parts": [
                _part_of(list(group)) for _, group in groupby(section.parts, key=_shown_together)
            ],
        }
        for section in shown
        if section.parts or section.leads_to
    ]


def _is_first(part: TableEntry | FigureEntry | Note) -> bool:
    return not isinstance(part, Note) and part.first


def _shown_together(part: TableEntry | FigureEntry | Note) -> str:
    """Equal for entries that are shown together: consecutive figures with the same caption."""
    return part.text if isinstance(part, Note) else part.caption


def _part_of(entries: list[TableEntry | FigureEntry | Note]) -> dict[str, Any]:
    """A part of a section: a table (its page contains its caption), figures, or only a text."""
    first = entries[0]
    part = {"heading": "", "table": "", "figures": [], "text": "", "wide": False}
    if isinstance(first, Note):
        return part | {"text": first.text}
    part["heading"] = first.heading
    if isinstance(first, TableEntry):
        return part | {"table": first.name}
    shown = [{"name": entry.name, "of": entry.of} for entry in entries]
    return part | {"figures": shown, "text": first.caption, "wide": first.wide}
