"""Runs that meet with an accident: damaged checkpoints, a full disk, a second process, losses that are no numbers."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

import dcgan_tf as dcgan
from dcgan_tf import checkpoint, guard, models, presets
from dcgan_tf.errors import Failure, UserError

pytestmark = pytest.mark.slow

PRESET = replace(presets.get("heroes"), sizes=(), shares=(), width=4, batch_size=4, augment="", flip=False)
IMAGES = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)


def trained(run, steps, gan=None, **options):
    gan = gan or dcgan.GAN.from_preset(PRESET)
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
    with pytest.raises(UserError, match="none of the 3 checkpoints .* is sound: begin anew with --fresh"):
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
    gan = dcgan.GAN.from_preset(replace(PRESET, **change))
    with pytest.raises(UserError, match=difference):
        checkpoint.restore(gan, checkpoint.folders(run)[-1])
    assert int(gan.step) == 0


def test_a_checkpoint_of_networks_made_by_hand_is_refused_by_their_size(run):
    gan = dcgan.GAN.from_preset(PRESET)
    other = dcgan.GAN(models.hero_generator(width=6), gan.discriminator, PRESET)
    with pytest.raises(UserError, match="generator parameters"):
        checkpoint.restore(other, checkpoint.folders(run)[-1])


def test_a_damaged_best_is_not_what_is_loaded(run, capsys):
    shutil.copytree(run / "checkpoints/step_0000002", run / "best/step_0000002")
    assert checkpoint.chosen(run).parent.name == "best"
    flip(shard(run / "best/step_0000002"))
    assert checkpoint.chosen(run) == run / "checkpoints/step_0000006"


def test_a_full_disk_leaves_the_checkpoint_before_it_whole(run):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    gan = dcgan.GAN.from_preset(PRESET)
    train_step = gan.train_step

    def fill(real):  # from the first step on no file can be longer than this
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        return train_step(real)

    gan.train_step = fill
    try:
        with pytest.raises(Failure, match="cannot be written .*; the (last checkpoint|checkpoint before it) is whole"):
            trained(run, 8, gan)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [folder.name for folder in checkpoint.folders(run)] == [f"step_{step:07}" for step in (2, 4, 6)]
    assert not list((run / "checkpoints").glob("partial*"))
    _, history = trained(run, 8)
    assert history["step"].tolist() == list(range(1, 9))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_losses_that_are_no_numbers_stop_the_run_at_the_last_checkpoint(run, value):
    gan = dcgan.GAN.from_preset(PRESET)
    train_step = gan.train_step

    def poisoned(real):
        results = train_step(real)
        return results | {"g_loss": tf.constant(value)} if int(gan.step) >= 9 else results

    gan.train_step = poisoned
    with pytest.raises(Failure, match="step 9: a loss is no longer a finite number.*step_0000008.*learning rates"):
        trained(run, 12, gan, log_every=3)
    assert int(gan.step) == 8
    assert checkpoint.step_of(checkpoint.folders(run)[-1]) == 8


HOLD = """
import sys, time
from pathlib import Path
from dcgan_tf import guard
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_between_two_steps(run, number):
    threading.Timer(0.5, os.kill, (os.getpid(), number)).start()
    before = signal.getsignal(number)
    gan, history = trained(run, 1_000_000)
    assert history.interrupted
    assert signal.getsignal(number) is before
    assert checkpoint.step_of(checkpoint.folders(run)[-1]) == int(gan.step) < 1_000_000


def test_a_run_can_be_interrupted_before_its_first_row(tmp_path):
    gan = dcgan.GAN.from_preset(PRESET)

    def interrupted():
        raise KeyboardInterrupt

    gan.turns = interrupted
    _, history = trained(tmp_path / "run", 4, gan)
    assert history.interrupted and not len(history)
    assert trained(tmp_path / "run", 4)[1]["step"].tolist() == [1, 2, 3, 4]


def test_a_checkpoint_can_be_taken_by_the_clock(run):
    gan = dcgan.GAN.from_preset(PRESET)
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
    watch = guard.Watch(IMAGES, patience=100)
    told = [watch.losses(step, 0.5 if step == 50 else 0.001) for step in range(0, 400, 10)]
    assert [step * 10 for step, warning in enumerate(told) if warning] == [160]
    assert "the discriminator has won" in told[16]


def test_a_collapse_is_told_of_once_and_not_before_the_samples_have_varied():
    watch = guard.Watch(IMAGES)
    same = np.broadcast_to(IMAGES[:1], IMAGES.shape)
    assert watch.samples(0, same) is None
    assert watch.samples(100, IMAGES) is None
    assert "collapsed: its samples vary 0%" in watch.samples(200, same)
    assert watch.samples(300, same) is None


def test_networks_that_have_just_grown_have_not_collapsed():
    watch = guard.Watch(IMAGES)
    watch.samples(100, IMAGES)
    watch.anew()
    assert watch.samples(200, np.broadcast_to(IMAGES[:1], IMAGES.shape)) is None
