"""Folders of images: how they are brought to one size, what is kept of them, and what is refused."""

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcgan_tf import datasets
from dcgan_tf.datasets import from_folder
from dcgan_tf.errors import UserError

SIDE = 16
COLORS = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 4), np.uint8)
RGB = Image.fromarray(COLORS[..., :3])


def read(folder, array, size, channels=3, **options):
    """Save one picture, read its folder."""
    Image.fromarray(array).save(folder / "a.png")
    found = from_folder(folder, size, channels, progress=False, **options)
    assert not found.skipped
    return found


def test_shrinking_is_antialiased(tmp_path):
    board = np.indices((8 * SIDE, 8 * SIDE)).sum(0) % 2 * np.uint8(255)
    (found,) = read(tmp_path, board.astype(np.uint8), SIDE).images
    assert np.abs(found.astype(int) - 127).max() < 12, "a fine chequerboard becomes grey, not stripes"


def test_grey_is_pillows(tmp_path):
    found = read(tmp_path, COLORS[..., :3], SIDE, 1)
    np.testing.assert_array_equal(found.images[0, ..., 0], np.asarray(RGB.convert("L")))


@pytest.mark.parametrize(("height", "width"), [(40, 40), (32, 64)])
def test_cropping_cuts_the_middle_and_says_how_much(tmp_path, height, width):
    image = np.random.default_rng(0).integers(0, 256, (40, 80, 3), dtype=np.uint8)
    found = read(tmp_path, image, (height, width))
    if height == 40:
        np.testing.assert_array_equal(found.images[0], image[:, 20:60])
    assert found.images.shape == (1, height, width, 3)
    assert found.cropped == (height == 40) and found.cut == pytest.approx(0.5 if height == 40 else 0)


def test_padding_keeps_all_of_the_image_on_the_colour_of_its_edge(tmp_path):
    image = np.full((20, 40, 3), 255, np.uint8)
    image[5:15, 5:35] = np.random.default_rng(0).integers(0, 256, (10, 30, 3), dtype=np.uint8)
    image[[0, -1]] = image[:, [0, -1]] = (10, 20, 30)
    found = read(tmp_path, image, 40, fit="pad")
    np.testing.assert_array_equal(found.images[0, 10:30], image)
    assert (found.images[0, :10] == (10, 20, 30)).all() and (found.images[0, 30:] == (10, 20, 30)).all()
    assert (found.padded, found.cropped, found.enlarged) == (1, 0, 0)


def test_a_hairline_can_be_padded(tmp_path):
    hairline = np.full((3, 2000, 3), (255, 0, 0), np.uint8)
    assert (read(tmp_path, hairline, SIDE, fit="pad").images[0] == (255, 0, 0)).all(-1).any()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_small_images_of_few_colours_are_enlarged_by_repeating_their_pixels_and_photographs_are_not(
    tmp_path, channels, fit
):
    for colours in (64, 65):
        image = np.zeros((SIDE, SIDE, 3), np.uint8)
        image.reshape(-1, 3)[:, :2] = np.arange(SIDE * SIDE)[:, None] % colours
        own = read(tmp_path, image, SIDE, channels, fit=fit).images[0]
        found = read(tmp_path, image, 4 * SIDE, channels, fit=fit)
        assert found.enlarged == 1
        repeated = np.array_equal(found.images[0], own.repeat(4, 0).repeat(4, 1))
        assert repeated == (colours == 64)


def test_alpha_is_kept_and_what_cannot_be_seen_is_white(tmp_path):
    pixels = COLORS.copy()
    pixels[::2, :, 3], pixels[1::2, :, 3] = 0, 255
    (found,) = read(tmp_path, pixels, SIDE, 4).images
    assert (found[::2] == (255, 255, 255, 0)).all()
    np.testing.assert_array_equal(found[1::2], pixels[1::2])
    flat = read(tmp_path, pixels, SIDE, 3)
    np.testing.assert_array_equal(datasets.on_white(found[None]), flat.images)
    assert flat.transparent == 1


