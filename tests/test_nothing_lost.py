"""Nothing of the user's is removed, moved or written over, and nothing of ours is taken for the user's."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import dcgan_tf as dcgan
from dcgan_tf import datasets, metrics, presets, run_folder
from dcgan_tf.cli import main
from dcgan_tf.errors import UserError

PRESET = replace(presets.get("heroes"), width=4, batch_size=4, augment="", flip=False)
SCHEDULE = presets.Schedule(steps=4, sample_every=2, checkpoint_every=2, log_every=1)
IMAGES = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)
FRAMES = [np.zeros((8, 8), np.uint8), np.full((8, 8), 255, np.uint8)]
CUSTOM = ["train", "custom", "--images", ".", "--size", "16", "--width", "4", "--batch-size", "4"]


def trained(run, steps, gan=None, **options):
    gan = gan or dcgan.GAN.from_preset(PRESET, "float32")
    return dcgan.train(gan, IMAGES, steps=steps, run=run, schedule=SCHEDULE, **options)["step"].tolist()


def everything(folder):
    """What a folder holds: {name: content}."""
    return {path.relative_to(folder): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


WRITERS = {
    "a GIF": lambda path: dcgan.gif.save(FRAMES, path),
    "a PNG": lambda path: dcgan.figures.save_png(FRAMES[0], path),
    "a history": lambda path: dcgan.History().save(path),
    "ONNX": lambda path: dcgan.export("mnist", path.rename(path.with_suffix(".onnx"))),
    "a Keras file": lambda path: dcgan.export("mnist", path.rename(path.with_suffix(".keras"))),
}


@pytest.mark.parametrize("what", WRITERS)
@pytest.mark.parametrize("holds", ["a file", "nothing"])
def test_a_file_does_not_replace_a_folder(tmp_path, what, holds):
    folder = tmp_path / "precious"
    folder.mkdir()
    if holds == "a file":
        (folder / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="is a folder"):
        WRITERS[what](folder)
    (left,) = tmp_path.iterdir()
    assert left.is_dir() and [path.read_text() for path in left.iterdir()] == ["mine"] * (holds == "a file")


def test_a_folder_replaces_only_one_that_is_ours_and_has_been_left_as_it_was(tmp_path):
    mine, ours, file = tmp_path / "mine", tmp_path / "ours", tmp_path / "file"
    mine.mkdir()
    (mine / "saved_model.pb").write_text("of another program")
    file.write_text("mine")
    for _ in range(2):
        dcgan.export("mnist", ours)
    (ours / "notes.txt").write_text("mine")
    before = everything(tmp_path)
    for path, message in ((mine, "holds something else"), (ours, "holds something else"), (file, "is a file")):
        with pytest.raises(UserError, match=message):
            dcgan.export("mnist", path)
    assert everything(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_only_a_file_is_replaced_by_a_file_and_what_a_link_leads_to_stays(tmp_path):
    os.mkfifo(tmp_path / "pipe.gif")
    with pytest.raises(UserError, match="give another name"):
        dcgan.gif.save(FRAMES, tmp_path / "pipe.gif")
    (tmp_path / "mine.gif").write_text("mine")
    (tmp_path / "link.gif").symlink_to(tmp_path / "mine.gif")
    dcgan.gif.save(FRAMES, tmp_path / "link.gif")
    assert (tmp_path / "mine.gif").read_text() == "mine" and not (tmp_path / "link.gif").is_symlink()


@pytest.mark.slow
def test_a_run_among_files_of_the_users_leaves_them_alone(tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    for name in ("partial_fit.py", "src/partial_fit.py", "samples.txt", "best.txt"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text("mine")
    before = everything(folder)
    monkeypatch.chdir(folder)
    trained(".", 1, fresh=True)  # there is no run to move
    assert not (tmp_path / "folder-old1").exists()
    trained(".", 3)
    assert trained(".", 2, fresh=True) == [1, 2]
    assert before.items() <= everything(folder).items()
    aside = tmp_path / "folder-old1"
    assert (aside / "checkpoints" / "step_0000003").is_dir() and not (aside / "src").exists()


@pytest.mark.parametrize("name", ["history.csv", "samples", "training.gif", "checkpoints", "best"])
@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_with_files_under_a_runs_names_is_refused(tmp_path, name, fresh):
    folder = tmp_path / "folder"
    (folder / name).mkdir(parents=True)
    (folder / name / "mine").write_text("mine")
    with pytest.raises(UserError, match=f"{name} belongs to no run"):
        trained(folder, 2, fresh=fresh)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", name, "mine"]


class Killed(dcgan.GAN):
    """A GAN whose training ends at once, with nothing saved, as by `kill -9`."""

    def update_schedule(self):
        raise SystemExit


@pytest.mark.slow
@pytest.mark.parametrize("source", ["run/best", "elsewhere", "run/checkpoints"])
def test_a_run_that_went_back_and_was_killed_goes_on_from_there_and_nothing_is_lost(tmp_path, source, capsys):
    run, step = tmp_path / "run", 8 if source == "run/checkpoints" else 4
    chosen = tmp_path / source / f"step_{step:07}"
    trained(run, 4)
    if source != "run/checkpoints":
        shutil.copytree(run / "checkpoints" / chosen.name, chosen)
    trained(run, 12)  # of whose checkpoints the last three are left
    with pytest.raises(SystemExit):
        trained(run, 12, Killed.from_preset(PRESET, "float32"), restore_from=chosen)
    aside = tmp_path / "run-old1"
    assert f"is now in {aside}" in capsys.readouterr().out
    for kind, first in (("checkpoints", 10 if source == "run/checkpoints" else 8), ("samples", step + 2)):
        assert [run_folder.step_of(path) for path in run_folder.taken(aside, kind)] == list(range(first, 13, 2))
    assert trained(run, step + 1) == list(range(1, step + 2))
    assert f"at step {step}" in capsys.readouterr().out
    assert trained(aside, 13) == list(range(1, 14))
    assert "at step 12" in capsys.readouterr().out


@pytest.mark.slow
def test_what_stands_at_the_step_that_a_run_goes_back_to_is_kept_too(tmp_path):
    trained(tmp_path / "run", 4)
    other = dcgan.GAN.from_preset(PRESET, "float32")
    other.generator.trainable_variables[0].assign_add(other.generator.trainable_variables[0])
    trained(tmp_path / "other", 4, other)
    before, of_other = dcgan.load_generator(tmp_path / "run"), dcgan.load_generator(tmp_path / "other")
    trained(tmp_path / "run", 5, restore_from=tmp_path / "other" / "checkpoints" / "step_0000004")
    for name, network in (("run-old1", before), ("run/checkpoints/step_0000004", of_other)):
        found = dcgan.load_generator(tmp_path / name)
        for ours, theirs in zip(found.get_weights(), network.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def pictures(folder, count=30, seed=0):
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)):
        Image.fromarray(image).save(folder / f"{i:03}.png")


@pytest.mark.slow
def test_what_we_have_drawn_among_the_images_is_never_read_as_images(tmp_path, monkeypatch, capsys):
    pictures(tmp_path)
    monkeypatch.chdir(tmp_path)
    for command in (
        [*CUSTOM, "--steps", "2"],
        ["generate", "runs/custom", "--out", "drawn", "--count", "3"],
        ["generate", "runs/custom", "--out", "grid.png"],
        ["interpolate", "runs/custom", "--out", "walk.gif", "--walks", "1"],
        [*CUSTOM, "--steps", "2", "--fresh"],
        [*CUSTOM, "--steps", "3"],
    ):
        assert main(command) == 0
    assert "at step 2" in capsys.readouterr().out
    found = datasets.from_folder(".", 16)
    assert len(found.images) == 30
    assert {path.name for path, _ in found.skipped} == {
        *("custom", "custom-old1", "0000.png", "0001.png", "0002.png", "grid.png", "walk.gif"),
    }
    shutil.make_archive(str(tmp_path / "zipped"), "zip", tmp_path)
    assert len(datasets.from_folder(tmp_path / "zipped.zip", 16).images) == 30


@pytest.mark.slow
def test_a_run_in_the_folder_of_its_images_is_no_image_either(tmp_path, monkeypatch):
    pictures(tmp_path)
    pictures(tmp_path / "more", 2, seed=1)
    monkeypatch.chdir(tmp_path)
    for steps in ("2", "3"):
        assert main([*CUSTOM, "--run", ".", "--steps", steps]) == 0
    assert len(datasets.from_folder(".", 16).images) == 32


def test_a_run_of_an_older_version_is_known_by_its_config(tmp_path):
    pictures(tmp_path)
    pictures(tmp_path / "runs" / "custom" / "samples", 3, seed=1)
    (tmp_path / "runs" / "custom" / "config.json").write_text('{"recipe": {}, "seed": 0, "images": [30, 32, 32, 3]}')
    found = datasets.from_folder(tmp_path, 32)
    assert len(found.images) == 30
    assert [path.name for path, _ in found.skipped] == ["custom"]


def test_a_users_picture_is_not_written_over_by_generated_ones(tmp_path, capsys):
    pictures(tmp_path, 1)
    os.rename(tmp_path / "000.png", tmp_path / "0001.png")
    before = everything(tmp_path)
    assert main(["generate", "mnist", "--out", str(tmp_path), "--count", "3"]) == 2
    assert "0001.png is a file that this program has not drawn" in capsys.readouterr().err
    assert everything(tmp_path) == before
    for _ in range(2):
        assert main(["generate", "mnist", "--out", str(tmp_path / "new"), "--count", "3"]) == 0


def test_kids_standard_error_does_not_depend_on_an_order_of_labels():
    """Samples of ten labels, in turn, as `generate` gives them; a group of the jackknife must not be one label."""
    rng = np.random.default_rng(0)
    centres = 3 * rng.standard_normal((10, 8))

    def features(labels):
        return centres[labels] + rng.standard_normal((len(labels), 8))

    def estimate():
        return metrics.kernel_distance(features(np.arange(500) % 10), features(rng.integers(0, 10, 500)))

    values, errors = zip(*(estimate() for _ in range(40)), strict=True)
    assert 0.5 < np.mean(errors) / np.std(values) < 5  # 21 with groups of one label
