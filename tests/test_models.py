"""The builders against the tutorial's published tables."""

import numpy as np
import pytest

from dcgan_tf import models

# (layer, output shape, parameters), as model.summary() of the tutorial's networks prints them.
GENERATOR = [
    ("Dense", (12544,), 1_254_400),
    ("BatchNormalization", (12544,), 50_176),
    ("LeakyReLU", (12544,), 0),
    ("Reshape", (7, 7, 256), 0),
    ("Conv2DTranspose", (7, 7, 128), 819_200),
    ("BatchNormalization", (7, 7, 128), 512),
    ("LeakyReLU", (7, 7, 128), 0),
    ("Conv2DTranspose", (14, 14, 64), 204_800),
    ("BatchNormalization", (14, 14, 64), 256),
    ("LeakyReLU", (14, 14, 64), 0),
    ("Conv2DTranspose", (28, 28, 1), 1_600),
]
DISCRIMINATOR = [
    ("Conv2D", (14, 14, 64), 1_664),
    ("LeakyReLU", (14, 14, 64), 0),
    ("Dropout", (14, 14, 64), 0),
    ("Conv2D", (7, 7, 128), 204_928),
    ("LeakyReLU", (7, 7, 128), 0),
    ("Dropout", (7, 7, 128), 0),
    ("Flatten", (6272,), 0),
    ("Dense", (1,), 6_273),
]


@pytest.mark.parametrize(
    ("build", "table", "total"),
    [(models.mnist_generator, GENERATOR, 2_330_944), (models.mnist_discriminator, DISCRIMINATOR, 212_865)],
)
def test_layers_and_parameters_are_the_tutorials(build, table, total):
    model = build()
    found = [(type(layer).__name__, layer.output.shape[1:], layer.count_params()) for layer in model.layers]
    assert found == table
    assert model.count_params() == total


def test_generator_slopes_and_discriminator_dropout_are_the_tutorials():
    both = models.mnist_generator().layers + models.mnist_discriminator().layers
    assert {round(layer.negative_slope, 6) for layer in both if hasattr(layer, "negative_slope")} == {0.3}
    assert {layer.rate for layer in both if hasattr(layer, "rate")} == {0.3}


def test_generator_makes_images_within_the_range_of_tanh():
    images = models.mnist_generator()(np.random.default_rng(0).normal(size=(5, 100), scale=50)).numpy()
    assert images.shape == (5, 28, 28, 1)
    assert np.abs(images).max() <= 1


def test_discriminator_gives_unbounded_logits():
    logits = models.mnist_discriminator()(1e3 * np.ones((2, 28, 28, 1), "float32")).numpy()
    assert logits.shape == (2, 1)
    assert np.abs(logits).max() > 1, "the last layer must not squash: the losses take logits"


def test_latent_dimension_can_be_chosen():
    assert models.mnist_generator(latent_dim=7).input_shape == (None, 7)


@pytest.mark.parametrize("build", [models.mnist_generator, models.mnist_discriminator])
def test_mixed_precision_keeps_weights_and_the_last_layer_in_float32(build):
    model = build(dtype="mixed_bfloat16")
    assert model.layers[0].compute_dtype == "bfloat16"
    assert model.layers[-1].compute_dtype == "float32"
    assert {weight.dtype for weight in model.weights} == {"float32"}


def test_classifier_is_small():
    assert models.mnist_classifier().count_params() * 4 < 1_100_000
