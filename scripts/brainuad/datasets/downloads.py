"""Download files, and check their checksums before anything reads them."""

import errno
import hashlib
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.io.progress import progress_bar

SCHEMES = ("https",)
ATTEMPTS = 3
PAUSE = 5  # seconds before another attempt
TIMEOUT = 60  # seconds without a single byte
CHUNK = 2**20
# Some hosts refuse urllib's own user agent.
HEADERS = {"User-Agent": "brainuad"}
# Answers that will be the same a few seconds later, unlike time-outs and too many requests.
REFUSED = frozenset(range(400, 500)) - {408, 429}


def fetch(
    address: str,
    target: Path,
    *,
    sha256: str | None,
    otherwise: str,
) -> None:
    """Write the file at an https address to `target`, completely or not at all.

    `otherwise` says what to do with a file that was fetched on another machine.
    If no checksum is expected, the one found is logged. Raises SettingsError for an address that is
    not https, here or after a redirection, that cannot be fetched in three attempts, for a full
    disk, and for another checksum.
    """
    if address.partition("://")[0] not in SCHEMES:
        raise SettingsError(f"{address}: is not an https address; correct it in the config")
    job.log(f"Fetching {address}")
    with job.replacing(target) as temporary:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                _write(address, temporary)
                break
            except (OSError, HTTPException, ValueError) as error:
                if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                    raise SettingsError(
                        f"{target}: the disk is full; make room for the file at {address}"
                    ) from error
                job.log(f"attempt {attempt}: {error}")
                if attempt == ATTEMPTS or _is_final(error):
                    raise SettingsError(
                        f"{address}: could not be fetched ({error}); try later, or fetch it on "
                        f"another machine and {otherwise}"
                    ) from error
            time.sleep(PAUSE)
        found = check_sha256(temporary, sha256, name=address)
        if sha256 is None:
            job.log(f"{address}: no checksum is expected; put sha256: {found} in the config")


def check_sha256(path: Path, expected: str | None, *, name: str) -> str:
    """Return a file's SHA-256 as lower-case hexadecimal digits.

    Raises SettingsError, with `name` for the file, if another one was expected.
    """
    with Path(path).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if expected is not None and found != expected.lower():
        raise SettingsError(
            f"{name}: has the SHA-256 {found}, the config expects {expected}; the file is damaged "
            "or another version"
        )
    return found


class _SameSchemes(urllib.request.HTTPRedirectHandler):
    """Follows redirections, but not to an unencrypted address."""

    def redirect_request(self, request, response, code, message, headers, address):
        if address.partition("://")[0] not in SCHEMES:
            raise ValueError(f"it redirects to {address}, which is not an https address")
        return super().redirect_request(request, response, code, message, headers, address)


def _write(address: str, target: Path) -> None:
    request = urllib.request.Request(address, headers=HEADERS)
    opener = urllib.request.build_opener(_SameSchemes)
    with opener.open(request, timeout=TIMEOUT) as response, target.open("wb") as file:
        length = response.headers["Content-Length"]
        total = None if length is None else -(-int(length) // CHUNK)
        for chunk in progress_bar(_chunks(response), total=total, label=f"{target.name}, MiB"):
            file.write(chunk)
        # A connection that breaks looks like the end of the file.
        if length is not None and file.tell() != int(length):
            raise HTTPException(f"the connection ended after {file.tell()} of {length} bytes")


def _chunks(response: HTTPResponse) -> Iterable[bytes]:
    return iter(lambda: response.read(CHUNK), b"")


def _is_final(error: Exception) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code in REFUSED
    return isinstance(error, ValueError)
