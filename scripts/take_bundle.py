"""Take the files that a run needs from a bundle, once all of its checksums were found right."""

import shutil
from pathlib import Path

from brainuad.config.bundles import TAKEN
from brainuad.evaluation.healthy_residuals import read_healthy_residuals
from brainuad.io import job
from brainuad.io.bundle_files import HEALTHY_RESIDUALS, check_bundle
from brainuad.io.errors import SettingsError


def main(*, bundle: Path, files: list[Path]) -> None:
    """Copy each of the `files` from its place in the bundle, which is that below TAKEN.

    Raises SettingsError, one line, where the bundle is damaged, or holds what is no file of one.
    """
    check_bundle(bundle)
    try:
        read_healthy_residuals(bundle / HEALTHY_RESIDUALS)
    except SettingsError:
        raise SettingsError(
            f"bundle {bundle}: {HEALTHY_RESIDUALS} is damaged; get the bundle again"
        ) from None
    for file in files:
        with job.replacing(file) as temporary:
            shutil.copyfile(bundle / file.relative_to(TAKEN), temporary)
    job.log(f"{bundle}: whole, {len(files)} files taken")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            bundle=Path(snakemake.params.bundle[0]),
            files=[Path(file) for file in snakemake.output.files],
        )
