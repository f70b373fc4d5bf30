"""The builders against the published tables: TensorFlow's tutorial, and the seeds of the 64x64 chapters."""

import keras
import numpy as np
import pytest

from dcgan_tf import models, presets
from dcgan_tf.runtime import fast_layers

# (layer, output shape, parameters) of the layers that have some, as model.summary() prints them of the tutorial's.
MNIST_GENERATOR = [
    ("Dense", (12544,), 1_254_400),
    ("BatchNormalization", (12544,), 50_176),
    ("Conv2DTranspose", (7, 7, 128), 819_200),
    ("BatchNormalization", (7, 7, 128), 512),
    ("Conv2DTranspose", (14, 14, 64), 204_800),
    ("BatchNormalization", (14, 14, 64), 256),
    ("Conv2DTranspose", (28, 28, 1), 1_600),
]
MNIST_DISCRIMINATOR = [("Conv2D", (14, 14, 64), 1_664), ("Conv2D", (7, 7, 128), 204_928), ("Dense", (1,), 6_273)]
# Of the 64x64 pair what PyTorch prints, under Keras's names: its BatchNorm2d counts the trainable parameters alone.
FACE_GENERATOR = [
    ("Conv2DTranspose", (4, 4, 512), 819_200),
    ("BatchNormalization", (4, 4, 512), 1_024),
    ("Conv2DTranspose", (8, 8, 256), 2_097_152),
    ("BatchNormalization", (8, 8, 256), 512),
    ("Conv2DTranspose", (16, 16, 128), 524_288),
    ("BatchNormalization", (16, 16, 128), 256),
    ("Conv2DTranspose", (32, 32, 64), 131_072),
    ("BatchNormalization", (32, 32, 64), 128),
    ("Conv2DTranspose", (64, 64, 3), 3_072),
]
FACE_DISCRIMINATOR = [
    ("Conv2D", (32, 32, 64), 3_072),
    ("Conv2D", (16, 16, 128), 131_072),
    ("BatchNormalization", (16, 16, 128), 256),
    ("Conv2D", (8, 8, 256), 524_288),
    ("BatchNormalization", (8, 8, 256), 512),
    ("Conv2D", (4, 4, 512), 2_097_152),
    ("BatchNormalization", (4, 4, 512), 1_024),
    ("Conv2D", (1, 1, 1), 8_192),
]


@pytest.mark.parametrize(
    ("build", "table", "total", "trainable"),
    [
        (models.mnist_generator, MNIST_GENERATOR, 2_330_944, False),
        (models.mnist_discriminator, MNIST_DISCRIMINATOR, 212_865, False),
        (models.face_generator, FACE_GENERATOR, 3_576_704, True),
        (models.face_discriminator, FACE_DISCRIMINATOR, 2_765_568, True),
    ],
)
def test_layers_and_parameters_are_the_published_ones(build, table, total, trainable):
    found = []
    for layer in build().layers:
        weights = layer.trainable_weights if trainable else layer.weights
        if count := sum(int(np.prod(weight.shape)) for weight in weights):
            found.append((type(layer).__name__, layer.output.shape[1:], count))
    assert found == table
    assert sum(row[2] for row in found) == total


def test_face_constants_are_the_papers_and_pytorchs():
    layers = models.face_generator().layers + models.face_discriminator().layers
    kernels = [layer.kernel.numpy() for layer in layers if hasattr(layer, "kernel")]
    for kernel in kernels:
        assert kernel.mean() == pytest.approx(0, abs=1e-3) and kernel.std() == pytest.approx(0.02, rel=0.05)
    assert len({kernel.ravel()[0] for kernel in kernels}) == len(kernels), "no two layers start alike"
    norms = [layer for layer in layers if type(layer).__name__ == "BatchNormalization"]
    gammas = np.concatenate([layer.gamma.numpy() for layer in norms])
    assert gammas.mean() == pytest.approx(1, abs=3e-3) and gammas.std() == pytest.approx(0.02, rel=0.1)
    assert {(layer.momentum, layer.epsilon) for layer in norms} == {(0.9, 1e-5)}
    assert {round(layer.negative_slope, 6) for layer in layers if hasattr(layer, "negative_slope")} == {0.0, 0.2}


def test_a_discriminator_without_norm_has_biases_and_keeps_the_scale_of_its_activations():
    model = models.face_discriminator(norm="none")
    assert not [layer for layer in model.layers if "Norm" in type(layer).__name__]
    assert all(layer.use_bias for layer in model.layers if hasattr(layer, "kernel"))
    images = np.random.default_rng(0).normal(size=(8, 64, 64, 3)).astype("float32")
    last_maps = keras.Model(model.inputs[0], model.layers[-3].output)(images).numpy()
    assert 0.3 < last_maps.std() < 3
    with pytest.raises(ValueError, match="'batch' or 'none'"):
        models.face_discriminator(norm="layer")


