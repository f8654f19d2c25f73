"""From wildcards to the scans of a cohort in the stages of preprocessing, chunk by chunk."""

import csv
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from brainuad.io.errors import SettingsError
from brainuad.io.names import why_not_encoded
from brainuad.io.scan_names import name_of_row
from brainuad.plan.raw_files import FETCHED_TEMPLATE, MADE_BY_RULES, of_a_link
from brainuad.plan.study import Cohort, Study


class ScansPlan:
    """What rules on scans ask; each method takes the wildcards of a job.

    subject_table  a function from a data set to its table of subjects; it is made first if missing
    """

    def __init__(self, study: Study, subject_table: Callable[[str], str]) -> None:
        self.study = study
        self.subject_table = subject_table

    def of_cohort(self, key: str) -> Callable[[Any], Any]:
        """A function that gives one value of the block of a cohort's data set."""
        return lambda wildcards: self.study.block_of(wildcards.cohort)[key]

    def dataset(self, wildcards: Any) -> str:
        return self.study.cohorts[wildcards.cohort].dataset

    def modality(self, wildcards: Any) -> str:
        return self.study.cohorts[wildcards.cohort].modality

    def subjects_of_cohort(self, wildcards: Any) -> str:
        return f"results/subjects/{self.dataset(wildcards)}.tsv"

    def split_of_cohort(self, wildcards: Any) -> str:
        """The split of the fold in the path, or of the first fold."""
        fold = getattr(wildcards, "fold", self.study.first_fold)
        return f"results/splits/{self.dataset(wildcards)}/fold{fold}.tsv"

    # ------------------------------------------------------------------------------------------
    # Chunks: one process start, with its imports, serves many scans.

    def chunks_of(self, cohort: Cohort) -> dict[str, list[dict[str, str]]]:
        """The rows with a usable scan, by the number of their chunk.

        A chunk is a run of rows of the subject table, including those left out, so that a scan that
        is replaced later does not move the others to another chunk.
        """
        table = self.subject_table(cohort.dataset)
        size = self.study.config["preprocessing"]["scans_per_job"]
        return _chunks(table, Path(table).stat().st_mtime_ns, cohort.modality, size)

    def chunk_rows(self, wildcards: Any) -> list[dict[str, str]]:
        return self.chunks_of(self.study.cohorts[wildcards.cohort])[wildcards.chunk]

    def names_in_chunk(self, wildcards: Any) -> list[str]:
        return [name_of_row(row) for row in self.chunk_rows(wildcards)]

    def children_of_chunk(self, wildcards: Any) -> list[str]:
        """The scans of subjects below 18 years, whose brain volume is not compared with adults'."""
        return [
            name_of_row(row)
            for row in self.chunk_rows(wildcards)
            if row["age"] and float(row["age"]) < 18
        ]

    def chunk_files(self, wildcards: Any) -> list[str]:
        """The raw files of a chunk: scans, and masks if the data set has them."""
        columns = [self.modality(wildcards), "seg", "brain_mask"]
        rows = self.chunk_rows(wildcards)
        return [row[column] for row in rows for column in columns if row[column]]

    def raw_scans(self, wildcards: Any) -> list[str]:
        """The raw files of a cohort's scans."""
        cohort = self.study.cohorts[wildcards.cohort]
        return [row[cohort.modality] for rows in self.chunks_of(cohort).values() for row in rows]

    def kept_of_raw(self, stage: str) -> Callable[[Any], list[str]]:
        """As `folders_of_chunks`; none for scans that come preprocessed, which skip the stage."""
        folders = self.folders_of_chunks(stage)
        return lambda wildcards: (
            folders(wildcards) if self.dataset(wildcards) in self.study.raw else []
        )

    def template_of_raw(self, wildcards: Any) -> str | list[str]:
        """The template that raw scans are registered to; none for scans that come registered."""
        raw = self.dataset(wildcards) in self.study.raw
        return "results/template/brain.nii.gz" if raw else []

    def source_folder(self, wildcards: Any) -> str:
        """The folder with the raw scans of a cohort's data set."""
        block = self.study.block_of(wildcards.cohort)
        unpacked = f"resources/unpacked/{self.dataset(wildcards)}"
        return unpacked if block["archives"] else block["root"]

    def folders_of_chunks(self, stage: str) -> Callable[[Any], list[str]]:
        """A function that gives the folders of a stage, one for each chunk of a cohort."""

        def folders(wildcards: Any) -> list[str]:
            cohort = self.study.cohorts[wildcards.cohort]
            chunks = self.chunks_of(cohort)
            if not chunks:
                dataset, modality = cohort.dataset, cohort.modality
                raise SettingsError(
                    f"{dataset}: no subject has a {modality} scan that can be used; "
                    f"results/subjects/{dataset}.tsv says why. To go on without, remove {modality} "
                    f"from datasets.{dataset}.modalities"
                )
            return [f"results/{stage}/{cohort.name}/chunk{chunk}" for chunk in chunks]

        return folders

    def inspected(self, wildcards: Any) -> dict[str, str]:
        """The files that show how a chunk was preprocessed; raw scans have more stages."""
        folder = f"{wildcards.cohort}/chunk{wildcards.chunk}"
        files = {"corrected": f"results/corrected/{folder}"}
        if self.dataset(wildcards) in self.study.raw:
            files["brain_masks"] = f"results/brain_masks/{folder}"
            files["template"] = "results/template/brain.nii.gz"
        return files

    # ------------------------------------------------------------------------------------------
    # Templates, and the weights of HD-BET.

    def template_image(self, wildcards: Any) -> list[str]:
        """The file with the template: the user's own, that of the phantoms, or a fetched one."""
        image = self.study.config["template"]["image"]
        if image is None:
            return [FETCHED_TEMPLATE]
        made = self.study.config["phantoms"] is not None or self.study.bundle is not None
        if not made and not Path(image).is_file():
            raise SettingsError(
                f"config: template.image: there is no file {image!r}{of_a_link(image)}; put the "
                "template there"
            )
        return [image]

    def template_source(self) -> str:
        """Where the template comes from, in words."""
        block = self.study.config["template"]
        if self.study.bundle is not None:
            return f"the template of the bundle {Path(self.study.bundle).name}"
        if block["image"] is None:
            return f"{block['archive']['member']} of {block['archive']['address']}"
        return Path(block["image"]).name

    def head_template(self, wildcards: Any) -> list[str]:
        """The head template and its brain mask, if the data set is stripped with them."""
        if self.study.block_of(wildcards.cohort)["skull_stripping"] != "template":
            return []
        files = [self.study.config["head_template"][key] for key in ("image", "brain_mask")]
        for file in files:
            if not file.startswith(MADE_BY_RULES) and not Path(file).is_file():
                raise SettingsError(
                    f"config: head_template: there is no file {file!r}{of_a_link(file)}"
                )
        return files

    def hdbet_weights(self, wildcards: Any) -> list[str]:
        """The user's own copy of the weights; without one they are fetched."""
        local = self.study.config["hdbet"]["weights"]["local"]
        return [] if local is None else [local]


@cache
def _read_rows(table: str, changed: int) -> list[dict[str, str]]:
    text = Path(table).read_text(encoding="utf-8")
    if reason := why_not_encoded(text):
        raise SettingsError(f"{table}: {reason}")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t"))


@cache
def _chunks(table: str, changed: int, modality: str, size: int) -> dict[str, list[dict[str, str]]]:
    rows = _read_rows(table, changed)
    chunks = {
        f"{start // size:03d}": [
            row
            for row in rows[start : start + size]
            if row["status"] != "left_out" and row[modality]
        ]
        for start in range(0, len(rows), size)
    }
    return {chunk: usable for chunk, usable in chunks.items() if usable}
