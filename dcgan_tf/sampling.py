"""Images of a trained generator: load it by the name of a release or by its run folder, and draw."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from dcgan_tf import labels, latent, models, presets, weights
from dcgan_tf.errors import UserError
from dcgan_tf.training import checkpoint


def latents(count: int, dim: int, seed: int = 0) -> np.ndarray:
    """Latents to look at: N(0, 1), float32 [count, dim]; the first rows are the same for every count."""
    return np.random.default_rng(seed).standard_normal((count, dim), np.float32)


def generate(generator: keras.Model | Callable, latents: np.ndarray, batch_size: int = 500) -> np.ndarray:
    """The images of many latents, a batch at a time: float32 [n, H, W, C] in [-1, 1].

    `generator` is a Keras model, or a `tf.function` of one.
    """
    pieces = [
        keras.ops.convert_to_numpy(generator(latents[i : i + batch_size], training=False))
        for i in range(0, len(latents), batch_size)
    ]
    return np.concatenate(pieces)


def inputs(generator: keras.Model, count: int, seed: int = 0, label: int | Sequence[int] | None = None) -> np.ndarray:
    """What a generator takes: latents, with the one-hot labels beside them if it knows some; float32 [count, …].

    The same seed gives the same latents for every label. `label` and errors as in `sample`.
    """
    if count < 1:
        raise UserError(f"{count} images cannot be drawn: ask for one or more")
    if len(generator.inputs) > 1:
        raise UserError("this generator takes latents and labels apart, as exported ones do: call it with both")
    classes = labels.classes(generator)
    draws = latents(count, generator.input_shape[-1] - classes, seed)
    if label is None and not classes:
        return draws
    return labels.beside(draws, labels.wanted(label, count, classes), classes)


def sample(
    source: str | Path | keras.Model, count: int = 16, seed: int = 0, label: int | Sequence[int] | None = None
) -> np.ndarray:
    """Images of a generator: float32 [count, H, W, C] in [-1, 1]. The same seed gives the same images.

    Args:
        source: the name of a released generator, a run folder, or a Keras model from latents to images.
        count: how many images.
        seed: of the latents.
        label: for a generator that knows some: one for all images, or one for each; None takes all labels in turn.

    Raises:
        UserError: neither a run folder nor a released name; a label that does not exist.
    """
    generator = load_generator(source) if isinstance(source, str | Path) else source
    return generate(generator, inputs(generator, count, seed, label))


def walks(generator: keras.Model, count: int, stops: int, frames: int, seed: int = 0) -> list[np.ndarray]:
    """The images of round trips through the latent space: `count` of them, [stops * frames, H, W, C] in [-1, 1] each.

    A generator that knows labels keeps to one on each trip: 0 on the first, 1 on the second, and so on.
    """
    classes = labels.classes(generator)
    latents_of = latents(count * stops, generator.input_shape[-1] - classes, seed).reshape(count, stops, -1)
    paths = [latent.walk(some, frames) for some in latents_of]
    if classes:
        paths = [labels.beside(path, np.full(len(path), i % classes), classes) for i, path in enumerate(paths)]
    return [generate(generator, path) for path in paths]


def load_generator(source: str | Path) -> keras.Model:
    """The moving-average generator of a run or of a release, in float32: latents [n, latent_dim] to images.

    One that knows labels takes a one-hot label beside each latent; `inputs` makes both.

    Args:
        source: the name of a released generator; a run folder, whose newest checkpoint is taken; or one checkpoint,
            such as RUN/checkpoints/step_0000500 or RUN/best.

    Raises:
        UserError: none of these, or a network whose own layer classes Keras does not know.
    """
    return _load("generator", source)


def load_discriminator(source: str | Path) -> keras.Model:
    """The generator's opponent, of the same run or release and step.

    Images [n, H, W, C] in [-1, 1] to logits [n, 1], or one for each label, in float32.

    Args and errors are those of `load_generator`; not every release has a discriminator.
    """
    return _load("discriminator", source)


def _load(role, source):
    if folder := checkpoint.find(source):
        return checkpoint.load_network(folder, role)
    source = str(source)
    if source in weights.released(role):
        network = models.build(role, presets.get(source).recipe())
        weights.load(network, weights.file(source, role))
        return network
    raise UserError(weights.not_found(source, role))
