"""The training step and what stands around it."""

import random
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan_tf import GAN, losses, models, presets
from dcgan_tf.datasets import normalise

MNIST = presets.get("mnist")


def weights(model):
    return [w.copy() for w in model.get_weights()]


def distance(before, model):
    return max(float(np.abs(a - b).max()) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("r2_weight", [0.0, 0.5])
def test_the_step_agrees_with_gradients_taken_one_at_a_time(r2_weight, digits):
    """The reference: each loss differentiated on its own, in eager mode, and applied by a plain Adam update."""
    rates = {"generator_learning_rate": 3e-4, "discriminator_learning_rate": 7e-4}
    gan = GAN.from_preset(replace(MNIST, **rates, r2_weight=r2_weight), "float32")
    real, p = normalise(digits[:16]), gan.preset
    generator, discriminator = models.mnist_generator(), models.mnist_discriminator(p.dropout)
    generator.set_weights(gan.generator.get_weights())
    discriminator.set_weights(gan.discriminator.get_weights())

    def squared_slope(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits = discriminator(images, training=True)
        return tf.reduce_mean(tf.reduce_sum(tape.gradient(logits, images) ** 2, [1, 2, 3]))

    with tf.GradientTape(persistent=True) as tape:
        fake = generator(gan.latents(16), training=True)
        real_logits, fake_logits = discriminator(real, training=True), discriminator(fake, training=True)
        g_loss = tf.reduce_mean(tf.math.softplus(-fake_logits))
        d_loss = tf.reduce_mean(tf.math.softplus(-real_logits)) + tf.reduce_mean(tf.math.softplus(fake_logits))
        slopes = p.r1_weight * squared_slope(real) + r2_weight * squared_slope(tf.stop_gradient(fake))
        objective = d_loss + p.r1_every / 2 * slopes  # step 0 takes the penalties
    pairs = []  # (a weight of the GAN, what it has to be after the step, its gradient)
    for ours, model, loss, rate in (
        (gan.generator, generator, g_loss, p.generator_learning_rate),
        (gan.discriminator, discriminator, objective, p.discriminator_learning_rate),
    ):
        gradients = tape.gradient(loss, model.trainable_variables)
        for mine, v, g in zip(ours.trainable_variables, model.trainable_variables, gradients, strict=True):
            pairs.append((mine, v - rate * g / (tf.abs(g) + 1e-7 / np.sqrt(1 - p.beta_2)), g))
    results = gan.train_step(real)
    assert float(results["g_loss"]) == pytest.approx(float(g_loss), rel=1e-5)
    assert float(results["d_loss"]) == pytest.approx(float(d_loss), rel=1e-5)
    for found, wanted, gradient in pairs:
        clear = np.abs(gradient) > 1e-5  # Adam turns a rounding-level gradient into a full step
        np.testing.assert_allclose(found.numpy()[clear], wanted.numpy()[clear], atol=5e-6)


def test_losses_are_scaled_for_a_float16_network_within_a_network():
    block = keras.Sequential([keras.Input((8,)), keras.layers.Dense(784, "tanh", dtype="mixed_float16")])
    generator = keras.Sequential([keras.Input((8,)), block, keras.layers.Reshape((28, 28, 1))])
    gan = GAN(generator, models.mnist_discriminator(), MNIST)
    assert isinstance(gan.generator_optimizer, keras.optimizers.LossScaleOptimizer)
    assert not isinstance(gan.discriminator_optimizer, keras.optimizers.LossScaleOptimizer)


def test_no_global_seed_is_reset():
    """A user's own random streams go on: what is drawn after one GAN is not what is drawn after the next."""
    keras.utils.set_random_seed(7)
    after = []
    for _ in range(2):
        GAN.from_preset("mnist", "float32", seed=3)
        draw = random.random(), float(tf.random.uniform([])), float(keras.random.uniform([]))
        after.append((*draw, np.random.random()))  # noqa: NPY002
    assert not set(after[0]) & set(after[1])


def test_r1_penalty_of_a_linear_discriminator_is_the_closed_form(digits):
    """D(x) = w.x has the slope w everywhere; the penalty is taken every fourth step, fourfold."""
    linear = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    squared = float((linear.get_weights()[0] ** 2).sum())
    real = normalise(digits[:3])
    found = [float(losses.slope_penalty(linear, real, 2.0, 4, tf.constant(step))) for step in range(5)]
    assert found == pytest.approx([4 * squared, 0, 0, 0, 4 * squared], rel=1e-5)


@pytest.mark.parametrize(("average_decay", "expected"), [(0.999, 2 / 11), (0.1, 0.1), (0.0, 0.0)])
def test_the_average_follows_the_generator_and_forgets_its_beginning(average_decay, expected, digits):
    """After the first step the decay is (1 + 1) / (10 + 1) at most."""
    gan = GAN.from_preset(replace(MNIST, average_decay=average_decay), "float32")
    start = weights(gan.average)
    gan.train_step(normalise(digits[:8]))
    for mean, first, live in zip(gan.average.get_weights(), start, gan.generator.get_weights(), strict=True):
        np.testing.assert_allclose(mean, expected * first + (1 - expected) * live, atol=1e-6)


def test_latents_are_standard_normal_and_a_function_of_seed_and_step(gan):
    first = gan.latents(2_000).numpy()
    assert first.shape == (2_000, 100)
    assert first.mean() == pytest.approx(0, abs=0.01) and first.std() == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(first, gan.latents(2_000))
    for seed, step in ((0, 1), (1, 0)):
        gan.seed = seed
        gan.step.assign(step)
        assert not np.isclose(first[:4], gan.latents(4)).any()


def test_generate_repeats_for_a_seed_and_the_first_images_do_not_depend_on_the_count(gan):
    images = gan.generate(4, seed=3)
    assert images.shape == (4, 28, 28, 1) and images.dtype == np.float32 and np.abs(images).max() <= 1
    np.testing.assert_array_equal(images, gan.generate(4, seed=3))
    np.testing.assert_allclose(images[:2], gan.generate(2, seed=3), atol=1e-6)
    assert not np.allclose(images, gan.generate(4, seed=4))


def test_the_same_seed_builds_the_same_networks():
    one, two, other = (GAN.from_preset("mnist", "float32", seed=seed) for seed in (5, 5, 6))
    assert distance(weights(one.generator), two.generator) == distance(weights(one.discriminator), two.discriminator)
    assert distance(weights(one.generator), two.generator) == 0 < distance(weights(one.generator), other.generator)


@pytest.mark.slow
def test_two_gans_do_not_share_a_step(digits):
    """Steps taken in turns end where steps taken alone end, each with its own count."""
    alone, two, one = (GAN.from_preset("mnist", "float32", seed=seed) for seed in (2, 2, 1))
    for _ in range(2):
        one.train_step(normalise(digits[:4]))
        two.train_step(normalise(digits[4:8]))
        alone.train_step(normalise(digits[4:8]))
    one.train_step(normalise(digits[:4]))
    assert (int(one.step), int(two.step)) == (3, 2)
    assert distance(weights(alone.generator), two.generator) < 1e-5 < distance(weights(alone.generator), one.generator)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [{"r1_weight": 1.0, "r2_weight": 1.0}, {"gradient_penalty": 10.0, "loss": "wasserstein"}]
)
def test_networks_of_ones_own_may_give_images_and_logits_in_sixteen_bits(digits, change):
    policy, shape = {"dtype": "mixed_bfloat16"}, digits.shape[1:]
    image = [keras.layers.Dense(int(np.prod(shape)), "tanh", **policy), keras.layers.Reshape(shape, **policy)]
    logit = [keras.layers.Flatten(**policy), keras.layers.Dense(1, **policy)]
    pair = keras.Sequential([keras.Input((8,)), *image]), keras.Sequential([keras.Input(shape), *logit])
    results = GAN(*pair, replace(MNIST, **change)).train_step(normalise(digits[:8]))
    assert all(np.isfinite(float(value)) for value in results.values())


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_steps_stay_near_float32(precision, digits):
    real = normalise(digits[:8])
    plain, mixed = GAN.from_preset("mnist", "float32"), GAN.from_preset("mnist", precision)
    expected, found = plain.train_step(real), mixed.train_step(real)
    for name in expected:
        assert float(found[name]) == pytest.approx(float(expected[name]), abs=0.1)
    assert mixed.average.layers[0].compute_dtype == "float32"


@pytest.mark.slow
def test_float16_scales_its_losses_and_unscales_its_gradients(digits):
    gan = GAN.from_preset("mnist", "mixed_float16")
    assert float(gan.generator_optimizer.scale_loss(1.0)) > 1
    before = weights(gan.discriminator)
    gan.train_step(normalise(digits[:8]))
    assert distance(before, gan.discriminator) <= 1.1 * gan.preset.discriminator_learning_rate
