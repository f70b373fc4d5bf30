"""The command line, as a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcgan_tf import History, datasets

ROOT = Path(__file__).resolve().parent.parent
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="a folder that nobody can write into")


def run(*arguments, env=None):
    command = [sys.executable, "-X", "importtime", "-m", "dcgan_tf", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=env)


def split(stderr):
    """(what the user sees, the modules imported)."""
    lines = stderr.splitlines()
    imported = [line for line in lines if line.startswith("import time:")]
    return [line for line in lines if line not in imported], " ".join(imported)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nosuch"], "no preset named 'nosuch'"),
        (["train", "mnits"], "did you mean 'mnist'"),
        (["train", "mnist", "--images", "/nonexistent"], "/nonexistent is not a folder"),
        (["generate", "nosuch"], "no run folder or released generator named 'nosuch'"),
        (["train", "mnist", "--steps", "-1"], "number above 0"),
        (["train", "mnist", "--epochs", "nan"], "number above 0"),
        (["train", "mnist", "--steps", "5", "--epochs", "1"], "not allowed with"),
        (["train", "mnist", "--profile", "fast"], "invalid choice"),
        (["train", "mnist", "--precision", "int8"], "invalid choice"),
        (["train", "mnist", "--seed", "-3"], "seed"),
        (["train", "mnist", "--from", "nowhere"], "no checkpoint in nowhere"),
        (["train", "mnist", "--run", "LICENSE"], "LICENSE is a file"),
        (["train", "mnist", "--run", "LICENSE/deeper"], "LICENSE/deeper cannot be written into"),
        pytest.param(["train", "mnist", "--run", "/proc/run"], "/proc/run cannot be written into", marks=LINUX),
        (["train", "mnist", "--images", "LICENSE"], "LICENSE is not a folder"),
        (["train", "mnist", "--checkpoint-every", "0"], "number of steps (500) or of minutes (5min)"),
        (["train", "mnist", "--checkpoint-every", "xmin"], "number of steps (500) or of minutes (5min)"),
        (["train", "mnist", "--sample-every", "1.5"], "number above 0"),
        (["generate", "mnist", "--count", "0"], "number above 0"),
        (["generate", "mnist", "--out", "LICENSE"], "LICENSE is a file: give a folder"),
        (["generate", "mnist", "--out", "x.jpg"], "x.jpg is not a file name that ends in .png"),
        pytest.param(
            ["generate", "mnist", "--out", "/proc/new/x.png"], "/proc/new cannot be written into", marks=LINUX
        ),
        (["evaluate", "mnist", "--neighbours", "near.jpg"], "ends in .png"),
        (["gif", "nowhere", "--ms", "-5"], "number above 0"),
        (["train"], "required"),
        (["gif", "nowhere"], "no samples in nowhere"),
        (["gif", "nowhere", "--corner", "9x2"], "size (1x1 to 8x8)"),
        (["interpolate", "nosuch"], "no run folder or released generator named 'nosuch'"),
        (["interpolate", "mnist", "--out", "walk.mp4"], "walk.mp4 is not a file name that ends in .gif or .png"),
        (["interpolate", "mnist", "--stops", "1"], "at least 2 stops"),
        (["evaluate", "nosuch"], "no run folder or released generator named 'nosuch'"),
        (["evaluate", "mnist", "--metrics", "fid,kidd"], "no metric named 'kidd': did you mean 'kid'"),
        (["evaluate", "mnist", "--extractor", "inseption"], "did you mean 'inception'"),
        (["evaluate", "mnist", "--samples", "10"], "number of samples (20 or more)"),
        (["datasets", "fetch", "pokemn"], "did you mean 'pokemon'"),
        (["datasets", "fetch"], "required"),
        (["paint"], "invalid choice"),
        ([], "required"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2_before_tensorflow_starts(arguments, message):
    result = run(*arguments)
    seen, imported = split(result.stderr)
    assert result.returncode == 2
    assert len(seen) == 1 and message in seen[0]
    assert result.stdout == ""
    assert "tensorflow" not in imported


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        *(
            [name, "--help"]
            for name in ("train", "generate", "interpolate", "evaluate", "gif", "export", "check", "datasets")
        ),
    ],
)
def test_help_is_there(arguments):
    result = run(*arguments)
    assert result.returncode == 0 and "usage: python -m dcgan_tf" in result.stdout


@pytest.mark.slow
def test_datasets_lists_every_set():
    result = run("datasets")
    assert split(result.stderr)[0] == []
    names = ["mnist", "pokemon", "monsters", "faces", "anime", "heroes"]
    assert [line.split()[0] for line in result.stdout.splitlines()] == names
    assert "60,000 to train on" in result.stdout


@pytest.mark.slow
def test_generate_writes_the_same_file_for_the_same_seed(tmp_path):
    files = [tmp_path / "new" / "a.png", tmp_path / "b.png", tmp_path / "c.png"]
    for file, seed in zip(files, (0, 0, 1), strict=True):
        result = run("generate", "mnist", "--seed", seed, "--out", file)
        assert result.returncode == 0 and split(result.stderr)[0] == []
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes() != files[2].read_bytes()


@pytest.mark.slow
def test_a_folder_of_images_can_be_trained_on(tmp_path):
    import numpy as np

    from dcgan_tf import figures

    rng = np.random.default_rng(0)
    for i in range(70):
        figures.save_png(rng.integers(0, 256, (30, 30, 3), np.uint8), tmp_path / "images" / f"{i}.png")
    (tmp_path / "images" / "broken.png").write_text("no")
    arguments = ["--images", tmp_path / "images", "--run", tmp_path / "run", "--steps", 2, "--profile", "smoke"]
    result = run("train", "mnist", *arguments)
    assert result.returncode == 0, result.stderr
    assert "70 images" in result.stdout and "broken.png" in result.stdout
    assert (tmp_path / "run" / "training.gif").exists()


@pytest.mark.slow
def test_a_run_can_be_compiled_with_xla_and_asked_to_repeat_itself(tmp_path):
    result = run("train", "mnist", "--steps", 3, "--run", tmp_path, "--profile", "smoke", "--xla", "--deterministic")
    assert result.returncode == 0, split(result.stderr)[0]
    history = History.load(tmp_path / "history.csv")
    assert history["step"][-1] == 3 and np.isfinite(history["g_loss"]).all()


@pytest.mark.slow
def test_interpolate_writes_a_looping_gif_or_a_strip(tmp_path):
    options = ("--walks", 2, "--stops", 3, "--frames", 4, "--scale", 1)
    for name in ("walk.gif", "walk.png"):
        result = run("interpolate", "mnist", *options, "--out", tmp_path / "new" / name)
        assert result.returncode == 0 and split(result.stderr)[0] == []
        assert name in result.stdout
    with Image.open(tmp_path / "new" / "walk.gif") as animation:
        assert animation.n_frames == 12 and animation.info["loop"] == 0
    strip = np.asarray(Image.open(tmp_path / "new" / "walk.png"))
    assert strip.shape == (2 * 28 + 1, 12 * 28 + 11), "two rows of twelve, a pixel between them"


@pytest.mark.slow
def test_evaluate_judges_a_released_generator_by_all_metrics(tmp_path):
    picture = tmp_path / "neighbours.png"
    result = run("evaluate", "mnist", "--samples", 300, "--neighbours", picture)
    assert result.returncode == 0 and "Traceback" not in result.stderr
    for word in ("300 samples against 10,000 held-out images", "FID", "KID", "inception score", "MS-SSIM", "coverage"):
        assert word in result.stdout
    assert picture.exists()


@pytest.mark.slow
def test_evaluate_leaves_out_the_inception_score_where_there_are_no_classes(tmp_path):
    result = run("evaluate", "mnist", "--samples", 300, "--metrics", "fid,is", "--extractor", "random")
    assert result.returncode == 0
    assert "inception score        left out" in result.stdout and "KID" not in result.stdout


@pytest.mark.slow
def test_a_suffix_in_capitals_is_the_same_suffix(tmp_path):
    result = run("interpolate", "mnist", "--walks", 1, "--stops", 2, "--frames", 2, "--out", tmp_path / "walk.GIF")
    assert result.returncode == 0
    with Image.open(tmp_path / "walk.GIF") as animation:
        assert animation.format == "GIF" and animation.n_frames == 4


def folder_of_images(path, count):
    path.mkdir()
    for i, image in enumerate(datasets.load("monsters")[:count]):
        Image.fromarray(image).save(path / f"{i:03}.png")
    return path


@pytest.mark.slow
def test_a_folder_is_trained_on_held_out_and_judged(tmp_path):
    folder = folder_of_images(tmp_path / "mine", 120)
    (folder / "broken.png").write_text("x")
    (folder / "copy.png").write_bytes((folder / "007.png").read_bytes())
    told = ("pokemon", "--images", folder, "--steps", 2, "--run", tmp_path / "run", "--profile", "smoke")
    result = run("train", *told)
    assert result.returncode == 0, split(result.stderr)[0]
    assert f"skipped {folder / 'broken.png'}" in result.stdout and "is the same image as" in result.stdout
    assert "101 images to train on, 20 held out" in result.stdout
    assert "200 samples against 20 held-out images, judged by 'imagenet'" in result.stdout
    part = run("evaluate", tmp_path / "run" / "best", "--samples", 40)
    assert part.returncode == 2 and "give the run folder itself" in split(part.stderr)[0][0]
    again = run("evaluate", tmp_path / "run", "--images", folder, "--samples", 40)
    assert again.returncode == 0 and (tmp_path / "run" / "neighbours.png").exists()
    other = run("evaluate", tmp_path / "run", "--samples", 40)
    assert other.returncode == 2 and "was trained on images of your own" in split(other.stderr)[0][0]
    assert json.loads((tmp_path / "run" / "config.json").read_text())["recipe"]["dataset"] == ""


@pytest.mark.slow
def test_a_run_says_that_the_monsters_stood_in_for_pokemon(tmp_path):
    env = {**os.environ, "DCGAN_TF_CACHE": str(tmp_path / "empty")}
    result = run("train", "pokemon", "--steps", 2, "--run", tmp_path / "run", "--profile", "smoke", env=env)
    assert result.returncode == 0 and "the monsters take their place" in result.stdout
    assert json.loads((tmp_path / "run" / "config.json").read_text())["recipe"]["dataset"] == "monsters"


@pytest.mark.slow
def test_check_says_what_the_machine_is():
    result = run("check")
    marks = [line[:4] for line in result.stdout.splitlines()]
    assert result.returncode == 0 and len(marks) >= 8 and set(marks) <= {"[OK]", "[--]"}, result.stdout
    for word in ("Python 3.", "TensorFlow 2.", "CPU cores", "Precision: ", "GB free in", "mnist"):
        assert word in result.stdout
    env = {**os.environ, "KERAS_BACKEND": "jax"}
    result = run("check", env=env)
    assert result.returncode == 1 and "[!!] KERAS_BACKEND is 'jax'" in result.stdout


@pytest.mark.slow
def test_fewer_images_than_a_batch_are_one_line(tmp_path):
    folder = folder_of_images(tmp_path / "few", 5)
    result = run("train", "pokemon", "--images", folder, "--run", tmp_path / "run", "--profile", "smoke")
    seen = split(result.stderr)[0]
    assert result.returncode == 2 and len(seen) == 1, seen
    assert "a batch of 16 cannot be drawn from 5 images" in seen[0]


def test_fetching_without_npm_is_one_line(tmp_path):
    env = {**os.environ, "PATH": str(tmp_path), "DCGAN_TF_CACHE": str(tmp_path / "cache")}
    result = run("datasets", "fetch", "pokemon", env=env)
    seen, imported = split(result.stderr)
    assert result.returncode == 2 and len(seen) == 1 and "tensorflow" not in imported
    assert "npm is needed" in seen[0] and "--images FOLDER" in seen[0] and "monsters" in seen[0]
    assert not (tmp_path / "cache").exists()
