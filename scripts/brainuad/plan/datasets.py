"""From wildcards to files and values of data sets: downloads, archives, tables of subjects."""

import os
from pathlib import Path
from typing import Any

from brainuad.io.errors import SettingsError
from brainuad.plan.raw_files import files_named_in, of_a_link, state_of
from brainuad.plan.study import Study


class DatasetsPlan:
    """What the rules ask that work on a data set; each method takes the wildcards of a job."""

    def __init__(self, study: Study) -> None:
        self.study = study

    def block(self, wildcards: Any) -> dict[str, Any]:
        return self.study.datasets[wildcards.dataset]

    def of_dataset(self, key: str):
        """A function that gives one value of the data set's block."""
        return lambda wildcards: self.block(wildcards)[key]

    def is_phantom(self, dataset: str) -> bool:
        return (self.study.config["phantoms"] or {}).get(dataset) is not None

    def raw_files(self, wildcards: Any) -> str | None:
        """The state of all that is read to list a data set; phantoms are known by their rule."""
        block = self.block(wildcards)
        if self.is_phantom(wildcards.dataset):
            return None
        # Each may lie outside the root.
        tables = [
            os.path.join(block["root"], block[key])
            for key in ("table", "demographics")
            if block[key]
        ]
        scans = files_named_in(tables[0]) if block["table"] else []
        return state_of(block["root"], *tables, *scans)

    def raw_root(self, wildcards: Any) -> list[str]:
        """The folder with a data set as it was downloaded; SettingsError where there is none."""
        root = self.block(wildcards)["root"]
        if not self.is_phantom(wildcards.dataset) and not Path(root).is_dir():
            raise SettingsError(
                f"config: datasets.{wildcards.dataset}.root: there is no folder {root!r}. Put the "
                "raw scans there, or name their folder; a data set set to null is not in the run."
            )
        return [root]

    def downloaded_archives(self, wildcards: Any) -> list[str]:
        """The archives of a data set: what else is put beside them does not unpack them again."""
        (root,), dataset = self.raw_root(wildcards), wildcards.dataset
        if self.is_phantom(dataset):
            return [root]
        files = [os.path.join(root, name) for name in self.block(wildcards)["archives"]]
        for file in files:
            if not os.path.isfile(file):
                raise SettingsError(
                    f"config: datasets.{dataset}.archives: there is no file {file!r}"
                    f"{of_a_link(file)}; put the archive there, or leave its name out where it is "
                    "unpacked"
                )
        return files

    def listed_folder(self, wildcards: Any) -> str:
        """The folder whose scans are listed: what was unpacked, or the download itself."""
        block = self.block(wildcards)
        return f"resources/unpacked/{wildcards.dataset}" if block["archives"] else block["root"]

    def listed_root(self, wildcards: Any) -> list[str]:
        return [*self.raw_root(wildcards), self.listed_folder(wildcards)]

    def listed_table(self, wildcards: Any) -> str:
        """The table of a data set's subjects, where its raw data are there."""
        # Snakemake takes a table that exists for a file of ours where its own rule cannot run.
        if self.block(wildcards)["archives"]:
            self.downloaded_archives(wildcards)
        self.raw_root(wildcards)
        return f"results/listed/{wildcards.dataset}.tsv"

    def tables_before(self, wildcards: Any) -> list[str]:
        """The subject tables whose subjects keep a scan that a data set has too."""
        # Nothing but what is at hand, so that one data set can be asked for without the others;
        # phantoms of patients are drawn, so that none is a copy of another. Healthy ones first, so
        # that what patients are in a run trains no model anew.
        healthy, patients = self.study.healthy, self.study.patients
        order = [*healthy, *(name for name in patients if not self.is_phantom(name))]
        dataset = wildcards.dataset
        place = order.index(dataset) if dataset in order else len(healthy)
        return [f"results/listed/{name}.tsv" for name in order[:place] if self._is_at_hand(name)]

    def _is_at_hand(self, dataset: str) -> bool:
        """Whether a data set can be listed; one that is asked for says what is missing."""
        block = self.study.datasets[dataset]
        files = [os.path.join(block["root"], name) for name in block["archives"]]
        is_there = os.path.isdir(block["root"]) and all(map(os.path.isfile, files))
        return self.is_phantom(dataset) or is_there

    def has_lesion_masks(self, wildcards: Any) -> bool:
        return wildcards.dataset in self.study.with_masks

    def split_lists(self, wildcards: Any) -> list[str]:
        """The released lists of a data set, where its split is not drawn."""
        splits = self.block(wildcards)["splits"]
        if splits is None:
            return []
        name, folder = splits["name"], splits["folder"]
        files = sorted(str(path) for path in Path(folder).rglob(f"{name}_*.csv"))
        if not files:
            raise SettingsError(
                f"config: datasets.{wildcards.dataset}.splits.folder: there is no {name}_*.csv "
                f"below {folder!r}"
            )
        return files

    def released_lists(self, wildcards: Any) -> dict[str, Any] | None:
        """Whose lists they are, and whether leaks stay on two sides."""
        splits = self.block(wildcards)["splits"]
        return splits and {**splits, "keep_leaks": self.study.config["keep_leaks"]}
