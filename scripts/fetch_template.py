"""Fetch the template: one member of a zip archive, whose checksum is checked first."""

import gzip
import shutil
import tempfile
from pathlib import Path

from brainuad.datasets import archives, downloads
from brainuad.io import job


def main(*, output: Path, address: str, member: str, sha256: str | None) -> None:
    """Write the member of the zip at an https address; compress it if `output` ends in .gz.

    Raises SettingsError if the archive cannot be fetched, has another checksum, or lacks the
    member.
    """
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "template.zip"
        otherwise = f"name its NIfTI, {Path(member).name}, in the config: template: {{image: path}}"
        downloads.fetch(address, archive, sha256=sha256, otherwise=otherwise)
        image = Path(folder) / "image"
        archives.extract_member(archive, member, image)
        with job.replacing(output) as temporary:
            if temporary.suffix == ".gz" and not member.endswith(".gz"):
                # Without file name and time, the same archive always gives the same bytes.
                temporary.write_bytes(gzip.compress(image.read_bytes(), mtime=0))
            else:
                shutil.copyfile(image, temporary)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            output=Path(snakemake.output.template),
            address=snakemake.params.address,
            member=snakemake.params.member,
            sha256=snakemake.params.sha256,
        )
