"""Runs that meet with an accident: damaged checkpoints, a full disk, a second process, losses that are no numbers."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

import dcgan_tf as dcgan
from dcgan_tf import checkpoint, models, presets
from dcgan_tf.errors import Failure, UserError
from dcgan_tf.runtime import files
from dcgan_tf.training import guard
from dcgan_tf.training.callbacks import Callback

pytestmark = pytest.mark.slow

PRESET = replace(presets.get("heroes"), width=4, batch_size=4, augment="", flip=False, loss="bce")
IMAGES = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)


def trained(run, steps, gan=None, **options):
    gan = gan or dcgan.GAN.from_preset(PRESET, "float32")
    options = {"checkpoint_every": 2, "log_every": 1, "sample_every": 100, "progress": False} | options
    return gan, dcgan.train(gan, IMAGES, steps=steps, run=run, **options)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    run = tmp_path_factory.mktemp("sound")
    trained(run, 6)
    return run


@pytest.fixture
def run(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "run")


def shard(folder):
    return next(folder.glob("state.data*"))


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


FAULTS = {
    "a truncated shard": lambda folder: cut(shard(folder)),
    "one bit of a shard": lambda folder: flip(shard(folder)),
    "a missing shard": lambda folder: shard(folder).unlink(),
    "an empty index": lambda folder: (folder / "state.index").write_bytes(b""),
    "a missing index": lambda folder: (folder / "state.index").unlink(),
    "a missing plan": lambda folder: (folder / "plan.json").unlink(),
    "half a plan": lambda folder: cut(folder / "plan.json"),
    "an empty folder": lambda folder: [path.unlink() for path in folder.iterdir()],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(run, fault, capsys):
    FAULTS[fault](run / "checkpoints/step_0000006")
    _, history = trained(run, 8)
    printed = capsys.readouterr().out
    assert "step_0000006 is damaged (" in printed
    assert "at step 4 (step_0000004)" in printed
    assert history["step"].tolist() == list(range(1, 9))
    assert checkpoint.fault(checkpoint.folders(run)[-1]) is None


def test_no_sound_checkpoint_is_an_error_and_not_a_new_beginning(run):
    for folder in checkpoint.folders(run):
        flip(shard(folder))
    before = sorted(run.rglob("*"))
    with pytest.raises(UserError, match="every checkpoint in .*checkpoints is damaged: .* --fresh"):
        trained(run, 8)
    assert sorted(run.rglob("*")) == before


def test_a_damaged_checkpoint_that_was_asked_for_is_refused(run):
    flip(shard(run / "checkpoints/step_0000004"))
    with pytest.raises(UserError, match="step_0000004 is damaged"):
        trained(run, 8, restore_from=run / "checkpoints/step_0000004")


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"width": 8}, "width: 4, not 8"),
        ({"architecture": "face"}, "architecture: 'hero', not 'face'"),
        ({"optimizer": "rmsprop"}, "optimizer: 'adam', not 'rmsprop'"),
    ],
)
def test_a_checkpoint_of_other_networks_is_refused_by_the_name_of_the_difference(run, change, difference):
    gan = dcgan.GAN.from_preset(replace(PRESET, **change), "float32")
    with pytest.raises(UserError, match=difference):
        checkpoint.restore(gan, checkpoint.folders(run)[-1])
    assert int(gan.step) == 0


def test_a_checkpoint_of_networks_made_by_hand_is_refused_by_their_size(run):
    gan = dcgan.GAN.from_preset(PRESET, "float32")
    other = dcgan.GAN(models.hero_generator(width=6), gan.discriminator, PRESET)
    with pytest.raises(UserError, match="generator parameters"):
        checkpoint.restore(other, checkpoint.folders(run)[-1])


def test_a_damaged_best_is_not_what_is_loaded(run, capsys):
    shutil.copytree(run / "checkpoints/step_0000002", run / "best/step_0000002")
    assert checkpoint.find(run / "best") == run / "best/step_0000002"
    flip(shard(run / "best/step_0000002"))
    with pytest.raises(UserError, match="every checkpoint in .* is damaged"):
        dcgan.load_generator(run / "best")
    assert checkpoint.find(run) == run / "checkpoints/step_0000006"


def test_a_full_disk_leaves_the_checkpoint_before_it_whole(run):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    gan = dcgan.GAN.from_preset(PRESET, "float32")
    train_step = gan.train_step

    def fill(real):  # from the first step on no file can be longer than this
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        return train_step(real)

    gan.train_step = fill
    try:
        with pytest.raises(
            Failure, match="cannot be written .*it goes on from the (last checkpoint|checkpoint before)"
        ):
            trained(run, 8, gan)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [folder.name for folder in checkpoint.folders(run)] == [f"step_{step:07}" for step in (2, 4, 6)]
    assert not list((run / "checkpoints").glob(f"{files.PARTIAL}*"))
    _, history = trained(run, 8)
    assert history["step"].tolist() == list(range(1, 9))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_losses_that_are_no_numbers_stop_the_run_at_the_last_checkpoint(run, value):
    gan = dcgan.GAN.from_preset(PRESET, "float32")
    train_step = gan.train_step

    def poisoned(real):
        results = train_step(real)
        return results | {"g_loss": tf.constant(value)} if int(gan.step) >= 9 else results

    gan.train_step = poisoned
    with pytest.raises(Failure, match="step 9: a loss is no longer a finite number.*step_0000008.*learning rates"):
        trained(run, 12, gan, log_every=3)
    assert int(gan.step) == 8
    assert checkpoint.step_of(checkpoint.folders(run)[-1]) == 8


@pytest.mark.parametrize("last", [8, 9])
def test_weights_that_are_no_numbers_are_not_kept(run, last):
    """The losses of a step are those before its update, so an update that ruins the weights is not in them."""
    gan = dcgan.GAN.from_preset(PRESET, "float32")
    train_step = gan.train_step

    def poisoned(real):
        results = train_step(real)
        if int(gan.step) == last:
            weight = gan.generator.trainable_variables[0]
            weight.assign(weight * np.nan)
        return results

    gan.train_step = poisoned
    sound_one = "step_0000006" if last == 8 else "step_0000008"  # a checkpoint is taken at every second step
    with pytest.raises(Failure, match=f"step {last}: a weight is no longer a finite number.*{sound_one}"):
        trained(run, last, gan)
    resumed, history = trained(run, 12)
    assert history["step"].tolist() == list(range(1, 13))
    assert all(np.isfinite(weight).all() for weight in resumed.average.get_weights())


def test_a_checkpoint_is_flushed_by_a_handle_that_may_write(run, monkeypatch):
    """Windows refuses to flush a file that was opened for reading alone."""
    fcntl = pytest.importorskip("fcntl")
    flushed = []

    def fsync(handle):
        assert fcntl.fcntl(handle, fcntl.F_GETFL) & (os.O_RDWR | os.O_WRONLY)
        flushed.append(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    trained(run, 7)
    assert len(flushed) >= 3


def test_going_back_loses_nothing(run, capsys):
    """What came after the chosen checkpoint becomes a run of its own, before one step is taken."""
    trained(run, 8, sample_every=8)

    class Fails(dcgan.GAN):
        def update_schedule(self):
            raise RuntimeError("before the first step")

    with pytest.raises(RuntimeError, match="before the first step"):
        trained(run, 12, Fails.from_preset(PRESET, "float32"), restore_from=run / "checkpoints" / "step_0000004")
    aside = run.with_name("run-old1")
    assert f"is now in {aside}" in capsys.readouterr().out
    assert [folder.name for folder in checkpoint.folders(aside)] == ["step_0000006", "step_0000008"]
    assert {path.name for path in (aside / "samples").iterdir()} == {"step_0000006.png", "step_0000008.png"}
    _, history = trained(aside, 9)
    assert history["step"].tolist() == list(range(1, 10))
    _, history = trained(run, 5)
    assert history["step"].tolist() == list(range(1, 6))


def test_what_a_killed_process_left_unfinished_is_removed(run):
    unfinished = run / "checkpoints" / f"{files.PARTIAL}1-step_0000008"
    unfinished.mkdir()
    (unfinished / "state.index").touch()
    (run / f"{files.PARTIAL}1-history.csv").touch()
    trained(run, 8)
    assert not list(run.rglob(f"{files.PARTIAL}*"))


def test_too_few_held_out_images_are_refused_before_the_first_step(tmp_path):
    with pytest.raises(UserError, match="give 20 or more"):
        trained(tmp_path / "run", 4, held_out=IMAGES[:10])
    assert not (tmp_path / "run").exists()


HOLD = """
import sys, time
from pathlib import Path
from dcgan_tf.runtime import files
from dcgan_tf.training import guard
from dcgan_tf.training.callbacks import Callback
with guard.lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_and_a_dead_one_holds_nothing(run):
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(run)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UserError, match="being trained by another process"):
            trained(run, 8)
    finally:
        other.kill()
        other.wait()
    _, history = trained(run, 8)
    assert history["step"][-1] == 8