@pytest.mark.parametrize("alpha", [254, 255])
def test_an_opaque_alpha_channel_is_no_transparency(tmp_path, alpha):
    pixels = COLORS.copy()
    pixels[..., 3] = alpha
    assert read(tmp_path, pixels, SIDE, 4).transparent == (alpha < 255)


def test_what_is_asked_for_is_checked_and_folders_without_images_are_refused(tmp_path):
    for wrong in ({"fit": "stretch"}, {"channels": 2}):
        with pytest.raises(ValueError, match="'crop' or 'pad'"):
            from_folder(tmp_path, SIDE, **wrong)
    with pytest.raises(UserError, match="is not a folder"):
        from_folder(tmp_path / "missing")
    with pytest.raises(UserError, match="no image in"):
        from_folder(tmp_path)
    (tmp_path / "bad.png").write_text("x")
    with pytest.raises(UserError, match="1 of 1 files .* cannot be read: bad.png: not an image of"):
        from_folder(tmp_path)


def test_what_is_kept_is_read_from_its_file_and_made_again_when_it_is_damaged_or_an_image_changes(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("DCGAN_TF_CACHE", str(tmp_path / "cache"))
    folder, expected = tmp_path / "images", [COLORS[..., :3] ^ i for i in range(5)]
    folder.mkdir()
    for i, image in enumerate(expected):
        Image.fromarray(image).save(folder / f"{i}.png")
    first = from_folder(folder, SIDE, progress=False)
    assert isinstance(first.images, np.memmap) and not first.images.flags.writeable
    np.testing.assert_array_equal(first.images, expected)
    (file,) = (tmp_path / "cache").rglob("pixels")
    written = file.stat().st_mtime_ns
    np.testing.assert_array_equal(from_folder(folder, SIDE, progress=False).images, expected)
    assert file.stat().st_mtime_ns == written
    for damage in (lambda: file.write_bytes(file.read_bytes()[:300]), (file.parent / "facts.json").unlink):
        damage()
        np.testing.assert_array_equal(from_folder(folder, SIDE, progress=False).images, expected)
    assert [path.name for path in file.parent.parent.iterdir()] == [file.parent.name]
    os.utime(folder / "0.png", (1, 1))
    Image.fromarray(expected[1]).save(folder / "0.png")
    assert (from_folder(folder, SIDE, progress=False).images[0] == expected[1]).all()


@contextmanager
def nobody():
    """Not the superuser, who may read and write everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture
def open_folder():
    """A folder that others may read but not write into."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("cache", ["a file", "read-only"])
def test_where_the_cache_cannot_be_written_the_images_are_in_memory_and_one_line_says_so(
    open_folder, monkeypatch, capsys, kind, cache
):
    source, kept = open_folder / "pictures", open_folder / "cache"
    source.mkdir()
    for i in range(3):
        Image.fromarray(COLORS[..., :3] ^ i).save(source / f"{i}.png")
    if kind != "folder":
        source = Path(shutil.make_archive(str(open_folder / "packed"), kind, source))
    kept.write_text("x") if cache == "a file" else kept.mkdir(0o555)
    monkeypatch.setenv("DCGAN_TF_CACHE", str(kept))
    expected = from_folder(source, SIDE, progress=False, keep=False)  # first: nobody may not import what it takes
    with nobody():
        found = from_folder(source, SIDE, progress=False)
    np.testing.assert_array_equal(found.images, expected.images)
    (line,) = capsys.readouterr().out.splitlines()
    assert "in memory" in line and str(kept) in line
    assert cache == "a file" or not list(kept.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_what_may_not_be_read_is_named(open_folder):
    for inside in ("a.png", "b.png", "c.png", "closed/d.png"):
        (open_folder / inside).parent.mkdir(exist_ok=True)
        RGB.save(open_folder / inside)
    (open_folder / "a.png").chmod(0)
    (open_folder / "closed").chmod(0)
    with nobody():
        found = from_folder(open_folder, SIDE, progress=False, keep=False)
    assert [path.name for path, _ in found.skipped] == ["a.png", "closed"] and len(found.images) == 2
    assert all("ermission" in reason or "opened" in reason for _, reason in found.skipped)
    (open_folder / "closed").chmod(0o755)
