"""What the chapters write out in their cells, against Keras and the package."""

import shutil
from dataclasses import dataclass, replace

import keras
import nbformat
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from nbclient import NotebookClient
from PIL import Image, ImageOps

import dcgan_tf as dcgan
from dcgan_tf import metrics
from notebooks.cells import FOLDER, cells_of


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
    batch = next(iter(dcgan.datasets.batches(dcgan.datasets.load("mnist"), 16, 0)))
    optimizers = {
        "generator": (players.g_optimizer, package.generator_optimizer),
        "discriminator": (players.d_optimizer, package.discriminator_optimizer),
    }
    for _ in range(2):
        for name in ("generator", "discriminator", "average"):
            getattr(package, name).set_weights(getattr(players, name).get_weights())
        ours, theirs = mnist["train_step"](players, batch), package.train_step(batch)
        assert {name: pytest.approx(float(value), abs=1e-4) for name, value in ours.items()} == {
            name: float(theirs[name]) for name in ours
        }
        for name, (our_adam, their_adam) in optimizers.items():
            for one, other in zip(our_adam.variables, their_adam.variables, strict=True):
                assert np.linalg.norm(one.numpy() - other.numpy()) <= 1e-3 * np.linalg.norm(other.numpy()), other.path
            # Adam's first steps have full length: where a gradient is all but zero, rounding decides their direction.
            clear = [np.abs(momentum) > 1e-2 * np.abs(momentum).max() for momentum in their_adam.variables[2::2]]
            for role in (name, "average") if name == "generator" else (name,):
                pairs = zip(
                    getattr(players, role).trainable_weights, getattr(package, role).trainable_weights, strict=True
                )
                for (one, other), where in zip(pairs, clear, strict=True):
                    np.testing.assert_allclose(one.numpy()[where], other.numpy()[where], atol=1e-4, err_msg=role)


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


def test_the_transformations_of_chapter_02_are_those_of_the_package():
    pokemon = cells_of("02_pokemon", "diffaugment")
    sprites = tf.constant(np.random.default_rng(0).uniform(-1, 1, (12, 64, 64, 3)).astype("float32"))
    seed = tf.constant([3, 4], tf.int64)

    def draw(transformation, number, low, high):
        """Whole numbers as the package draws them: the vertical ones are number 0, the horizontal ones number 1."""
        key = tf.random.fold_in(tf.random.fold_in(seed, transformation), number)
        return tf.random.stateless_uniform([12, 1], key, low, high + 1, tf.int32).numpy()[:, 0]

    draws = tf.unstack(tf.random.stateless_uniform([12, 3, 1, 1, 1], tf.random.fold_in(seed, 0)), axis=1)
    for name, ours in (
        ("color", pokemon["recolor"](sprites, draws[0] - 0.5, 2 * draws[1], draws[2] + 0.5)),
        ("translation", pokemon["translate"](sprites, draw(1, 0, -8, 8), draw(1, 1, -8, 8))),
        ("cutout", pokemon["cutout"](sprites, draw(2, 0, 0, 64) - 16, draw(2, 1, 0, 64) - 16)),
    ):
        theirs = dcgan.augment.diff_augment(sprites, name, seed)
        np.testing.assert_allclose(ours, theirs, atol=1e-5 if name == "color" else 0, err_msg=name)


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
    a, b = (dcgan.sampling.latents(20, 100, seed) for seed in (0, 1))
    a, b = (10 * latents / np.linalg.norm(latents, axis=1, keepdims=True) for latents in (a, b))
    for t in (0.0, 0.3, 1.0):
        np.testing.assert_allclose(slerp(a, b, t), dcgan.sampling.slerp(a, b, t), atol=1e-4)
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
    return cells_of("06_from_scratch", "layers", rng=np.random.default_rng(0))


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


@pytest.fixture(scope="module")
def heroes():
    preset = replace(dcgan.presets.get("heroes"), width=4, batch_size=4, augment="", flip=False)
    given = {"PRESET": preset, "PRECISION": "float32", "Callback": dcgan.callbacks.Callback}
    given |= {"replace": replace, "dataclass": dataclass, "ImageOps": ImageOps}
    return cells_of(
        "05_pixel_heroes", "varied", "shrink", "networks", "growing", "critic", "smoothed", "controller", **given
    )


