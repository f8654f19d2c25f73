"""Fetch the atlas: one member of a zip archive, which is checked by its checksum first."""

import hashlib
import tempfile
import urllib.request
import zipfile
from pathlib import Path

import nibabel as nib

from brainuad import job
from brainuad.errors import SettingsError


def main(*, output: Path, address: str, member: str, sha256: str | None) -> None:
    """Write the member as a 3-D NIfTI file.

    Raises SettingsError where the archive's checksum is another one, or it lacks the member.
    """
    job.log(f"Fetching {address}")
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive.zip"
        try:
            with urllib.request.urlopen(address, timeout=60) as response:
                archive.write_bytes(response.read())
        except OSError as error:
            raise SettingsError(
                f"atlas.archive: {address} could not be fetched ({error}). Fetch it elsewhere, put "
                f"its {member} at {output}, and run again."
            ) from error
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if sha256 is not None and found != sha256:
            raise SettingsError(
                f"atlas.archive.sha256: {address} has {found}, the config expects {sha256}"
            )
        with zipfile.ZipFile(archive) as members:
            if member not in members.namelist():
                raise SettingsError(f"atlas.archive.member: {address} holds no {member}")
            atlas = Path(folder) / "atlas.nii"
            atlas.write_bytes(members.read(member))
        with job.replacing(output) as temporary:
            nib.save(nib.squeeze_image(nib.load(atlas)), temporary)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(output=Path(snakemake.output.atlas), **snakemake.params)
