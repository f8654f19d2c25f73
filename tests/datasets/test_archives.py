"""Archives: unpacked whole, or refused with one line that says why; nothing leaves the folder."""

import base64
import gzip
import io
import os
import random
import shutil
import stat
import subprocess
import tarfile
import tracemalloc
import zipfile
from pathlib import Path
from time import localtime, time

import pytest
from odd_scans import LFS_POINTER

import fetch_template
import unpack_archives
from brainuad.datasets import archives, downloads
from brainuad.datasets.decryption import DecryptedStream
from brainuad.io.errors import SettingsError

PASSWORD = b"not for the log 42"
# printf 'a lesion mask\n' | openssl enc -aes-256-cbc -md sha256 -a -pass pass:'not for the log 42'
VECTOR = b"U2FsdGVkX19saV+Y+VK2U/CD6iT5sNOJ6VnDklpj6b0="
# Random, so that compression leaves it as long as it is; seeded.
SCAN = random.Random(3).randbytes(200_000)


def tar(members: dict[str, bytes | tarfile.TarInfo], compression: str = "") -> bytes:
    """A tar of files (name: content) and of any other members (name: header)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w:{compression}") as content:
        for name, member in members.items():
            header = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(name)
            header.name = name
            if isinstance(member, bytes):
                header.size = len(member)
                content.addfile(header, io.BytesIO(member))
            else:
                content.addfile(header)
    return stream.getvalue()


def at(moment: float, content: bytes, pack) -> bytes:
    """An archive of the file "scan", changed last at this time."""
    stream = io.BytesIO()
    if pack is tar:
        header = tarfile.TarInfo("scan")
        header.size, header.mtime = len(content), moment
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(header, io.BytesIO(content))
    else:
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(zipfile.ZipInfo("scan", localtime(moment)[:6]), content)
    return stream.getvalue()


def special(kind: bytes, target: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    header = tarfile.TarInfo()
    header.type, header.linkname, header.mode = kind, target, mode
    return header


def zipped(members: dict[str, bytes], *, modes: dict[str, int] | None = None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as content:
        for name, member in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            content.writestr(info, member, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def unpack(content: bytes, folder: Path, *, password: bytes | None = None) -> dict[str, bytes]:
    """What an archive of this content leaves in a folder beside it."""
    archive = folder / "data.bin"
    archive.write_bytes(content)
    target = folder / "unpacked"
    target.mkdir()
    archives.unpack(archive, target, password=password)
    return tree(target)


FILES = {"sub/scan.nii.gz": SCAN, "sub/mask.nii.gz": b"mask", "IXI.xls": b"table"}
KINDS = {
    "tar": tar(FILES),
    "tar.gz": tar(FILES, "gz"),
    "tar.bz2": tar(FILES, "bz2"),
    "tar.xz": tar(FILES, "xz"),
    "zip": zipped(FILES),
    "pax tar of a long name": tar({**FILES, "sub/" + 120 * "n" + "é": b"long"}),
    "zip of Windows": zipped({name.replace("/", "\\"): FILES[name] for name in FILES}),
    "tar with folders": tar(
        {"./": special(tarfile.DIRTYPE), "./sub": special(tarfile.DIRTYPE), **FILES}
    ),
    "zip with folders": zipped({"sub/": b"", **FILES}, modes={"sub/": stat.S_IFDIR | 0o755}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_archive_is_recognised_by_its_content(tmp_path, kind):
    found = unpack(KINDS[kind], tmp_path)
    found.pop("sub/" + 120 * "n" + "é", None)
    assert found == FILES


@pytest.mark.parametrize("pack", [tar, zipped])
def test_what_macos_adds_is_skipped(tmp_path, pack, capfd):
    junk = dict.fromkeys(("__MACOSX/sub/._scan", "sub/._mask", ".DS_Store", "sub/.DS_Store"), b"x")
    assert unpack(pack({**junk, **FILES}), tmp_path) == FILES
    assert "3 files, 0.00 GiB; skipped 4 that macOS added" in capfd.readouterr().out


def test_modes_are_the_users_own(tmp_path):
    before = os.umask(0o022)
    try:
        header = special(tarfile.REGTYPE, mode=0o6777)
        folder = special(tarfile.DIRTYPE, mode=0o1000)
        unpack(tar({"a": folder, "a/b": header}), tmp_path)
    finally:
        os.umask(before)
    modes = [(tmp_path / "unpacked" / name).stat().st_mode & 0o7777 for name in ("a", "a/b")]
    assert modes == [0o755, 0o644]


def test_links_to_files_of_the_archive_become_copies(tmp_path):
    found = unpack(
        tar(
            {
                "sub/early": special(tarfile.SYMTYPE, "../a/file"),
                "a/file": b"content",
                "hard": special(tarfile.LNKTYPE, "a/file"),
            }
        ),
        tmp_path,
    )
    assert found == {"a/file": b"content", "hard": b"content", "sub/early": b"content"}
    assert not (tmp_path / "unpacked/sub/early").is_symlink()


SYMBOLIC_LINK, PIPE = stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644
HOSTILE = {
    "tar, up": (tar({"../out": b"x"}), "outside the folder"),
    "tar, up from within": (tar({"a/../../out": b"x"}), "outside the folder"),
    "tar, absolute": (tar({"/tmp/out": b"x"}), "outside the folder"),
    "tar, drive": (tar({"C:\\out": b"x"}), "outside the folder"),
    "tar, up with backslashes": (tar({"..\\out": b"x"}), "outside the folder"),
    "zip, up": (zipped({"../out": b"x"}), "outside the folder"),
    "zip, absolute": (zipped({"/tmp/out": b"x"}), "outside the folder"),
    "zip, drive": (zipped({"C:/out": b"x"}), "outside the folder"),
    "symbolic link up": (tar({"a": special(tarfile.SYMTYPE, "../out")}), "link out of"),
    "symbolic link, absolute": (tar({"a": special(tarfile.SYMTYPE, "/etc/hosts")}), "link out of"),
    "hard link up": (tar({"b/a": special(tarfile.LNKTYPE, "../out")}), "link out of"),
    "file through a link": (
        tar({"a": special(tarfile.SYMTYPE, ".."), "a/out": b"x"}),
        "link out of",
    ),
    "link to nothing": (tar({"a": special(tarfile.SYMTYPE, "b")}), "not a file of the archive"),
    "link to a folder": (
        tar({"b/c": b"x", "a": special(tarfile.SYMTYPE, "b")}),
        "not a file of the archive",
    ),
    "zip, link": (zipped({"a": b"b"}, modes={"a": SYMBOLIC_LINK}), "'a' is a device, a pipe"),
    "zip, pipe": (zipped({"a": b""}, modes={"a": PIPE}), "'a' is a device, a pipe"),
    "device": (tar({"a": special(tarfile.CHRTYPE)}), "'a' is a device, a pipe"),
    "pipe": (tar({"a": special(tarfile.FIFOTYPE)}), "'a' is a device, a pipe"),
    "file below a file": (tar({"a": b"x", "a/b": b"y"}), "'a' exists already"),
    "file over a folder": (tar({"a/b": b"x", "a": b"y"}), "'a' exists already"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_nothing_leaves_the_folder(tmp_path, kind):
    content, reason = HOSTILE[kind]
    inner = tmp_path / "inner"
    inner.mkdir()
    with pytest.raises(SettingsError, match=reason) as caught:
        unpack(content, inner)
    assert str(inner / "data.bin") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]
    assert {path.name for path in inner.iterdir()} == {"data.bin", "unpacked"}


IN_2010 = 1_267_448_402.0  # an even second, as zips count


@pytest.mark.parametrize("pack", [tar, zipped])
def test_files_keep_the_time_of_the_archive(tmp_path, pack):
    unpack(at(IN_2010, b"x", pack), tmp_path)
    assert (tmp_path / "unpacked" / "scan").stat().st_mtime == IN_2010


@pytest.mark.parametrize("pack", [tar, zipped])
def test_time_in_the_future_becomes_now(tmp_path, pack):
    started = time()
    unpack(at(started + 1e6, b"x", pack), tmp_path)
    assert started - 1 <= (tmp_path / "unpacked" / "scan").stat().st_mtime <= time()


@pytest.mark.parametrize("odd", ["-1e30", "nan", "-inf"])
def test_time_that_is_none_becomes_the_first(tmp_path, odd):
    header = special(tarfile.REGTYPE)
    header.pax_headers = {"mtime": odd}
    unpack(tar({"scan": header}), tmp_path)
    assert (tmp_path / "unpacked" / "scan").stat().st_mtime == 0


def test_zip_without_a_date(tmp_path):
    content = bytearray(at(IN_2010, b"x", zipped))
    for start in (10, content.rindex(b"PK\x01\x02") + 12):
        content[start : start + 4] = bytes(4)
    assert unpack(bytes(content), tmp_path) == {"scan": b"x"}


def test_a_copy_has_the_time_of_its_file(tmp_path):
    header = special(tarfile.REGTYPE)
    header.mtime = IN_2010
    unpack(tar({"a": header, "b": special(tarfile.SYMTYPE, "a")}), tmp_path)
    assert (tmp_path / "unpacked" / "b").stat().st_mtime == IN_2010


@pytest.mark.parametrize("pack", [tar, zipped])
@pytest.mark.parametrize(
    ("second", "is_same"),
    [(SCAN, True), (SCAN[:-1], False), (SCAN + b"x", False), (b"", False), (SCAN[::-1], False)],
)
def test_same_file_of_two_archives(tmp_path, pack, second, is_same):
    folder = tmp_path / "unpacked"
    folder.mkdir()
    for name, content in (("1.bin", SCAN), ("2.bin", second)):
        (tmp_path / name).write_bytes(pack({"a/MANIFEST.TXT": content}))
    archives.unpack(tmp_path / "1.bin", folder, password=None)
    if is_same:
        archives.unpack(tmp_path / "2.bin", folder, password=None)
    else:
        reason = r"2\.bin: its member 'a/MANIFEST\.TXT' exists already with other content"
        with pytest.raises(SettingsError, match=reason) as caught:
            archives.unpack(tmp_path / "2.bin", folder, password=None)
        assert "\n" not in str(caught.value)
    assert tree(folder) == {"a/MANIFEST.TXT": SCAN}


def test_zip_of_windows_with_folders(tmp_path):
    content = zipped({"sub\\": b"", "sub\\scan": b"x"}, modes={"sub\\": 0})
    assert unpack(content, tmp_path) == {"sub/scan": b"x"}


def test_two_files_of_one_path(tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as content:
        for text in (b"x", b"y"):
            header = tarfile.TarInfo("scan")
            header.size = 1
            content.addfile(header, io.BytesIO(text))
    with pytest.raises(SettingsError, match="'scan' exists already with other content"):
        unpack(stream.getvalue(), tmp_path)


def damaged_zip() -> bytes:
    """A zip whose stored file has one other byte than its checksum says."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as content:
        content.writestr("scan", b"0123456789")
    return stream.getvalue().replace(b"0123456789", b"0123456780")


