"""Weights in a .npz file: small (float16, deflated), and nothing in them can run."""

from pathlib import Path

import numpy as np

from dcgan_tf import cache, presets
from dcgan_tf.errors import UserError

FOLDER = Path(__file__).resolve().parent.parent / "weights"


def file(name, role="generator"):
    """Where the released weights of a preset's "generator" or "discriminator" are."""
    return FOLDER / (f"{name}.npz" if role == "generator" else f"{name}_{role}.npz")


def released(role="generator"):
    """The names of the presets whose generator, or discriminator, is released."""
    return sorted(name for name in presets.PRESETS if file(name, role).exists())


def save(model, path):
    """Write a model's weights as float16; the file appears whole or not at all."""
    path = Path(path)
    beside = path.with_suffix(".partial")
    with beside.open("wb") as file:
        np.savez_compressed(file, **{f"{i:03}": w.astype(np.float16) for i, w in enumerate(model.get_weights())})
    beside.rename(path)


def load(model, path):
    """Set a model's weights from a file that `save` wrote for the same architecture.

    Raises:
        UserError: the file is missing, damaged or of another architecture.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = [archive[key].astype(np.float32) for key in sorted(archive.files)]
    except cache.DAMAGED as error:
        raise UserError(f"{path.name} cannot be read as weights: {str(error).splitlines()[0]}") from None
    expected = [w.shape for w in model.get_weights()]
    if [a.shape for a in arrays] != expected:
        raise UserError(f"{path.name} holds the weights of another network than {model.name}")
    model.set_weights(arrays)
