"""From wildcards to files and values of data sets: downloads, archives, tables of subjects."""

import os
from pathlib import Path
from typing import Any

from brainuad.io.errors import SettingsError
from brainuad.plan.raw_files import files_named_in, of_a_link, state_of
from brainuad.plan.study import Study


class DatasetsPlan:
    """What rules on a data set ask; each method takes the wildcards of a job."""

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
        """The state of all files that are read to list a data set; None for phantoms.

        Phantoms are made by a rule, whose output Snakemake knows.
        """
        block = self.block(wildcards)
        if self.is_phantom(wildcards.dataset):
            return None
        # The tables, and the scans that they name, may lie outside the root.
        tables = [
            os.path.join(block["root"], block[key])
            for key in ("table", "demographics")
            if block[key]
        ]
        scans = files_named_in(tables[0]) if block["table"] else []
        return state_of(block["root"], *tables, *scans)

    def raw_root(self, wildcards: Any) -> list[str]:
        """The folder with a data set as it was downloaded; SettingsError if it does not exist."""
        root = self.block(wildcards)["root"]
        if not self.is_phantom(wildcards.dataset) and not Path(root).is_dir():
            raise SettingsError(
                f"config: datasets.{wildcards.dataset}.root: there is no folder {root!r}. Put the "
                "raw scans there, or name their folder; a data set set to null is not in the run."
            )
        return [root]

    def downloaded_archives(self, wildcards: Any) -> list[str]:
        """The archives of a data set; other files next to them do not unpack them again."""
        (root,), dataset = self.raw_root(wildcards), wildcards.dataset
        if self.is_phantom(dataset):
            return [root]
        files = [os.path.join(root, name) for name in self.block(wildcards)["archives"]]
        for file in files:
            if not os.path.isfile(file):
                raise SettingsError(
                    f"config: datasets.{dataset}.archives: there is no file {file!r}"
                    f"{of_a_link(file)}; put the archive there, or leave its name out if it is "
                    "unpacked already"
                )
        return files

    def listed_folder(self, wildcards: Any) -> str:
        """The folder whose scans are listed: that of the unpacked files, or the download itself."""
        block = self.block(wildcards)
        return f"resources/unpacked/{wildcards.dataset}" if block["archives"] else block["root"]

    def listed_root(self, wildcards: Any) -> list[str]:
        return [*self.raw_root(wildcards), self.listed_folder(wildcards)]

    def listed_table(self, wildcards: Any) -> str:
        """The table of a data set's subjects; SettingsError if its raw data are missing."""
        # Without this check, Snakemake would take an existing table as a source file.
        if self.block(wildcards)["archives"]:
            self.downloaded_archives(wildcards)
        self.raw_root(wildcards)
        return f"results/listed/{wildcards.dataset}.tsv"

    def tables_before(self, wildcards: Any) -> list[str]:
        """The subject tables of data sets that come first: their subjects keep a shared scan."""
        # Only data sets whose files exist, so that one data set can be run without the others.
        # Phantoms of patients are drawn separately, so that none is a copy of another. Healthy data
        # sets come first, so that adding patients to a run retrains no model.
        healthy, patients = self.study.healthy, self.study.patients
        order = [*healthy, *(name for name in patients if not self.is_phantom(name))]
        dataset = wildcards.dataset
        place = order.index(dataset) if dataset in order else len(healthy)
        return [f"results/listed/{name}.tsv" for name in order[:place] if self._exists(name)]

    def _exists(self, dataset: str) -> bool:
        """Whether a data set can be listed, without an error about what is missing."""
        block = self.study.datasets[dataset]
        files = [os.path.join(block["root"], name) for name in block["archives"]]
        downloaded = os.path.isdir(block["root"]) and all(map(os.path.isfile, files))
        return self.is_phantom(dataset) or downloaded

    def has_lesion_masks(self, wildcards: Any) -> bool:
        return wildcards.dataset in self.study.with_masks

    def split_lists(self, wildcards: Any) -> list[str]:
        """The released lists of a data set; none if its split is drawn."""
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
        """The config of the released lists, and whether leaks stay in two partitions."""
        splits = self.block(wildcards)["splits"]
        return splits and {**splits, "keep_leaks": self.study.config["keep_leaks"]}
