"""A folder of everything that goes wrong with image files: right pixels, or a name and a reason."""

import io
import os
import struct
import sys
import tempfile
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dcgan_tf.datasets.folder import from_folder, shown
from dcgan_tf.errors import UserError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes, links and file names")
SIDE = 16
RGB = Image.fromarray(np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8))
RGBA = Image.fromarray(np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 4), np.uint8))
RED = Image.new("RGB", (SIDE, SIDE), "red")


def encoded(image, kind, **options):
    """An image as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width, height, depth=8, color=2, rows=b""):
    """A PNG file with any header."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pixels(data):
    """What Pillow makes of a file, on white."""
    with warnings.catch_warnings(action="ignore"):
        image = Image.open(io.BytesIO(data)).convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"))


def deep_rgb():
    """A PNG of 16 bits a channel, which Pillow reads by the higher byte."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in np.asarray(RGB).astype(int) * 257)
    return png_of(SIDE, SIDE, 16, 2, rows)


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


PNG, JPEG = encoded(RGB, "PNG"), encoded(RGB, "JPEG")
TURNED = {  # by EXIF's orientation
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}
TWO = {"save_all": True, "append_images": [Image.new("RGB", (SIDE, SIDE), "blue")]}
INTS = np.arange(SIDE * SIDE, dtype=np.int32).reshape(SIDE, SIDE) * 200
DEEP = Image.fromarray((np.arange(SIDE * SIDE).reshape(SIDE, SIDE) * 257 % 65536).astype(np.uint16))
FLOATS = np.where(INTS == 0, np.nan, INTS / 65536).astype(np.float32)

GOOD = {  # name: (the file, the pixels)
    "1.png": (encoded(RGB.convert("1"), "PNG"), None),
    "L.png": (encoded(RGB.convert("L"), "PNG"), None),
    "LA.png": (encoded(RGBA.convert("LA"), "PNG"), None),
    "P.png": (encoded(RGB.quantize(32), "PNG"), None),
    "P2.png": (encoded(RGB.quantize(4), "PNG", bits=2), None),
    "P-clear.png": (encoded(RGB.quantize(8), "PNG", transparency=3), None),
    "RGB-clear.png": (encoded(RED, "PNG", transparency=(255, 0, 0)), np.full((SIDE, SIDE, 3), 255)),
    "RGBA.png": (encoded(RGBA, "PNG"), None),
    "I16.png": (encoded(DEEP, "PNG"), np.rint(np.asarray(DEEP) / 257)[..., None]),
    "RGB16.png": (deep_rgb(), np.asarray(RGB)),
    "I.tiff": (encoded(Image.fromarray(INTS), "TIFF"), np.rint(INTS / 257)[..., None]),
    "I8.tiff": (encoded(Image.fromarray(INTS // 200), "TIFF"), INTS[..., None] // 200),  # which may end at 255
    "F.tiff": (encoded(Image.fromarray(FLOATS), "TIFF"), np.rint(np.nan_to_num(FLOATS) * 255)[..., None]),
    "F255.tiff": (encoded(Image.fromarray(FLOATS * 255), "TIFF"), np.rint(np.nan_to_num(FLOATS) * 255)[..., None]),
    "CMYK.tiff": (encoded(RGB.convert("CMYK"), "TIFF"), None),
    "CMYK.jpg": (encoded(RGB.convert("CMYK"), "JPEG"), None),
    "LAB.tiff": (encoded(Image.new("LAB", (SIDE, SIDE), (128, 128, 128)), "TIFF"), None),
    "YCbCr.tiff": (encoded(RGB.convert("YCbCr"), "TIFF"), None),
    "grey.jpg": (encoded(RGB.convert("L"), "JPEG"), None),
    "progressive.jpg": (encoded(RGB, "JPEG", progressive=True), None),
    "lzw.tif": (encoded(RGB, "TIFF", compression="tiff_lzw"), None),
    "lossless.webp": (encoded(RGBA, "WEBP", lossless=True, exact=True), None),
    "plain.bmp": (encoded(RGB, "BMP"), None),
    "palette.bmp": (encoded(RGB.quantize(16), "BMP"), None),
    "animated.gif": (encoded(RED, "GIF", **TWO), np.asarray(RED)),
    "animated.png": (encoded(RED, "PNG", **TWO), np.asarray(RED)),
    "animated.webp": (encoded(RED, "WEBP", lossless=True, **TWO), np.asarray(RED)),
    "pages.tiff": (encoded(RED, "TIFF", **TWO), np.asarray(RED)),
    "clear.gif": (encoded(RGB.quantize(8), "GIF", transparency=2), None),
    "turned.jpg": (encoded(RED, "JPEG", exif=turned(6)), None),
    **{f"{n}.tiff": (encoded(RGB, "TIFF", exif=turned(n)), turn(np.asarray(RGB))) for n, turn in TURNED.items()},
    **{f"turned-{n}.png": (encoded(RGB, "PNG", exif=turned(n)), turn(np.asarray(RGB))) for n, turn in TURNED.items()},
    "jpeg-inside.png": (JPEG, None),
    "old.jfif": (JPEG, None),
    "png-inside.JPG": (PNG, None),
    "one-pixel.png": (encoded(Image.new("RGB", (1, 1), "red"), "PNG"), np.asarray(RED)),
    "sliver.png": (encoded(Image.new("RGB", (1, 5000), "red"), "PNG"), np.asarray(RED)),
    "ünïcödé 画像.png": (PNG, None),
    "new\nline.png": (PNG, None),
    "deep/deeper/nested.png": (PNG, None),
    "folder.png/inside.png": (PNG, None),
    "huge.png": (None, np.full((SIDE, SIDE, 1), 255)),  # a hundred megapixels: written by the fixture
    "rest-after-end.png": (PNG + b"more", None),
    "bad-exif.jpg": (encoded(RED, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"), None),
}
BAD = {  # name: (the file, part of the reason)
    "empty.png": (b"", "not an image of"),
    "text.jpg": (b"not an image", "not an image of"),
    "html.webp": (b"<!doctype html><html></html>", "not an image of"),
    "cut.png": (PNG[:200], "truncated"),
    "cut.jpg": (JPEG[: len(JPEG) * 2 // 3], "runcated"),
    "cut.gif": (encoded(RGB.quantize(256), "GIF")[:400], ""),
    "cut.webp": (encoded(RGB, "WEBP")[:100], ""),
    "cut.tiff": (encoded(RGB, "TIFF", compression="tiff_lzw")[:150], ""),
    "cut.bmp": (encoded(RGB, "BMP")[:300], "truncated"),
    "header-alone.png": (PNG[:33], ""),
    "wrong-sum.png": (PNG[:20] + b"\x7f" + PNG[21:], ""),
    "bomb.png": (png_of(60_000, 60_000), "decompression bomb"),
    "zeros.png": (bytes(1000), "not an image of"),
    "postscript.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "not an image of"),
    "wide-as-nothing.png": (png_of(0, 0), ""),
    "phone.HEIC": (b"\0\0\0\x18ftypheic", "convert it to PNG or JPEG"),
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for name, (data, _) in (GOOD | BAD).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if data is not None:
            (folder / name).write_bytes(data)
    (folder / "huge.png").write_bytes(png_of(10_000, 10_000, 1, 0, (b"\0" + b"\xff" * 1_250) * 10_000))
    (folder / "dangling.png").symlink_to(folder / "nowhere.png")
    (folder / "circle.png").symlink_to(folder / "circle.png")
    (folder / "deep" / "up").symlink_to(folder)
    os.mkfifo(folder / "pipe.png")
    (folder / "notes.txt").write_text("no image's name, so it is left alone")
    (folder / "._1.png").write_text("what a Mac keeps of a file elsewhere")
    return folder


@pytest.fixture(scope="module")
def found(corpus):
    return from_folder(corpus, SIDE, progress=False)


@pytest.fixture(scope="module")
def by_name(corpus, found):
    skipped = {path for path, _ in found.skipped}
    files = sorted(corpus / name for name in GOOD)
    assert not skipped & set(files)
    assert len(found.images) == len(files)
    return {str(file.relative_to(corpus)): image for file, image in zip(files, found.images, strict=True)}


@pytest.mark.parametrize("name", GOOD)
def test_what_can_be_read_gives_the_right_pixels(by_name, name):
    data, expected = GOOD[name]
    expected = pixels(data) if expected is None else expected
    np.testing.assert_array_equal(by_name[name], np.broadcast_to(expected, (SIDE, SIDE, 3)))


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_named_with_its_reason(corpus, found, name):
    reason = dict(found.skipped)[corpus / name]
    assert reason and "\n" not in reason and str(corpus) not in reason
    assert BAD[name][1] in reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("dangling.png", "a link to nothing"),
        ("circle.png", "a link to nothing"),
        ("deep/up", "a link to a folder that is read anyway"),
        ("pipe.png", "not a file"),
    ],
)
def test_what_is_no_file_is_named(corpus, found, name, reason):
    assert dict(found.skipped)[corpus / name] == reason


def test_all_is_accounted_for(corpus, found):
    assert len(found.skipped) == len(BAD) + 4
    copies = {path.name: same.name for path, same in found.duplicates}
    assert copies["one-pixel.png"] == "animated.gif" and {"png-inside.JPG", "rest-after-end.png"} <= set(copies)


def test_from_the_cache_all_is_told_again(corpus, found):
    again = from_folder(corpus, SIDE, progress=False)
    np.testing.assert_array_equal(again.images, found.images)
    assert again[1:] == found[1:]


def test_names_are_printed_in_one_line():
    assert shown(Path("a/b.png")) == "a/b.png"
    assert shown(Path("new\nline.png")) == r"'new\nline.png'"
    assert shown(Path(os.fsdecode(b"\xff.png"))) == r"'\udcff.png'"


def test_more_bad_than_good_is_an_error_that_names_some(tmp_path):
    (tmp_path / "good.png").write_bytes(PNG)
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UserError, match="2 of 3 files .* cannot be read: a.png: not an image of"):
        from_folder(tmp_path, SIDE, progress=False)
    (tmp_path / "better.png").write_bytes(JPEG)
    assert len(from_folder(tmp_path, SIDE, progress=False).images) == 2


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(GOOD)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    st.floats(0, 1),
)
def test_no_damage_to_a_file_is_more_than_a_reason(name, changes, length):
    data = bytearray(GOOD[name][0] or PNG)
    for where, value in changes:
        data[int(where * (len(data) - 1))] = value
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.png").write_bytes(data[: int(length * len(data)) or 1])
        (Path(folder) / "b.png").write_bytes(PNG)
        found = from_folder(folder, SIDE, progress=False, keep=False)
    assert len(found.images) + len(found.skipped) == 2
    np.testing.assert_array_equal(found.images[-1], np.asarray(RGB))
