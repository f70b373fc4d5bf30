"""The networks: plain Keras Sequential models, one pair of builders a chapter."""

import inspect

import keras
from keras import layers

from dcgan_tf.layers import BatchNormalization, Conv2D, Conv2DTranspose, Dropout, tanh


def mnist_generator(latent_dim=100, dtype="float32"):
    """The generator of TensorFlow's DCGAN tutorial: latents [n, latent_dim] to images [n, 28, 28, 1] in [-1, 1].

    2,330,944 parameters at 100 latent dimensions. `dtype` is a Keras dtype policy ("float32", "mixed_bfloat16",
    "mixed_float16"); the images are always float32.
    """
    policy = {"dtype": dtype}
    return keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense(7 * 7 * 256, use_bias=False, **policy),
            BatchNormalization(**policy),
            layers.LeakyReLU(0.3, **policy),
            layers.Reshape((7, 7, 256), **policy),
            Conv2DTranspose(128, 5, strides=1, padding="same", use_bias=False, **policy),
            BatchNormalization(**policy),
            layers.LeakyReLU(0.3, **policy),
            Conv2DTranspose(64, 5, strides=2, padding="same", use_bias=False, **policy),
            BatchNormalization(**policy),
            layers.LeakyReLU(0.3, **policy),
            Conv2DTranspose(1, 5, strides=2, padding="same", use_bias=False, activation=tanh, **policy),
        ],
        name="mnist_generator",
    )


def mnist_discriminator(dropout=0.3, dtype="float32"):
    """The discriminator of TensorFlow's DCGAN tutorial: images [n, 28, 28, 1] to logits [n, 1], 212,865 parameters.

    A positive logit means "real". `dropout` is the rate of both dropout layers, `dtype` as in `mnist_generator`; the
    last layer always computes in float32.
    """
    policy = {"dtype": dtype}
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            Conv2D(64, 5, strides=2, padding="same", **policy),
            layers.LeakyReLU(0.3, **policy),
            Dropout(dropout, **policy),
            Conv2D(128, 5, strides=2, padding="same", **policy),
            layers.LeakyReLU(0.3, **policy),
            Dropout(dropout, **policy),
            layers.Flatten(**policy),
            layers.Dense(1, dtype="float32"),
        ],
        name="mnist_discriminator",
    )


def face_generator(latent_dim=100, width=64, dtype="float32"):
    """The DCGAN paper's generator: latents [n, latent_dim] to images [n, 64, 64, 3] in [-1, 1].

    Radford et al. 2015, figure 1 and section 4, half as wide, as in PyTorch's tutorial: 8, 4, 2 and 1 times `width`
    feature maps, 3,576,704 trainable parameters at width 64. Weights start from N(0, 0.02), the batch norm's scales
    from N(1, 0.02). `dtype` as in `mnist_generator`.
    """
    policy = {"dtype": dtype}

    def convolution(maps, **options):
        return Conv2DTranspose(maps, 4, use_bias=False, kernel_initializer=_normal(), **options)

    stack = [
        keras.Input((latent_dim,)),
        layers.Reshape((1, 1, latent_dim), **policy),
        convolution(8 * width, **policy),
        _batch_norm(dtype),
        layers.ReLU(**policy),
    ]
    for maps in (4 * width, 2 * width, width):  # 4x4 to 8x8, 16x16, 32x32
        stack += [
            convolution(maps, strides=2, padding="same", **policy),
            _batch_norm(dtype),
            layers.ReLU(**policy),
        ]
    stack.append(convolution(3, strides=2, padding="same", activation=tanh, **policy))
    return keras.Sequential(stack, name="face_generator")