class SignalAt(Callback):
    """Sends this process a signal after a step: sent by the clock it could come before the run listens, and be lost."""

    def __init__(self, step, number):
        self.step, self.number = step, number

    def on_step_end(self, run):
        if run.step == self.step:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_between_two_steps(run, number):
    before = signal.getsignal(number)
    gan, history = trained(run, 100, callbacks=[SignalAt(9, number)])
    assert history.interrupted
    assert signal.getsignal(number) is before
    assert checkpoint.step_of(checkpoint.folders(run)[-1]) == int(gan.step) == 9


def test_a_run_can_be_interrupted_before_its_first_row(tmp_path):
    gan = dcgan.GAN.from_preset(PRESET, "float32")

    def interrupted():
        raise KeyboardInterrupt

    gan.update_schedule = interrupted
    _, history = trained(tmp_path / "run", 4, gan)
    assert history.interrupted and not len(history)
    assert trained(tmp_path / "run", 4)[1]["step"].tolist() == [1, 2, 3, 4]


def test_a_checkpoint_can_be_taken_by_the_clock(run):
    gan = dcgan.GAN.from_preset(PRESET, "float32")
    train_step = gan.train_step

    def slow(real):
        time.sleep(0.1)
        return train_step(real)

    gan.train_step = slow
    trained(run, 12, gan, checkpoint_every=1_000, checkpoint_minutes=0.2 / 60)
    steps = [checkpoint.step_of(folder) for folder in checkpoint.folders(run)]
    assert len(steps) == 3
    assert steps[-1] - steps[0] <= 6


