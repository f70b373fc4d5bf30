"""Folders of images: every format, mode and orientation, against Pillow's own conversions."""

import errno
import os
import shutil
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from dcgan_tf.data.folder import from_folder
from dcgan_tf.errors import UserError

SIDE = 16
COLORS = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 4), np.uint8)
RGB = Image.fromarray(COLORS[..., :3])
GREY = RGB.convert("L")
RGBA = Image.fromarray(COLORS)
DEEP = np.random.default_rng(1).integers(0, 65536, (SIDE, SIDE)).astype(np.uint16)


def read(tmp_path, name, image, **options):
    """Save one picture, read its folder, return its pixels."""
    image.save(tmp_path / name, **options)
    found = from_folder(tmp_path, SIDE, progress=False)
    assert not found.skipped
    return found.images[0]


def on_white(image):
    ground = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB"))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_png_of_each_mode_gives_pillows_pixels(tmp_path, mode):
    image = RGBA.convert(mode) if mode in ("LA", "RGBA") else RGB.convert(mode)
    np.testing.assert_array_equal(read(tmp_path, "a.png", image), on_white(image))


def test_a_transparent_colour_of_a_palette_is_set_on_white(tmp_path):
    palette = RGB.quantize(8)
    found = read(tmp_path, "a.png", palette, transparency=0)
    clear = np.asarray(palette) == 0
    assert clear.any() and (found[clear] == 255).all()
    np.testing.assert_array_equal(found[~clear], np.asarray(palette.convert("RGB"))[~clear])


@pytest.mark.parametrize(
    ("name", "image", "options"),
    [
        ("a.bmp", RGB, {}),
        ("a.bmp", GREY, {}),
        ("a.webp", RGB, {"lossless": True}),
        ("a.tiff", RGB, {"compression": "tiff_lzw"}),
        ("a.tif", RGB.convert("CMYK"), {}),
        ("a.TIFF", GREY, {}),
        ("a.JPG", RGB, {"quality": 95}),
        ("a.jpeg", GREY, {}),
        ("a.jpg", RGB.convert("CMYK"), {}),
        ("a.gif", RGB.quantize(16), {}),
    ],
    ids=lambda value: getattr(value, "mode", None) or (value if isinstance(value, str) else "options"),
)
def test_each_format_gives_pillows_pixels(tmp_path, name, image, options):
    found = read(tmp_path, name, image, **options)
    with Image.open(tmp_path / name) as again:
        np.testing.assert_array_equal(found, np.asarray(again.convert("RGB")))


def test_transparency_in_webp_is_set_on_white(tmp_path):
    found = read(tmp_path, "a.webp", RGBA, lossless=True, exact=True)
    np.testing.assert_array_equal(found, on_white(RGBA))