def face_discriminator(width=64, norm="batch", dtype="float32"):
    """The DCGAN paper's discriminator: images [n, 64, 64, 3] to logits [n, 1].

    1, 2, 4 and 8 times `width` feature maps; 2,765,568 trainable parameters at width 64. `norm` is "batch", the
    paper's, or "none": biases in place of the batch norm, and He et al.'s initialisation (2015, section 2.2), which
    keeps the scale of the activations where no norm does. `dtype` as in `mnist_generator`.
    """
    if norm not in ("batch", "none"):
        raise ValueError(f"norm is 'batch' or 'none', not {norm!r}")
    policy = {"dtype": dtype}
    plain = norm == "none"

    def convolution(maps, start, **options):
        return Conv2D(maps, 4, use_bias=plain, kernel_initializer=start if plain else _normal(), **options)

    stack = [keras.Input((64, 64, 3))]
    for maps in (width, 2 * width, 4 * width, 8 * width):  # 64x64 to 32x32, 16x16, 8x8, 4x4
        stack.append(convolution(maps, "he_normal", strides=2, padding="same", **policy))
        if maps > width and not plain:  # none on the first layer (section 3)
            stack.append(_batch_norm(dtype))
        stack.append(layers.LeakyReLU(0.2, **policy))
    stack += [convolution(1, "glorot_uniform", dtype="float32"), layers.Flatten(dtype="float32")]
    return keras.Sequential(stack, name="face_discriminator")


def pokemon_generator(latent_dim=100, width=64, dtype="float32"):
    """A generator for sprites, with a dense stem: latents [n, latent_dim] to images [n, 64, 64, 3] in [-1, 1].

    LeakyReLU of slope 0.01 throughout, Glorot's initialisation; 8, 4, 2 and 1 times `width` feature maps. `dtype` as
    in `mnist_generator`.
    """
    policy = {"dtype": dtype}
    stack = [
        keras.Input((latent_dim,)),
        layers.Dense(4 * 4 * 8 * width, use_bias=False, **policy),
        layers.Reshape((4, 4, 8 * width), **policy),
        BatchNormalization(momentum=0.9, **policy),
        layers.LeakyReLU(0.01, **policy),
    ]
    for maps in (4 * width, 2 * width, width):  # 4x4 to 8x8, 16x16, 32x32
        stack += [
            Conv2DTranspose(maps, 4, strides=2, padding="same", use_bias=False, **policy),
            BatchNormalization(momentum=0.9, **policy),
            layers.LeakyReLU(0.01, **policy),
        ]
    stack.append(Conv2DTranspose(3, 4, strides=2, padding="same", activation=tanh, **policy))
    return keras.Sequential(stack, name="pokemon_generator")


def pokemon_discriminator(width=64, dtype="float32"):
    """The discriminator beside it: images [n, 64, 64, 3] to logits [n, 1], by strided convolutions and no pooling."""
    policy = {"dtype": dtype}
    stack = [keras.Input((64, 64, 3))]
    for maps in (width, 2 * width, 4 * width, 8 * width):  # 64x64 to 32x32, 16x16, 8x8, 4x4
        stack += [
            Conv2D(maps, 4, strides=2, padding="same", **policy),
            layers.LeakyReLU(0.01, **policy),
        ]
    stack += [layers.Flatten(**policy), layers.Dense(1, dtype="float32")]
    return keras.Sequential(stack, name="pokemon_discriminator")


def hero_generator(size=64, latent_dim=100, width=64, dtype="float32"):
    """A generator that grows with its images: latents [n, latent_dim] to images [n, size, size, 3] in [-1, 1].

    A dense stem of 4 x 4 x 8 `width` values, then transposed convolutions of 4, 2 and 1 times `width` maps to 8 x 8,
    16 x 16 and 32 x 32, as many as the size needs; LeakyReLU of slope 0.2. Layers are named for the size of their
    output, and the one that makes the image for its own size, so that the others can be carried over to the next one.
    `dtype` as in `mnist_generator`.

    Raises:
        ValueError: a size other than 16, 32 or 64.
    """
    policy = {"dtype": dtype}
    stack = [
        keras.Input((latent_dim,)),
        layers.Dense(4 * 4 * 8 * width, use_bias=False, name="stem", **policy),
        layers.Reshape((4, 4, 8 * width), name="stem_maps", **policy),
        BatchNormalization(momentum=0.9, name="stem_norm", **policy),
        layers.LeakyReLU(0.2, name="stem_active", **policy),
    ]
    for side in _sides(size):
        maps = 32 // side * width
        stack += [
            Conv2DTranspose(maps, 4, 2, "same", use_bias=False, name=f"up_{side}", **policy),
            BatchNormalization(momentum=0.9, name=f"norm_{side}", **policy),
            layers.LeakyReLU(0.2, name=f"active_{side}", **policy),
        ]
    stack.append(Conv2DTranspose(3, 4, 2, "same", activation=tanh, name=f"to_image_{size}", **policy))
    return keras.Sequential(stack, name="hero_generator")


