"""Wasserstein critics: clipping, the gradient penalty, the ratio of steps."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

import dcgan_tf as dcgan
from dcgan_tf import losses, presets

pytestmark = pytest.mark.slow

BASE = replace(
    presets.get("heroes"), width=4, batch_size=4, augment="", flip=False, loss="bce", r1_weight=0.0, r2_weight=0.0,
    decay_from=1.0,
)  # fmt: skip
REAL = dcgan.datasets.normalise(np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8))


def moved(gan, *turns):
    """Which networks a step changes: (generator, discriminator). The average follows the generator."""
    networks = gan.generator, gan.discriminator, gan.average
    before = [network.get_weights()[0] for network in networks]
    gan.train_step(REAL, *turns)
    generator, discriminator, average = (
        not np.array_equal(old, network.get_weights()[0]) for old, network in zip(before, networks, strict=True)
    )
    assert average == generator
    return generator, discriminator


def test_either_network_can_be_left_out_of_a_step():
    gan = dcgan.GAN.from_preset(BASE, "float32")
    assert moved(gan) == (True, True)
    assert moved(gan, False, True) == (False, True)
    assert moved(gan, True, False) == (True, False)
    assert int(gan.step) == 3


def test_the_generator_waits_for_the_critic_and_the_average_counts_its_steps_alone():
    gan = dcgan.GAN.from_preset(replace(BASE, critic_steps=3), "float32")
    start, decay = gan.average.get_weights(), 2 / 11  # after the generator's first step: (1 + 1) / (10 + 1)
    assert [moved(gan, *gan.update_schedule()) for _ in range(3)] == [(False, True), (False, True), (True, True)]
    for mean, first, live in zip(gan.average.get_weights(), start, gan.generator.get_weights(), strict=True):
        np.testing.assert_allclose(mean, decay * first + (1 - decay) * live, atol=1e-6)
    assert [moved(gan, *gan.update_schedule()) for _ in range(3)] == [(False, True), (False, True), (True, True)]


def test_clipping_holds_every_weight_of_the_critic_and_none_of_the_generator():
    gan = dcgan.GAN.from_preset(replace(BASE, loss="wasserstein", clip=0.01, optimizer="rmsprop"), "float32")
    gan.train_step(REAL)
    largest = [max(np.abs(w).max() for w in network.get_weights()) for network in (gan.discriminator, gan.generator)]
    assert largest[0] == pytest.approx(0.01)
    assert largest[1] > 0.02
    assert isinstance(gan.discriminator_optimizer, keras.optimizers.RMSprop)


def test_the_gradient_penalty_is_that_of_a_linear_critic():
    """For D(x) = w . x the slope is w everywhere, so the penalty is weight * (|w| - 1)^2."""
    linear = keras.Sequential([keras.Input((64, 64, 3)), keras.layers.Flatten(), keras.layers.Dense(1)])
    length = float(np.linalg.norm(linear.layers[-1].kernel.numpy()))
    found = losses.gradient_penalty(linear, REAL, -REAL, weight=10.0, seed=(0, 1))
    assert float(found) == pytest.approx(10 * (length - 1) ** 2, rel=1e-4)


def test_the_gradient_penalty_is_taken_between_reals_and_fakes():
    seen = []

    def spy(images, training):
        seen.append(images)
        return tf.reduce_mean(images, [1, 2, 3])[:, None]

    losses.gradient_penalty(spy, tf.ones((8, 64, 64, 3)), tf.zeros((8, 64, 64, 3)), weight=1.0, seed=(0, 1))
    shares = seen[0].numpy().reshape(8, -1)
    assert np.ptp(shares, axis=1).max() == 0  # one share an image
    assert 0 <= shares.min() < 0.5 < shares.max() <= 1


@pytest.mark.parametrize("loss", ["bce", "relativistic", "wasserstein"])
def test_every_loss_trains(loss):
    gan = dcgan.GAN.from_preset(replace(BASE, loss=loss, gradient_penalty=1.0, real_label=0.8), "float32")
    for _ in range(3):
        results = gan.train_step(REAL)
    assert all(np.isfinite(float(value)) for value in results.values())
