"""Several devices and several processes: they train one GAN together, resume it, and one of them writes the run."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from dcgan_tf import GAN, devices, distribution, presets, train
from dcgan_tf.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 64, 64, 3), dtype=np.uint8)
PRESET = replace(
    presets.get("heroes"), width=4, batch_size=8, augment="", flip=False,
    generator_learning_rate=0.01, discriminator_learning_rate=0.01,
)  # fmt: skip


class SameLatents(GAN):
    """A GAN whose n-th image of a batch has one latent, however many devices share the batch."""

    def latents(self, count):
        import tensorflow as tf

        whole = tf.random.stateless_normal([self.preset.batch_size, self.latent_dim], tf.stack([7, self.step]))
        first = distribution.replica() * count if distribution.replicas() > 1 else 0
        return whole[first : first + count]


def trained(run, strategy, *lengths, **changes):
    """The weights at the beginning of a run, and at its end; by SGD, as Adam hides the scale of gradients."""
    before = None
    for steps in lengths:
        with strategy.scope():
            gan = SameLatents.from_preset(replace(PRESET, **changes), "float32")
            gan.generator_optimizer, gan.discriminator_optimizer = (keras.optimizers.SGD() for _ in range(2))
        networks = gan.generator, gan.discriminator, gan.average
        before = before or [weight for network in networks for weight in network.get_weights()]
        train(gan, IMAGES, steps=steps, run=run, schedule=presets.Schedule(4, 2, 2))
    return before, [weight for network in networks for weight in network.get_weights()]


def on_two_devices(folder):
    """What the test below has another process do, as this one's devices are settled."""
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    two = distribution.strategy("mirrored")
    with pytest.raises(UserError, match="a batch of 7 cannot be split over 2 devices"):
        trained(Path(folder) / "seven", two, 1, batch_size=7)
    start, found = trained(Path(folder) / "two", two, 2, 4)  # interrupted and resumed
    before, expected = trained(Path(folder) / "one", distribution.strategy("none"), 4)
    for old, other, a, b in zip(before, start, expected, found, strict=True):
        np.testing.assert_array_equal(old, other)
        assert np.linalg.norm(a - b) <= 1e-3 * np.linalg.norm(a - old) + 1e-6, "the same but for rounding"


@pytest.mark.slow
def test_two_devices_train_as_one_and_resume(tmp_path):
    command = [sys.executable, "-c", f"import test_distribution as t; t.on_two_devices({str(tmp_path)!r})"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(command, check=True, cwd=ROOT / "tests", env=environment)


def workers(run, steps, *kinds):
    """Processes that train one run together."""
    held = [socket.socket() for _ in kinds]
    for each in held:
        each.bind(("localhost", 0))
    cluster = {kind: [] for kind in kinds}
    tasks = []
    for kind, each in zip(kinds, held, strict=True):
        tasks.append({"type": kind, "index": len(cluster[kind])})
        cluster[kind].append(f"localhost:{each.getsockname()[1]}")
        each.close()
    command = [sys.executable, "-m", "dcgan_tf", "train", "mnist", "--profile", "smoke", "--steps", str(steps)]
    command += ["--strategy", "multiworker", "--run", str(run)]
    options = {"cwd": ROOT, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    configs = [json.dumps({"cluster": cluster, "task": task}) for task in tasks]
    return [subprocess.Popen(command, env=os.environ | {"TF_CONFIG": config}, **options) for config in configs]


@pytest.mark.slow
def test_two_workers_train_and_go_on_when_one_was_killed(tmp_path):
    run = tmp_path / "run"
    first = workers(run, 100_000, "worker", "worker")
    deadline = time.monotonic() + 180
    while len(list((run / "checkpoints").glob("step_*"))) < 2 and time.monotonic() < deadline:
        assert all(process.poll() is None for process in first), first[0].communicate()[0]
        time.sleep(0.2)
    first[1].send_signal(signal.SIGKILL)
    time.sleep(1)
    for process in first:
        process.kill()
        process.communicate()
    reached = max(int(folder.name[5:]) for folder in (run / "checkpoints").glob("step_*"))
    again = workers(run, reached + 10, "chief", "worker")  # a cluster may name a chief
    said = [process.communicate(timeout=300)[0] for process in again]
    assert [process.returncode for process in again] == [0, 0], said
    assert f"Resuming {run} at step {reached}" in said[0]
    assert (run / "checkpoints" / f"step_{reached + 10:07}").exists()
    assert "The chief of the workers wrote" in said[1] and "The chief" not in said[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
    ],
)
def test_a_wrong_cluster_is_refused(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match="TF_CONFIG has to name the machines"):
        distribution.strategy("multiworker")


@pytest.mark.parametrize(("name", "message"), [("miror", "did you mean 'mirrored'"), ("mirrored", "only one CPU")])
def test_a_strategy_that_cannot_be_had_is_refused(name, message, monkeypatch):
    monkeypatch.setattr(devices, "gpus", lambda: [])
    with pytest.raises(UserError, match=message):
        distribution.strategy(name)


def test_one_process_is_its_own_chief_and_several_do_not_begin_anew(monkeypatch, tmp_path):
    strategy = distribution.strategy("none")
    assert distribution.is_chief(strategy) and distribution.is_alone(strategy)
    monkeypatch.setattr(distribution, "is_alone", lambda strategy: False)
    images = np.zeros((40, 28, 28, 1), np.uint8)
    with pytest.raises(UserError, match="several workers cannot begin anew"):
        train(GAN.from_preset("mnist", "float32"), images, steps=1, run=tmp_path / "run", fresh=True)
    assert not (tmp_path / "run").exists()
