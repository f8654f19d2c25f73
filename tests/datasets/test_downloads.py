"""Downloads against a server of our own: whole, checked, or one clear line."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from brainuad.datasets import downloads
from brainuad.io.errors import SettingsError

CONTENT = bytes(range(256)) * 10_000  # more than one chunk
OTHERWISE = "name it by template: {image: path}"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Host(BaseHTTPRequestHandler):
    """Each path misbehaves in its own way; `requests` lists what was asked for."""

    requests: list[str]

    def do_GET(self):
        self.requests.append(self.path)
        if self.path == "/gone":
            self.send_error(404)
        elif self.path == "/busy-once" and self.requests.count(self.path) == 1:
            self.send_error(503)
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/file")
            self.end_headers()
        elif self.path == "/moved-to-disk":
            self.send_response(302)
            self.send_header("Location", "ftp://localhost/file")
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            cut = self.path == "/cut" or (
                self.path == "/cut-once" and self.requests.count(self.path) == 1
            )
            self.wfile.write(CONTENT[: 5_000 if cut else None])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def host(monkeypatch):
    monkeypatch.setattr(downloads, "SCHEMES", ("http",))
    monkeypatch.setattr(downloads, "PAUSE", 0)
    handler = type("HostOfTest", (Host,), {"requests": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    handler.address = f"http://127.0.0.1:{server.server_port}"
    yield handler
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("path", ["/file", "/moved", "/busy-once", "/cut-once"])
def test_file_arrives_whole(host, tmp_path, path):
    target = tmp_path / "folder" / "weights.zip"
    downloads.fetch(host.address + path, target, sha256=SHA256.upper(), otherwise=OTHERWISE)
    assert target.read_bytes() == CONTENT
    assert [file.name for file in target.parent.iterdir()] == ["weights.zip"]


def test_found_checksum_is_logged_where_none_is_expected(host, tmp_path, capfd):
    downloads.fetch(f"{host.address}/file", tmp_path / "file", sha256=None, otherwise=OTHERWISE)
    assert f"put sha256: {SHA256} in the config" in capfd.readouterr().out


def test_other_checksum_is_refused_with_both(host, tmp_path):
    with pytest.raises(SettingsError) as caught:
        downloads.fetch(
            f"{host.address}/file", tmp_path / "file", sha256="0" * 64, otherwise=OTHERWISE
        )
    assert SHA256 in str(caught.value)
    assert "0" * 64 in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "reason", "attempts"),
    [("/gone", "404", 1), ("/cut", "after 5000 of 2560000", 3), ("/moved-to-disk", "ftp://", 1)],
)
def test_what_cannot_be_fetched_is_one_line(host, tmp_path, path, reason, attempts):
    target = tmp_path / "file"
    with pytest.raises(SettingsError, match=reason) as caught:
        downloads.fetch(host.address + path, target, sha256=None, otherwise=OTHERWISE)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(f"another machine and {OTHERWISE}")
    assert len(host.requests) == attempts
    assert list(tmp_path.iterdir()) == []


def test_no_connection_is_one_line(host, tmp_path):
    with pytest.raises(SettingsError, match="could not be fetched"):
        # Nobody listens at the port for nothing (RFC 6335, discard).
        downloads.fetch(
            "http://127.0.0.1:9/file", tmp_path / "file", sha256=None, otherwise=OTHERWISE
        )


def test_full_disk_is_named_as_such(host, monkeypatch, tmp_path):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(downloads, "_write", full)
    with pytest.raises(SettingsError, match="the disk is full"):
        downloads.fetch(f"{host.address}/file", tmp_path / "file", sha256=None, otherwise=OTHERWISE)


@pytest.mark.parametrize("address", ["http://example.org/a.zip", "file:///etc/hosts", "a.zip"])
def test_only_https_is_fetched(tmp_path, address):
    with pytest.raises(SettingsError, match="not an https address"):
        downloads.fetch(address, tmp_path / "a.zip", sha256=None, otherwise=OTHERWISE)
    assert list(tmp_path.iterdir()) == []
