"""Checkpoints: all that a resumed run needs, each in a folder that appears whole or not at all.

checkpoints/step_0000500/ holds both networks, both optimizers, the moving average, the step and the state of the
dropout layers; so does best/step_0000400/, where a metric is followed, with a README.txt on how it was chosen. The
latents of each step, the order of the images and the fixed latents of the samples are functions of the seed and the
step, so they need no saving. generator.json and discriminator.json describe the networks, so that they can be built
again without the code that made them. plan.json holds the sha256 of every file: a file that has changed is noticed,
named and passed over.
"""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from dcgan_tf.errors import Failure, UserError
from dcgan_tf.runtime import files

if TYPE_CHECKING:
    from dcgan_tf.gan import GAN

KEEP = 3
PLAN = "plan.json"


def _state(gan):
    # TensorFlow does not track the random state of Keras layers: without these, dropout would start anew.
    variables = [*gan.generator.non_trainable_variables, *gan.discriminator.non_trainable_variables]
    streams = [variable.value for variable in variables if variable.path.endswith("seed_generator_state")]
    return tf.train.Checkpoint(
        generator=gan.generator,
        discriminator=gan.discriminator,
        average=gan.average,
        generator_optimizer=gan.generator_optimizer,
        discriminator_optimizer=gan.discriminator_optimizer,
        step=gan.step,
        streams=streams,
    )


def _plan(gan, folder, scores):
    """The state that is not stored in variables, the checksum of each file, and what judged the step, if anything."""
    return {
        "networks": _networks(gan),
        "files": {path.name: _sha256(path) for path in sorted(folder.iterdir())},
        "scores": scores or {},
    }


def _networks(gan):
    """What a GAN must have in common with a checkpoint for it to be restored, as plain values."""
    recipe = {name: getattr(gan.preset, name) for name in ("architecture", "width", "norm", "optimizer")}
    shapes = {
        "images": list(gan.generator.output_shape[1:]),
        "generator parameters": gan.generator.count_params(),
        "discriminator parameters": gan.discriminator.count_params(),
    }
    return recipe | shapes


def plan(folder: str | Path) -> dict:
    """What plan.json holds: "networks", "files" and, of one in best/, "scores"."""
    return json.loads((Path(folder) / PLAN).read_text())


def fault(folder: str | Path) -> str | None:
    """What is wrong with a checkpoint, in a few words; None if every file is as it was written."""
    folder = Path(folder)
    try:
        sums = plan(folder)["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return f"{PLAN} is missing or unreadable"
    for name, expected in sums.items():
        path = folder / Path(name).name
        if not path.is_file():
            return f"{name} is missing"
        if _sha256(path) != expected:
            return f"{name} is not as it was written"
    return None


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folders(run: str | Path, kind: str = "checkpoints") -> list[Path]:
    """The run's checkpoints, sound or not, oldest first; other kinds: "best" (the one of the lowest KID), "samples"."""
    return sorted(path for path in (Path(run) / kind).glob("step_*") if re.fullmatch(r"step_\d+(\.png)?", path.name))


def newest(run: str | Path, kind: str = "checkpoints") -> Path | None:
    """The newest sound checkpoint; None where there is none at all. Names each damaged one that it passes over.

    Raises:
        UserError: there are checkpoints, and none is sound.
    """
    candidates = folders(run, kind)
    for folder in reversed(candidates):
        if not (reason := fault(folder)):
            return folder
        print(f"{folder} is damaged ({reason}): passing over it")
    if candidates:
        raise UserError(
            f"every checkpoint in {candidates[0].parent} is damaged: give another one, or train anew with --fresh"
        )
    return None


def step_of(folder: Path) -> int:
    """The step of a checkpoint folder, or of a sample."""
    return int(folder.stem.removeprefix("step_"))


def save(gan: "GAN", run: str | Path) -> Path:
    """Write a checkpoint of this step, then drop all but the newest few. Returns its folder."""
    target = write(gan, Path(run) / "checkpoints")
    for old in folders(run)[:-KEEP]:
        files.remove(old)
    return target


def save_best(gan: "GAN", run: str | Path, scores: dict[str, float], readme: str) -> Path:
    """Write this step's checkpoint to best/, with its scores and a README.txt, then drop the others that are there."""
    target = write(gan, Path(run) / "best", scores, readme)
    for old in (*folders(run, "best"), target.parent / "README.txt"):  # an older version had the text there
        if old != target:
            files.remove(old)
    return target


def write(gan: "GAN", folder: Path, scores: dict[str, float] | None = None, readme: str | None = None) -> Path:
    """Write a checkpoint of this step into a folder; returns its own.

    Raises:
        Failure: it cannot be written.
    """
    target = folder / f"step_{int(gan.step.numpy()):07}"
    if target.exists() and not (target / files.MARK).exists():  # an older version's, at the same step
        files.remove(target)
    try:
        with files.atomic(target) as partial:
            partial.mkdir()
            _state(gan).write(str(partial / "state"))
            for role, architecture in gan.architectures.items():
                if architecture:
                    (partial / f"{role}.json").write_text(architecture)
            (partial / PLAN).write_text(json.dumps(_plan(gan, partial, scores)))
            if readme:
                (partial / "README.txt").write_text(readme, encoding="utf-8")
            for path in partial.iterdir():
                _to_disk(path)
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0][:120]
        raise Failure(
            f"{target} cannot be written ({reason}). Free some space, or mend the cause, and run the same "
            "command again: it goes on from the checkpoint before, if there is one"
        ) from None
    return target


