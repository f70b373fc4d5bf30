"""Runs that meet with an accident: damaged checkpoints, a full disk, a second process, losses that are no numbers."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

import dcgan_tf as dcgan
from dcgan_tf import callbacks, checkpoint, models, presets, run_folder
from dcgan_tf.errors import Failure, UserError
from dcgan_tf.runtime import files
from dcgan_tf.training import guard

pytestmark = pytest.mark.slow

PRESET = replace(presets.get("heroes"), width=4, batch_size=4, augment="", flip=False, loss="bce")
SCHEDULE = presets.Schedule(steps=6, sample_every=100, checkpoint_every=2, log_every=1)
IMAGES = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)


def new(**changes):
    return dcgan.GAN.from_preset(replace(PRESET, **changes), "float32")


def trained(run, steps, gan=None, callbacks=(), restore_from=None, **changes):
    schedule = replace(SCHEDULE, **changes)
    options = {"callbacks": callbacks, "schedule": schedule, "restore_from": restore_from}
    return dcgan.train(gan or new(), IMAGES, steps=steps, run=run, **options)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    run = tmp_path_factory.mktemp("sound")
    trained(run, 6)
    return run


@pytest.fixture
def run(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "run")


def steps_of(run):
    return [run_folder.step_of(folder) for folder in run_folder.taken(run)]


def data(folder):
    return next(folder.glob("state.data*"))


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


FAULTS = {
    "truncated data": lambda folder: cut(data(folder)),
    "one bit of the data": lambda folder: flip(data(folder)),
    "missing data": lambda folder: data(folder).unlink(),
    "a truncated index": lambda folder: cut(folder / "state.index"),
    "one bit of the index": lambda folder: flip(folder / "state.index"),
    "a missing index": lambda folder: (folder / "state.index").unlink(),
    "missing networks": lambda folder: (folder / "networks.json").unlink(),
    "half of the networks": lambda folder: cut(folder / "networks.json"),
    "an empty folder": lambda folder: [path.unlink() for path in folder.iterdir()],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(run, fault, capsys):
    FAULTS[fault](run / "checkpoints/step_0000006")
    assert checkpoint.newest(run / "checkpoints") == run / "checkpoints/step_0000004"
    assert "step_0000006 is damaged (" in capsys.readouterr().out


def test_a_run_goes_on_from_the_checkpoint_before_and_removes_what_is_damaged_or_unfinished(run, capsys):
    flip(data(run / "checkpoints/step_0000006"))
    unfinished = run / "checkpoints" / f"{files.PARTIAL}1-step_0000008"
    unfinished.mkdir()
    (unfinished / "state.index").touch()
    (run / f"{files.PARTIAL}1-history.csv").touch()
    assert trained(run, 7)["step"].tolist() == list(range(1, 8))
    assert "at step 4 (step_0000004)" in capsys.readouterr().out
    assert steps_of(run) == [4, 6, 7] and not any(map(checkpoint.fault, run_folder.taken(run)))
    assert not list(run.rglob(f"{files.PARTIAL}*"))


def test_no_sound_checkpoint_is_an_error_and_not_a_new_beginning(run):
    for folder in run_folder.taken(run):
        flip(data(folder))
    before = sorted(run.rglob("*"))
    with pytest.raises(UserError, match="every checkpoint in .*checkpoints is damaged: .* --fresh"):
        trained(run, 8)
    assert sorted(run.rglob("*")) == before


def test_a_damaged_checkpoint_that_was_asked_for_is_refused(run):
    flip(data(run / "checkpoints/step_0000004"))
    with pytest.raises(UserError, match="step_0000004 is damaged"):
        trained(run, 8, restore_from=run / "checkpoints/step_0000004")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: new(width=8), "its generator has"),
        (lambda: new(architecture="face"), "its generator has"),
        (lambda: new(optimizer="rmsprop"), ""),
        (lambda: dcgan.GAN(new().generator, models.hero_discriminator(width=6), PRESET), "its discriminator has"),
    ],
)
def test_a_checkpoint_of_other_networks_is_refused_and_changes_nothing(sound, other, message):
    gan = other()
    with pytest.raises(UserError, match=f"cannot be restored into this GAN: {message}"):
        checkpoint.restore(gan, sound / "checkpoints/step_0000006")
    assert int(gan.step) == 0


def test_a_damaged_best_is_not_what_is_loaded(run):
    shutil.copytree(run / "checkpoints/step_0000002", run / "best/step_0000002")
    assert checkpoint.find(run / "best") == run / "best/step_0000002"
    flip(data(run / "best/step_0000002"))
    with pytest.raises(UserError, match="every checkpoint in .* is damaged"):
        dcgan.load_generator(run / "best")
    assert checkpoint.find(run) == run / "checkpoints/step_0000006"


def test_a_full_disk_leaves_the_checkpoint_before_it_whole(run):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    class Fill(callbacks.Callback):
        def on_train_begin(self, run):  # from here on no file can be longer than this
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))

    try:
        with pytest.raises(Failure, match="cannot be written .*it goes on from the .*checkpoint"):
            trained(run, 8, callbacks=[Fill()])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert steps_of(run) == [2, 4, 6]
    assert not list((run / "checkpoints").glob(f"{files.PARTIAL}*"))
    assert trained(run, 8)["step"].tolist() == list(range(1, 9))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_losses_that_are_no_numbers_stop_the_run_at_the_last_checkpoint(run, value):
    gan = new()
    train_step = gan.train_step
    gan.train_step = lambda real: train_step(real) | ({"g_loss": tf.constant(value)} if int(gan.step) >= 9 else {})
    with pytest.raises(Failure, match="step 9: a loss is no longer a finite number.*step_0000008"):
        trained(run, 12, gan, log_every=3)
    assert int(gan.step) == steps_of(run)[-1] == 8


@pytest.mark.parametrize("last", [8, 9])
def test_weights_that_are_no_numbers_are_not_kept(run, last):
    """The losses of a step are those before its update, so an update that ruins the weights is not in them."""
    gan = new()
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
    assert trained(run, 10)["step"].tolist() == list(range(1, 11))


def test_a_checkpoint_is_flushed_by_a_handle_that_may_write(tmp_path, monkeypatch):
    """Windows refuses to flush a file that was opened for reading alone."""
    fcntl = pytest.importorskip("fcntl")
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(fcntl.fcntl(handle, fcntl.F_GETFL)))
    checkpoint.save(new(), tmp_path)
    assert len(flushed) >= 3 and all(flags & (os.O_RDWR | os.O_WRONLY) for flags in flushed)


HOLD = """
import sys, time
from pathlib import Path
from dcgan_tf.training import guard
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
    assert trained(run, 8)["step"][-1] == 8


