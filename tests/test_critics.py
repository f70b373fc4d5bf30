"""Wasserstein critics: clipping, the gradient penalty, the ratio of steps; and the controller inside a run."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

import dcgan_tf as dcgan
from dcgan_tf import presets

pytestmark = pytest.mark.slow

BASE = replace(
    presets.get("heroes"),
    sizes=(),
    shares=(),
    width=4,
    batch_size=4,
    augment="",
    flip=False,
    r1_weight=0.0,
    decay_from=1.0,
)
IMAGES = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)
REAL = dcgan.datasets.normalise(IMAGES[:4])


def moved(gan, *turns):
    """Which networks a step changes: (generator, discriminator)."""
    before = [network.get_weights() for network in (gan.generator, gan.discriminator)]
    average = gan.average.get_weights()
    gan.train_step(REAL, *turns)
    after = [network.get_weights() for network in (gan.generator, gan.discriminator)]
    changed = [not np.array_equal(old[0], new[0]) for old, new in zip(before, after, strict=True)]
    assert changed[0] != np.array_equal(average[0], gan.average.get_weights()[0])  # the average follows its generator
    return tuple(changed)


def test_either_network_can_be_left_out_of_a_step():
    gan = dcgan.GAN.from_preset(BASE)
    assert moved(gan) == (True, True)
    assert moved(gan, False, True) == (False, True)
    assert moved(gan, True, False) == (True, False)
    assert int(gan.step) == 3


def test_the_generator_waits_for_the_critic():
    gan = dcgan.GAN.from_preset(replace(BASE, critic_steps=3))
    assert [moved(gan, *gan.turns()) for _ in range(6)] == [(False, True), (False, True), (True, True)] * 2


def test_clipping_holds_every_weight_of_the_critic_and_none_of_the_generator():
    gan = dcgan.GAN.from_preset(replace(BASE, loss="wasserstein", clip=0.01, optimizer="rmsprop"))
    gan.train_step(REAL)
    largest = [max(np.abs(w).max() for w in network.get_weights()) for network in (gan.discriminator, gan.generator)]
    assert largest[0] == pytest.approx(0.01)
    assert largest[1] > 0.02
    assert isinstance(gan.discriminator_optimizer, keras.optimizers.RMSprop)


def test_the_gradient_penalty_is_that_of_a_linear_critic():
    """For D(x) = w . x the slope is w everywhere, so the penalty is weight * (|w| - 1)^2."""
    gan = dcgan.GAN.from_preset(replace(BASE, gradient_penalty=10.0))
    linear = keras.Sequential([keras.Input((64, 64, 3)), keras.layers.Flatten(), keras.layers.Dense(1)])
    gan.discriminator = linear
    length = float(np.linalg.norm(linear.layers[-1].kernel.numpy()))
    found = gan._gradient_penalty(REAL, -REAL)
    assert float(found) == pytest.approx(10 * (length - 1) ** 2, rel=1e-4)


def test_the_gradient_penalty_is_taken_between_reals_and_fakes():
    gan = dcgan.GAN.from_preset(replace(BASE, gradient_penalty=1.0))
    seen = []

    class Spy(keras.Model):
        def call(self, images, training=None):
            seen.append(images)
            return tf.reduce_mean(images, [1, 2, 3])[:, None]

    gan.discriminator = Spy()
    gan._gradient_penalty(tf.ones((8, 64, 64, 3)), tf.zeros((8, 64, 64, 3)))
    shares = seen[0].numpy().reshape(8, -1)
    assert np.ptp(shares, axis=1).max() == 0  # one share an image
    assert 0 <= shares.min() < 0.5 < shares.max() <= 1


@pytest.mark.parametrize("loss", ["bce", "wasserstein", "hinge"])
def test_every_loss_trains(loss):
    gan = dcgan.GAN.from_preset(replace(BASE, loss=loss, gradient_penalty=1.0, noisy_labels=True, real_label=0.8))
    for _ in range(3):
        results = gan.train_step(REAL)
    assert all(np.isfinite(float(value)) for value in results.values())


def test_the_controllers_decisions_are_recorded_and_resumed(tmp_path):
    preset = replace(BASE, balance=True)

    def trained(run, steps):
        gan = dcgan.GAN.from_preset(preset)
        gan.controller.every, gan.controller.threshold, gan.controller.memory = 2, 0.01, 0.5
        return gan, dcgan.train(gan, IMAGES, steps=steps, run=run, log_every=1, progress=False)

    whole, history = trained(tmp_path / "whole", 12)
    trained(tmp_path / "cut", 7)
    again, resumed = trained(tmp_path / "cut", 12)
    for column in ("generator_learning_rate", "discriminator_learning_rate", "generator_steps", "discriminator_steps"):
        np.testing.assert_allclose(history[column], resumed[column], rtol=1e-5)
    assert len(set((history["generator_learning_rate"] / history["discriminator_learning_rate"]).round(6))) > 2
    assert again.controller.state() == pytest.approx(whole.controller.state())
