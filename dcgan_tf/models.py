"""The networks: plain Keras Sequential models, one pair of builders a chapter."""

import keras
from keras import layers


def mnist_generator(latent_dim=100, dtype="float32"):
    """The generator of TensorFlow's DCGAN tutorial: latents [n, latent_dim] to images [n, 28, 28, 1] in [-1, 1].

    2,330,944 parameters at 100 latent dimensions. `dtype` is a Keras dtype policy ("float32", "mixed_bfloat16",
    "mixed_float16"); the last layer always computes in float32.
    """
    policy = {"dtype": dtype}
    return keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense(7 * 7 * 256, use_bias=False, **policy),
            layers.BatchNormalization(**policy),
            layers.LeakyReLU(0.3, **policy),
            layers.Reshape((7, 7, 256), **policy),
            layers.Conv2DTranspose(128, 5, strides=1, padding="same", use_bias=False, **policy),
            layers.BatchNormalization(**policy),
            layers.LeakyReLU(0.3, **policy),
            layers.Conv2DTranspose(64, 5, strides=2, padding="same", use_bias=False, **policy),
            layers.BatchNormalization(**policy),
            layers.LeakyReLU(0.3, **policy),
            layers.Conv2DTranspose(1, 5, strides=2, padding="same", use_bias=False, activation="tanh", dtype="float32"),
        ],
        name="mnist_generator",
    )


def mnist_discriminator(dropout=0.3, dtype="float32"):
    """The discriminator of TensorFlow's DCGAN tutorial: images [n, 28, 28, 1] to logits [n, 1], 212,865 parameters.

    A positive logit means "real". `dropout` is the rate of both dropout layers, `dtype` as in `mnist_generator`.
    """
    policy = {"dtype": dtype}
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, 5, strides=2, padding="same", **policy),
            layers.LeakyReLU(0.3, **policy),
            layers.Dropout(dropout, **policy),
            layers.Conv2D(128, 5, strides=2, padding="same", **policy),
            layers.LeakyReLU(0.3, **policy),
            layers.Dropout(dropout, **policy),
            layers.Flatten(**policy),
            layers.Dense(1, dtype="float32"),
        ],
        name="mnist_discriminator",
    )


def mnist_classifier():
    """A digit classifier to judge generated digits by: images [n, 28, 28, 1] in [-1, 1] to logits [n, 10].

    The layer named "features" ([n, 64], after ReLU) gives the space in which the FID is taken. Its weights are
    trained by weights/build_mnist_classifier.py.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Dropout(0.25),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(64, activation="relu", name="features"),
            layers.Dropout(0.5),
            layers.Dense(10, name="logits"),
        ],
        name="mnist_classifier",
    )


GENERATORS = {"mnist": mnist_generator}
DISCRIMINATORS = {"mnist": mnist_discriminator}
