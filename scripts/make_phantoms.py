"""Write one data set's phantoms in its raw layout, from the template that nilearn ships."""

import time
from pathlib import Path

from brainuad import job
from brainuad.errors import SettingsError
from brainuad.phantoms.layouts import Dataset, PhantomSettings, write_subject
from brainuad.phantoms.template import load_template
from brainuad.settings import settings_from


def main(*, output: Path, dataset: str, settings: dict, seed: int) -> None:
    """Make `settings["subjects"]` people, each drawn from its own seed, under `output`."""
    if dataset not in list(Dataset):
        raise SettingsError(f"no phantoms for {dataset!r}: choose one of {', '.join(Dataset)}")
    chosen = settings_from(PhantomSettings, settings)
    template = load_template()
    started = time.perf_counter()
    with job.replacing(output) as root:
        for index in range(chosen.subjects):
            paths = write_subject(
                template, root, dataset=Dataset(dataset), index=index, settings=chosen, seed=seed
            )
            job.log(f"{dataset}: subject {index + 1} of {chosen.subjects}, {len(paths)} files")
    job.log(f"{dataset}: {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            output=Path(snakemake.output[0]),
            dataset=snakemake.params.dataset,
            settings=snakemake.params.settings,
            seed=snakemake.params.seed,
        )