@pytest.mark.parametrize("size", [16, 32, 64])
def test_chapter_05_shrinks_to_the_means_of_blocks(heroes, size):
    images = dcgan.datasets.load("heroes")[:9]
    pooled = tf.nn.avg_pool2d(images.astype(np.float32), 64 // size, 64 // size, "VALID")
    np.testing.assert_array_equal(heroes["shrink"](images, size), tf.round(pooled).numpy())


def test_a_grown_pair_of_chapter_05_shares_what_was_trained_and_has_the_packages_shape(heroes):
    small, large = heroes["new_pair"](32), heroes["new_pair"](64)
    grown = heroes["grown_generator"](small[0], large[0]), heroes["grown_discriminator"](small[1], large[1])
    for network, trained, fresh in zip(grown, small, large, strict=True):
        assert [weight.shape for weight in network.weights] == [weight.shape for weight in fresh.weights]
        new = {"up_32", "norm_32", "to_image_64", "from_image_64", "down_16"}
        for layer in network.layers:
            assert (layer in trained.layers) == (layer.name not in new) or not layer.weights


def test_a_fading_pair_of_chapter_05_is_the_small_one_then_the_grown_one(heroes):
    small, large = heroes["new_pair"](16), heroes["new_pair"](32)
    fading = heroes["fading_generator"](small[0], large[0]), heroes["fading_discriminator"](small[1], large[1])
    grown = heroes["grown_generator"](small[0], large[0]), heroes["grown_discriminator"](small[1], large[1])
    z, images = tf.random.normal([3, 100]), tf.random.uniform([3, 32, 32, 3], -1, 1)
    before = tf.repeat(tf.repeat(small[0](z), 2, 1), 2, 2), small[1](tf.nn.avg_pool2d(images, 2, 2, "VALID"))
    for network, given, old, new in zip(fading, (z, images), before, grown, strict=True):
        share = network.get_layer("fade").share
        share.assign(0.0)
        np.testing.assert_allclose(network(given), old, atol=1e-5)
        share.assign(1.0)
        np.testing.assert_allclose(network(given), new(given), atol=1e-5)
        assert share.path not in [weight.path for weight in network.trainable_variables]


def test_the_fade_in_of_chapter_05_trains_from_one_end_to_the_other_and_resumes(heroes, tmp_path):
    images = dcgan.datasets.load("heroes")[:8]

    def trained(steps):
        small, large = heroes["new_pair"](16), heroes["new_pair"](32)
        fading = heroes["fading_generator"](small[0], large[0]), heroes["fading_discriminator"](small[1], large[1])
        gan = dcgan.GAN(*fading, replace(heroes["PRESET"], image_size=(32, 32)))
        callbacks = [heroes["Fade"](), *steps]
        dcgan.train(gan, heroes["shrink"](images, 32), steps=4, run=tmp_path, callbacks=callbacks)
        return gan

    class Stop(dcgan.callbacks.Callback):
        def on_step_end(self, run):
            if run.step == 2:
                raise KeyboardInterrupt

    shares = [
        [float(network.get_layer("fade").share) for network in (gan.generator, gan.discriminator, gan.average)]
        for gan in (trained([Stop()]), trained([]))
    ]
    assert shares == [[0.5] * 3, [1.0] * 3]


def test_the_critic_of_chapter_05_is_the_packages(heroes):
    critic, key = heroes["new_pair"](32)[1], tf.constant([1, 2])
    real, fake = tf.random.uniform([4, 32, 32, 3], -1, 1), tf.random.uniform([4, 32, 32, 3], -1, 1)
    ours = heroes["gradient_penalty"](critic, real, fake, tf.random.stateless_uniform([4, 1, 1, 1], key))
    np.testing.assert_allclose(ours, dcgan.losses.gradient_penalty(critic, real, fake, 10.0, key), rtol=1e-5)
    heroes["clip"](critic)
    assert max(np.abs(weight).max() for weight in critic.get_weights()) == np.float32(0.01)


def test_the_smoothed_labels_of_chapter_05_are_the_packages_on_one_side_and_keras_on_both(heroes):
    logits = tf.random.normal([50, 1])
    np.testing.assert_allclose(
        heroes["Smoothed"](0.9).discriminator(logits, logits), dcgan.losses.BCE(0.9).discriminator(logits, logits)
    )
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    found = heroes["Smoothed"](0.9, fake_label=0.1).discriminator(logits, logits)[1]
    np.testing.assert_allclose(found, entropy(tf.fill([50, 1], 0.1), logits), rtol=1e-5)


def test_the_controller_of_chapter_05_slows_down_the_network_that_is_winning(heroes, tmp_path):
    controller = heroes["Controller"]()
    preset = replace(heroes["PRESET"], image_size=(16, 16), decay_from=1.0, loss="bce")
    gan = dcgan.GAN.from_preset(preset, "float32")
    controller.behind = lambda results: 1.0  # the generator is losing
    images = heroes["shrink"](dcgan.datasets.load("heroes")[:8], 16)
    dcgan.train(gan, images, steps=60, run=tmp_path, callbacks=[controller])
    assert controller.tilt > 0
    rates = gan.generator_optimizer.learning_rate, gan.discriminator_optimizer.learning_rate
    assert float(rates[0]) == pytest.approx(preset.generator_learning_rate * np.exp(controller.tilt))
    assert float(rates[1]) == pytest.approx(preset.discriminator_learning_rate * np.exp(-controller.tilt))
    same = {"g_loss": 0.7, "d_loss_real": 0.7, "d_loss_fake": 0.7}
    assert heroes["Controller"]().behind(same) == pytest.approx(0)


def test_the_varied_copies_of_chapter_05_keep_the_figure(heroes):
    image = np.full((64, 64, 3), 255, np.uint8)
    image[16:48, 16:48] = (200, 30, 30)
    copies = [heroes["varied"](image, np.random.default_rng(seed)) for seed in range(30)]
    assert len({copy.tobytes() for copy in copies}) == 30
    assert all(copy.shape == image.shape and copy.dtype == np.uint8 for copy in copies)
    assert np.median([copy[16:48, 16:48, 0] for copy in copies]) > 150


@pytest.mark.slow
def test_chapter_08_takes_an_archive_of_few_images(tmp_path, monkeypatch):
    """60 of them, fewer than can be judged: every cell runs, and says what it leaves out."""
    (tmp_path / "pictures").mkdir()
    for i, image in enumerate(dcgan.datasets.load("monsters")[:60]):
        Image.fromarray(image).save(tmp_path / "pictures" / f"{i}.png")
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "pictures")
    monkeypatch.setenv("DCGAN_TF_PROFILE", "smoke")
    monkeypatch.setenv("DCGAN_TF_RUNS", str(tmp_path / "runs"))
    notebook = nbformat.read(FOLDER / "08_your_images.ipynb", as_version=4)
    (cell,) = (cell for cell in notebook.cells if cell.source.startswith("FOLDER = "))
    cell.source = f"FOLDER = Path({packed!r})\nRUN = RUNS / 'few'"
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": FOLDER}}).execute()
    said = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()))
    assert "60 images to train on, 0 held out" in said and "nothing can be judged" in said
    assert (tmp_path / "runs" / "few" / "generator.keras").exists()


