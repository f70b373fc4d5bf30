"""The command line: what it refuses, prints, writes and returns."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from dcgan_tf import History, cli, datasets

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def answer(capsys, tmp_path, monkeypatch):
    """Call the command line in an empty folder: (exit code, what it prints, the lines of its error)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err.splitlines()

    return run


def process(*arguments, **environment):
    command = [sys.executable, "-X", "importtime", "-m", "dcgan_tf", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | environment)


OWN = ("train", "custom", "--images", ".")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "required"),
        (("paint",), "invalid choice"),
        (("train", "mnits"), "did you mean 'mnist'"),
        (("train", "mnist", "--images", "nowhere"), "nowhere is not a folder"),
        (("train", "mnist", "--images", "file"), "file is not a folder"),
        (("train", "mnist", "--epochs", "nan"), "number above 0"),
        (("train", "mnist", "--steps", "5", "--epochs", "1"), "not allowed with"),
        (("train", "mnist", "--profile", "fast"), "invalid choice"),
        (("train", "mnist", "--precision", "int8"), "invalid choice"),
        (("train", "mnist", "--seed", "-3"), "4294967295"),
        (("train", "mnist", "--sample-every", "1.5"), "--sample-every"),
        (("train", "mnist", "--from", "nowhere"), "no checkpoint in nowhere"),
        (("train", "mnist", "--run", "file"), "file is a file"),
        (("train", "mnist", "--run", "file/deeper"), "file/deeper cannot be written into"),
        (("train", "custom"), "needs images"),
        (("train", "mnist", "--size", "32"), "--size is for images of your own"),
        (("train", "heroes", "--alpha"), "--alpha is for images of your own"),
        (("train", "heroes", "--no-flip"), "--flip and --no-flip are for images of your own"),
        (("train", "mnist", "--images", ".", "--width", "8"), "one width"),
        (("train", "mnist", "--images", ".", "--like", "anime"), "--like is for"),
        (("train", "mnist-conditional", "--images", "."), "needs labels"),
        ((*OWN, "--size", "100"), "96x96 and 112x112"),
        ((*OWN, "--size", "64x"), "128, or 64x96"),
        ((*OWN, "--augment", "colour"), "color,translation,cutout"),
        ((*OWN, "--like", "nosuch"), "no preset named 'nosuch'"),
        ((*OWN, "--grey", "--alpha"), "not allowed with"),
        (("generate", "nosuch"), "no run folder or released generator named 'nosuch'"),
        (("generate", "mnist", "--count", "0"), "number above 0"),
        (("generate", "mnist", "--label", "9-0"), "--label"),
        (("generate", "mnist", "--label", "3"), "without labels"),
        (("generate", "mnist", "--out", "file"), "file is a file"),
        (("generate", "mnist", "--out", "x.jpg"), "ends in .png"),
        (("interpolate", "mnist", "--out", "walk.mp4"), ".gif or .png"),
        (("evaluate", "nosuch"), "no run folder or released generator named 'nosuch'"),
        (("evaluate", "mnist", "--metrics", "fid,kidd"), "did you mean 'kid'"),
        (("evaluate", "mnist", "--extractor", "inseption"), "invalid choice: 'inseption'"),
        (("evaluate", "mnist", "--samples", "10"), "20 or more"),
        (("evaluate", "mnist", "--neighbours", "near.jpg"), "ends in .png"),
        (("evaluate", "heroes", "--extractor", "mnist", "--samples", "20", "--metrics", "kid"), "not of 64x64x3"),
        (("gif", "nowhere"), "no samples in nowhere"),
        (("export", "mnist"), "--out"),
        (("datasets", "fetch"), "required"),
        (("datasets", "fetch", "pokemn"), "did you mean 'pokemon'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(answer, tmp_path, arguments, message):
    (tmp_path / "file").write_text("neither a folder nor an archive")
    code, _, lines = answer(*arguments)
    assert code == 2 and len(lines) == 1 and message in lines[0], lines


@pytest.mark.parametrize("option", cli.GONE)
def test_an_option_that_has_gone_is_refused_by_what_replaces_it(answer, option):
    for command in (("train", "mnist"), ("interpolate", "mnist"), ("evaluate", "mnist"), ("gif", "nowhere")):
        for given in ((option, "3"), (f"{option}=3",)):
            code, _, lines = answer(*command, *given)
            assert code == 2 and len(lines) == 1 and option in lines[0] and cli.GONE[option] in lines[0]


@pytest.mark.parametrize(
    "arguments", [["train", "mnits"], ["gif", "nowhere"], ["evaluate", "mnist", "--metrics", "kidd"]]
)
def test_a_process_ends_with_one_line_and_code_2_before_tensorflow_starts(arguments):
    result = process(*arguments)
    seen = [line for line in result.stderr.splitlines() if not line.startswith("import time:")]
    assert (result.returncode, result.stdout, len(seen)) == (2, "", 1), result
    assert "tensorflow" not in result.stderr.replace(seen[0], "")


def test_help_is_there(capsys):
    for command in ("", "train", "generate", "interpolate", "evaluate", "gif", "export", "check", "datasets"):
        with pytest.raises(SystemExit) as end:
            cli.main([*command.split(), "--help"])
        assert end.value.code == 0 and f"{command} " in capsys.readouterr().out.splitlines()[0]


def test_fetching_without_npm_is_one_line(answer, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DCGAN_TF_CACHE", str(tmp_path / "cache"))
    code, _, (line,) = answer("datasets", "fetch", "pokemon")
    assert code == 2 and "npm is needed" in line and "--images FOLDER" in line and "monsters" in line
    assert not (tmp_path / "cache").exists()


def test_datasets_lists_every_set(answer):
    code, printed, errors = answer("datasets")
    assert (code, errors) == (0, [])
    assert [line.split()[0] for line in printed.splitlines()] == datasets.names()
    assert "60,000 to train on" in printed


def test_generate_writes_the_same_file_for_the_same_seed(answer, tmp_path):
    files = [tmp_path / "new" / "a.png", tmp_path / "b.png", tmp_path / "c.png"]
    for file, seed in zip(files, (0, 0, 1), strict=True):
        assert answer("generate", "mnist", "--seed", seed, "--out", file)[::2] == (0, [])
    assert files[0].read_bytes() == files[1].read_bytes() != files[2].read_bytes()


def test_interpolate_writes_a_looping_gif_or_a_strip(answer, tmp_path):
    for name in ("walk.GIF", "walk.png"):  # a suffix in capitals is the same suffix
        code, printed, errors = answer("interpolate", "mnist", "--walks", 2, "--out", tmp_path / "new" / name)
        assert (code, errors) == (0, []) and name in printed
    with Image.open(tmp_path / "new" / "walk.GIF") as animation:
        assert (animation.format, animation.n_frames, animation.info["loop"]) == ("GIF", 48, 0)
    with Image.open(tmp_path / "new" / "walk.png") as strip:
        assert strip.size == (48 * 28 + 47, 2 * 28 + 1), "two rows of 48, a pixel between them"


@pytest.mark.slow
def test_evaluate_judges_a_released_generator_by_all_metrics(answer, tmp_path):
    code, printed, _ = answer("evaluate", "mnist", "--samples", 300, "--neighbours", tmp_path / "near.png")
    assert code == 0 and (tmp_path / "near.png").exists()
    for word in ("300 samples against 10,000 held-out images", "FID", "KID", "inception score", "MS-SSIM", "coverage"):
        assert word in printed
    code, printed, _ = answer("evaluate", "monsters", "--samples", 20, "--metrics", "kid,is")
    assert code == 0 and "KID" in printed
    assert "FID" not in printed and "inception score" not in printed, "not asked for; a judge without classes"


@pytest.mark.slow
def test_a_run_can_be_compiled_with_xla_and_asked_to_repeat_itself(tmp_path):
    """In a process of its own: these are settings of the whole of TensorFlow."""
    result = process(
        "train", "mnist", "--steps", 3, "--run", tmp_path, "--profile", "smoke", "--xla", "--deterministic"
    )
    assert result.returncode == 0, result.stderr[-2_000:]
    assert History.load(tmp_path / "history.csv")["step"][-1] == 3


@pytest.mark.slow
def test_a_run_says_that_the_monsters_stood_in_for_pokemon(answer, tmp_path):
    code, printed, _ = answer("train", "pokemon", "--steps", 1, "--run", tmp_path / "run")
    assert code == 0 and "the monsters take their place" in printed
    assert json.loads((tmp_path / "run" / "config.json").read_text())["recipe"]["dataset"] == "monsters"


@pytest.mark.slow
def test_few_images_and_images_all_alike_and_alpha_for_none_are_said(answer, tmp_path):
    for i, image in enumerate(datasets.load("heroes")[:30]):
        Image.fromarray(image // 64 + 100).save(tmp_path / f"{i}.png")
    small = ("--steps", 1, "--width", 8, "--batch-size", 4, "--run", "run", "--profile", "cpu")
    code, printed, _ = answer(*OWN, *small)
    assert code == 0 and "Only 30 images" in printed and "nearly all alike" in printed and "'short'" in printed
    code, _, (line,) = answer(*OWN, *small, "--alpha")
    assert code == 2 and "leave --alpha out" in line
    code, _, (line,) = answer(*OWN, "--batch-size", 31, "--run", "other")
    assert code == 2 and "a batch of 31 cannot be drawn from 30 images" in line


def test_check_says_what_the_machine_is(answer):
    code, printed, _ = answer("check")
    marks = [line[:4] for line in printed.splitlines()]
    assert code == 0 and len(marks) >= 8 and set(marks) <= {"[OK]", "[--]"}, printed
    for word in ("Python 3.", "TensorFlow 2.", "CPU cores", "Precision: ", "GB free in", "mnist"):
        assert word in printed
    result = process("check", KERAS_BACKEND="jax")
    assert result.returncode == 1 and "[!!]" in result.stdout and "KERAS_BACKEND is 'jax'" in result.stdout