def _to_disk(path):
    """Wait until a file has left the machine's memory, or a power cut could leave its name without its content."""
    with path.open("r+b") as file:  # Windows refuses a file that was opened for reading alone
        os.fsync(file.fileno())


def check(folder: str | Path) -> None:
    """Refuse a folder that is no checkpoint, or a damaged one.

    Raises:
        UserError: what is wrong with it.
    """
    if not any((Path(folder) / name).exists() for name in ("state.index", PLAN)):
        raise UserError(f"no checkpoint in {folder}: give a folder such as runs/mnist/checkpoints/step_0000500")
    if reason := fault(folder):
        raise UserError(f"the checkpoint {folder} is damaged ({reason}): give another one")


def restore(gan: "GAN", folder: str | Path) -> None:
    """Restore every variable of a GAN from a checkpoint.

    Raises:
        UserError: the folder holds no checkpoint, a damaged one, or one of other networks.
    """
    folder = Path(folder)
    check(folder)
    before, now = plan(folder)["networks"], _networks(gan)
    for name, value in before.items():
        if value != now[name]:
            raise UserError(f"{folder} cannot be restored into this GAN: its {name}: {value!r}, not {now[name]!r}")
    try:
        _state(gan).read(str(folder / "state")).assert_consumed()
    except (AssertionError, ValueError, tf.errors.OpError) as error:
        reason = str(error).strip().splitlines()[0][:120]
        raise UserError(f"{folder} cannot be restored into this GAN: {reason}") from None


def find(source: str | Path) -> Path | None:
    """The checkpoint that a path stands for: itself, or the newest of a run folder or its best/; None if there is none.

    Raises:
        UserError: a run without a checkpoint, or without a sound one; a damaged checkpoint.
    """
    path = Path(source)
    if (path / PLAN).exists():
        check(path)
        return path
    if not (path / "config.json").exists():
        return newest(path.parent, path.name) if folders(path.parent, path.name) else None
    if checkpoint := newest(path):
        return checkpoint
    raise UserError(f"{path} holds no checkpoint yet: train it first")


def load_network(folder: str | Path, role: str) -> keras.Model:
    """The moving-average "generator", or the "discriminator", of a checkpoint as a Keras model in float32.

    Raises:
        UserError: a network with layers that Keras does not know, or that has no description.
    """
    folder = Path(folder)
    if not (file := folder / f"{role}.json").exists():
        raise UserError(f"{folder} does not say what its {role} is made of: build it yourself and load its weights")
    try:
        network = keras.models.model_from_json(file.read_text())
    except (TypeError, ValueError) as error:
        raise UserError(
            f"the {role} in {folder} cannot be built ({str(error).strip().splitlines()[0][:120]}): register your own "
            "layers with @keras.saving.register_keras_serializable(), and import their module before this call"
        ) from None
    name = "average" if role == "generator" else role
    try:
        status = tf.train.Checkpoint(**{name: network}).read(str(folder / "state"))
        status.assert_existing_objects_matched().expect_partial()
    except (AssertionError, ValueError):  # a weight that is missing; one of another shape
        raise UserError(f"the weights in {folder} are not those of the {role} that {file.name} describes") from None
    return network
