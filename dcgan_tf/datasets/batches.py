"""From images to batches: what is held out, the order of the images, batches that can be resumed at any step."""

import functools
import hashlib
import itertools
from typing import TYPE_CHECKING

import numpy as np

from dcgan_tf.errors import UserError
from dcgan_tf.runtime import quiet

if TYPE_CHECKING:
    import tensorflow as tf

CHUNK = 16  # batches that Python hands to tf.data at a time: one by one they take half as much time again


def to_uint8(images: np.ndarray) -> np.ndarray:
    """float in [-1, 1] to uint8 in [0, 255]; uint8 is returned as it is."""
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    return np.rint((np.clip(images, -1, 1) + 1) * 127.5).astype(np.uint8)


def on_white(images: np.ndarray) -> np.ndarray:
    """Images with alpha, uint8 [N, H, W, 4], on white: uint8 [N, H, W, 3]; others are returned as they are."""
    if images.shape[-1] != 4:
        return images
    alpha = images[..., 3:].astype(np.uint16)
    return ((images[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def hold_out(
    images: np.ndarray, fraction: float = 0.1, most: int = 3_000, least: int = 20
) -> tuple["Rows", np.ndarray]:
    """Split images that come without a split: (to train on, held out). The same images are always held out.

    A tenth of the different images is held out, at least 20 (KID needs as many) and at most 3,000, with all of their
    copies, so that no image is on both sides. With fewer than 100 different images each one is needed for training:
    then the second part is empty. An image with more copies than a tenth of the set, such as a placeholder, is never
    held out. The first part is a view (`Rows`), so that a large set is not copied.
    """
    numbers = {}  # of the different images, as they come
    number = [numbers.setdefault(hashlib.sha256(image.tobytes()).digest(), len(numbers)) for image in images]
    copies = np.bincount(number)
    room, wanted = (int(np.clip(fraction * count, least, most)) for count in (len(images), len(copies)))
    held = []
    for candidate in permutation(len(copies), 0, 0) if len(copies) >= 100 else ():
        if copies[candidate] <= room and len(held) < wanted:
            held.append(candidate)
            room -= copies[candidate]
    out = np.isin(number, held)
    return Rows(images, np.flatnonzero(~out)), images[out]


class Rows:
    """Some of the images of an array [N, H, W, C], which may be a file larger than memory: read when asked for."""

    def __init__(self, images: np.ndarray, rows: np.ndarray):
        self.images, self.rows = images, rows
        self.shape, self.dtype = (len(rows), *images.shape[1:]), images.dtype

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, chosen):
        return self.images[self.rows[chosen]]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.images[self.rows], dtype)


def require_images(images: "np.ndarray | Rows", batch_size: int) -> None:
    """Refuse images that are not uint8, or fewer than a batch."""
    if images.dtype != np.uint8:
        raise UserError(f"the images are {images.dtype}: give uint8 from 0 to 255 (datasets.to_uint8 makes them)")
    if not 1 <= batch_size <= len(images):
        raise UserError(
            f"a batch of {batch_size} cannot be drawn from {len(images)} images: give 1 to {len(images)} (--batch-size)"
        )


def fingerprint(images: "np.ndarray | Rows") -> str:
    """The sha256 of uint8 images [N, H, W, C] in their order, as 64 hexadecimal digits."""
    digest = hashlib.sha256(repr(tuple(images.shape)).encode())
    for first in range(0, len(images), 1_000):  # which may be a file larger than memory
        digest.update(np.ascontiguousarray(images[first : first + 1_000]))
    return digest.hexdigest()


def permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order in which an epoch visits `count` images: it depends on the seed and the epoch alone."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def batches(
    images: "np.ndarray | Rows", batch_size: int, seed: int = 0, start: int = 0, labels: np.ndarray | None = None
) -> "tf.data.Dataset":
    """An endless tf.data.Dataset of shuffled batches: float32 [batch_size, H, W, C] in [-1, 1].

    With `labels`, each element is a pair: such a batch, and its labels, int32 [batch_size].

    Epochs follow one another without a gap, cut into batches of one size: every image comes once an epoch, and a batch
    that an epoch leaves incomplete is filled from the next epoch. `start` is the step to begin at,
    so a run that is resumed sees the batches that it would have seen.

    Args:
        images: uint8 [N, H, W, C], in memory, in a memory-mapped file, or Rows of either.
        batch_size: images a batch; at most N.
        seed: of the order.
        start: how many batches to leave out.
        labels: integers [N], in the order of the images.
    """
    tf = quiet.tensorflow()  # here, so that images can be looked at without waiting for TensorFlow
    require_images(images, batch_size)
    count = len(images)
    labels = None if labels is None else np.asarray(labels)
    if labels is not None and labels.shape != (count,):
        raise UserError(f"labels of shape {labels.shape} are not one for each of {count} images")
    order = functools.lru_cache(2)(lambda epoch: permutation(count, seed, epoch))

    def chosen(step):
        """The rows of one batch."""
        epoch, offset = divmod(step * batch_size, count)
        rows = order(epoch)[offset : offset + batch_size]
        return rows if len(rows) == batch_size else np.r_[rows, order(epoch + 1)[: batch_size - len(rows)]]

    def stream():
        for step in itertools.count(start, CHUNK):
            rows = np.stack([chosen(step + i) for i in range(CHUNK)])
            yield images[rows] if labels is None else (images[rows], labels[rows].astype(np.int32))

    parts = tf.TensorSpec((CHUNK, batch_size, *images.shape[1:]), tf.uint8)
    parts = parts if labels is None else (parts, tf.TensorSpec((CHUNK, batch_size), tf.int32))
    dataset = tf.data.Dataset.from_generator(stream, output_signature=parts).unbatch()
    ready = dataset.map(lambda batch, *own: (normalise(batch), *own) if own else normalise(batch))
    return ready.prefetch(tf.data.AUTOTUNE)


def normalise(images: np.ndarray) -> "tf.Tensor":
    """uint8 in [0, 255] to float32 in [-1, 1], the range of tanh."""
    tf = quiet.tensorflow()
    return tf.cast(images, tf.float32) / 127.5 - 1.0
