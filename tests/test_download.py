"""Downloads and archives from elsewhere, against a server and archives that mean harm."""

import hashlib
import io
import tarfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from dcgan_tf.data import archive
from dcgan_tf.data.download import download
from dcgan_tf.data.folder import from_folder
from dcgan_tf.errors import UserError

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers by the path: what goes wrong, and how often before it goes right ("/truncate/2")."""

    def do_GET(self):
        _, fault, times = self.path.split("/")
        self.server.asked.append(self.path)
        if self.server.asked.count(self.path) > int(times):
            fault = "fine"
        if fault == "redirect":
            self.send_response(302)
            self.send_header("Location", "/fine/0")
            self.end_headers()
        elif fault == "busy":
            self.send_error(503)
        else:
            self.answer(fault)

    def answer(self, fault):
        content = CONTENT[:-1] + b"!" if fault == "wrong" else CONTENT
        length = {"longer": len(content) + 1_000, "shorter": len(content) - 1_000}.get(fault, len(content))
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if fault == "stall":
            self.wfile.write(content[:1_000])
            self.wfile.flush()
            time.sleep(1.5)
        elif fault == "truncate":
            self.wfile.write(content[: len(content) // 2])
        else:
            self.wfile.write(content)
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


FAULTS = ("stall", "truncate", "longer", "shorter", "wrong", "busy")


@pytest.mark.parametrize("fault", FAULTS)
def test_what_goes_wrong_is_tried_again(server, tmp_path, fault):
    found = download(f"{server.address}/{fault}/2", tmp_path / "deep" / "file.bin", SHA256, timeout=0.3)
    assert found.read_bytes() == CONTENT
    assert len(server.asked) == 3
    assert [path.name for path in found.parent.iterdir()] == ["file.bin"]


@pytest.mark.parametrize("fault", FAULTS)
def test_what_stays_wrong_is_one_line_and_no_file(server, tmp_path, fault):
    with pytest.raises(UserError) as error:
        download(f"{server.address}/{fault}/9", tmp_path / "file.bin", SHA256, timeout=0.3, attempts=2)
    assert "\n" not in str(error.value)
    assert f"file.bin cannot be downloaded from {server.address}/{fault}/9: " in str(error.value)
    assert ("not the file that was published" in str(error.value)) == (fault in ("wrong", "shorter"))
    assert not list(tmp_path.iterdir())


def test_redirects_are_followed_and_what_is_there_is_not_fetched_again(server, tmp_path):
    for _ in range(2):
        download(f"{server.address}/redirect/1", tmp_path / "file.bin", SHA256)
    assert server.asked == ["/redirect/1", "/fine/0"]


def test_a_file_that_was_damaged_since_is_fetched_anew(server, tmp_path):
    (tmp_path / "file.bin").write_bytes(CONTENT[:-5])
    assert download(f"{server.address}/fine/0", tmp_path / "file.bin", SHA256).read_bytes() == CONTENT


def test_no_server_is_one_line(tmp_path):
    with pytest.raises(UserError, match="file.bin cannot be downloaded"):
        download("http://127.0.0.1:9/file", tmp_path / "file.bin", SHA256, timeout=0.3, attempts=1)


def picture(value):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (value, 0, 0)).save(file, "PNG")
    return file.getvalue()


def tarball(path, members, mode="w:gz"):
    """A tar archive of {name: bytes, or a TarInfo's fields}."""
    with tarfile.open(path, mode) as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, dict):
                for key, value in content.items():
                    setattr(member, key, value)
                file.addfile(member)
            else:
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))
    return path


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


PICTURES = {"a.png": picture(10), "deep/b.png": picture(20), "notes.txt": b"not unpacked", "c.PNG": picture(30)}


@pytest.mark.parametrize(("make", "order"), [(tarball, [10, 20, 30]), (zipped, [10, 30, 20])])
def test_an_archive_is_read_like_its_folder(make, order, tmp_path, monkeypatch):
    monkeypatch.setenv("DCGAN_TF_CACHE", str(tmp_path / "cache"))
    file = make(tmp_path / "set", PICTURES)
    for _ in range(2):  # read, then from the cache
        found = from_folder(file, 8, progress=False)
        assert found.images[:, 0, 0, 0].tolist() == order
    assert not list((tmp_path / "cache").rglob("*.png")), "nothing is unpacked"