@pytest.fixture(scope="module")
def choose():
    return cells_of("09_choose", "networks", "step", CLASSES=10, PRESET=dcgan.presets.get("mnist-conditional"))


def test_the_networks_and_the_step_of_chapter_09_are_those_of_the_package(choose):
    package = dcgan.GAN.from_preset("mnist-conditional", "float32", 0)
    networks = choose["make_generator"](), choose["make_discriminator"]()
    preset, optimizers = package.preset, []
    for ours, theirs in zip(networks, (package.generator, package.discriminator), strict=True):
        ours.set_weights(theirs.get_weights())
        optimizers.append(keras.optimizers.Adam(preset.generator_learning_rate, preset.beta_1, preset.beta_2))
        optimizers[-1].build(ours.trainable_variables)
    images, labels = dcgan.datasets.load("mnist")[:16], dcgan.datasets.labels("mnist")[:16].astype("int32")
    real = dcgan.datasets.normalise(images)
    for step in range(2):  # with the R1 penalty, and without
        ours = choose["train_step"](*networks, optimizers, tf.constant(step, tf.int64), real, labels)
        theirs = package.train_step(real, labels=labels)
        assert {name: pytest.approx(float(value), abs=1e-4) for name, value in ours.items()} == {
            name: float(theirs[name]) for name in ours
        }
    for mine, other in zip(networks, (package.generator, package.discriminator), strict=True):
        pairs = zip(mine.get_weights(), other.get_weights(), strict=True)
        gaps = np.concatenate([np.abs(a - b).ravel() for a, b in pairs])
        assert np.mean(gaps > 1e-4) < 1e-2 and gaps.max() < 5e-3  # Adam: as in chapter 01
