"""The pairs of chapters 02 and 05, for sprites of 64x64: a dense stem, LeakyReLU, and heroes that grow."""

import keras
from keras import layers


def pokemon_generator(latent_dim: int = 100, width: int = 64, dtype: str = "float32") -> keras.Sequential:
    """A generator for sprites, with a dense stem: latents [n, latent_dim] to images [n, 64, 64, 3] in [-1, 1].

    LeakyReLU of slope 0.01 throughout, Glorot's initialisation; 8, 4, 2 and 1 times `width` feature maps. `dtype` as
    in `mnist_generator`.
    """
    policy = {"dtype": dtype}
    stack = [
        keras.Input((latent_dim,)),
        layers.Dense(4 * 4 * 8 * width, use_bias=False, **policy),
        layers.Reshape((4, 4, 8 * width), **policy),
        layers.BatchNormalization(momentum=0.9, **policy),
        layers.LeakyReLU(0.01, **policy),
    ]
    for maps in (4 * width, 2 * width, width):  # 4x4 to 8x8, 16x16, 32x32
        stack += [
            layers.Conv2DTranspose(maps, 4, strides=2, padding="same", use_bias=False, **policy),
            layers.BatchNormalization(momentum=0.9, **policy),
            layers.LeakyReLU(0.01, **policy),
        ]
    stack.append(layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh", **policy))
    return keras.Sequential(stack, name="pokemon_generator")


def pokemon_discriminator(width: int = 64, dtype: str = "float32") -> keras.Sequential:
    """The discriminator beside it: images [n, 64, 64, 3] to logits [n, 1], by strided convolutions and no pooling."""
    policy = {"dtype": dtype}
    stack = [keras.Input((64, 64, 3))]
    for maps in (width, 2 * width, 4 * width, 8 * width):  # 64x64 to 32x32, 16x16, 8x8, 4x4
        stack += [
            layers.Conv2D(maps, 4, strides=2, padding="same", **policy),
            layers.LeakyReLU(0.01, **policy),
        ]
    stack += [layers.Flatten(**policy), layers.Dense(1, dtype="float32")]
    return keras.Sequential(stack, name="pokemon_discriminator")


def hero_generator(size: int = 64, latent_dim: int = 100, width: int = 64, dtype: str = "float32") -> keras.Sequential:
    """A generator that grows with its images: latents [n, latent_dim] to images [n, size, size, 3] in [-1, 1].

    A dense stem of 4 x 4 x 8 `width` values, then transposed convolutions of 4, 2 and 1 times `width` maps to 8 x 8,
    16 x 16 and 32 x 32, as many as the size needs; LeakyReLU of slope 0.2. Each layer is named for the size of its
    output; only the one that makes the image has another name at each image size, so that all others can be carried
    over to the next size.
    `dtype` as in `mnist_generator`.

    Raises:
        ValueError: a size other than 16, 32 or 64.
    """
    policy = {"dtype": dtype}
    stack = [
        keras.Input((latent_dim,)),
        layers.Dense(4 * 4 * 8 * width, use_bias=False, name="stem", **policy),
        layers.Reshape((4, 4, 8 * width), name="stem_maps", **policy),
        layers.BatchNormalization(momentum=0.9, name="stem_norm", **policy),
        layers.LeakyReLU(0.2, name="stem_active", **policy),
    ]
    for side in _sides(size):
        maps = 32 // side * width
        stack += [
            layers.Conv2DTranspose(maps, 4, 2, "same", use_bias=False, name=f"up_{side}", **policy),
            layers.BatchNormalization(momentum=0.9, name=f"norm_{side}", **policy),
            layers.LeakyReLU(0.2, name=f"active_{side}", **policy),
        ]
    stack.append(layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh", name=f"to_image_{size}", **policy))
    return keras.Sequential(stack, name="hero_generator")


def hero_discriminator(
    size: int = 64, width: int = 64, dropout: float = 0.3, dtype: str = "float32"
) -> keras.Sequential:
    """Its mirror image, the discriminator: images [n, size, size, 3] to logits [n, 1], with dropout and no norm.

    1, 2, 4 and 8 times `width` maps at 32 x 32, 16 x 16, 8 x 8 and 4 x 4. `dtype` as in `mnist_generator`.
    """
    policy = {"dtype": dtype}
    stack = [keras.Input((size, size, 3))]
    for side in (*reversed(_sides(size)), 4):
        name = f"from_image_{size}" if 2 * side == size else f"down_{side}"
        maps = 32 // side * width
        stack += [
            layers.Conv2D(maps, 4, 2, "same", kernel_initializer="he_normal", name=name, **policy),
            layers.LeakyReLU(0.2, name=f"active_{side}", **policy),
            layers.Dropout(dropout, name=f"dropout_{side}", **policy),
        ]
    stack += [layers.Flatten(name="flat", **policy), layers.Dense(1, name="logit", dtype="float32")]
    return keras.Sequential(stack, name="hero_discriminator")


def _sides(size):
    """The sizes of the maps between 4 x 4 and a hero's image."""
    if size not in (16, 32, 64):
        raise ValueError(f"heroes are made at 16, 32 and 64 pixels, not {size}")
    return {16: (8,), 32: (8, 16), 64: (8, 16, 32)}[size]