@pytest.mark.parametrize("name", ["a.png", "a.tiff"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path, name):
    found = read(tmp_path, name, Image.fromarray(DEEP))
    np.testing.assert_array_equal(found[..., 0], np.rint(DEEP / 257).astype(np.uint8))


@pytest.mark.parametrize("top", [1, 255])
def test_floats_may_end_at_one_or_at_255(tmp_path, top):
    values = np.linspace(0, top, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
    found = read(tmp_path, "a.tiff", Image.fromarray(values))
    np.testing.assert_array_equal(found[..., 1], np.rint(values * 255 / top).astype(np.uint8))


def test_a_float_that_is_no_number_does_not_darken_the_others(tmp_path):
    values = np.linspace(0, 1, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
    values[0, 0] = np.nan
    found = read(tmp_path, "a.tiff", Image.fromarray(values))
    np.testing.assert_array_equal(found[1:, :, 0], np.rint(values[1:] * 255).astype(np.uint8))


def test_whole_numbers_of_32_bits_may_end_at_255(tmp_path):
    values = np.arange(SIDE * SIDE, dtype=np.int32).reshape(SIDE, SIDE)
    np.testing.assert_array_equal(read(tmp_path, "a.tiff", Image.fromarray(values))[..., 0], values)


def test_a_hairline_can_be_padded(tmp_path):
    Image.new("RGB", (2000, 3), "red").save(tmp_path / "a.png")
    found = from_folder(tmp_path, SIDE, fit="pad", progress=False)
    assert not found.skipped and (found.images[0] == (255, 0, 0)).all(-1).any()


def test_the_first_frame_of_an_animation_is_taken(tmp_path):
    frames = [Image.new("RGB", (SIDE, SIDE), color) for color in ("red", "blue")]
    found = read(tmp_path, "a.gif", frames[0], save_all=True, append_images=frames[1:], duration=50)
    assert (found == [255, 0, 0]).all()


TURNED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", TURNED)
def test_exif_orientation_is_followed(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = read(tmp_path, "a.png", RGB, exif=exif)
    np.testing.assert_array_equal(found, TURNED[orientation](np.asarray(RGB)))


def test_the_centre_square_is_cut(tmp_path):
    wide = np.zeros((SIDE, 3 * SIDE, 3), np.uint8)
    wide[:, SIDE : 2 * SIDE] = COLORS[..., :3]
    np.testing.assert_array_equal(read(tmp_path, "a.png", Image.fromarray(wide)), COLORS[..., :3])


def test_shrinking_is_antialiased(tmp_path):
    board = np.indices((8 * SIDE, 8 * SIDE)).sum(0) % 2 * np.uint8(255)
    found = read(tmp_path, "a.png", Image.fromarray(board.astype(np.uint8)))
    assert np.abs(found.astype(int) - 127).max() < 12, "a fine chequerboard becomes grey, not stripes"


@pytest.mark.parametrize("size", [32, 64, 128])
def test_sizes_and_small_images(tmp_path, size):
    RGB.save(tmp_path / "small.png")
    RGB.resize((300, 200)).save(tmp_path / "large.png")
    found = from_folder(tmp_path, size, progress=False)
    assert found.images.shape == (2, size, size, 3) and found.images.dtype == np.uint8
    assert found.enlarged == 1


def test_grey_has_one_channel(tmp_path):
    GREY.save(tmp_path / "a.png")
    found = from_folder(tmp_path, SIDE, channels=1, progress=False)
    np.testing.assert_array_equal(found.images[0, ..., 0], np.asarray(GREY))


def test_what_cannot_be_read_is_named_with_its_reason_and_what_comes_twice_is_kept(tmp_path):
    (tmp_path / "deep").mkdir()
    RGB.save(tmp_path / "a.png")
    RGB.save(tmp_path / "deep" / "b.bmp")
    (tmp_path / "broken.jpg").write_text("not an image")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:200])
    (tmp_path / "notes.txt").write_text("no image's name")
    for _ in range(2):  # read, then from the cache
        found = from_folder(tmp_path, SIDE, progress=False)
        assert len(found.images) == 2
        assert [path.name for path, _ in found.skipped] == ["broken.jpg", "cut.png"]
        assert "not an image of" in found.skipped[0][1] and "truncated" in found.skipped[1][1].lower()
        assert found.duplicates == [(tmp_path / "deep" / "b.bmp", tmp_path / "a.png")]


def test_a_result_that_was_kept_is_used_until_a_file_changes(tmp_path, monkeypatch):
    from dcgan_tf.data import folder

    RGB.save(tmp_path / "a.png")
    first = from_folder(tmp_path, SIDE, progress=False)
    reads = []
    read_one = folder._read
    monkeypatch.setattr(folder, "_read", lambda *given: reads.append(given) or read_one(*given))
    np.testing.assert_array_equal(from_folder(tmp_path, SIDE, progress=False).images, first.images)
    assert not reads
    GREY.save(tmp_path / "a.png")
    os.utime(tmp_path / "a.png", (1, 1))
    assert (from_folder(tmp_path, SIDE, progress=False).images[0] == np.asarray(GREY)[..., None]).all()
    assert len(reads) == 1


def test_a_full_disk_is_noticed_before_the_images_are_written(tmp_path, monkeypatch):
    """A memory-mapped file in a full file system ends the process by a signal (SIGBUS), which nobody can catch."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    monkeypatch.setenv("DCGAN_TF_CACHE", str(tmp_path / "cache"))
    RGB.save(tmp_path / "a.png")
    with pytest.raises(OSError, match="No space left"):
        from_folder(tmp_path, SIDE, progress=False)
    assert not list((tmp_path / "cache" / "folders").iterdir())


def test_a_full_disk_is_noticed_where_no_room_can_be_reserved(tmp_path, monkeypatch):
    """As on macOS."""
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=SIDE))
    monkeypatch.setenv("DCGAN_TF_CACHE", str(tmp_path / "cache"))
    RGB.save(tmp_path / "a.png")
    with pytest.raises(OSError, match="No space left"):
        from_folder(tmp_path, SIDE, progress=False)


def test_folders_without_images_are_refused(tmp_path):
    with pytest.raises(UserError, match="is not a folder"):
        from_folder(tmp_path / "missing")
    with pytest.raises(UserError, match="no image in"):
        from_folder(tmp_path)
    (tmp_path / "bad.png").write_text("x")
    with pytest.raises(UserError, match="1 of 1 files .* cannot be read: bad.png: not an image of"):
        from_folder(tmp_path)


def test_what_is_kept_is_read_from_its_file_and_made_again_when_that_is_damaged(tmp_path, monkeypatch):
    monkeypatch.setenv("DCGAN_TF_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(5):
        Image.fromarray(COLORS[..., :3] ^ i).save(folder / f"{i}.png")
    first = from_folder(folder, SIDE, progress=False)
    assert isinstance(first.images, np.memmap) and not first.images.flags.writeable
    np.testing.assert_array_equal(first.images, [COLORS[..., :3] ^ i for i in range(5)])
    (file,) = (tmp_path / "cache").rglob("images.npy")
    written = file.stat().st_mtime_ns
    np.testing.assert_array_equal(from_folder(folder, SIDE, progress=False).images, first.images)
    assert file.stat().st_mtime_ns == written
    for damage in (lambda: file.write_bytes(file.read_bytes()[:300]), (file.parent / "facts.json").unlink):
        damage()
        again = from_folder(folder, SIDE, progress=False)
        np.testing.assert_array_equal(again.images, [COLORS[..., :3] ^ i for i in range(5)])
    assert [path.name for path in file.parent.parent.iterdir()] == [file.parent.name]


@pytest.mark.parametrize("packed", [False, True])
def test_formats_that_are_not_read_are_named_and_what_a_mac_adds_is_passed_over(tmp_path, packed):
    folder = tmp_path / "pictures"
    folder.mkdir()
    RGB.save(folder / "a.jfif", "JPEG")
    RGB.save(folder / "b.png")
    (folder / "c.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    (folder / "._b.png").write_bytes(b"\0\5\x16\7")
    path = folder
    if packed:
        path = tmp_path / "pictures.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in folder.iterdir():
                archive.write(file, file.name)
            archive.writestr("__MACOSX/._a.jfif", b"\0\5\x16\7")
    found = from_folder(path, SIDE, progress=False)
    assert len(found.images) == 2
    assert found.skipped == [(path / "c.HEIC", "HEIC is not read: convert it to PNG or JPEG")]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_is_not_blamed_for_a_cache_that_cannot_be_written(tmp_path, monkeypatch, kind):
    (tmp_path / "pictures").mkdir()
    RGB.save(tmp_path / "pictures" / "a.png")
    packed = shutil.make_archive(tmp_path / "packed", kind, tmp_path / "pictures")
    (tmp_path / "cache").write_text("not a folder")
    monkeypatch.setenv("DCGAN_TF_CACHE", str(tmp_path / "cache"))
    with pytest.raises(OSError, match="cache"):
        from_folder(packed, SIDE, progress=False)
