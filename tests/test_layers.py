"""The layers and the optimizer against Keras's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan_tf import models
from dcgan_tf.errors import UserError
from dcgan_tf.runtime import fast_layers

FAST = {  # the fast layer in place of a layer of Keras's, by its name
    "Conv2D": fast_layers.FastConv2D,
    "Conv2DTranspose": fast_layers.FastConv2DTranspose,
    "BatchNormalization": fast_layers.FusedBatchNormalization,
}


@pytest.mark.parametrize("shape", [(8, 6), (4, 5, 3, 6)])
@pytest.mark.parametrize("momentum", [0.99, 0.9])
def test_batch_normalisation_gives_kerass_outputs_gradients_and_statistics(shape, momentum):
    rng = np.random.default_rng(0)
    x, upstream = (tf.constant(rng.normal(2, 3, shape).astype("float32")) for _ in range(2))
    kinds = fast_layers.FusedBatchNormalization, keras.layers.BatchNormalization
    weights = [rng.uniform(0.5, 2, shape[-1]) for _ in range(4)]
    results = []
    for kind in kinds:
        layer = kind(momentum=momentum, epsilon=1e-5)
        layer.build(shape)
        layer.set_weights(weights)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
        gradients = tape.gradient(y, [x, *layer.trainable_variables], upstream)
        results.append([y, *gradients, *layer.weights, layer(x, training=False)])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5)


def test_frozen_batch_normalisation_keeps_its_statistics():
    layer = fast_layers.FusedBatchNormalization()
    layer.build((None, 4, 4, 3))
    layer.trainable = False
    before = layer.get_weights()
    layer(np.random.default_rng(0).normal(5, 2, (8, 4, 4, 3)).astype("float32"), training=True)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.999), (0.0, 0.99)])
def test_adam_moves_as_kerass_does(betas):
    rng = np.random.default_rng(1)
    start = rng.normal(size=(7, 5)).astype("float32")
    variables = [keras.Variable(start) for _ in range(2)]
    optimizers = [kind(1e-2, *betas) for kind in (fast_layers.FusedAdam, keras.optimizers.Adam)]
    for _ in range(20):
        gradient = tf.constant(rng.normal(size=(7, 5)).astype("float32"))
        for optimizer, variable in zip(optimizers, variables, strict=True):
            optimizer.apply([gradient], [variable])
        optimizers[0].learning_rate = optimizers[1].learning_rate = 5e-3
    np.testing.assert_allclose(*variables, rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(optimizers[0].variables, optimizers[1].variables, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_adam_skips_what_float16_overflows():
    variable = keras.Variable(np.ones(3, "float32"))
    optimizer = keras.optimizers.LossScaleOptimizer(fast_layers.FusedAdam(0.1))
    optimizer.build([variable])
    optimizer.apply([tf.constant([np.inf, 1.0, 1.0])], [variable])
    np.testing.assert_array_equal(variable, [1, 1, 1])
    optimizer.apply([tf.constant([1.0, 1.0, 1.0])], [variable])
    assert (np.asarray(variable) < 1).all()


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("kind", ["Conv2D", "Conv2DTranspose"])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (4, 1), (5, 1), (3, 2), (4, 2), (5, 2), (1, 1), (4, 4)])
@pytest.mark.parametrize("side", [4, 8])
def test_convolutions_give_kerass_outputs_and_gradients(kind, kernel, stride, side, dtype, monkeypatch):
    """In float32 the other way is taken too, where rounding hides nothing."""
    monkeypatch.setattr(fast_layers, "_is_slow", lambda *_: True)
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(size=(6, side, side, 3)).astype("float32"))
    ours = FAST[kind](5, kernel, stride, "same", dtype=dtype)
    results = []
    for layer in (ours, getattr(keras.layers, kind)(5, kernel, stride, "same")):
        layer.build(x.shape)
        layer.set_weights([np.random.default_rng(1).normal(size=w.shape) for w in layer.get_weights()])
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = layer(x)
                total = tf.reduce_sum(tf.cast(y, tf.float32) ** 2)
            slope = inner.gradient(total, x)
            penalty = tf.reduce_sum(slope**2)  # as the R1 penalty takes it
        second = outer.gradient(penalty, layer.trainable_variables[0])
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(tf.cast(layer(x), tf.float32) ** 2)
        results.append([y, slope, second, *tape.gradient(total, layer.trainable_variables)])
    tolerance = 1e-5 if dtype == "float32" else 1e-1  # some processors round bfloat16 more often than others
    for ours, theirs in zip(*results, strict=True):
        ours, theirs = (np.asarray(tf.cast(value, tf.float32)) for value in (ours, theirs))
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max()


@pytest.mark.parametrize(
    ("kind", "shape", "options"),
    [
        ("Conv2D", (None, 6, 6, 4), {"filters": 4, "kernel_size": 3, "padding": "same", "groups": 2}),
        ("Conv2D", (None, None, None, 4), {"filters": 4, "kernel_size": 3, "padding": "same"}),
        ("Conv2D", (None, 4, 12, 4), {"filters": 4, "kernel_size": 4, "strides": 2, "padding": "same"}),
        ("Conv2D", (None, 6, 6, 4), {"filters": 4, "kernel_size": (3, 1), "padding": "same"}),
        ("Conv2DTranspose", (None, None, None, 4), {"filters": 4, "kernel_size": 3, "padding": "same"}),
        ("Conv2DTranspose", (None, 4, 12, 4), {"filters": 4, "kernel_size": 4, "strides": 2, "padding": "same"}),
        ("BatchNormalization", (None, 6, 6, 4), {"axis": 1}),
        ("BatchNormalization", (None, 6, 6, 4), {"center": False}),
        ("BatchNormalization", (None, 6, 6, 4), {"scale": False}),
    ],
)
def test_what_the_fast_ways_are_not_made_for_is_left_to_keras(kind, shape, options, monkeypatch):
    monkeypatch.setattr(fast_layers.devices, "gpus", lambda: [])
    policy = "mixed_bfloat16" if kind.startswith("Conv") else "float32"
    pair = [kind_of(**options, dtype=policy) for kind_of in (FAST[kind], getattr(keras.layers, kind))]
    images = np.random.default_rng(0).normal(size=(5, *(side or 6 for side in shape[1:]))).astype("float32")
    results = []
    for layer in pair:
        network = keras.Sequential([keras.Input(shape[1:]), layer])
        network.set_weights([np.random.default_rng(1).uniform(size=w.shape) for w in network.get_weights()])
        graph = tf.function(lambda x, network=network: network(x, training=True), [tf.TensorSpec(shape, tf.float32)])
        with tf.GradientTape() as tape:
            outputs = graph(images)
            total = tf.reduce_sum(tf.cast(outputs, tf.float32) ** 2)
        learned = network.trainable_variables[: 1 if kind.startswith("Conv") else None]  # a bias: the next test
        results.append([outputs, *tape.gradient(total, learned)])
    for ours, theirs in zip(*results, strict=True):
        ours, theirs = (np.asarray(tf.cast(value, tf.float32)) for value in (ours, theirs))
        np.testing.assert_allclose(ours, theirs, rtol=2e-2, atol=2e-2 * np.abs(theirs).max())


@pytest.mark.parametrize("kind", ["Conv2D", "Conv2DTranspose"])
def test_the_gradient_of_a_bias_is_right_where_many_places_are_summed(kind):
    """In bfloat16 Keras's stops at 256 here, where 1 more is rounded away."""
    layer = FAST[kind](2, 3, 1, "same", dtype="mixed_bfloat16")
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.cast(layer(tf.zeros([16, 32, 32, 1])), tf.float32))
    np.testing.assert_allclose(tape.gradient(total, layer.bias), [16 * 32 * 32] * 2, rtol=1e-2)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_network_can_be_made_fast_and_plain_again(dtype):
    network = models.face_generator(width=4, dtype=dtype)
    quick = fast_layers.accelerate(network)
    fast_ones = {fast_layers.FastConv2DTranspose, fast_layers.FusedBatchNormalization}
    assert {type(layer) for layer in quick.layers} >= fast_ones
    latents = np.random.default_rng(0).standard_normal((3, 100)).astype("float32")
    assert quick(latents).dtype == tf.float32, "images, whatever the policy"
    again = fast_layers.plain(quick)
    assert {layer.compute_dtype for layer in again.layers} == {"float32"}
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in network.layers]
    expected = np.asarray(tf.cast(network(latents), tf.float32))
    for other in (quick, again):
        np.testing.assert_allclose(other(latents), expected, atol=1e-6 if dtype == "float32" else 0.02)


def test_a_network_within_a_network_is_made_plain_as_well():
    policy = {"dtype": "mixed_bfloat16"}
    block = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, **policy)])
    whole = keras.Sequential([keras.Input((4,)), block, keras.layers.Dense(2, **policy)])
    copy = fast_layers.plain(whole)
    assert {layer.compute_dtype for layer in copy.layers[0].layers} == {"float32"}
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    np.testing.assert_allclose(copy(x), whole(x), atol=0.05)
    assert copy(x).dtype == "float32" and copy.count_params() == whole.count_params()


def test_a_network_that_cannot_be_copied_says_why():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: 2 * x)])
    with pytest.raises(UserError, match="Lambda"):
        fast_layers.plain(network)
