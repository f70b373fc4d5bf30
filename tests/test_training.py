"""Whole runs: what the folder holds, resuming, refusals, interruption."""

import hashlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

import dcgan_tf as dcgan
from dcgan_tf import GAN, checkpoint, datasets, gif, models, presets, train
from dcgan_tf.errors import UserError
from dcgan_tf.sampling import load_generator
from dcgan_tf.training.callbacks import Callback, Estimate
from dcgan_tf.training.history import COLUMNS, JUDGED, History
from dcgan_tf.training.loop import decay

ROOT = Path(__file__).resolve().parent.parent
SHORT = {"sample_every": 2, "checkpoint_every": 2, "log_every": 1, "progress": False}
pytestmark = pytest.mark.slow


def small(seed=0, **overrides):
    """A GAN of the MNIST preset with batches of 8, and dropout, whose random stream must be resumed as well."""
    keras.utils.set_random_seed(seed)
    networks = models.mnist_generator(), models.mnist_discriminator(dropout=0.3)
    return GAN(*networks, presets.get("mnist"), seed, **{"batch_size": 8, **overrides})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of six steps that was never interrupted."""
    from dcgan_tf import datasets

    run = tmp_path_factory.mktemp("runs") / "whole"
    gan = small()
    history = train(gan, datasets.load("mnist", "test")[:96], steps=6, run=run, **SHORT)
    return run, gan, history


def test_a_run_folder_holds_all_that_is_promised(finished):
    run, _, history = finished
    found = {path.name for path in run.iterdir() if path.name != ".lock"}
    assert found == {
        "config.json",
        "history.csv",
        "samples",
        "losses.png",
        "training.gif",
        "checkpoints",
        "tensorboard",
    }
    assert [p.name for p in sorted((run / "samples").iterdir())] == [f"step_{s:07}.png" for s in (0, 2, 4, 6)]
    assert [p.name for p in checkpoint.folders(run)] == [f"step_{s:07}" for s in (2, 4, 6)]
    assert list((run / "tensorboard").glob("events.out.*"))
    assert json.loads((run / "config.json").read_text())["recipe"]["batch_size"] == 8
    assert not list(run.rglob("*partial*"))


def test_history_counts_steps_and_epochs(finished):
    run, _, history = finished
    assert history["step"].tolist() == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose(history["epoch"], history["step"] * 8 / 96)
    assert (run / "history.csv").read_text().splitlines()[0] == ",".join(COLUMNS)
    assert History.load(run / "history.csv")["g_loss"] == pytest.approx(history["g_loss"], rel=1e-5)


def test_samples_use_the_same_latents_throughout(finished):
    run, gan, _ = finished
    from dcgan_tf import figures
    from dcgan_tf.sampling import generate, latents

    expected = figures.grid(generate(gan.average, latents(64, 100, gan.seed)))
    np.testing.assert_array_equal(np.asarray(Image.open(run / "samples" / "step_0000006.png")), expected)


def test_the_gif_has_a_frame_for_each_sample(finished):
    with Image.open(finished[0] / "training.gif") as animation:
        assert animation.n_frames == 4
        assert animation.info["loop"] == 0


def test_tensorboard_gets_scalars_and_images(finished):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(finished[0] / "tensorboard")).Reload()
    told = set(events.Tags()["tensors"])
    assert set(COLUMNS) - {"step", "epoch", *JUDGED} <= told
    assert "samples" in events.Tags()["tensors"]
    assert [event.step for event in events.Tensors("g_loss")] == [1, 2, 3, 4, 5, 6]


def interrupt_after(gan, step):
    """Make the GAN behave as if Ctrl-C came after a step."""
    train_step = gan.train_step

    def interrupted(real):
        if int(gan.step) == step:
            raise KeyboardInterrupt
        return train_step(real)

    gan.train_step = interrupted
    return gan


def test_a_finished_run_is_left_alone(finished, digits, capsys):
    run, _, _ = finished
    before = (run / "history.csv").read_bytes()
    assert len(train(small(), digits, steps=6, run=run, **SHORT)) == 6
    assert "nothing left to do" in capsys.readouterr().out
    assert (run / "history.csv").read_bytes() == before


def test_going_back_to_a_checkpoint_forgets_what_came_after(digits, tmp_path, capsys):
    train(small(), digits, steps=6, run=tmp_path, **SHORT)
    train(small(), digits, steps=5, run=tmp_path, restore_from=tmp_path / "checkpoints" / "step_0000002", **SHORT)
    assert "at step 2" in capsys.readouterr().out
    assert History.load(tmp_path / "history.csv")["step"].tolist() == [1, 2, 3, 4, 5]
    assert checkpoint.folders(tmp_path)[-1].name == "step_0000005"
    assert not (tmp_path / "samples" / "step_0000006.png").exists()


def test_fresh_moves_the_old_run_aside(digits, tmp_path):
    run = tmp_path / "run"
    train(small(), digits, steps=2, run=run, **SHORT)
    gan = small()
    train(gan, digits, steps=1, run=run, fresh=True, **SHORT)
    assert int(gan.step) == 1
    assert (tmp_path / "run-old1" / "history.csv").exists()


@pytest.mark.parametrize("change", [{"seed": 1}, {"batch_size": 4}, {"generator_learning_rate": 5e-4}])
def test_another_recipe_does_not_go_on_with_a_run(finished, digits, change):
    with pytest.raises(UserError, match=f"was trained with {next(iter(change))}"):
        train(small(**change), digits, steps=8, run=finished[0], **SHORT)


@pytest.mark.parametrize(("gone", "goes_on"), [({"balance": False, "sizes": []}, True), ({"balance": True}, False)])
def test_a_run_of_an_older_version_goes_on_if_it_made_no_use_of_what_is_gone(digits, tmp_path, gone, goes_on):
    train(small(), digits, steps=2, run=tmp_path, **SHORT)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "recipe": config["recipe"] | gone}))
    if goes_on:
        assert len(train(small(), digits, steps=3, run=tmp_path, **SHORT)) == 3
    else:
        with pytest.raises(UserError, match="was trained with balance True"):
            train(small(), digits, steps=3, run=tmp_path, **SHORT)


def test_interruption_saves_and_returns_the_history(digits, tmp_path, capsys):
    history = train(interrupt_after(small(), 3), digits, steps=6, run=tmp_path, **SHORT)
    assert history.interrupted and history["step"].tolist() == [1, 2, 3]
    assert checkpoint.folders(tmp_path)[-1].name == "step_0000003"
    assert "Interrupted at step 3" in capsys.readouterr().out


def test_epochs_are_passes_over_the_data(digits, tmp_path):
    gan = small()
    train(gan, digits, epochs=0.5, run=tmp_path, **SHORT)
    assert int(gan.step) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "at least 1"),
        ({"steps": 2, "epochs": 1}, "not both"),
        ({"steps": 2, "sample_every": -1}, "at least 1"),
    ],
)
def test_lengths_that_make_no_sense_are_refused(digits, tmp_path, arguments, message):
    with pytest.raises(UserError, match=message):
        train(small(), digits, run=tmp_path / "run", **{**SHORT, **arguments})
    assert not (tmp_path / "run").exists()


def test_images_of_another_size_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"\(64, 64, 3\)"):
        train(small(), np.zeros((20, 64, 64, 3), np.uint8), steps=1, run=tmp_path)


def test_images_that_are_not_uint8_are_refused(digits, tmp_path):
    with pytest.raises(UserError, match="float32: give uint8 from 0 to 255"):
        train(small(), datasets.normalise(digits).numpy(), steps=1, run=tmp_path / "run", **SHORT)
    assert not (tmp_path / "run").exists()


def test_too_few_images_for_a_batch_leave_no_run_that_stands_in_the_way(digits, tmp_path):
    with pytest.raises(UserError, match="give 1 to 6"):
        train(small(), digits[:6], steps=1, run=tmp_path, **SHORT)
    train(small(batch_size=6), digits[:6], steps=1, run=tmp_path, **SHORT)


def test_a_gan_that_has_been_trained_does_not_begin_a_run(digits, tmp_path):
    gan = small()
    train(gan, digits, steps=2, run=tmp_path / "run", **SHORT)
    with pytest.raises(UserError, match="has already been trained for 2 steps: build a new one"):
        train(gan, digits, steps=2, run=tmp_path / "run", fresh=True, **SHORT)
    with pytest.raises(UserError, match="has already been trained for 2 steps: build a new one"):
        train(gan, digits, steps=4, run=tmp_path / "other", **SHORT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"], "nothing was moved or made"
    assert len(train(gan, digits, steps=3, run=tmp_path / "run", **SHORT)) == 3


def test_fresh_has_nothing_to_move_where_there_is_no_run(digits, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    train(small(), digits, steps=1, run=tmp_path / "run", fresh=True, **SHORT)
    assert not (tmp_path / "run-old1").exists() and "moved" not in capsys.readouterr().out


@pytest.mark.parametrize("text", ["{}", "{", "[]"])
def test_a_strange_config_is_one_line(digits, tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UserError, match=r"config.json is damaged, or was not written by `train`"):
        train(small(), digits, steps=1, run=tmp_path, **SHORT)


def test_a_folder_without_a_checkpoint_is_refused(digits, tmp_path):
    with pytest.raises(UserError, match="no checkpoint"):
        train(small(), digits, steps=1, run=tmp_path, restore_from=tmp_path, **SHORT)


@pytest.fixture
def watched(digits, tmp_path, monkeypatch):
    """A run whose KID is followed; the values come from a list, so that the second is the best."""
    from dcgan_tf import metrics

    kids = iter([0.5, 0.2, 0.9, 0.4, 0.3, 0.8])
    monkeypatch.setattr(metrics, "compare", lambda *_, **__: {"fid": 1.0, "kid": next(kids), "kid_error": 0.1})

    def go_on(gan, steps, **options):
        held_out = digits[::-1]
        return train(gan, digits, steps=steps, run=tmp_path, held_out=held_out, evaluate_every=2, **SHORT, **options)

    return go_on, tmp_path


def test_the_best_checkpoint_is_kept_and_the_newest_is_what_a_run_generates_with(watched):
    go_on, run = watched
    gan, kept = small(), {}
    train_step = gan.train_step

    def remember(real):
        results = train_step(real)
        kept[int(gan.step)] = gan.average.get_weights()
        return results

    gan.train_step = remember
    history = go_on(gan, 6)
    np.testing.assert_allclose(history["kid"], [np.nan, 0.5, np.nan, 0.2, np.nan, 0.9])
    assert [folder.name for folder in checkpoint.folders(run, "best")] == ["step_0000004"]
    for source, step in ((run, 6), (run / "best", 4), (run / "best" / "step_0000004", 4)):
        for found, expected in zip(load_generator(source).get_weights(), kept[step], strict=True):
            np.testing.assert_array_equal(found, expected)
    said = (run / "best" / "step_0000004" / "README.txt").read_text(encoding="utf-8")
    assert "step_0000004 had the lowest KID of this run until then: 0.2000 ± 0.1000" in said and "'mnist'" in said


def best(run):
    return [folder.name for folder in checkpoint.folders(run, "best")]


def test_a_resumed_run_keeps_the_best_and_one_that_goes_back_forgets_it(watched):
    go_on, run = watched
    go_on(small(), 6)
    go_on(small(), 8)  # 0.4: no better
    assert best(run) == ["step_0000004"]
    go_on(small(), 7, restore_from=run / "checkpoints" / "step_0000006")  # 0.3 at the last step
    assert best(run) == ["step_0000004"]


def test_a_run_that_goes_back_before_its_best_has_the_best_of_what_is_left(watched):
    go_on, run = watched
    go_on(small(), 4)
    aside = run.with_name(f"{run.name}-old1")
    try:
        go_on(small(), 3, restore_from=run / "checkpoints" / "step_0000002")  # 0.9 at step 3, where step 2 had 0.5
        for folder, name in ((run, "step_0000002"), (aside, "step_0000004")):
            assert best(folder) == [name] and name in (folder / "best" / name / "README.txt").read_text(
                encoding="utf-8"
            )
    finally:
        shutil.rmtree(aside)


def test_where_the_best_was_deleted_the_best_of_what_is_left_is_kept_and_said_to_be_so(watched):
    go_on, run = watched
    go_on(small(), 5)  # 0.9 at the last step
    assert best(run) == ["step_0000004"]
    shutil.rmtree(run / "best")
    go_on(small(), 7)  # 0.4 and 0.3
    said = "step_0000007 had the lowest KID of the checkpoints that are left until then: 0.3000 ± 0.1000"
    assert best(run) == ["step_0000007"]
    assert said in (run / "best" / "step_0000007" / "README.txt").read_text(encoding="utf-8")


def test_the_metric_that_is_followed_is_the_real_one(digits, tmp_path):
    history = train(small(), digits, steps=2, run=tmp_path, held_out=digits[:40], **SHORT)
    assert history["kid"][-1] > 1 and history["kid_error"][-1] > 0 and np.isnan(history["kid"][0])


def test_other_images_do_not_go_on_with_a_run(finished, digits):
    with pytest.raises(UserError, match="was trained with images"):
        train(small(), digits[:90], steps=8, run=finished[0], **SHORT)


def test_how_long_it_will_take_is_said_once_after_sixty_steps(monkeypatch, capsys):
    """At two seconds a step, 6,000 steps less 60 take 198 minutes."""
    clock = itertools.count(step=2.0)
    monkeypatch.setattr("dcgan_tf.training.callbacks.time.perf_counter", lambda: 0.0)
    estimate = Estimate()
    run = SimpleNamespace(step=0, steps=6_000, say=print)
    for run.step in range(1, 101):
        now = next(clock)
        monkeypatch.setattr("dcgan_tf.training.callbacks.time.perf_counter", lambda now=now: now)
        estimate.on_step_end(run)
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["About 198 minutes for the 5,940 steps left; stop at any time"]


def test_config_names_a_set_for_its_own_images_only(tmp_path, digits):
    for name, images, expected in (("part", digits, ""), ("whole", datasets.load("mnist"), "mnist")):
        train(small(), images, steps=1, run=tmp_path / name, **SHORT)
        assert json.loads((tmp_path / name / "config.json").read_text())["recipe"]["dataset"] == expected


def test_as_many_other_images_do_not_go_on_with_a_run(finished, digits):
    with pytest.raises(UserError, match="was trained on other images"):
        train(small(), digits[::-1], steps=8, run=finished[0], **SHORT)


@keras.saving.register_keras_serializable("tests")
class Doubled(keras.layers.Layer):
    """A layer of a user's own."""

    def call(self, inputs):
        return 2 * inputs


