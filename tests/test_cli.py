"""The command line, as a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


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
        (["train", "mnist", "--images", "/nonexistent"], "no folder /nonexistent"),
        (["generate", "nosuch"], "no run folder or released generator named 'nosuch'"),
        (["train", "mnist", "--steps", "-1"], "number above 0"),
        (["train", "mnist", "--epochs", "nan"], "number above 0"),
        (["train", "mnist", "--steps", "5", "--epochs", "1"], "not allowed with"),
        (["train", "mnist", "--profile", "fast"], "invalid choice"),
        (["train", "mnist", "--precision", "int8"], "invalid choice"),
        (["train", "mnist", "--seed", "-3"], "seed"),
        (["train", "mnist", "--from", "nowhere"], "no checkpoint in nowhere"),
        (["train", "mnist", "--run", "LICENSE"], "is a file"),
        (["train"], "required"),
        (["gif", "nowhere"], "no samples in nowhere"),
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


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["generate", "--help"], ["gif", "--help"]])
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
