"""The pair of chapter 01, TensorFlow's DCGAN tutorial's."""

import keras
from keras import layers


def mnist_generator(latent_dim: int = 100, classes: int = 0, dtype: str = "float32") -> keras.Sequential:
    """The generator of TensorFlow's DCGAN tutorial: latents [n, latent_dim] to images [n, 28, 28, 1] in [-1, 1].

    2,330,944 parameters at 100 latent dimensions. With `classes` the one-hot label stands beside the latent: [n,
    latent_dim + classes]. `dtype` is a Keras dtype policy ("float32", "mixed_bfloat16", "mixed_float16"); the images
    come in its compute dtype.
    """
    policy = {"dtype": dtype}
    return keras.Sequential(
        [
            keras.Input((latent_dim + classes,)),
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
            layers.Conv2DTranspose(1, 5, strides=2, padding="same", use_bias=False, activation="tanh", **policy),
        ],
        name="mnist_generator",
    )


def mnist_discriminator(dropout: float = 0.3, classes: int = 0, dtype: str = "float32") -> keras.Sequential:
    """The discriminator of TensorFlow's DCGAN tutorial: images [n, 28, 28, 1] to logits [n, 1], 212,865 parameters.

    A positive logit means "real". With `classes` there is a logit for each label: [n, classes]. `dropout` is the rate
    of both dropout layers, `dtype` as in `mnist_generator`; the last layer always computes in float32.
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
            layers.Dense(classes or 1, dtype="float32"),
        ],
        name="mnist_discriminator",
    )