class SignalAt(callbacks.Callback):
    """Sends this process a signal after a step: sent by the clock it could come before the run listens, and be lost."""

    def __init__(self, step, number):
        self.step, self.number = step, number

    def on_step_end(self, run):
        if run.step == self.step:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_between_two_steps(run, number, capsys):
    before = signal.getsignal(number)
    history = trained(run, 100, callbacks=[SignalAt(9, number)])
    assert history.interrupted and history["step"][-1] == steps_of(run)[-1] == 9
    assert "Interrupted at step 9" in capsys.readouterr().out
    assert signal.getsignal(number) is before


def test_a_run_can_be_interrupted_before_its_first_row(tmp_path):
    class Impatient(callbacks.Callback):
        def on_train_begin(self, run):
            os.kill(os.getpid(), signal.SIGINT)

    history = trained(tmp_path / "run", 4, callbacks=[Impatient()])
    assert history.interrupted and not len(history)
    assert trained(tmp_path / "run", 4)["step"].tolist() == [1, 2, 3, 4]


def test_a_checkpoint_is_taken_by_the_clock_too(run, monkeypatch):
    monkeypatch.setattr(callbacks, "CHECKPOINT_MINUTES", 0)
    trained(run, 9, checkpoint_every=1_000)
    assert steps_of(run) == [7, 8, 9]


def test_a_collapse_is_told_of_once_and_not_before_the_samples_have_varied():
    watch = guard.CollapseWatch(IMAGES)
    same = np.broadcast_to(IMAGES[:1], IMAGES.shape)
    assert watch.warning(0, same) is None
    assert watch.warning(100, IMAGES) is None
    assert "collapsed: its samples vary 0%" in watch.warning(200, same)
    assert watch.warning(300, same) is None
