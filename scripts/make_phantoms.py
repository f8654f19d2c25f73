"""Write one data set's phantoms in its raw layout, from the template that nilearn ships."""

import time
from pathlib import Path

from brainuad.config.phantoms import PhantomSettings
from brainuad.config.settings import settings_from
from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.phantoms.archives import pack
from brainuad.phantoms.layouts import Dataset, ixi_number, write_subject
from brainuad.phantoms.spreadsheet import write_spreadsheet
from brainuad.phantoms.template import load_template


def main(*, output: Path, dataset: str, settings: dict, seed: int) -> None:
    """Make `settings["subjects"]` subjects, each drawn from its own seed, under `output`.

    With `settings["archive"]` the files are packed into archives, as the data set is downloaded;
    IXI's spreadsheet is not packed.
    """
    if dataset not in list(Dataset):
        raise SettingsError(f"no phantoms for {dataset!r}: choose one of {', '.join(Dataset)}")
    chosen = settings_from(PhantomSettings, settings, f"phantoms.{dataset}")
    if chosen.single_modality and dataset != Dataset.IXI:
        raise SettingsError(
            f"phantoms: single_modality is for ixi only, {dataset} has no use for it"
        )
    template = load_template()
    started = time.perf_counter()
    with job.replacing(output) as root:
        for index in range(chosen.subjects):
            paths = write_subject(
                template, root, dataset=Dataset(dataset), index=index, settings=chosen, seed=seed
            )
            job.log(f"{dataset}: subject {index + 1} of {chosen.subjects}, {len(paths)} files")
        if chosen.archive is not None:
            for path in pack(root, dataset=Dataset(dataset), kind=chosen.archive):
                job.log(f"{dataset}: packed into {path.name}")
        if dataset == Dataset.IXI:
            last = ixi_number(chosen.subjects - 1)
            write_spreadsheet(root / "IXI.xls", numbers=range(1, last + 1), seed=seed)
    job.log(f"{dataset}: {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            output=Path(snakemake.output[0]),
            dataset=snakemake.params.dataset,
            settings=snakemake.params.settings,
            seed=snakemake.params.seed,
        )
