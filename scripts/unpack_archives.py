"""Unpack the archives of a data set, as they were downloaded, into one folder."""

import codecs
import os
from pathlib import Path

from brainuad.datasets import archives as archive_files
from brainuad.io import job
from brainuad.io.errors import SettingsError


def main(*, root: Path, output: Path, archives: list[str], password: dict[str, str] | None) -> None:
    """Unpack the archives of these names in `root`; the folder appears whole or not at all.

    `password` says where to read the password of encrypted archives: {"file": path} or
    {"environment": name of a variable}. The password itself is never printed.
    """
    secret = None if password is None else read_password(password)
    with job.replacing(output) as folder:
        folder.mkdir()
        for name in archives:
            archive_files.unpack(Path(root) / name, folder, password=secret)


def read_password(place: dict[str, str]) -> bytes:
    """Read a password from the first line of a file, or from the environment.

    Spaces belong to it; a byte order mark does not. Raises SettingsError if there is none.
    """
    if "environment" in place:
        name = place["environment"]
        password = os.environb.get(name.encode(), b"")
        problem = f"the environment variable {name} is not set; export it before snakemake starts"
    else:
        try:
            content = Path(place["file"]).read_bytes()
        except OSError as error:
            raise SettingsError(
                f"{place['file']}: the password cannot be read ({error.strerror}); "
                "correct password in the config"
            ) from None
        password = b"".join(content.removeprefix(codecs.BOM_UTF8).splitlines()[:1])
        problem = f"{place['file']}: holds no password in its first line; write it there"
    if not password:
        raise SettingsError(problem)
    return password


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            root=Path(snakemake.params.root),
            output=Path(snakemake.output.folder),
            archives=snakemake.params.archives,
            password=snakemake.params.password,
        )
