"""The networks: plain Keras Sequential models, one pair of builders a chapter."""

import inspect

import keras
import numpy as np

from dcgan_tf.models import sizes as sizes
from dcgan_tf.models.mnist import mnist_discriminator, mnist_generator
from dcgan_tf.models.paper import face_discriminator, face_generator, image_discriminator, image_generator
from dcgan_tf.models.sprites import hero_discriminator, hero_generator, pokemon_discriminator, pokemon_generator

GENERATORS = {
    "mnist": mnist_generator,
    "pokemon": pokemon_generator,
    "face": face_generator,
    "hero": hero_generator,
    "image": image_generator,
}
DISCRIMINATORS = {
    "mnist": mnist_discriminator,
    "pokemon": pokemon_discriminator,
    "face": face_discriminator,
    "hero": hero_discriminator,
    "image": image_discriminator,
}


def build(role: str, recipe: dict, dtype: str = "float32", seed: int | None = None) -> keras.Sequential:
    """Build the "generator" or the "discriminator" of a recipe.

    Args:
        role: which of the two.
        recipe: a dict of a Preset's fields: "architecture" names the builder, which is given those that it takes.
        dtype: a Keras dtype policy.
        seed: of the initial weights and the dropout masks; by default Keras's global one decides.
    """
    builder = {"generator": GENERATORS, "discriminator": DISCRIMINATORS}[role][recipe["architecture"]]
    options = {name: recipe[name] for name in inspect.signature(builder).parameters if name in recipe}
    network = builder(**options, dtype=dtype)
    return network if seed is None else _seeded(network, (seed, role == "discriminator"))


def _seeded(network, seed):
    """The same network anew, every random part of it with a seed of its own: no global state is touched."""
    seeds = np.random.default_rng(seed)

    def convert(layer):
        config = layer.get_config()
        for part in [config, *(value["config"] for value in config.values() if _is_initializer(value))]:
            if "seed" in part:
                part["seed"] = int(seeds.integers(2**31))
        return type(layer).from_config(config)

    return keras.models.clone_model(network, clone_function=convert)


def _is_initializer(value):
    return isinstance(value, dict) and value.get("module") == "keras.initializers"
