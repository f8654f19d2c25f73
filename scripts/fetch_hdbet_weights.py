"""Fetch the weights of HD-BET, or take the user's own copy, and keep only their tensors."""

from pathlib import Path

from brainuad.datasets.downloads import check_sha256, fetch
from brainuad.io import job
from brainuad.preprocessing.hdbet_weights import CHECKPOINT, copy_as_numbers, open_release


def main(*, output: Path, local: Path | None, address: str, sha256: str | None) -> None:
    """Write a folder in HD-BET's format: plans.json, dataset.json, fold_all/checkpoint_final.pth.

    local    the user's folder or zip; None if the zip is to be fetched from `address`
    sha256   checksum of the zip, or of the checkpoint in a local folder; None if it is not known
    """
    with job.replacing(output) as folder:
        if local is None:
            # `replacing` removes the folder of its temporary path, and the zip with it.
            source = folder.with_name("release.zip")
            otherwise = "name it in the config: hdbet: {weights: {local: path}}"
            fetch(address, source, sha256=sha256, otherwise=otherwise)
        else:
            source = local
            # ASSUME: the checksum of a folder is that of its checkpoint, the only binary file.
            file = open_release(local) / CHECKPOINT if local.is_dir() else local
            found = check_sha256(file, sha256, name=str(file))
            job.log(f"{file}: SHA-256 {found}")
        copy_as_numbers(open_release(source), folder)
    job.log(f"{output}: weights of HD-BET, tensors only")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        local = snakemake.params.local
        main(
            output=Path(snakemake.output.weights),
            local=Path(local) if local else None,
            address=snakemake.params.address,
            sha256=snakemake.params.sha256,
        )
