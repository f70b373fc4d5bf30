"""More from few images: DiffAugment and flips inside the training step, Pillow's transformations before it."""

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

from dcgan_tf import distribution


def diff_augment(images, policy, seed):
    """Augment a batch by transformations that gradients pass through (Zhao et al. 2020, "DiffAugment", section 3.2).

    The discriminator sees reals and fakes through the same kinds of transformation and the generator learns through
    them, so that they need not show in what it makes. Ranges as in appendix B.

    Args:
        images: float [n, H, W, C] in [-1, 1].
        policy: some of "color" (brightness, saturation, contrast), "translation" (up to 1/8 of the side, filled with
            zeros) and "cutout" (a square of half the side set to zero), with commas between; taken in this order.
        seed: int [2]; the same seed gives the same transformations. Each image has its own.

    Returns:
        Augmented images of the same shape and dtype; colours can leave [-1, 1].
    """
    wanted = policy.split(",")
    if unknown := set(wanted) - set(_TRANSFORMATIONS):
        raise ValueError(f"DiffAugment knows {', '.join(_TRANSFORMATIONS)}, not {', '.join(sorted(unknown))}")
    for number, (name, transform) in enumerate(_TRANSFORMATIONS.items()):
        if name in wanted:
            images = transform(images, tf.random.fold_in(seed, number))
    return images


def flip(images, seed):
    """Mirror each image [n, H, W, C] left to right with probability 1/2."""
    mirrored = distribution.rows(lambda n: tf.random.stateless_uniform([n, 1, 1, 1], seed), tf.shape(images)[0]) < 0.5
    return tf.where(mirrored, images[:, :, ::-1], images)


def _color(images, seed):
    draw = distribution.rows(lambda n: tf.random.stateless_uniform([n, 3, 1, 1, 1], seed), tf.shape(images)[0])
    brightness, saturation, contrast = tf.unstack(tf.cast(draw, images.dtype), axis=1)
    images += brightness - 0.5
    grey = tf.reduce_mean(images, 3, keepdims=True)
    images = grey + 2 * saturation * (images - grey)
    mean = tf.reduce_mean(images, [1, 2, 3], keepdims=True)
    return mean + (contrast + 0.5) * (images - mean)


def _translation(images, seed):
    n, height, width = tf.unstack(tf.shape(images)[:3])
    down = _integers(seed, 0, n, -(height // 8), height // 8)
    right = _integers(seed, 1, n, -(width // 8), width // 8)
    rows, columns = tf.range(height) - down, tf.range(width) - right  # where each pixel comes from, [n, side]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    moved = tf.gather(images, tf.clip_by_value(rows, 0, height - 1), axis=1, batch_dims=1)
    moved = tf.gather(moved, tf.clip_by_value(columns, 0, width - 1), axis=2, batch_dims=1)
    return moved * tf.cast(inside[..., None], images.dtype)


def _cutout(images, seed):
    n, height, width = tf.unstack(tf.shape(images)[:3])
    top = _integers(seed, 0, n, 0, height) - height // 4  # the square's centre is anywhere in the image
    left = _integers(seed, 1, n, 0, width) - width // 4
    rows, columns = tf.range(height) - top, tf.range(width) - left
    cut = ((rows >= 0) & (rows < height // 2))[:, :, None] & ((columns >= 0) & (columns < width // 2))[:, None, :]
    return images * tf.cast(~cut[..., None], images.dtype)


def _integers(seed, number, count, low, high):
    """Uniform integers from low to high, both included: int32 [count, 1]."""
    key = tf.random.fold_in(seed, number)
    return distribution.rows(lambda n: tf.random.stateless_uniform([n, 1], key, low, high + 1, tf.int32), count)


_TRANSFORMATIONS = {"color": _color, "translation": _translation, "cutout": _cutout}


def enlarge(images, factor, seed=0, ground=255):
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