@pytest.mark.parametrize("name", ["../out.png", "deep/../../out.png", "/out.png", "..\\out.png", "C:\\out.png"])
@pytest.mark.parametrize("make", [tarball, zipped])
def test_a_path_that_leads_out_of_the_archive_is_only_a_name(make, name, tmp_path, monkeypatch):
    monkeypatch.setenv("DCGAN_TF_CACHE", str(tmp_path / "cache"))
    file = make(tmp_path / "hostile", {"a.png": picture(1), "b.png": picture(2), name: b"broken"})
    found = from_folder(file, 8, progress=False)
    assert sorted(found.images[:, 0, 0, 0]) == [1, 2]
    (path, reason), *more = found.skipped
    assert not more and path.is_relative_to(file) and "not an image of" in reason
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path != file]
    assert {path.name for path in written} == {"images.npy", "facts.json"}


def test_links_and_devices_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("DCGAN_TF_CACHE", str(tmp_path / "cache"))
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture(200))
    members = {
        "a.png": picture(10),
        "soft.png": {"type": tarfile.SYMTYPE, "linkname": str(secret)},
        "hard.png": {"type": tarfile.LNKTYPE, "linkname": "../../../secret.png"},
        "pipe.png": {"type": tarfile.FIFOTYPE},
        "device.png": {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3},
    }
    members |= {"b.png": picture(20), "c.png": picture(30), "d.png": picture(40)}
    found = from_folder(tarball(tmp_path / "links.tar", members, "w"), 8, progress=False)
    assert found.images[:, 0, 0, 0].tolist() == [10, 20, 30, 40]
    assert {path.name for path, _ in found.skipped} == {"soft.png", "hard.png", "pipe.png", "device.png"}

    link = zipfile.ZipInfo("soft.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "links.zip", "w") as file:
        file.writestr("a.png", picture(10))
        file.writestr(link, str(secret))
    found = from_folder(tmp_path / "links.zip", 8, progress=False)
    assert found.images[:, 0, 0, 0].tolist() == [10]
    assert found.skipped == [(tmp_path / "links.zip" / "soft.png", "a link, or not a file")]


@pytest.mark.parametrize("make", [tarball, zipped])
def test_a_bomb_is_refused_before_it_is_read(make, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST", 3_000_000)
    file = make(tmp_path / "bomb", {f"{i}.png": bytes(20_000_000) for i in range(3)})
    assert file.stat().st_size < 60_000_000 / archive.RATIO
    with pytest.raises(UserError, match="decompression bomb"):
        from_folder(file, 8, progress=False)


@pytest.mark.parametrize("make", [tarball, zipped])
def test_a_picture_that_is_too_large_is_skipped_by_name(make, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST", 100_000)
    rng = np.random.default_rng(0)
    file = make(tmp_path / "set", {**PICTURES, "large.png": rng.bytes(200_000)})
    found = from_folder(file, 8, progress=False)
    assert len(found.images) == 3
    assert [(path.name, why) for path, why in found.skipped] == [("large.png", "larger than 0 MB")]


@pytest.mark.parametrize("make", [tarball, zipped])
def test_a_damaged_archive_is_one_line(make, tmp_path):
    file = make(tmp_path / "set", {"a.png": np.random.default_rng(0).bytes(50_000)})
    data = bytearray(file.read_bytes())
    data[20_000:20_100] = bytes(100)
    file.write_bytes(data)
    with pytest.raises(UserError) as error:
        from_folder(file, 8, progress=False)
    assert "\n" not in str(error.value)


def test_a_damaged_member_of_a_zip_is_named_and_the_others_are_read(tmp_path):
    file = zipped(tmp_path / "set.zip", PICTURES)
    data = bytearray(file.read_bytes())
    data[60] ^= 255
    file.write_bytes(data)
    found = from_folder(file, 8, progress=False)
    assert found.images[:, 0, 0, 0].tolist() == [30, 20]
    assert [path.name for path, _ in found.skipped] == ["a.png"] and found.skipped[0][1]


def test_an_archive_without_images_is_refused(tmp_path):
    with pytest.raises(UserError, match="no image in"):
        from_folder(zipped(tmp_path / "set.zip", {"notes.txt": b"x"}), 8, progress=False)
    (tmp_path / "text.zip").write_text("not an archive")
    with pytest.raises(UserError, match="text.zip is not a folder"):
        from_folder(tmp_path / "text.zip", 8)