def hero_discriminator(size=64, width=64, dropout=0.3, dtype="float32"):
    """Its mirror image, the discriminator: images [n, size, size, 3] to logits [n, 1], with dropout and no norm.

    1, 2, 4 and 8 times `width` maps at 32 x 32, 16 x 16, 8 x 8 and 4 x 4. `dtype` as in `mnist_generator`.
    """
    policy = {"dtype": dtype}
    stack = [keras.Input((size, size, 3))]
    for side in (*reversed(_sides(size)), 4):
        name = f"from_image_{size}" if 2 * side == size else f"down_{side}"
        maps = 32 // side * width
        stack += [
            Conv2D(maps, 4, 2, "same", kernel_initializer="he_normal", name=name, **policy),
            layers.LeakyReLU(0.2, name=f"active_{side}", **policy),
            Dropout(dropout, name=f"dropout_{side}", **policy),
        ]
    stack += [layers.Flatten(name="flat", **policy), layers.Dense(1, name="logit", dtype="float32")]
    return keras.Sequential(stack, name="hero_discriminator")


def _sides(size):
    """The sizes of the maps between 4 x 4 and a hero's image."""
    if size not in (16, 32, 64):
        raise ValueError(f"heroes are made at 16, 32 and 64 pixels, not {size}")
    return {16: (8,), 32: (8, 16), 64: (8, 16, 32)}[size]


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


def anime_classifier():
    """A classifier to judge generated anime faces by: images [n, 64, 64, 3] in [-1, 1] to logits [n, 63].

    The logits are those of 16 hair colours, 39 hair styles and 8 backgrounds, side by side (`ANIME_HEADS`). The layer
    named "features" ([n, 64], standardised over the training set) gives the space in which distances are taken. Its
    weights are trained by weights/build_classifier.py.
    """
    return _label_classifier(ANIME_HEADS, "anime_classifier")


def hero_classifier():
    """A classifier to judge generated heroes by, like `anime_classifier`: 18 races and 322 units (`HERO_HEADS`)."""
    return _label_classifier(HERO_HEADS, "hero_classifier")


def _label_classifier(heads, name):
    return keras.Sequential(
        [
            keras.Input((64, 64, 3)),
            layers.Conv2D(24, 4, strides=2, padding="same", activation="relu"),
            layers.Conv2D(48, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Conv2D(96, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(128, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(64, activation="relu"),
            layers.BatchNormalization(center=False, scale=False, name="features"),
            layers.Dense(sum(heads.values()), name="logits"),
        ],
        name=name,
    )


def _normal():
    """The paper's initialisation of every weight (section 4). A new one a layer: one shared would repeat its draws."""
    return keras.initializers.RandomNormal(0.0, 0.02)


def _batch_norm(dtype):
    """Batch normalisation as PyTorch has it: momentum 0.1 there is 0.9 here."""
    gamma = keras.initializers.RandomNormal(1.0, 0.02)
    return BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=gamma, dtype=dtype)


# The labels of two sets, and how many classes each has.
ANIME_HEADS = {"hair_color": 16, "hair": 39, "background": 8}
HERO_HEADS = {"race": 18, "unit": 322}

GENERATORS = {
    "mnist": mnist_generator,
    "pokemon": pokemon_generator,
    "face": face_generator,
    "hero": hero_generator,
}
DISCRIMINATORS = {
    "mnist": mnist_discriminator,
    "pokemon": pokemon_discriminator,
    "face": face_discriminator,
    "hero": hero_discriminator,
}


def build(role, recipe, dtype="float32"):
    """Build the "generator" or the "discriminator" of a recipe.

    `recipe` is a dict of a Preset's fields: "architecture" names the builder, which is given those that it takes.
    """
    builder = {"generator": GENERATORS, "discriminator": DISCRIMINATORS}[role][recipe["architecture"]]
    options = {name: recipe[name] for name in inspect.signature(builder).parameters if name in recipe}
    return builder(**options, dtype=dtype)
