"""Bring the weights of HD-BET, from their address or from the user's own copy, as numbers alone."""

from pathlib import Path

from brainuad.datasets.downloads import check_sha256, fetch
from brainuad.io import job
from brainuad.preprocessing.hdbet_weights import CHECKPOINT, copy_as_numbers, open_release


def main(*, output: Path, local: Path | None, address: str, sha256: str | None) -> None:
    """Write a folder in HD-BET's format: plans.json, dataset.json, fold_all/checkpoint_final.pth.

    local    the folder or the zip, where it is not to be fetched
    sha256   of the zip; of a local folder's checkpoint; null where it is not known
    """
    with job.replacing(output) as folder:
        if local is None:
            # Beside the folder, in the place that is removed afterwards.
            source = folder.with_name("release.zip")
            fetch(address, source, sha256=sha256)
        else:
            source = local
            # ASSUME: in a folder the checksum is that of the checkpoint, the only binary part.
            file = open_release(local) / CHECKPOINT if local.is_dir() else local
            found = check_sha256(file, sha256, name=str(file))
            job.log(f"{file}: SHA-256 {found}")
        copy_as_numbers(open_release(source), folder)
    job.log(f"{output}: weights of HD-BET, numbers alone")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        local = snakemake.params.local
        main(
            output=Path(snakemake.output.weights),
            local=Path(local) if local else None,
            address=snakemake.params.address,
            sha256=snakemake.params.sha256,
        )
