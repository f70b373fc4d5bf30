"""What the chapters write out in their cells, against Keras and the package."""

import linecache
from pathlib import Path

import keras
import nbformat
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from PIL import Image

import dcgan_tf as dcgan
from dcgan_tf import metrics, numpy_dcgan

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def cells_of(chapter, *tags, **given):
    """Run a chapter's cells that have one of the tags; returns their names."""
    names = {"dcgan": dcgan, "keras": keras, "layers": layers, "np": np, "tf": tf, "Image": Image, "SEED": 0, **given}
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
        gaps = np.concatenate([np.abs(a - b).ravel() for a, b in pairs])
        # Adam's first steps have full length, so where a gradient is all but zero its rounding decides the direction
        assert np.mean(gaps > 1e-4) < 1e-3 and gaps.max() < 5e-3, name


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


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_the_networks_of_chapter_03_are_those_of_the_package(role):
    ours = cells_of("03_faces", "networks")[f"make_{role}"](48)
    theirs = getattr(dcgan.models, f"face_{role}")(width=48)
    theirs.set_weights(ours.get_weights())
    inputs = np.random.default_rng(0).uniform(-1, 1, (4, *ours.input_shape[1:])).astype("float32")
    for training in (False, True):
        np.testing.assert_allclose(ours(inputs, training=training), theirs(inputs, training=training), atol=1e-5)
    kernels = np.concatenate([weight.numpy().ravel() for weight in ours.weights if weight.name == "kernel"])
    assert kernels.std() == pytest.approx(0.02, rel=0.02)


def test_slerp_of_chapter_03_is_that_of_the_package_and_stays_on_the_sphere():
    slerp = cells_of("03_faces", "walk")["slerp"]
    a, b = (dcgan.latent.on_sphere(dcgan.gan.latents(20, 100, seed=seed)) for seed in (0, 1))
    for t in (0.0, 0.3, 1.0):
        np.testing.assert_allclose(slerp(a, b, t), dcgan.latent.slerp(a, b, t), atol=1e-4)
        np.testing.assert_allclose(np.linalg.norm(slerp(a, b, t), axis=1), 10, rtol=1e-4)


def test_the_classifier_of_chapter_03_is_ridge_regression():
    """Where features and labels are centred, the normal equations of a least-squares problem with 10 |w|^2 added."""
    fit = cells_of("03_faces", "glasses", judge=None)["fit"]
    rng = np.random.default_rng(0)
    features, labels = rng.normal(2, 3, (40, 5)), np.arange(40) % 3 == 0
    x, y = (features - features.mean(0)) / features.std(0), np.where(labels, 1.0, -1.0)
    stacked = np.concatenate([x, np.sqrt(10) * np.eye(5)]), np.concatenate([y - y.mean(), np.zeros(5)])
    expected = x @ np.linalg.lstsq(*stacked, rcond=None)[0] + y.mean()
    np.testing.assert_allclose(fit(features, labels)(features), expected, atol=1e-5)


@pytest.fixture(scope="module")
def measures():
    return cells_of("04_anime_faces", "measures", images=dcgan.datasets.load("anime")[:300])


def test_the_measures_of_features_of_chapter_04_are_those_of_the_package(measures):
    rng = np.random.default_rng(0)
    fake, real = rng.normal(0.3, 1.2, (120, 8)), rng.normal(0, 1, (150, 8))
    frechet = metrics.frechet_distance(metrics.statistics(fake), metrics.statistics(real))
    assert measures["fid"](fake, real) == pytest.approx(frechet, rel=1e-6)
    assert measures["kid"](fake, real) == pytest.approx(metrics.kernel_distance(fake, real)[0], rel=1e-6)
    balls = metrics.precision_recall_density_coverage(real, fake)
    assert measures["precision_recall_density_coverage"](real, fake) == pytest.approx(tuple(balls.values()), rel=1e-6)
    probabilities = rng.dirichlet(np.full(6, 0.3), 200)
    assert measures["inception_score"](probabilities) == pytest.approx(metrics.inception_score(probabilities), rel=1e-6)


def test_ms_ssim_of_chapter_04_is_that_of_tensorflow(measures):
    faces = dcgan.datasets.load("anime")[:40]
    expected = tf.image.ssim_multiscale(faces[:20], faces[20:], 255, metrics.scales(64), 11)
    np.testing.assert_allclose(measures["ms_ssim"](faces[:20], faces[20:]), expected, rtol=1e-4)
    np.testing.assert_allclose(measures["ms_ssim"](faces[:5], faces[:5]), 1, rtol=1e-5)