def test_a_discriminator_that_has_won_is_told_of_once():
    watch = guard.WonWatch(patience=100)
    told = [watch.check(step, 0.5 if step == 50 else 0.001) for step in range(0, 400, 10)]
    assert [step * 10 for step, warning in enumerate(told) if warning] == [160]
    assert "the discriminator has won" in told[16]


def losing_by(loss, tmp_path, monkeypatch):
    monkeypatch.setattr(guard.WonWatch.__init__, "__defaults__", (4,))
    gan = dcgan.GAN.from_preset(replace(PRESET, loss=loss), "float32")
    train_step = gan.train_step
    gan.train_step = lambda real: train_step(real) | {"d_loss": tf.constant(-5.0)}
    trained(tmp_path / "run", 12, gan)


def test_a_critic_with_a_negative_loss_has_not_won(tmp_path, monkeypatch, capsys):
    """Its loss is minus a distance: the more negative, the farther the generator still is."""
    losing_by("wasserstein", tmp_path, monkeypatch)
    assert "has won" not in capsys.readouterr().out


def test_a_discriminator_that_wins_is_told_of_in_the_run(tmp_path, monkeypatch, capsys):
    losing_by("bce", tmp_path, monkeypatch)
    assert capsys.readouterr().out.count("the discriminator has won") == 1


def test_a_collapse_is_told_of_once_and_not_before_the_samples_have_varied():
    watch = guard.CollapseWatch(IMAGES)
    same = np.broadcast_to(IMAGES[:1], IMAGES.shape)
    assert watch.check(0, same) is None
    assert watch.check(100, IMAGES) is None
    assert "collapsed: its samples vary 0%" in watch.check(200, same)
    assert watch.check(300, same) is None
