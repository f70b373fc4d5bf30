"""Archives from elsewhere, some of which mean harm."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from dcgan_tf.datasets import archive, from_folder
from dcgan_tf.errors import UserError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DCGAN_TF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def picture(value):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (value, 0, 0)).save(file, "PNG")
    return file.getvalue()


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


PICTURES = {"a.png": picture(10), "deep/b.png": picture(20), "notes.txt": b"not unpacked", "c.PNG": picture(30)}


def test_an_archive_is_read_like_its_folder(tmp_path, cache):
    file = zipped(tmp_path / "set", PICTURES)
    for _ in range(2):  # read, then from the cache
        assert from_folder(file, 8, progress=False).images[:, 0, 0, 0].tolist() == [10, 30, 20]
    assert not list(cache.rglob("*.png")), "nothing is unpacked"


@pytest.mark.parametrize("name", ["../out.png", "deep/../../out.png", "/out.png", "..\\out.png", "C:\\out.png"])
def test_a_path_that_leads_out_of_the_archive_is_only_a_name(name, tmp_path, cache):
    file = zipped(tmp_path / "hostile", {"a.png": picture(1), "b.png": picture(2), name: b"broken"})
    found = from_folder(file, 8, progress=False)
    assert sorted(found.images[:, 0, 0, 0]) == [1, 2]
    (path, reason), *more = found.skipped
    assert not more and path.is_relative_to(file) and "not an image of" in reason
    written = {path for path in tmp_path.rglob("*") if path.is_file()} - {file}
    assert written and all(path.is_relative_to(cache) and path.name != "out.png" for path in written)


def test_links_are_left_out(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture(200))
    link = zipfile.ZipInfo("soft.png")
    link.external_attr = 0o120777 << 16
    found = from_folder(zipped(tmp_path / "links.zip", {"a.png": picture(10), link: str(secret)}), 8, progress=False)
    assert found.images[:, 0, 0, 0].tolist() == [10]
    assert found.skipped == [(tmp_path / "links.zip" / "soft.png", "a link, or not a file")]


def test_a_bomb_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST", 3_000_000)
    file = zipped(tmp_path / "bomb", {f"{i}.png": bytes(20_000_000) for i in range(3)})
    assert file.stat().st_size < 60_000_000 / archive.RATIO
    with pytest.raises(UserError, match="decompression bomb"):
        from_folder(file, 8, progress=False)


def test_a_picture_that_is_too_large_is_skipped_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST", 100_000)
    file = zipped(tmp_path / "set", {**PICTURES, "large.png": np.random.default_rng(0).bytes(200_000)})
    found = from_folder(file, 8, progress=False)
    assert len(found.images) == 3
    assert [(path.name, why) for path, why in found.skipped] == [("large.png", "larger than 0 MB")]


@pytest.mark.parametrize("place", range(60, 1_000, 47))
def test_damage_is_one_line_or_the_picture_is_named_and_the_others_are_read(tmp_path, place):
    file = zipped(tmp_path / "set.zip", PICTURES)
    data = bytearray(file.read_bytes())
    data[place % len(data)] ^= 255
    file.write_bytes(data)
    try:
        found = from_folder(file, 8, progress=False)
    except UserError as error:
        assert place > 60 and "\n" not in str(error) and "set.zip" in str(error)
    else:
        assert set(found.images[:, 0, 0, 0]) <= {10, 20, 30} and len(found.images) >= 2
        assert all(reason for _, reason in found.skipped)
        assert place > 60 or [path.name for path, _ in found.skipped] == ["a.png"]


def test_formats_that_are_not_read_are_named_and_what_a_mac_adds_is_passed_over(tmp_path):
    more = {"c.HEIC": b"\0\0\0\x18ftypheic", "._b.png": b"\0\5\x16\7", "__MACOSX/._a.jfif": b"\0\5\x16\7"}
    found = from_folder(zipped(tmp_path / "set.zip", {"a.jfif": picture(10), **more}), 8, progress=False)
    assert len(found.images) == 1
    assert found.skipped == [(tmp_path / "set.zip" / "c.HEIC", "HEIC is not read: convert it to PNG or JPEG")]


def test_an_archive_without_images_or_of_another_kind_is_refused(tmp_path):
    with pytest.raises(UserError, match="no image in"):
        from_folder(zipped(tmp_path / "set.zip", {"notes.txt": b"x"}), 8, progress=False)
    for name in ("text.zip", "set.tar"):
        (tmp_path / name).write_bytes(b"not a .zip")
        with pytest.raises(UserError, match=f"{name} is not a folder .* nor a .zip"):
            from_folder(tmp_path / name, 8)
