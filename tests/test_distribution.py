"""Several devices and several processes against one: the same weights in the end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from dcgan_tf import GAN, distribution, train
from dcgan_tf.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
FOUR = """
import sys
from dataclasses import replace
import numpy as np
import tensorflow as tf
from dcgan_tf import GAN, datasets, distribution, presets
from dcgan_tf.training import loop

replicas, norm, out = int(sys.argv[1]), sys.argv[2], sys.argv[3]
strategy = distribution.strategy(*(("mirrored", replicas) if replicas > 1 else ()))
plain = replace(
    presets.get("heroes"), width=4, batch_size=8, dropout=0.3, augment="color,translation,cutout",
    loss="bce", real_label=0.8, noisy_labels=True, generator_learning_rate=2e-4, discriminator_learning_rate=2e-4,
    beta_1=0.5,
)
normed = replace(plain, architecture="face", norm="batch", r1_weight=0.0, r2_weight=0.0)
conditional = replace(normed, norm="none", r1_weight=0.1, classes=5)
with strategy.scope():
    gan = GAN.from_preset({"batch": normed, "none": plain, "labels": conditional}[norm], "float32")
if norm != "batch":  # the generator's too, as the inference form
    for layer in gan.generator.layers:
        if "norm" in layer.name:
            layer.trainable = False
    with strategy.scope():
        gan = GAN(gan.generator, gan.discriminator, gan.preset)
images = np.random.default_rng(0).integers(0, 256, (20, 64, 64, 3), dtype=np.uint8)
labels = np.arange(20) % 5 if norm == "labels" else None
batches = loop.batches_from(gan, images, 0, labels)
before = [w.copy() for n in (gan.generator, gan.discriminator) for w in n.get_weights()]
for _ in range(4):
    real, own = next(batches)
    told = gan.train_step(real, **({} if own is None else {"labels": own}))
after = [w for n in (gan.generator, gan.discriminator, gan.average) for w in n.get_weights()]
np.savez(out, *before, *after, told=[float(told[name]) for name in sorted(told)], first=len(before))
"""


def trained(tmp_path, replicas, norm):
    """The weights of both networks before, and of both and the average after 4 steps; the last step's results."""
    out = tmp_path / f"{replicas}.npz"
    subprocess.run([sys.executable, "-c", FOUR, str(replicas), norm, str(out)], check=True, cwd=ROOT)
    with np.load(out) as found:
        arrays = [found[name] for name in found.files if name.startswith("arr_")]
        return arrays[: int(found["first"])], arrays[int(found["first"]) :], found["told"]


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["none", "batch", "labels"])
def test_two_devices_train_as_one(tmp_path, norm):
    """To 1% of what the steps moved: sums in another order are 1e-5 of it on most machines, 4e-3 on one."""
    before, one, told = trained(tmp_path, 1, norm)
    start, two, told_by_two = trained(tmp_path, 2, norm)
    for a, b in zip(before, start, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b, old in zip(one, two, before + before, strict=False):
        moved = np.linalg.norm(a - old) + 1e-6
        assert np.linalg.norm(a - b) <= 1e-2 * moved + 1e-6
    np.testing.assert_allclose(told, told_by_two, rtol=1e-2)


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for each in held:
        each.bind(("localhost", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def workers(run, steps):
    """Two processes that train one run together."""
    cluster = {"worker": [f"localhost:{port}" for port in free_ports(2)]}
    command = [sys.executable, "-m", "dcgan_tf", "train", "mnist", "--profile", "smoke", "--steps", str(steps)]
    command += ["--strategy", "multiworker", "--run", str(run), "--checkpoint-every", "5"]
    found = []
    for index in range(2):
        config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        environment = os.environ | {"TF_CONFIG": config}
        found.append(
            subprocess.Popen(
                command, env=environment, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        )
    return found


@pytest.mark.slow
def test_two_workers_train_and_go_on_when_one_was_killed(tmp_path):
    run = tmp_path / "run"
    first = workers(run, 100_000)
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
    again = workers(run, reached + 10)
    said = [process.communicate(timeout=300)[0] for process in again]
    assert [process.returncode for process in again] == [0, 0], said
    assert f"Resuming {run} at step {reached}" in said[0]
    assert (run / "checkpoints" / f"step_{reached + 10:07}").exists()
    assert "The chief of the workers wrote" in said[1]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "{}",
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
    ],
)
def test_a_wrong_cluster_is_refused(text):
    with pytest.raises(UserError, match="TF_CONFIG has to name the machines"):
        distribution.check_cluster(text)


@pytest.mark.parametrize(
    ("kind", "index", "place"), [("chief", 0, (0, 3)), ("worker", 0, (1, 3)), ("worker", 1, (2, 3))]
)
def test_a_cluster_may_name_a_chief_who_comes_before_the_workers(kind, index, place):
    import tensorflow as tf

    cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    distribution.check_cluster(json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}}))
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec(cluster), task_type=kind, task_id=index
    )
    strategy = mock.create_autospec(tf.distribute.MultiWorkerMirroredStrategy, instance=True)
    strategy.cluster_resolver, strategy.num_replicas_in_sync = resolver, 6
    assert distribution.is_chief(strategy) == (place[0] == 0)
    assert distribution.replica_slots(strategy) == (2 * place[0], 2, 6)


def test_several_workers_do_not_begin_anew(monkeypatch, tmp_path):
    monkeypatch.setattr(distribution, "is_alone", lambda strategy: False)
    images = np.zeros((40, 28, 28, 1), np.uint8)
    with pytest.raises(UserError, match="several workers cannot begin anew"):
        train(GAN.from_preset("mnist", "float32"), images, steps=1, run=tmp_path / "run", fresh=True)
    assert not (tmp_path / "run").exists()


def test_an_unknown_strategy_is_refused():
    with pytest.raises(UserError, match="did you mean 'mirrored'"):
        distribution.strategy("miror")


@pytest.mark.parametrize("name", ["none", "multiworker"])
def test_a_number_of_replicas_is_for_mirrored_alone(name):
    with pytest.raises(UserError, match="--replicas is for --strategy mirrored"):
        distribution.strategy(name, replicas=2)
