"""Copy the files that a run needs from a bundle, after all checksums of the bundle were checked."""

import shutil
from pathlib import Path

from brainuad.config.bundles import TAKEN
from brainuad.evaluation.healthy_residuals import read_healthy_residuals
from brainuad.images.distributions import read_distribution
from brainuad.io import job
from brainuad.io.bundle_files import HEALTHY_REFERENCE, HEALTHY_RESIDUALS, check_bundle
from brainuad.io.errors import SettingsError

READERS = {HEALTHY_RESIDUALS: read_healthy_residuals, HEALTHY_REFERENCE: read_distribution}


def main(*, bundle: Path, files: list[Path]) -> None:
    """Copy each of the `files` from the bundle, where it has the same path as below TAKEN.

    Raises SettingsError, one line, if the bundle is damaged or holds a file that is not its own.
    """
    check_bundle(bundle)
    for file in files:
        name = file.relative_to(TAKEN).as_posix()
        if read := READERS.get(name):
            try:
                read(bundle / name)
            except SettingsError:
                raise SettingsError(
                    f"bundle {bundle}: {name} is damaged; get the bundle again"
                ) from None
        with job.replacing(file) as temporary:
            shutil.copyfile(bundle / name, temporary)
    job.log(f"{bundle}: undamaged, {len(files)} files copied")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            bundle=Path(snakemake.params.bundle[0]),
            files=[Path(file) for file in snakemake.output.files],
        )
