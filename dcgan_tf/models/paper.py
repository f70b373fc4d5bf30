"""The DCGAN paper's pair for 64x64 (chapters 03 and 04), and the same layers for images of any size."""

import math

import keras
from keras import layers

from dcgan_tf.errors import UserError
from dcgan_tf.models.sizes import stem


def face_generator(
    latent_dim: int = 100, width: int = 64, classes: int = 0, dtype: str = "float32"
) -> keras.Sequential:
    """The DCGAN paper's generator: latents [n, latent_dim] to images [n, 64, 64, 3] in [-1, 1].

    Radford et al. 2015, figure 1 and section 4, half as wide, as in PyTorch's tutorial: 8, 4, 2 and 1 times `width`
    feature maps, 3,576,704 trainable parameters at width 64. Weights start from N(0, 0.02), the batch norm's scales
    from N(1, 0.02). `classes` and `dtype` as in `mnist_generator`.
    """
    maps = (8 * width, 4 * width, 2 * width, width)
    return _upwards((4, 4), maps, 3, latent_dim, classes, dtype, "face_generator")


def face_discriminator(
    width: int = 64, norm: str = "batch", classes: int = 0, dtype: str = "float32"
) -> keras.Sequential:
    """The DCGAN paper's discriminator: images [n, 64, 64, 3] to logits [n, 1].

    1, 2, 4 and 8 times `width` feature maps; 2,765,568 trainable parameters at width 64. `norm` is "batch", the
    paper's, or "none": biases in place of the batch norm, and He et al.'s initialisation (2015, section 2.2), which
    keeps the scale of the activations where no norm does. `classes` and `dtype` as in `mnist_discriminator`.
    """
    maps = (8 * width, 4 * width, 2 * width, width)
    return _downwards((4, 4), maps, 3, norm, classes, dtype, "face_discriminator")


def image_generator(
    size: int | tuple[int, int] = 64,
    channels: int = 3,
    latent_dim: int = 100,
    width: int = 64,
    classes: int = 0,
    dtype: str = "float32",
) -> keras.Sequential:
    """A generator for images of any size that fits: latents [n, latent_dim] to images [n, H, W, channels] in [-1, 1].

    The layers are those of `face_generator`; at 64x64x3 the two are the same network. The first layer makes a stem of a
    few pixels, and each layer after it doubles both sides. So H and W are each s times 2^n, with one n for both: the
    largest that leaves a stem of at least 3 (`sizes.stem`). `width` is the number of maps at 32x32. At half the side
    there are twice as many, up to 8 times `width`, and at twice the side half as many, so all layers cost the same and
    a step's cost grows more slowly than the pixels.

    Args:
        size: height and width in pixels: one number for both, or (height, width).
        channels: 1 (grey), 3 (RGB) or 4 (RGB and alpha).
        latent_dim, classes, dtype: as in `mnist_generator`.
        width: feature maps at 32x32.

    Raises:
        UserError: a size that does not fit, naming the nearest two that do; a number of channels other than 1, 3, 4.
    """
    _check_channels(channels)
    start, doublings = stem(size)
    return _upwards(start, _maps(start, doublings, width), channels, latent_dim, classes, dtype, "image_generator")


def image_discriminator(
    size: int | tuple[int, int] = 64,
    channels: int = 3,
    width: int = 64,
    norm: str = "batch",
    classes: int = 0,
    dtype: str = "float32",
) -> keras.Sequential:
    """The mirror image of `image_generator`, a discriminator: images [n, H, W, channels] to logits [n, 1].

    Arguments and errors as there, `norm` as in `face_discriminator`, `classes` as in `mnist_discriminator`.
    """
    _check_channels(channels)
    start, doublings = stem(size)
    return _downwards(start, _maps(start, doublings, width), channels, norm, classes, dtype, "image_discriminator")


def _check_channels(channels):
    if channels not in (1, 3, 4):
        raise UserError(f"images have 1 channel (grey), 3 (RGB) or 4 (RGB and alpha), not {channels}")


def _maps(start, doublings, width):
    """How many maps the stem and each layer after it but the last have: `width` at 32x32, twice as many at half the
    side. A layer from n to m maps takes about n * m multiplications a pixel, so that each layer then costs the same.
    """
    sides = (math.sqrt(start[0] * start[1]) * 2**i for i in range(doublings))
    return [min(8 * width, 8 * max(1, round(4 * width / side))) for side in sides]


def _upwards(start, maps, channels, latent_dim, classes, dtype, name):
    """The paper's generator, from a stem of `start` (height, width) through `maps` to an image of `channels`."""
    inputs = latent_dim + classes
    policy = {"dtype": dtype}

    def convolution(maps, kernel=4, **options):
        return layers.Conv2DTranspose(maps, kernel, use_bias=False, kernel_initializer=_normal(), **options, **policy)

    stack = [
        keras.Input((inputs,)),
        layers.Reshape((1, 1, inputs), **policy),
        convolution(maps[0], start),
        _batch_norm(dtype),
        layers.ReLU(**policy),
    ]
    for count in maps[1:]:
        stack += [convolution(count, strides=2, padding="same"), _batch_norm(dtype), layers.ReLU(**policy)]
    stack.append(convolution(channels, strides=2, padding="same", activation="tanh"))
    return keras.Sequential(stack, name=name)


def _downwards(start, maps, channels, norm, classes, dtype, name):
    """The paper's discriminator, the mirror image of `_upwards`."""
    if norm not in ("batch", "none"):
        raise ValueError(f"norm is 'batch' or 'none', not {norm!r}")
    policy, plain = {"dtype": dtype}, norm == "none"

    def convolution(maps, kernel, initializer, **options):
        initializer = initializer if plain else _normal()
        return layers.Conv2D(maps, kernel, use_bias=plain, kernel_initializer=initializer, **options)

    stack = [keras.Input((*(side * 2 ** len(maps) for side in start), channels))]
    for i, count in enumerate(reversed(maps)):
        stack.append(convolution(count, 4, "he_normal", strides=2, padding="same", **policy))
        if i and not plain:  # none on the first layer (section 3)
            stack.append(_batch_norm(dtype))
        stack.append(layers.LeakyReLU(0.2, **policy))
    stack += [convolution(classes or 1, start, "glorot_uniform", dtype="float32"), layers.Flatten(dtype="float32")]
    return keras.Sequential(stack, name=name)


def _normal():
    """The paper's initialisation of every weight (section 4). A new one a layer: one shared would repeat its draws."""
    return keras.initializers.RandomNormal(0.0, 0.02)


def _batch_norm(dtype):
    """Batch normalisation as PyTorch has it: momentum 0.1 there is 0.9 here."""
    gamma = keras.initializers.RandomNormal(1.0, 0.02)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=gamma, dtype=dtype)