def zip_of_method(method: int) -> bytes:
    content = bytearray(zipped({"scan": SCAN}))
    content[8:10] = method.to_bytes(2, "little")
    central = content.rindex(b"PK\x01\x02")
    content[central + 10 : central + 12] = method.to_bytes(2, "little")
    return bytes(content)


def zip_with_password() -> bytes:
    content = bytearray(zipped({"scan": SCAN}))
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def with_other_byte(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 255]) + content[position + 1 :]


TWO = tar({"a": 1024 * b"x", "b": b"y"})  # each header and each 512 bytes are a block
BROKEN = {
    "empty file": (b"", "the file is empty"),
    "a page instead of the file": (b"<!DOCTYPE html>" + 600 * b" ", "neither a tar nor a zip"),
    "pointer of git-lfs": (LFS_POINTER, "is a pointer of git-lfs; get its content first"),
    "pointer of git-annex": (b"/annex/objects/MD5E-s9--0.tar\n", "is a pointer of git-annex"),
    "a compressed scan": (gzip.compress(SCAN), "damaged or cut short"),
    "tar without members": (tar({}), "holds no file"),
    "zip without members": (zipped({}), "holds no file"),
    "tar of folders": (tar({"a": special(tarfile.DIRTYPE)}), "holds no file"),
    "tar cut within a file": (TWO[:900], "cut short"),
    "tar cut between two files": (TWO[:1536], "cut short"),
    "tar cut within a header": (TWO[:1700], "cut short"),
    "tar cut before its end": (TWO[: 1536 + 1024], "cut short"),
    "tar with a damaged second header": (with_other_byte(TWO, 1536 + 3), "damaged"),
    "tar.gz cut": (KINDS["tar.gz"][:100_000], "cut short"),
    "tar.gz cut by its checksum": (KINDS["tar.gz"][:-8], "cut short"),
    "tar.gz damaged": (with_other_byte(KINDS["tar.gz"], 100_000), "damaged"),
    "tar.gz of another checksum": (with_other_byte(KINDS["tar.gz"], -8), "damaged"),
    "tar.bz2 cut": (KINDS["tar.bz2"][:100_000], "cut short"),
    "tar.bz2 damaged": (with_other_byte(KINDS["tar.bz2"], 100_000), "damaged"),
    "tar.xz cut": (KINDS["tar.xz"][:100_000], "cut short"),
    "tar.xz damaged": (with_other_byte(KINDS["tar.xz"], 100_000), "damaged"),
    "zip cut": (KINDS["zip"][:100_000], "cut short"),
    "zip damaged": (damaged_zip(), "damaged"),
    "zip with a password": (zip_with_password(), "zip with a password"),
    "zip of Windows above 2 GB (deflate64)": (zip_of_method(9), "cannot be unpacked here"),
    "encrypted": (base64.b64decode(VECTOR), "is encrypted; give the data set's password"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_archive_is_one_line(tmp_path, kind):
    content, reason = BROKEN[kind]
    with pytest.raises(SettingsError, match=reason) as caught:
        unpack(content, tmp_path)
    assert str(caught.value).startswith(str(tmp_path / "data.bin"))
    assert "\n" not in str(caught.value)


def test_missing_archive_is_one_line(tmp_path):
    with pytest.raises(SettingsError, match="does not exist"):
        archives.unpack(tmp_path / "IXI-T1.tar", tmp_path, password=None)


def test_archive_whose_content_git_annex_has_not_fetched(tmp_path):
    (tmp_path / "IXI-T1.tar").symlink_to(".git/annex/objects/Xk/2p/MD5E-s9--0.tar/MD5E-s9--0.tar")
    with pytest.raises(SettingsError, match="is a pointer of git-annex; get its content first"):
        archives.unpack(tmp_path / "IXI-T1.tar", tmp_path, password=None)


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_too_small_a_disk_is_told_before_it_is_full(tmp_path, monkeypatch, kind):
    usage = shutil.disk_usage(tmp_path)._replace(free=100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(SettingsError, match=r"0\.0 GiB left; make room"):
        unpack(KINDS[kind], tmp_path)


def test_full_disk_is_one_line(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(SettingsError, match="the disk is full"):
        unpack(KINDS["tar"], tmp_path)


# --------------------------------------------------------------------------------------------------
# Encryption


def encrypt(content: bytes, folder: Path, *options: str, password: bytes = PASSWORD) -> bytes:
    """What the real openssl makes of it."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to compare with")
    (folder / "password").write_bytes(password)
    command = ["openssl", "enc", "-aes-256-cbc", "-md", "sha256", *options]
    command += ["-pass", f"file:{folder / 'password'}"]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout


def decrypt(content: bytes, password: bytes = PASSWORD) -> bytes:
    stream = DecryptedStream(io.BufferedReader(io.BytesIO(content)), password=password)
    return io.BufferedReader(stream).read()


@pytest.mark.parametrize("content", [VECTOR, base64.b64decode(VECTOR)], ids=["base64", "raw"])
def test_text_that_openssl_encrypted(content):
    assert decrypt(content) == b"a lesion mask\n"


@pytest.mark.parametrize("options", [(), ("-a",), ("-a", "-A")], ids=["raw", "lines", "one line"])
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 2**20 - 16, 2**20, 3 * 2**20 + 5])
def test_decryption_is_the_inverse_of_openssl(tmp_path, options, size):
    content = random.Random(size).randbytes(size)
    assert decrypt(encrypt(content, tmp_path, *options)) == content


def test_decryption_takes_little_memory(tmp_path):
    size = 24 * 2**20
    stream = io.BufferedReader(io.BytesIO(encrypt(bytes(size), tmp_path, "-a")))
    tracemalloc.start()
    try:
        plain = io.BufferedReader(DecryptedStream(stream, password=PASSWORD))
        assert sum(len(chunk) for chunk in iter(lambda: plain.read(2**20), b"")) == size
        assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("options", [(), ("-a",)], ids=["raw", "base64"])
@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.xz"])
def test_encrypted_tar(tmp_path, options, kind):
    encrypted = encrypt(KINDS[kind], tmp_path, *options)
    assert unpack(encrypted, tmp_path, password=PASSWORD) == FILES


@pytest.mark.parametrize("options", [(), ("-a",)], ids=["raw", "base64"])
def test_wrong_password_is_one_line(tmp_path, options):
    encrypted = encrypt(KINDS["tar.gz"], tmp_path, *options)
    with pytest.raises(SettingsError, match=r"does not open it.* spaces and line breaks") as caught:
        unpack(encrypted, tmp_path, password=b"another one")
    assert "\n" not in str(caught.value)
    assert tree(tmp_path / "unpacked") == {}


@pytest.mark.parametrize(
    ("options", "length"), [((), 150_000), ((), 150_001), (("-a",), 150_000), (("-a",), 15)]
)
def test_encrypted_tar_cut_short_is_one_line(tmp_path, options, length):
    encrypted = encrypt(KINDS["tar.gz"], tmp_path, *options)[:length]
    with pytest.raises(SettingsError, match="damaged or cut short"):
        unpack(encrypted, tmp_path, password=PASSWORD)


# --------------------------------------------------------------------------------------------------
# The rules' scripts


def test_archives_of_a_data_set_become_one_folder(tmp_path):
    root, output = tmp_path / "raw", tmp_path / "unpacked" / "ixi"
    root.mkdir()
    (root / "IXI-T1.tar").write_bytes(tar({"IXI002-Guys-0828-T1.nii.gz": b"t1"}))
    (root / "IXI-T2.zip").write_bytes(zipped({"IXI002-Guys-0828-T2.nii.gz": b"t2"}))
    unpack_archives.main(
        root=root, output=output, archives=["IXI-T1.tar", "IXI-T2.zip"], password=None
    )
    expected = {"IXI002-Guys-0828-T1.nii.gz": b"t1", "IXI002-Guys-0828-T2.nii.gz": b"t2"}
    assert tree(output) == expected
    (root / "other.tar").write_bytes(tar({"IXI002-Guys-0828-T1.nii.gz": b"t9"}))
    with pytest.raises(SettingsError, match=r"other\.tar: .* exists already"):
        unpack_archives.main(
            root=root, output=output, archives=["IXI-T1.tar", "other.tar"], password=None
        )
    # What was there before stays, and no half folder is left.
    assert tree(output) == expected
    assert [path.name for path in output.parent.iterdir()] == ["ixi"]


@pytest.mark.parametrize("place", ["file", "environment"])
@pytest.mark.parametrize("given", [PASSWORD, b"a wrong one"], ids=["right", "wrong"])
def test_password_is_read_and_never_shown(tmp_path, monkeypatch, capfd, place, given):
    root = tmp_path / "raw"
    root.mkdir()
    (root / "ATLAS.tar.gz").write_bytes(encrypt(KINDS["tar.gz"], tmp_path, "-a"))
    (tmp_path / "secret.txt").write_bytes(given + b"\n")
    monkeypatch.setenv("ATLAS_PASSWORD", given.decode())
    values = {"file": str(tmp_path / "secret.txt"), "environment": "ATLAS_PASSWORD"}
    settings = {
        "root": root,
        "output": tmp_path / "atlas",
        "archives": ["ATLAS.tar.gz"],
        "password": {place: values[place]},
    }
    shown = ""
    if given == PASSWORD:
        unpack_archives.main(**settings)
        assert tree(tmp_path / "atlas") == FILES
    else:
        with pytest.raises(SettingsError) as caught:
            unpack_archives.main(**settings)
        shown = str(caught.value)
    assert given.decode() not in "".join(capfd.readouterr()) + shown


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ({"file": "there/is/none"}, "there/is/none: the password cannot be read"),
        ({"environment": "NO_SUCH_VARIABLE"}, "variable NO_SUCH_VARIABLE is not set"),
    ],
)
def test_missing_password_is_one_line(tmp_path, place, reason):
    with pytest.raises(SettingsError, match=reason):
        unpack_archives.main(root=tmp_path, output=tmp_path / "a", archives=[], password=place)


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"two words", b"two words"),
        (b"word\r\n", b"word"),
        (b" word \n", b" word "),
        (b"word\n\n", b"word"),
        (b"word\nFrom: the data's team\n", b"word"),
        ("\ufeffWörter\r\n".encode(), "Wörter".encode()),
    ],
)
def test_password_is_the_first_line_of_its_file(tmp_path, content, password):
    (tmp_path / "secret.txt").write_bytes(content)
    assert unpack_archives.read_password({"file": str(tmp_path / "secret.txt")}) == password


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\xef\xbb\xbf\n", b"\nword"])
def test_empty_password_file_is_one_line(tmp_path, content):
    (tmp_path / "secret.txt").write_bytes(content)
    with pytest.raises(SettingsError, match="holds no password"):
        unpack_archives.read_password({"file": str(tmp_path / "secret.txt")})


@pytest.fixture
def template_archive(monkeypatch):
    """Stands for the host of the template."""

    def fetch(address, target, *, sha256, otherwise):
        target.write_bytes(zipped({"sri24/spgr.nii": SCAN, "sri24/late.nii": b"late"}))

    monkeypatch.setattr(downloads, "fetch", fetch)


def test_template_is_the_member_of_its_archive(tmp_path, template_archive):
    for name in ("template.nii.gz", "template.nii", "again.nii.gz"):
        fetch_template.main(
            output=tmp_path / name,
            address="https://example.org/sri24.zip",
            member="sri24/spgr.nii",
            sha256=None,
        )
    assert gzip.decompress((tmp_path / "template.nii.gz").read_bytes()) == SCAN
    assert (tmp_path / "template.nii").read_bytes() == SCAN
    assert (tmp_path / "template.nii.gz").read_bytes() == (tmp_path / "again.nii.gz").read_bytes()


def test_template_member_that_is_not_there_is_one_line(tmp_path, template_archive):
    with pytest.raises(SettingsError, match=r"holds no sri24/t1\.nii"):
        fetch_template.main(
            output=tmp_path / "template.nii.gz",
            address="https://example.org/sri24.zip",
            member="sri24/t1.nii",
            sha256=None,
        )
    assert list(tmp_path.iterdir()) == []
