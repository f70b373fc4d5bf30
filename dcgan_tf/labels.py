"""Labels: how a conditional generator is told what to draw.

Its one input is the latent with the one-hot label beside it. Its discriminator has a logit for each label, and an
image's own label picks its logit. How many labels a network knows stands at the end of its name, as in
"mnist_generator_of_10", because the name is kept in checkpoints and in Keras files.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dcgan_tf.errors import UserError

if TYPE_CHECKING:
    import keras

HAIR_COLORS = (  # the names of the anime set's labels "hair_color", 0 to 15
    *("black", "dark brown", "brown", "blond", "yellow", "red", "orange", "pink"),
    *("magenta", "purple", "violet", "blue", "light blue", "green", "teal", "grey"),
)


def named(name: str, classes: int) -> str:
    """The name of a network that knows so many labels; 0: none."""
    return f"{name}_of_{classes}" if classes else name


def classes(network: "keras.Model") -> int:
    """How many labels a network knows, by its name; 0 for a network without labels."""
    found = re.search(r"_of_(\d+)$", network.name)
    return int(found[1]) if found else 0


def wanted(label: int | Sequence[int] | None, count: int, classes: int) -> np.ndarray:
    """The label of each of `count` images, int32 [count].

    Args:
        label: one label for all, or one for each; None takes all labels in turn.
        count: how many images.
        classes: how many labels there are.

    Raises:
        UserError: a label that does not exist, labels for a generator without any, or too few or too many of them.
    """
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
