"""The NumPy layers, loss and optimizer, and chapter 06's training step, against Keras and tf.GradientTape."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import numpy_dcgan
from numpy_dcgan import layers, losses, optimizers

RANDOM = np.random.default_rng(0)


def relative(found, expected):
    """The largest difference, in units of the largest value."""
    return np.max(np.abs(found - expected)) / max(np.max(np.abs(expected)), 1e-12)


def agree(ours, theirs, x, tolerance=1e-4, training=True):
    """Same weights, same input: compare the output and every gradient; returns the worst relative difference."""
    ours.build((None, *x.shape[1:]))
    theirs.build((None, *x.shape[1:]))
    for weight in ours.weights:  # all of them away from 0 and 1, so that each matters
        weight[...] = RANDOM.uniform(0.5, 1.5, weight.shape)
    theirs.set_weights(ours.get_weights())
    with tf.GradientTape() as tape:
        tensor = tf.constant(x)
        tape.watch(tensor)
        expected = theirs(tensor, training=training)
        dy = RANDOM.standard_normal(expected.shape).astype(x.dtype)
        loss = tf.reduce_sum(expected * dy)
    gradients = tape.gradient(loss, [tensor, *theirs.trainable_variables])
    found = ours(x, training=training)
    dx = ours.backward(dy)
    assert found.dtype == dx.dtype == x.dtype
    pairs = [(found, expected.numpy()), (dx, gradients[0].numpy())]
    trainable = gradients[1:] if ours.trainable_weights else []
    pairs += [(a, b.numpy()) for a, b in zip(ours.gradients, trainable, strict=True)]
    pairs += list(zip(ours.get_weights(), theirs.get_weights(), strict=True))
    worst = max(relative(*pair) for pair in pairs)
    assert worst < tolerance
    assert all(one.shape == other.shape for one, other in pairs)
    return worst


def images(size=(9, 7), channels=3, n=4):
    return RANDOM.standard_normal((n, *size, channels)).astype(np.float32)


GRID = list(itertools.product((1, 2, 3, 4, 5), (1, 2, 3), ("same", "valid"), ((1, 3), (5, 2))))


@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose"])
@pytest.mark.parametrize(("kernel", "stride", "padding", "channels"), GRID)
def test_convolutions(name, kernel, stride, padding, channels):
    inside, outside = channels
    ours, theirs = (getattr(kind, name)(outside, kernel, stride, padding) for kind in (layers, keras.layers))
    agree(ours, theirs, images((9, 7) if name == "Conv2D" else (5, 4), inside))


@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose"])
def test_unequal_kernels_and_no_bias(name):
    arguments = {"filters": 3, "kernel_size": (3, 4), "strides": (1, 2), "padding": "same", "use_bias": False}
    if name == "Conv2D":  # Keras takes unequal strides for neither on every device: only on the transposed here
        arguments["strides"] = 2
    agree(getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments), images())


def test_dense():
    agree(layers.Dense(5), keras.layers.Dense(5), RANDOM.standard_normal((6, 7)).astype(np.float32))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(16, 5), (8, 6, 6, 3)])
def test_batch_normalization(shape, training):
    arguments = {"momentum": 0.9, "epsilon": 1e-5}
    x = RANDOM.normal(2, 3, shape).astype(np.float32)
    agree(layers.BatchNormalization(**arguments), keras.layers.BatchNormalization(**arguments), x, training=training)


ACTIVATIONS = {
    "LeakyReLU": (layers.LeakyReLU(0.2), keras.layers.LeakyReLU(0.2)),
    "Tanh": (layers.Tanh(), keras.layers.Activation("tanh")),
    "Flatten": (layers.Flatten(), keras.layers.Flatten()),
    "Reshape": (layers.Reshape((9, 21)), keras.layers.Reshape((9, 21))),
    "Dropout at rate 0": (layers.Dropout(0.0), keras.layers.Dropout(0.0)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_layers_without_weights(name):
    agree(*ACTIVATIONS[name], images())


def test_dropout_keeps_the_mean_and_masks_the_gradient_alike():
    layer = layers.Dropout(0.3, seed=1)
    x = np.ones((200, 500), np.float32)
    y = layer(x, training=True)
    assert np.mean(y == 0) == pytest.approx(0.3, abs=0.01)
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.7)}
    np.testing.assert_array_equal(layer.backward(x), y)
    np.testing.assert_array_equal(layer(x), x)


def test_the_loss_is_that_of_keras():
    logits = RANDOM.normal(0, 5, (32, 1))
    for labels in (1.0, 0.0, 0.9, RANDOM.random((32, 1))):
        with tf.GradientTape() as tape:
            x = tf.constant(logits)
            tape.watch(x)
            expected = keras.losses.BinaryCrossentropy(from_logits=True)(np.broadcast_to(labels, x.shape), x)
        loss, gradient = losses.binary_crossentropy(logits, labels)
        assert loss == pytest.approx(float(expected), rel=1e-6)
        np.testing.assert_allclose(gradient, tape.gradient(expected, x), rtol=1e-6, atol=1e-9)


def test_cross_entropy_of_extreme_logits_is_finite():
    loss, gradient = losses.binary_crossentropy(np.array([[1e4], [-1e4]], np.float32), 1.0)
    assert loss == pytest.approx(5_000)
    np.testing.assert_allclose(gradient, [[0], [-0.5]])


@pytest.mark.parametrize("options", [(2e-4, 0.5), ()])
def test_adam_is_that_of_keras(options):
    ours, theirs = optimizers.Adam(*options), keras.optimizers.Adam(*options)
    weights = [RANDOM.standard_normal(shape).astype(np.float32) for shape in ((3, 4), (4,))]
    variables = [keras.Variable(weight) for weight in weights]
    for _ in range(5):
        gradients = [RANDOM.standard_normal(weight.shape).astype(np.float32) for weight in weights]
        ours.apply(gradients, weights)
        theirs.apply([tf.constant(gradient) for gradient in gradients], variables)
    for weight, variable in zip(weights, variables, strict=True):
        np.testing.assert_allclose(weight, variable.numpy(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["glorot_uniform", "he_normal"])
@pytest.mark.parametrize("shape", [(300, 200), (3, 3, 40, 60)])
def test_initializers_spread_as_those_of_keras(name, shape):
    ours, theirs = numpy_dcgan.initializers.get(name)(shape), keras.initializers.get(name)(shape).numpy()
    assert ours.dtype == np.float32
    assert ours.std() == pytest.approx(theirs.std(), rel=0.03)
    assert abs(ours.mean()) < 0.03 * ours.std()


def networks(kind, dtype):
    """A small pair with every layer that a DCGAN has, in Keras or in NumPy.

    The constants are ones that float32 holds exactly: Keras rounds some of them to it even in float64.
    """
    like = kind.Conv2D.__module__.startswith("keras")
    tanh = kind.Activation("tanh", dtype=dtype) if like else kind.Tanh(dtype=dtype)
    generator = [
        kind.Dense(4 * 4 * 8, dtype=dtype),
        kind.Reshape((4, 4, 8), dtype=dtype),
        kind.BatchNormalization(momentum=0.875, epsilon=2**-10, dtype=dtype),
        kind.LeakyReLU(0.25, dtype=dtype),
        kind.Conv2DTranspose(6, 4, 2, "same", use_bias=False, dtype=dtype),
        kind.BatchNormalization(momentum=0.875, epsilon=2**-10, dtype=dtype),
        kind.LeakyReLU(0.25, dtype=dtype),
        kind.Conv2DTranspose(3, 5, 2, "same", dtype=dtype),
        tanh,
    ]
    discriminator = [
        kind.Conv2D(8, 4, 2, "same", dtype=dtype),
        kind.LeakyReLU(0.25, dtype=dtype),
        kind.Conv2D(12, 5, 2, "same", dtype=dtype),
        kind.BatchNormalization(momentum=0.875, epsilon=2**-10, dtype=dtype),
        kind.LeakyReLU(0.25, dtype=dtype),
        kind.Flatten(dtype=dtype),
        kind.Dense(1, dtype=dtype),
    ]
    sequential = keras.Sequential if like else numpy_dcgan.Sequential
    pair = sequential(generator), sequential(discriminator)
    pair[0].build((None, 10))
    pair[1].build((None, 16, 16, 3))
    return pair


@pytest.fixture(scope="module")
def train_step():
    """The training step of chapter 06, from its cell."""
    path = Path(__file__).resolve().parent.parent / "notebooks" / "06_from_scratch.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    (source,) = ["".join(cell["source"]) for cell in cells if "step" in cell["metadata"].get("tags", ())]
    names = {"numpy_dcgan": numpy_dcgan}
    exec(source, names)
    return names["train_step"]


def keras_step(generator, discriminator, optimizers, real, noise):
    """The same training step with Keras and GradientTape."""

    def loss(labels, logits):  # Keras's own computes in float32
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))

    with tf.GradientTape(persistent=True) as tape:
        fake = generator(noise, training=True)
        of_real, of_fake = discriminator(real, training=True), discriminator(fake, training=True)
        g_loss = loss(tf.ones_like(of_fake), of_fake)
        d_loss = loss(0.9 * tf.ones_like(of_real), of_real) + loss(tf.zeros_like(of_fake), of_fake)
    steps = [
        (net, tape.gradient(value, net.trainable_variables))
        for net, value in ((generator, g_loss), (discriminator, d_loss))
    ]
    for (net, gradients), optimizer in zip(steps, optimizers, strict=True):
        optimizer.apply(gradients, net.trainable_variables)
    return float(g_loss), float(d_loss)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-8), ("float32", 1e-2)])
def test_five_steps_of_training_end_where_those_of_keras_do(train_step, dtype, tolerance):
    theirs = networks(keras.layers, dtype)
    ours = networks(layers, dtype)
    for mine, other in zip(ours, theirs, strict=True):
        mine.set_weights(other.get_weights())
    started = [weight for network in ours for weight in network.get_weights()]
    settings = {"learning_rate": 2**-9, "beta_1": 0.5, "beta_2": 1 - 2**-10, "epsilon": 2**-23}
    adams, their_adams = ([kind.Adam(**settings) for _ in range(2)] for kind in (optimizers, keras.optimizers))
    for _ in range(5):
        real = RANDOM.uniform(-1, 1, (16, 16, 16, 3)).astype(dtype)
        noise = RANDOM.standard_normal((16, 10)).astype(dtype)
        loss, loss_real, loss_fake = train_step(*ours, adams, real, noise)
        expected = keras_step(*theirs, their_adams, real, noise)
        assert (loss, loss_real + loss_fake) == pytest.approx(expected, rel=max(tolerance, 1e-6))
    found = [weight for network in ours for weight in network.get_weights()]
    expected = [weight for network in theirs for weight in network.get_weights()]
    if dtype == "float64":
        assert max(np.max(np.abs(a - b)) for a, b in zip(found, expected, strict=True)) < tolerance
    apart = np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(found, expected, strict=True)))
    moved = np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(found, started, strict=True)))
    assert apart < tolerance * moved


def test_a_frozen_layer_keeps_its_weights_and_passes_the_gradient_on(train_step):
    generator, discriminator = networks(layers, "float32")
    for layer in generator.layers[4:6]:
        layer.trainable = False
    before, adams = [layer.get_weights() for layer in generator.layers], [optimizers.Adam(), optimizers.Adam()]
    for _ in range(3):
        train_step(generator, discriminator, adams, images((16, 16), n=8), RANDOM.standard_normal((8, 10), np.float32))
    for i, (layer, old) in enumerate(zip(generator.layers, before, strict=True)):
        same = [np.array_equal(*pair) for pair in zip(layer.get_weights(), old, strict=True)]
        assert all(same) if i in (4, 5) else not any(same), layer.name


def test_a_frozen_layer_in_the_middle_gives_the_gradient_that_keras_gives():
    ours, theirs = networks(layers, "float32")[0], networks(keras.layers, "float32")[0]
    for network in (ours, theirs):
        for layer in network.layers[4:6]:
            layer.trainable = False
    ours.set_weights(theirs.get_weights())
    x = RANDOM.standard_normal((8, 10)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(theirs(x, training=True) ** 2)
    expected = tape.gradient(loss, theirs.trainable_variables)
    ours.backward(2 * ours(x, training=True))
    assert len(ours.gradients) == len(expected)
    for found, wanted in zip(ours.gradients, expected, strict=True):
        assert relative(found, wanted.numpy()) < 1e-4


def test_weights_are_saved_whole(tmp_path, monkeypatch):
    path = tmp_path / "new" / "g.npz"
    ours, other = networks(layers, "float32")[0], networks(layers, "float32")[0]
    ours.save(path)

    def interrupted(file, *weights):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        other.save(path)
    assert [path.name for path in path.parent.iterdir()] == ["g.npz"]
    other.load(path)
    x = RANDOM.standard_normal((2, 10)).astype(np.float32)
    np.testing.assert_array_equal(ours(x), other(x))


def test_files_without_these_weights_are_refused_and_not_unpickled(tmp_path):
    generator, discriminator = networks(layers, "float32")
    path = tmp_path / "g.npz"
    generator.save(path)
    whole = path.read_bytes()
    with pytest.raises(ValueError, match="has 10 weights, not 13"):
        discriminator.load(path)
    for content in (b"", b"text", whole[: len(whole) // 2], whole.replace(whole[500:600], bytes(100))):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"g\.npz does not hold weights"):
            generator.load(path)
    for arrays in ({"arr_0": np.array([{}])}, {"kernel": np.zeros(3)}):
        np.savez(path, **arrays)
        with pytest.raises(ValueError, match=r"g\.npz does not hold weights"):
            generator.load(path)
    with pytest.raises(FileNotFoundError):
        generator.load(tmp_path / "missing.npz")
    with pytest.raises(ValueError, match="do not fit"):
        generator.layers[0].set_weights([np.zeros((3, 3)), np.zeros(3)])


def test_the_summary_counts_what_keras_counts(capsys):
    ours, theirs = networks(layers, "float32")[0], networks(keras.layers, "float32")[0]
    ours.layers[0].trainable = False
    ours.summary()
    printed = capsys.readouterr().out
    trained = theirs.count_params() - 10 * 128 - 128 - 2 * (8 + 6)
    assert f"{theirs.count_params():,} parameters, {trained:,} of them trainable" in printed
    shapes = [str((None, *layer.output.shape[1:])) for layer in theirs.layers]
    assert [shape in line for shape, line in zip(shapes, printed.splitlines()[1:-1], strict=True)] == [True] * 9


def test_importing_it_imports_neither_tensorflow_nor_dcgan_tf():
    code = "import sys, numpy_dcgan; print({'dcgan_tf', 'tensorflow', 'keras', 'torch', 'jax'} & {*sys.modules})"
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_networks_that_are_not_built_take_the_shape_of_their_first_batch():
    network = numpy_dcgan.Sequential([layers.Dense(4)])
    assert network(np.ones((2, 3), "float32")).shape == (2, 4)
    assert [weight.shape for weight in network.trainable_weights] == [(3, 4), (4,)]


def test_padding_is_one_of_two_in_capitals_too():
    x = np.ones((1, 8, 8, 1), "float32")
    assert layers.Conv2D(1, 3, padding="VALID")(x).shape == (1, 6, 6, 1)
    with pytest.raises(ValueError, match="not 'full'"):
        layers.Conv2D(1, 3, padding="full")
