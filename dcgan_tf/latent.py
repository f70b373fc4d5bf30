"""The latent space: paths through it, truncation, and the directions that matter."""

from typing import TYPE_CHECKING

import numpy as np

from dcgan_tf import labels

if TYPE_CHECKING:
    import keras


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


def on_sphere(latents: np.ndarray) -> np.ndarray:
    """Latents [..., dim], such as means and sums of others, brought to the length sqrt(dim) of those drawn."""
    return (latents * np.sqrt(latents.shape[-1]) / np.linalg.norm(latents, axis=-1, keepdims=True)).astype(np.float32)


def truncated(latents: np.ndarray, limit: float, seed: int = 0) -> np.ndarray:
    """Latents with every value beyond `limit` drawn again (Brock et al. 2019, section 3.1, "truncation trick").

    Less variety, and more typical images: a small limit keeps to the middle of what the generator was trained on.
    """
    if limit < 0.05:
        raise ValueError(f"a limit of {limit} leaves hardly anything to draw from: give 0.05 or more")
    rng = np.random.default_rng(seed)
    latents = np.array(latents, np.float32)
    while (beyond := np.abs(latents) > limit).any():
        latents[beyond] = rng.standard_normal(beyond.sum(), np.float32)
    return latents


def directions(generator: "keras.Model", count: int = 6) -> np.ndarray:
    """The directions in which a generator's first layer changes most: unit vectors, float32 [count, dim].

    The eigenvectors of A^T A for the weight A of the first layer that acts on the latents, the largest eigenvalues
    first (Shen and Zhou 2021, "SeFa", section 3.2). Their signs are fixed so that the largest component is positive.
    """
    dim = generator.input_shape[-1]
    kernel = next(layer.kernel for layer in generator.layers if getattr(layer, "kernel", None) is not None)
    kernel = np.asarray(kernel, np.float64)
    matrix = kernel if kernel.ndim == 2 else kernel.transpose(3, 0, 1, 2).reshape(dim, -1)
    matrix = matrix[: dim - labels.classes(generator)]  # the latents' part
    vectors = np.linalg.eigh(matrix @ matrix.T)[1][:, ::-1].T[:count]
    largest = vectors[np.arange(len(vectors)), np.abs(vectors).argmax(1)]
    return (vectors * np.sign(largest)[:, None]).astype(np.float32)
