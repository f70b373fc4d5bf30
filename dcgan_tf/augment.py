"""DiffAugment and flips, inside the training step: more from few images."""

import tensorflow as tf


def diff_augment(images: tf.Tensor, policy: str, seed: tf.Tensor) -> tf.Tensor:
    """Augment a batch by transformations that gradients pass through (Zhao et al. 2020, "DiffAugment", section 3.2).

    The discriminator sees reals and fakes through the same kinds of transformation and the generator learns through
    them, so that they need not show in what it makes. Ranges as in appendix B.

    Args:
        images: float [n, H, W, C] in [-1, 1].
        policy: some of "color" (brightness, saturation, contrast, but not alpha), "translation" (up to 1/8 of the side,
            filled with zeros) and "cutout" (half the height by half the width set to zero), with commas between; taken
            in this order.
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


def flip(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirror each image [n, H, W, C] left to right with probability 1/2."""
    mirrored = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], seed) < 0.5
    return tf.where(mirrored, images[:, :, ::-1], images)


def _color(images, seed):
    if images.shape[-1] == 4:
        return tf.concat([_color(images[..., :3], seed), images[..., 3:]], -1)
    draw = tf.random.stateless_uniform([tf.shape(images)[0], 3, 1, 1, 1], seed)
    brightness, saturation, contrast = tf.unstack(tf.cast(draw, images.dtype), axis=1)
    images += brightness - 0.5
    grey = tf.reduce_mean(images, 3, keepdims=True)
    images = grey + 2 * saturation * (images - grey)
    mean = tf.reduce_mean(images, [1, 2, 3], keepdims=True)
    return mean + (contrast + 0.5) * (images - mean)


def _translation(images, seed):
    n, height, width = tf.unstack(tf.shape(images)[:3])
    most_down, most_right = (height + 4) // 8, (width + 4) // 8  # an eighth, rounded as in the authors' code
    down = _integers(seed, 0, n, -most_down, most_down)
    right = _integers(seed, 1, n, -most_right, most_right)
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
    return tf.random.stateless_uniform([count, 1], tf.random.fold_in(seed, number), low, high + 1, tf.int32)


_TRANSFORMATIONS = {"color": _color, "translation": _translation, "cutout": _cutout}
