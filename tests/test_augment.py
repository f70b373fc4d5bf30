"""DiffAugment, and mirror images."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan_tf import GAN, augment, models

SEED = tf.constant([3, 5], tf.int64)
ALL = "color,translation,cutout"


@pytest.fixture
def images():
    return tf.constant(np.random.default_rng(0).uniform(-1, 1, (64, 16, 16, 3)).astype("float32"))


@pytest.mark.parametrize("policy", ["color", "translation", "cutout", ALL])
def test_a_seed_repeats_in_a_graph_and_another_differs(images, policy):
    first = augment.diff_augment(images, policy, SEED).numpy()
    assert first.shape == images.shape and not np.allclose(first, images)
    again = tf.function(augment.diff_augment)(images, policy, SEED)
    np.testing.assert_allclose(first, again, atol=1e-5)
    assert not np.allclose(first, augment.diff_augment(images, policy, SEED + 1))


def test_each_image_is_moved_on_its_own_by_at_most_an_eighth_and_zeros_move_in(images):
    found = augment.diff_augment(images, "translation", SEED).numpy()
    padded = np.pad(images.numpy(), [(0, 0), (2, 2), (2, 2), (0, 0)])
    shifts = set()
    for before, after in zip(padded, found, strict=True):
        fits = [(y, x) for y in range(5) for x in range(5) if np.array_equal(before[y : y + 16, x : x + 16], after)]
        assert len(fits) == 1, "the picture is the original, moved by whole pixels"
        shifts.add(fits[0])
    assert len(shifts) > 15, "64 images take most of the 25 shifts"


def test_an_eighth_is_rounded_as_in_the_authors_code():
    """int(28 * 0.125 + 0.5) is 4."""
    images = tf.reshape(tf.range(1.0, 28 * 28 + 1), (1, 28, 28, 1)) * tf.ones((2_000, 1, 1, 1))
    found = augment.diff_augment(images, "translation", SEED).numpy()[..., 0]
    empty = (found == 0).all(2).sum(1), (found == 0).all(1).sum(1)
    assert [int(side.max()) for side in empty] == [4, 4]


def test_cutout_sets_a_square_of_half_the_side_to_zero_and_leaves_the_rest(images):
    found = augment.diff_augment(images, "cutout", SEED).numpy()
    cut = (found == 0).all(-1)
    np.testing.assert_array_equal(found[~cut], images.numpy()[~cut])
    sizes = set()
    for mask in cut:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        assert mask[np.ix_(rows, columns)].all() and mask.sum() == len(rows) * len(columns), "one rectangle"
        sizes |= {len(rows), len(columns)}
    assert max(sizes) == 8 and min(sizes) >= 4, "the square's centre is in the image, so at least half of a side shows"


def test_color_changes_brightness_saturation_and_contrast_within_the_papers_ranges(images):
    found = augment.diff_augment(images, "color", SEED).numpy().astype(np.float64)
    before = images.numpy().astype(np.float64)
    brightness = found.mean((1, 2, 3)) - before.mean((1, 2, 3))
    grey, grey_before = (x.mean(3, keepdims=True) - x.mean((1, 2, 3), keepdims=True) for x in (found, before))
    contrast = grey.std((1, 2, 3)) / grey_before.std((1, 2, 3))
    vivid = (found - found.mean(3, keepdims=True)).std((1, 2, 3))
    vivid /= contrast * (before - before.mean(3, keepdims=True)).std((1, 2, 3))
    for values, low, high in ((brightness, -0.5, 0.5), (contrast, 0.5, 1.5), (vivid, 0, 2)):
        margin = 0.12 * (high - low)
        assert low - 1e-3 <= values.min() <= low + margin and high - margin <= values.max() <= high + 1e-3
    assert abs(np.corrcoef(brightness, contrast)[0, 1]) < 0.4, "drawn independently"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_gradients_pass_through_in_every_precision(images, dtype):
    inputs = tf.cast(images, dtype)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = augment.diff_augment(inputs, ALL, SEED)
        total = tf.reduce_sum(tf.cast(outputs, tf.float32))
    assert outputs.dtype == inputs.dtype
    gradient = tf.cast(tape.gradient(total, inputs), tf.float32).numpy()
    assert np.isfinite(gradient).all() and (np.abs(gradient).max((1, 2, 3)) > 0).all()


def test_an_unknown_policy_is_refused(images):
    with pytest.raises(ValueError, match="not blur"):
        augment.diff_augment(images, "color,blur", SEED)


def test_flip_mirrors_about_half_and_leaves_the_others(images):
    found, before = augment.flip(images, SEED).numpy(), images.numpy()
    mirrored = (found == before[:, :, ::-1]).all((1, 2, 3))
    kept = (found == before).all((1, 2, 3))
    assert (mirrored ^ kept).all() and 16 < mirrored.sum() < 48


def test_the_step_augments_reals_and_fakes_alike():
    seen = []
    generator = models.face_generator(width=4)
    flat = keras.Sequential([keras.Input((64, 64, 3)), keras.layers.Flatten(), keras.layers.Dense(1)])
    gan = GAN(generator, flat, augment="translation", flip=True)

    def spy(images, training):
        seen.append(images)
        return flat(images, training=training)

    spy.trainable_variables = flat.trainable_variables
    gan.discriminator = spy
    GAN.train_step(gan, tf.ones((16, 64, 64, 3)))  # eagerly, so that the images can be looked at
    reals, fakes = (x.numpy() for x in seen[:2])
    assert ((reals == 0).any((1, 2, 3))).sum() > 8, "zeros have moved into most of the reals"
    edges = [fakes[:, 0], fakes[:, -1], fakes[:, :, 0], fakes[:, :, -1]]
    assert sum((edge == 0).all((1, 2)).sum() for edge in edges) > 8, "and of the fakes"
    assert not np.array_equal((reals == 0).all(3), (fakes == 0).all(3)), "each by its own draw"