def test_pokemon_pair_is_as_described():
    """Seed 001: a dense stem, LeakyReLU of slope 0.01, Glorot's initialisation, strided convolutions, no pooling."""
    generator, discriminator = models.pokemon_generator(), models.pokemon_discriminator()
    assert type(generator.layers[0]).__name__ == "Dense"
    assert generator.output_shape[1:] == (64, 64, 3) and discriminator.output_shape[1:] == (1,)
    layers = generator.layers + discriminator.layers
    assert {round(layer.negative_slope, 6) for layer in layers if hasattr(layer, "negative_slope")} == {0.01}
    starts = {type(layer.kernel_initializer).__name__ for layer in layers if hasattr(layer, "kernel")}
    assert starts == {"GlorotUniform"}
    assert not [layer for layer in layers if "Pool" in type(layer).__name__]
    strides = [layer.strides for layer in discriminator.layers if type(layer).__name__ == "Conv2D"]
    assert strides == [(2, 2)] * 4


BUILDERS_64 = [
    getattr(models, f"{name}_{role}") for name in ("face", "pokemon", "hero") for role in ("generator", "discriminator")
]


@pytest.mark.parametrize("build", BUILDERS_64, ids=lambda build: build.__name__)
def test_width_scales_every_layer(build):
    def maps(width):
        return [layer.filters for layer in build(width=width).layers if hasattr(layer, "filters")]

    narrow, wide = np.array(maps(16)), np.array(maps(64))
    inner = wide > 3
    np.testing.assert_array_equal(4 * narrow[inner], wide[inner])


def test_a_builder_is_given_the_fields_that_it_takes():
    recipe = {"architecture": "face", "width": 8, "norm": "none", "dropout": 0.9, "batch_size": 3, "latent_dim": 7}
    generator = models.build("generator", recipe)
    assert generator.layers[1].filters == 64 and generator.input_shape == (None, 7)
    assert models.build("discriminator", recipe, "mixed_bfloat16").layers[0].use_bias
    mnist = models.build("discriminator", {"architecture": "mnist", "dropout": 0.9, "width": 8})
    assert {layer.rate for layer in mnist.layers if hasattr(layer, "rate")} == {0.9}


def test_generator_slopes_and_discriminator_dropout_are_the_tutorials():
    both = models.mnist_generator().layers + models.mnist_discriminator().layers
    assert {round(layer.negative_slope, 6) for layer in both if hasattr(layer, "negative_slope")} == {0.3}
    assert {layer.rate for layer in both if hasattr(layer, "rate")} == {0.3}


@pytest.mark.parametrize("build", [models.mnist_generator, models.mnist_discriminator, *BUILDERS_64])
def test_images_are_within_the_range_of_tanh_logits_are_not_and_mixed_precision_keeps_both_in_float32(build):
    model = fast_layers.accelerate(build(dtype="mixed_bfloat16"))  # as it is trained
    assert model.layers[0].compute_dtype == "bfloat16" and {weight.dtype for weight in model.weights} == {"float32"}
    inputs = 1e3 * np.random.default_rng(0).normal(size=(2, *model.input_shape[1:])).astype("float32")
    for training in (True, False):
        outputs = model(inputs, training=training)
        assert outputs.dtype == "float32"
    assert (np.abs(outputs).max() <= 1) == (len(outputs.shape) == 4), "the losses take logits, not probabilities"


@pytest.mark.parametrize("name", presets.PRESETS)
@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_a_seed_decides_every_weight_and_another_gives_others(name, role):
    recipe = presets.get(name).recipe()
    one, again, other, unseeded = (models.build(role, recipe, seed=seed) for seed in (1, 1, 2, None))
    pairs = list(zip(one.get_weights(), again.get_weights(), other.get_weights(), strict=True))
    drawn = [a for a, _, _ in pairs if a.ndim > 1]
    assert all(np.array_equal(a, b) for a, b, _ in pairs)
    assert all(not np.array_equal(a, c) for a, _, c in pairs if a.ndim > 1)
    assert len({a.ravel()[0] for a in drawn}) == len(drawn), "no two layers start alike"
    for a, theirs in zip(drawn, (w for w in unseeded.get_weights() if w.ndim > 1), strict=True):
        assert a.std() == pytest.approx(theirs.std(), rel=0.1), "the same distribution"
