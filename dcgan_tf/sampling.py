"""Latents, labels, the images of a generator, and walks through its latent space."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from dcgan_tf.errors import UserError


def latents(count: int, dim: int, seed: int = 0) -> np.ndarray:
    """Latents to look at: N(0, 1), float32 [count, dim]; the first rows are the same for every count."""
    return np.random.default_rng(seed).standard_normal((count, dim), np.float32)


def generate(generator: keras.Model | Callable, inputs: np.ndarray, batch_size: int = 500) -> np.ndarray:
    """The images of many latents, a batch at a time: float32 [n, H, W, C] in [-1, 1].

    `generator` is a Keras model, or a `tf.function` of one.
    """
    pieces = [
        keras.ops.convert_to_numpy(generator(inputs[i : i + batch_size], training=False))
        for i in range(0, len(inputs), batch_size)
    ]
    return np.concatenate(pieces)


def classes(generator: keras.Model) -> int:
    """How many labels a generator is told: `load_generator` and `GAN` note it on the model. 0: none."""
    return getattr(generator, "classes", 0)


def inputs(generator: keras.Model, count: int, seed: int = 0, label: int | Sequence[int] | None = None) -> np.ndarray:
    """What a generator takes: latents, with the one-hot labels beside them if it knows some; float32 [count, …].

    The same seed gives the same latents for every label.

    Args:
        generator: a Keras model.
        count: how many.
        seed: of the latents.
        label: for a generator that knows some: one for all images, or one for each; None takes all labels in turn.

    Raises:
        UserError: no images are asked for, or a label that does not exist.
    """
    if count < 1:
        raise UserError(f"{count} images cannot be drawn: ask for one or more")
    if len(generator.inputs) > 1:
        raise UserError("this generator takes latents and labels apart, as exported ones do: call it with both")
    known = classes(generator)
    draws = latents(count, generator.input_shape[-1] - known, seed)
    if label is None and not known:
        return draws
    return beside(draws, asked(label, count, known), known)


def asked(label: int | Sequence[int] | None, count: int, classes: int) -> np.ndarray:
    """The label of each of `count` images, int32 [count]; `label` and errors as in `inputs`."""
    if not classes:
        raise UserError(
            "this generator was trained without labels, so it cannot be asked for one (mnist-conditional can)"
        )
    labels = np.arange(count) % classes if label is None else np.asarray(label)
    if not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"labels are integers from 0 on, not {label!r}")
    if labels.shape not in ((), (count,)):
        raise UserError(f"{labels.size} labels do not fit: give one for all, or one for each of {count} images")
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise UserError(f"there is no label {wrong}: this generator knows 0 to {classes - 1}")
    return np.broadcast_to(labels, count).astype(np.int32)


def beside(latents: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Latents [n, dim] with the one-hot labels beside them: float32 [n, dim + classes]."""
    return np.concatenate([latents, np.eye(classes, dtype=np.float32)[labels]], 1)


def slerp(start: np.ndarray, end: np.ndarray, t: float | np.ndarray) -> np.ndarray:
    """The point at a share `t` of the way between two latents, along the sphere (White 2016, section 2.1).

    Latents of many dimensions lie near a sphere of radius sqrt(dim); the straight line between two runs through its
    inside, where the generator was never trained.

    Args:
        start, end: [..., dim].
        t: 0 (start) to 1 (end), a number or [..., 1].
    """
    unit = [latent / np.linalg.norm(latent, axis=-1, keepdims=True) for latent in (start, end)]
    angle = np.arccos(np.clip((unit[0] * unit[1]).sum(-1, keepdims=True), -1, 1))
    straight = angle < 1e-4  # the same direction: the sphere is flat there
    angle = np.where(straight, 1.0, angle)
    curved = (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)
    return np.where(straight, (1 - t) * start + t * end, curved).astype(np.float32)


def walk(stops: np.ndarray, steps: int) -> np.ndarray:
    """A round trip over latents [k, dim], `steps` points from each to the next: float32 [k * steps, dim]."""
    legs = zip(stops, np.roll(stops, -1, 0), strict=True)
    return np.concatenate([slerp(a, b, np.arange(steps)[:, None] / steps) for a, b in legs])


def walks(generator: keras.Model, count: int, stops: int, frames: int, seed: int = 0) -> list[np.ndarray]:
    """The images of round trips through the latent space: `count` of them, [stops * frames, H, W, C] in [-1, 1] each.

    A generator that knows labels keeps to one on each trip: 0 on the first, 1 on the second, and so on.
    """
    known = classes(generator)
    starts = latents(count * stops, generator.input_shape[-1] - known, seed).reshape(count, stops, -1)
    paths = [walk(some, frames) for some in starts]
    if known:
        paths = [beside(path, np.full(len(path), i % known), known) for i, path in enumerate(paths)]
    return [generate(generator, path) for path in paths]


def directions(generator: keras.Model, count: int = 6) -> np.ndarray:
    """The directions in which a generator's first layer changes most: unit vectors, float32 [count, dim].

    The eigenvectors of A^T A for the weight A of the first layer that acts on the latents, the largest eigenvalues
    first (Shen and Zhou 2021, "SeFa", section 3.2). Their signs are fixed so that the largest component is positive.
    """
    dim = generator.input_shape[-1]
    kernel = next(layer.kernel for layer in generator.layers if getattr(layer, "kernel", None) is not None)
    kernel = np.asarray(kernel, np.float64)
    matrix = kernel if kernel.ndim == 2 else kernel.transpose(3, 0, 1, 2).reshape(dim, -1)
    matrix = matrix[: dim - classes(generator)]  # the latents' part
    vectors = np.linalg.eigh(matrix @ matrix.T)[1][:, ::-1].T[:count]
    largest = vectors[np.arange(len(vectors)), np.abs(vectors).argmax(1)]
    return (vectors * np.sign(largest)[:, None]).astype(np.float32)
