"""More images from few, made with Pillow before training: chapters 02 and 05 compare it with DiffAugment."""

import numpy as np
from PIL import Image, ImageOps


def enlarge(images: np.ndarray, factor: int, seed: int = 0, ground: int = 255) -> np.ndarray:
    """A set `factor` times as large, made with Pillow: the images first, then varied copies of them.

    Each copy is turned in hue by up to a tenth of the colour circle, mirrored half of the time, made noisy (a standard
    deviation of up to 6 grey levels) and masked by a rectangle of at most a quarter of each side, in the `ground`
    colour.

    Args:
        images: uint8 [N, H, W, 3].
        factor: how often each image is to be there, at least 1.
        seed: the same seed gives the same set.

    Returns:
        uint8 [factor * N, H, W, 3].
    """
    rng = np.random.default_rng(seed)
    copies = [_vary(image, rng, ground) for _ in range(factor - 1) for image in images]
    return np.concatenate([images, np.stack(copies)]) if copies else images.copy()


def _vary(image, rng, ground):
    height, width = image.shape[:2]
    hue, saturation, value = Image.fromarray(image).convert("HSV").split()
    turn = int(rng.integers(-25, 26))  # of 256
    picture = Image.merge("HSV", (hue.point(lambda h: (h + turn) % 256), saturation, value)).convert("RGB")
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    noise = rng.uniform(0, 6) * rng.standard_normal(image.shape)
    varied = np.clip(np.rint(np.asarray(picture) + noise), 0, 255).astype(np.uint8)
    high, wide = rng.integers(0, height // 4 + 1), rng.integers(0, width // 4 + 1)
    top, left = rng.integers(0, height - high + 1), rng.integers(0, width - wide + 1)
    varied[top : top + high, left : left + wide] = ground
    return varied