def own_networks():
    layers = keras.layers
    generator = keras.Sequential(
        [
            keras.Input((7,)),
            layers.Dense(8 * 8 * 4),
            layers.Reshape((8, 8, 4)),
            layers.Dropout(0.3),
            Doubled(),
            layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh"),
        ]
    )
    inputs = keras.Input((16, 16, 3))
    maps = layers.Conv2D(4, 3, 2, activation="gelu")(inputs)
    discriminator = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(layers.Dropout(0.3)(maps))))
    return generator, discriminator


def test_networks_of_ones_own_are_trained_resumed_loaded_and_exported(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), np.uint8)

    def trained(run, *lengths):
        for steps in lengths:
            keras.utils.set_random_seed(0)
            gan = GAN(*own_networks(), batch_size=4)
            train(gan, images, steps=steps, run=run, **SHORT)
        return gan

    gan = trained(tmp_path / "cut", 3, 6)
    for ours, theirs in zip(
        gan.generator.get_weights(), trained(tmp_path / "whole", 6).generator.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    expected = gan.generate(5, seed=3)
    np.testing.assert_allclose(dcgan.sample(tmp_path / "cut", 5, seed=3), expected, atol=1e-5)
    discriminator = dcgan.load_discriminator(tmp_path / "cut")
    np.testing.assert_allclose(discriminator(expected), gan.discriminator(expected), atol=1e-5)
    exported = keras.saving.load_model(dcgan.export(tmp_path / "cut", tmp_path / "own.keras"))
    np.testing.assert_allclose(dcgan.sample(exported, 5, seed=3), expected, atol=1e-5)


def described_anew(checkpoint, config):
    """Change what a checkpoint says of its generator, checksum and all."""
    file, plan = checkpoint / "generator.json", checkpoint / "plan.json"
    file.write_text(config)
    facts = json.loads(plan.read_text())
    facts["files"]["generator.json"] = hashlib.sha256(config.encode()).hexdigest()
    plan.write_text(json.dumps(facts))


def test_a_layer_that_keras_does_not_know_is_one_line(tmp_path):
    images = np.zeros((40, 16, 16, 3), np.uint8)
    train(GAN(*own_networks(), batch_size=4), images, steps=1, run=tmp_path, **SHORT)
    checkpoint = tmp_path / "checkpoints" / "step_0000001"
    config = (checkpoint / "generator.json").read_text()
    described_anew(checkpoint, config.replace("tests>Doubled", "tests>Elsewhere").replace('"Doubled"', '"Elsewhere"'))
    with pytest.raises(UserError, match="register your own layers") as error:
        load_generator(tmp_path)
    assert "\n" not in str(error.value)


def test_weights_of_another_network_are_not_taken_for_its_own(tmp_path):
    images = np.zeros((40, 16, 16, 3), np.uint8)
    train(GAN(*own_networks(), batch_size=4), images, steps=1, run=tmp_path, **SHORT)
    described_anew(tmp_path / "checkpoints" / "step_0000001", models.mnist_generator().to_json())
    with pytest.raises(UserError, match="not those of the generator") as error:
        load_generator(tmp_path)
    assert "\n" not in str(error.value)


def test_the_generator_of_a_run_can_be_loaded(finished):
    run, gan, _ = finished
    generator = load_generator(run)
    from dcgan_tf.sampling import generate, latents

    np.testing.assert_allclose(generate(generator, latents(4, 100)), gan.generate(4), atol=1e-6)


def test_a_gif_can_be_made_of_a_run(finished, tmp_path):
    with Image.open(gif.from_run(finished[0], tmp_path / "new" / "run.gif", ms=50)) as animation:
        animation.seek(1)
        assert animation.info["duration"] == 50


def test_a_gif_can_show_a_corner_and_fewer_frames(finished, tmp_path):
    from dcgan_tf import figures

    with Image.open(gif.from_run(finished[0], tmp_path / "small.gif", frames=3, corner=(3, 2))) as animation:
        assert animation.n_frames == 3
        last = np.asarray(animation.convert("L")).astype(int)
    whole = np.asarray(Image.open(sorted((finished[0] / "samples").iterdir())[-1]))
    assert last.shape == figures.grid(np.zeros((6, 28, 28, 1)), columns=3, scale=2).shape
    assert np.abs(last - whole[: last.shape[0], : last.shape[1]]).max() <= 5, "the samples, in 32 greys"


def test_a_gif_of_one_frame_shows_the_last(finished, tmp_path):
    whole = np.asarray(Image.open(sorted((finished[0] / "samples").iterdir())[-1])).astype(int)
    with Image.open(gif.from_run(finished[0], tmp_path / "last.gif", frames=1)) as animation:
        assert animation.n_frames == 1
        assert np.abs(np.asarray(animation.convert("L")) - whole).max() <= 5


def test_a_corner_of_two_columns_is_whole_images(tmp_path):
    from dcgan_tf import figures

    grid = figures.grid(np.zeros((64, 64, 64, 3)), columns=2)
    figures.save_png(grid, tmp_path / "samples" / "step_0000001.png")
    (tmp_path / "config.json").write_text(json.dumps({"recipe": {"classes": 2}, "seed": 0, "images": [9, 64, 64, 3]}))
    with Image.open(gif.from_run(tmp_path, tmp_path / "corner.gif", corner=(1, 1))) as animation:
        assert animation.size == (4 * 64, 4 * 64)


def test_callbacks_of_ones_own_are_told_of_each_step(digits, tmp_path):
    events = []

    class Mine(Callback):
        def on_train_begin(self, run):
            events.append(("begin", run.step))

        def on_step_end(self, run):
            assert run.gan is gan and float(run.results["g_loss"]) > 0
            events.append(("step", run.step, len(run.history)))

        def on_train_end(self, run):
            events.append(("end", run.history.interrupted))

    gan = small()
    train(gan, digits, steps=3, run=tmp_path, callbacks=[Mine()], **SHORT)
    assert events == [("begin", 0), ("step", 1, 1), ("step", 2, 2), ("step", 3, 3), ("end", False)]


def test_a_notebook_shows_the_newest_samples_in_place_of_the_ones_before(digits, tmp_path, monkeypatch):
    shown = []

    class Handle:
        def update(self, figure):
            shown.append(figure)

    def display(figure, display_id):
        shown.append(figure)
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    train(small(), digits, steps=5, run=tmp_path, callbacks=[dcgan.trainer.Live(2)], **SHORT)
    assert [figure.axes[0].get_title() for figure in shown] == ["step 0", "step 2", "step 4", "step 5"]
    assert len(shown[-1].axes[0].lines[0].get_xdata()) == 5


def test_outside_of_a_notebook_there_is_nothing_to_show_and_training_goes_on(digits, tmp_path):
    assert len(train(small(), digits, steps=3, run=tmp_path, callbacks=[dcgan.trainer.Live(1)], **SHORT)) == 3


def test_short_trainings_in_one_process_are_not_warned_of_retracing(digits, tmp_path, caplog):
    for i in range(6):
        train(small(seed=i), digits, steps=2, run=tmp_path / str(i), **SHORT)
    assert "retracing" not in caplog.text


@pytest.mark.parametrize(("step", "factor"), [(0, 1), (500, 1), (750, 0.5), (759, 0.5), (999, 0.02)])
def test_learning_rates_fall_in_a_line_from_the_chosen_share_on(step, factor):
    assert decay(step, 1_000, 0.5) == pytest.approx(factor)
    assert decay(step, 1_000, 1.0) == 1


def test_a_short_training_lowers_the_fid(tmp_path):
    from dcgan_tf import datasets, metrics

    gan = GAN.from_preset(replace(presets.get("mnist"), batch_size=16), "float32")

    def fid():
        return metrics.evaluate(gan.average, "mnist", "mnist", 500, progress=False, metrics=("fid",))["fid"]

    before = fid()
    train(gan, datasets.load("mnist"), steps=300, run=tmp_path, profile="smoke", progress=False)
    assert fid() < before / 2


def test_a_killed_process_goes_on_at_the_step_that_it_had_saved(tmp_path):
    """SIGKILL in the middle of the smoke profile, through the command line."""
    command = [sys.executable, "-m", "dcgan_tf", "train", "mnist", "--profile", "smoke", "--run", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.time() + 240
    while not checkpoint.folders(tmp_path):
        assert process.poll() is None and time.time() < deadline, "it ended before its first checkpoint"
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    saved = int(checkpoint.folders(tmp_path)[-1].name.removeprefix("step_"))
    assert saved < 40, "it was killed too late to show anything"
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"at step {saved}" in again.stdout
    assert again.stderr == ""
    steps = History.load(tmp_path / "history.csv")["step"]
    assert steps[-1] == 40 and (np.diff(steps) == 2).all()
    scores = json.loads((tmp_path / "metrics.json").read_text())
    assert scores["samples"] == 500 and scores["step"] == 40