def test_the_distance_to_the_training_images_of_chapter_04_is_that_of_the_package(measures):
    faces = dcgan.datasets.load("anime")
    expected = metrics.nearest(faces[300:320], faces[:300])[1][:, 0]
    np.testing.assert_allclose(measures["nearest_training_image"](faces[300:320]), expected, rtol=1e-6)
    assert measures["nearest_training_image"](faces[:3]).max() < 1e-3


@pytest.fixture(scope="module")
def scratch():
    return cells_of("06_from_scratch", "layers", "step", numpy_dcgan=numpy_dcgan, rng=np.random.default_rng(0))


@pytest.mark.parametrize(("size", "kernel", "stride"), [(6, 3, 1), (8, 4, 2), (7, 3, 2), (6, 3, 3)])
@pytest.mark.parametrize("kind", ["Conv2D", "Conv2DTranspose"])
def test_the_convolutions_of_chapter_06_are_those_of_keras(scratch, kind, size, kernel, stride):
    rng = np.random.default_rng(size)
    x, shape = rng.normal(size=(2, size, size, 3)), (kernel, kernel, 3, 3)
    theirs = getattr(layers, kind)(3, kernel, stride, use_bias=False, dtype="float64")
    theirs.build((None, *x.shape[1:]))
    theirs.set_weights([rng.normal(size=shape)])
    name = {"Conv2D": "Convolution", "Conv2DTranspose": "TransposedConvolution"}[kind]
    ours = scratch[name](theirs.get_weights()[0], stride)
    with tf.GradientTape() as tape:
        tape.watch(images := tf.constant(x))
        y = theirs(images)
        c = rng.normal(size=y.shape)
        loss = tf.reduce_sum(y * c)
    expected = [y, *tape.gradient(loss, [images, *theirs.trainable_weights])]
    for found, value in zip([ours.forward(x), ours.backward(c), *ours.gradients], expected, strict=True):
        np.testing.assert_allclose(found, value, atol=1e-9)
    if kind == "Conv2D":
        np.testing.assert_allclose(scratch["fast_convolution"](x, ours.weights[0], stride), y, atol=1e-9)


@pytest.mark.parametrize(("length", "stride", "reach"), [(3, 2, 2), (5, 3, 2), (4, 2, 3)])
def test_the_fast_transposed_convolution_of_chapter_06_adds_what_the_plain_one_adds(scratch, length, stride, reach):
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=length), rng.normal(size=stride * reach)
    expected = np.zeros((length - 1) * stride + len(kernel))
    for i, value in enumerate(x):
        expected[i * stride : i * stride + len(kernel)] += value * kernel
    np.testing.assert_allclose(scratch["fast_transposed_1d"](x, kernel, stride), expected, atol=1e-12)


def test_the_step_of_chapter_06_is_that_of_the_package(scratch):
    def pair():
        nn, start = numpy_dcgan.layers, numpy_dcgan.initializers.HeNormal(0)
        generator = numpy_dcgan.Sequential([nn.Dense(12, kernel_initializer=start), nn.Reshape((2, 2, 3)), nn.Tanh()])
        discriminator = numpy_dcgan.Sequential([nn.Flatten(), nn.Dropout(0.3, seed=1), nn.Dense(1)])
        generator.build((None, 5))
        discriminator.build((None, 2, 2, 3))
        discriminator.layers[2].kernel[...] = start((12, 1), "float32")
        return generator, discriminator, [numpy_dcgan.optimizers.Adam(0.01, 0.5) for _ in range(2)]

    ours, (generator, discriminator, optimizers) = pair(), pair()
    package = numpy_dcgan.GAN(generator, discriminator, *optimizers, real_label=0.9)
    rng = np.random.default_rng(2)
    for _ in range(3):
        real, noise = rng.normal(size=(4, 2, 2, 3)).astype("float32"), rng.normal(size=(4, 5)).astype("float32")
        assert scratch["train_step"](*ours, real, noise) == pytest.approx(
            tuple(package.train_step(real, noise).values())
        )
    for mine, theirs in ((ours[0], generator), (ours[1], discriminator)):
        for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
