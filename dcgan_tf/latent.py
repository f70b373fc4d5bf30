"""Paths through the latent space: spherical interpolation and walks."""

import numpy as np


def slerp(start, end, t):
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


def walk(stops, steps):
    """A round trip over latents [k, dim], `steps` points from each to the next: float32 [k * steps, dim]."""
    legs = zip(stops, np.roll(stops, -1, 0), strict=True)
    return np.concatenate([slerp(a, b, np.arange(steps)[:, None] / steps) for a, b in legs])
