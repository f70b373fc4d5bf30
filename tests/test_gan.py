"""The training step and what stands around it."""

import random
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan_tf import GAN, losses, models, presets
from dcgan_tf.data import normalise
from dcgan_tf.sampling import latents


def weights(model):
    return [w.copy() for w in model.get_weights()]


def distance(before, model):
    return max(float(np.abs(a - b).max()) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_step_trains_both_networks(gan, digits):
    before = weights(gan.generator), weights(gan.discriminator)
    results = gan.train_step(normalise(digits[:8]))
    assert distance(before[0], gan.generator) > 0
    assert distance(before[1], gan.discriminator) > 0
    assert int(gan.step) == 1
    assert float(results["d_loss"]) == pytest.approx(float(results["d_loss_real"] + results["d_loss_fake"]))
    assert 0 < float(results["d_fake"]) < 1


def test_first_step_moves_each_weight_by_the_learning_rate(digits):
    """Adam's first update is lr * g / (|g| + eps): each network's rate must reach its own weights."""
    gan = GAN.from_preset("mnist", "float32")
    gan.set_learning_rates(1.0)
    gan.generator_optimizer.learning_rate = 3e-4
    gan.discriminator_optimizer.learning_rate = 7e-4
    before = weights(gan.generator), weights(gan.discriminator)
    gan.train_step(normalise(digits[:8]))
    moved = np.abs(gan.generator.get_weights()[0] - before[0][0])
    assert np.median(moved) == pytest.approx(3e-4, rel=0.02)
    moved = np.abs(gan.discriminator.get_weights()[0] - before[1][0])
    assert np.median(moved) == pytest.approx(7e-4, rel=0.02)


def test_losses_are_scaled_for_a_float16_network_within_a_network():
    block = keras.Sequential([keras.Input((8,)), keras.layers.Dense(784, "tanh", dtype="mixed_float16")])
    generator = keras.Sequential([keras.Input((8,)), block, keras.layers.Reshape((28, 28, 1))])
    gan = GAN(generator, models.mnist_discriminator(), presets.get("mnist"))
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


def test_as_many_fakes_are_made_as_there_are_reals(gan, digits):
    seen = []
    discriminator = gan.discriminator

    def spy(images, training):
        seen.append(images.shape[0])
        return discriminator(images, training=training)

    spy.trainable_variables = discriminator.trainable_variables
    gan.discriminator = spy
    gan.train_step(normalise(digits))  # 96: what 60,000 leaves over in batches of 256
    assert seen[:2] == [96, 96]


def test_the_step_agrees_with_gradients_taken_one_at_a_time(gan, digits):
    """The reference: each loss differentiated on its own, in eager mode, and applied by a plain Adam update."""
    real, p = normalise(digits[:16]), gan.preset
    generator, discriminator = models.mnist_generator(), models.mnist_discriminator(p.dropout)
    for copy, original in ((generator, gan.generator), (discriminator, gan.discriminator)):
        for mine, theirs in zip(copy.variables, original.variables, strict=True):  # the dropout's state as well
            mine.assign(theirs.value)
    z = gan.latents(16)
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(z, training=True)
        real_logits, fake_logits = discriminator(real, training=True), discriminator(fake, training=True)
        g_loss = tf.reduce_mean(tf.math.softplus(-fake_logits))
        d_loss = tf.reduce_mean(tf.math.softplus(-real_logits)) + tf.reduce_mean(tf.math.softplus(fake_logits))
        with tf.GradientTape() as inner:
            inner.watch(real)
            logits = discriminator(real, training=True)
        slopes = tf.reduce_sum(inner.gradient(logits, real) ** 2, [1, 2, 3])
        objective = d_loss + p.r1_every * p.r1_weight / 2 * tf.reduce_mean(slopes)  # step 0 takes the penalty
    expected = {}
    for model, loss, rate in (
        (generator, g_loss, p.generator_learning_rate),
        (discriminator, objective, p.discriminator_learning_rate),
    ):
        gradients = tape.gradient(loss, model.trainable_variables)
        expected[model.name] = [
            (v - rate * g / (tf.abs(g) + 1e-7 / np.sqrt(1 - p.beta_2)), g)
            for v, g in zip(model.trainable_variables, gradients, strict=True)
        ]
    results = gan.train_step(real)
    assert float(results["g_loss"]) == pytest.approx(float(g_loss), rel=1e-5)
    assert float(results["d_loss"]) == pytest.approx(float(d_loss), rel=1e-5)
    for model in (gan.generator, gan.discriminator):
        for found, (wanted, gradient) in zip(model.trainable_variables, expected[model.name], strict=True):
            clear = np.abs(gradient) > 1e-5  # Adam turns a rounding-level gradient into a full step
            np.testing.assert_allclose(found.numpy()[clear], wanted.numpy()[clear], atol=5e-6)


def test_r1_penalty_of_a_linear_discriminator_is_the_closed_form(digits):
    """D(x) = w.x has the slope w everywhere; the penalty is taken every fourth step, fourfold."""
    linear = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    squared = float((linear.get_weights()[0] ** 2).sum())
    real = normalise(digits[:3])
    found = [float(losses.slope_penalty(linear, real, 2.0, 4, tf.constant(step))) for step in range(5)]
    assert found == pytest.approx([4 * squared, 0, 0, 0, 4 * squared], rel=1e-5)


@pytest.mark.parametrize(("r1", "r2", "expected"), [(0.0, 0.0, 0.0), (3.0, 0.0, 12.0), (3.0, 1.0, 16.0)])
def test_the_step_takes_the_penalties_that_its_preset_weighs(r1, r2, expected, digits, monkeypatch):
    monkeypatch.setattr(losses, "slope_penalty", lambda d, images, weight, every, step: weight * every)
    pair = models.mnist_generator(), models.mnist_discriminator()
    gan = GAN(*pair, r1_weight=r1, r2_weight=r2, r1_every=4)
    assert gan._penalties(gan.discriminator, normalise(digits[:3]), normalise(digits[3:6])) == expected


def test_the_generator_does_not_learn_from_the_penalty_on_the_fakes(digits):
    """R2 is the discriminator's: with a step of the generator alone it changes nothing."""
    ends = []
    for r2_weight in (0.0, 100.0):
        gan = GAN.from_preset(replace(presets.get("mnist"), r1_weight=0.0, r2_weight=r2_weight), "float32")
        gan.train_step(normalise(digits[:8]), True, False)
        ends.append(weights(gan.generator))
    for one, other in zip(*ends, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_average_follows_the_generator(digits):
    gan = GAN.from_preset("mnist", "float32")
    start = weights(gan.average)
    gan.train_step(normalise(digits[:8]))
    decay = min(gan.preset.average_decay, 2 / 11)  # after the first step: (1 + 1) / (10 + 1)
    for mean, first, live in zip(gan.average.get_weights(), start, gan.generator.get_weights(), strict=True):
        np.testing.assert_allclose(mean, decay * first + (1 - decay) * live, atol=1e-6)


def test_a_decay_of_zero_is_the_plain_generator(digits):
    gan = GAN(models.mnist_generator(), models.mnist_discriminator(), average_decay=0.0)
    gan.train_step(normalise(digits[:8]))
    assert distance(weights(gan.generator), gan.average) == 0


def test_latents_are_a_function_of_seed_and_step(gan):
    first = gan.latents(4).numpy()
    np.testing.assert_array_equal(first, gan.latents(4))
    gan.step.assign(1)
    assert not np.allclose(first, gan.latents(4))
    gan.step.assign(0)
    gan.seed = 1
    assert not np.allclose(first, gan.latents(4))


def test_latents_are_standard_normal(gan):
    z = gan.latents(2_000).numpy()
    assert z.shape == (2_000, 100)
    assert z.mean() == pytest.approx(0, abs=0.01)
    assert z.std() == pytest.approx(1, abs=0.01)


def test_generate_repeats_for_a_seed_and_differs_between_seeds(gan):
    images = gan.generate(4, seed=3)
    assert images.shape == (4, 28, 28, 1) and images.dtype == np.float32 and np.abs(images).max() <= 1
    np.testing.assert_array_equal(images, gan.generate(4, seed=3))
    assert not np.allclose(images, gan.generate(4, seed=4))


def test_the_first_images_do_not_depend_on_the_count():
    np.testing.assert_array_equal(latents(3, 100), latents(9, 100)[:3])


def test_the_same_seed_builds_the_same_networks():
    one, two, other = (GAN.from_preset("mnist", "float32", seed=seed) for seed in (5, 5, 6))
    assert distance(weights(one.generator), two.generator) == 0
    assert distance(weights(one.discriminator), two.discriminator) == 0
    assert distance(weights(one.generator), other.generator) > 0


@pytest.mark.slow
def test_two_gans_do_not_share_a_step(digits):
    """Steps taken in turns end where steps taken alone end, each with its own count."""
    alone = GAN.from_preset("mnist", "float32", seed=2)
    one, two = GAN.from_preset("mnist", "float32", seed=1), GAN.from_preset("mnist", "float32", seed=2)
    for _ in range(2):
        one.train_step(normalise(digits[:4]))
        two.train_step(normalise(digits[4:8]))
        expected = alone.train_step(normalise(digits[4:8]))
    one.train_step(normalise(digits[:4]))
    assert (int(one.step), int(two.step)) == (3, 2)
    assert distance(weights(alone.generator), two.generator) < 1e-5 < distance(weights(alone.generator), one.generator)
    assert float(expected["g_loss"]) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [{"r1_weight": 1.0, "r2_weight": 1.0}, {"gradient_penalty": 10.0, "loss": "wasserstein"}]
)
def test_networks_of_ones_own_may_give_images_and_logits_in_sixteen_bits(digits, change):
    policy = {"dtype": "mixed_bfloat16"}
    shape = digits.shape[1:]
    generator = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(int(np.prod(shape)), "tanh", **policy),
            keras.layers.Reshape(shape, **policy),
        ]
    )
    discriminator = keras.Sequential(
        [keras.Input(shape), keras.layers.Flatten(**policy), keras.layers.Dense(1, **policy)]
    )
    results = GAN(generator, discriminator, replace(presets.get("mnist"), **change)).train_step(normalise(digits[:8]))
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
