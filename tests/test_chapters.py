"""What the chapters write out in their cells, against Keras and the package."""

import linecache
from pathlib import Path

import keras
import nbformat
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import dcgan_tf as dcgan

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def cells_of(chapter, *tags, **given):
    """Run a chapter's cells that have one of the tags; returns their names."""
    names = {"dcgan": dcgan, "keras": keras, "layers": layers, "np": np, "tf": tf, "SEED": 0, **given}
    for i, cell in enumerate(nbformat.read(NOTEBOOKS / f"{chapter}.ipynb", as_version=4).cells):
        if set(tags) & set(cell.metadata.get("tags", ())):
            file = f"<{chapter}, cell {i}>"  # where AutoGraph finds the source
            linecache.cache[file] = len(cell.source), None, cell.source.splitlines(keepends=True), file
            exec(compile(cell.source, file, "exec"), names)
    return names


@pytest.fixture(scope="module")
def mnist():
    return cells_of("01_mnist", "networks", "losses", "step", "keras", "transposed")


@pytest.mark.parametrize(("size", "kernel", "stride"), [(1, 3, 1), (3, 3, 2), (4, 5, 2), (2, 2, 3)])
def test_the_transposed_convolution_of_chapter_01_is_that_of_keras(mnist, size, kernel, stride):
    rng = np.random.default_rng(size)
    image, weights = rng.normal(size=(size, size)), rng.normal(size=(kernel, kernel))
    layer = layers.Conv2DTranspose(1, kernel, stride, use_bias=False)
    layer.build((None, size, size, 1))
    layer.set_weights([weights[:, :, None, None]])
    theirs = layer(image[None, :, :, None].astype("float32")).numpy()[0, :, :, 0]
    ours = mnist["transposed_convolution"](image, weights, stride)
    if kernel < stride:  # Keras pads what no stamp reaches
        theirs = theirs[: len(ours), : len(ours)]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_the_step_of_chapter_01_is_that_of_the_package(mnist):
    players, package = mnist["Players"](), dcgan.GAN.from_preset("mnist", "float32", 0)
    package.generator.set_weights(players.generator.get_weights())
    package.average.set_weights(players.generator.get_weights())
    package.discriminator.set_weights(players.discriminator.get_weights())
    batch = next(iter(dcgan.datasets.batches(dcgan.datasets.load("mnist"), 16, 0)))
    for _ in range(2):
        ours, theirs = mnist["train_step"](players, batch), package.train_step(batch)
        assert {name: pytest.approx(float(value), abs=1e-4) for name, value in ours.items()} == {
            name: float(theirs[name]) for name in ours
        }
    for name in ("generator", "discriminator", "average"):
        pairs = zip(getattr(players, name).get_weights(), getattr(package, name).get_weights(), strict=True)
        assert max(np.abs(a - b).max() for a, b in pairs) < 1e-4, name


def test_the_r1_penalty_of_chapter_01_is_half_the_mean_squared_slope(mnist):
    images = dcgan.datasets.normalise(dcgan.datasets.load("mnist")[:16])
    discriminator, step = mnist["make_discriminator"](), 1e-2
    penalty = float(mnist["r1_penalty"](discriminator, images))
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminator(images)
    slope = tape.gradient(logits, images)
    ahead, behind = (discriminator(images + sign * step * slope) for sign in (1, -1))
    squared = (ahead - behind).numpy() / (2 * step)  # the derivative along the slope is its squared length
    assert penalty == pytest.approx(dcgan.presets.get("mnist").r1_weight / 2 * squared.mean(), rel=1e-2)


@pytest.fixture(scope="module")
def pokemon():
    return cells_of("02_pokemon", "diffaugment")


@pytest.fixture(scope="module")
def sprites():
    return tf.constant(np.random.default_rng(0).uniform(-1, 1, (12, 64, 64, 3)).astype("float32"))


def draw(seed, number, low, high):
    """Whole numbers as the package draws them: the vertical ones are number 0, the horizontal ones number 1."""
    key = tf.random.fold_in(seed, number)
    return tf.random.stateless_uniform([12, 1], key, low, high + 1, tf.int32).numpy()[:, 0]


def test_the_colours_of_chapter_02_are_those_of_the_package(pokemon, sprites):
    seed = tf.constant([3, 4], tf.int64)
    draws = tf.unstack(tf.random.stateless_uniform([12, 3, 1, 1, 1], tf.random.fold_in(seed, 0)), axis=1)
    ours = pokemon["recolor"](sprites, draws[0] - 0.5, 2 * draws[1], draws[2] + 0.5)
    np.testing.assert_allclose(ours, dcgan.augment.diff_augment(sprites, "color", seed), atol=1e-5)


def test_the_translation_of_chapter_02_is_that_of_the_package(pokemon, sprites):
    seed = tf.constant([3, 4], tf.int64)
    key = tf.random.fold_in(seed, 1)
    ours = pokemon["translate"](sprites, draw(key, 0, -8, 8), draw(key, 1, -8, 8))
    np.testing.assert_array_equal(ours, dcgan.augment.diff_augment(sprites, "translation", seed))


def test_the_cutout_of_chapter_02_is_that_of_the_package(pokemon, sprites):
    seed = tf.constant([3, 4], tf.int64)
    key = tf.random.fold_in(seed, 2)
    ours = pokemon["cutout"](sprites, draw(key, 0, 0, 64) - 16, draw(key, 1, 0, 64) - 16)
    np.testing.assert_array_equal(ours, dcgan.augment.diff_augment(sprites, "cutout", seed))
