"""Checkpoints: all that a resumed run needs, each in a folder that appears whole or not at all.

checkpoints/step_0000500/ holds both networks, both optimizers, the moving average, the step and the state of the
dropout layers; so does best/step_0000400/, where a metric is followed. The latents of each step, the order of the
images and the fixed latents of the samples are functions of the seed and the step, so they need no saving. The
sha256 of every file stands in plan.json: what is not as it was written is noticed, named and passed over.
"""

import hashlib
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import tensorflow as tf

from dcgan_tf.errors import Failure, UserError

KEEP = 3
PLAN = "plan.json"


def _state(gan):
    # Keras layers keep their random state out of TensorFlow's sight: it is named here, or dropout would start anew.
    streams = [v.value for v in gan.discriminator.non_trainable_variables if "seed_generator" in v.path]
    return tf.train.Checkpoint(
        generator=gan.generator,
        discriminator=gan.discriminator,
        average=gan.average,
        generator_optimizer=gan.generator_optimizer,
        discriminator_optimizer=gan.discriminator_optimizer,
        step=gan.step,
        streams=streams,
    )


def _plan(gan, folder):
    """What is not a variable, and what the files are to be."""
    return {
        "networks": _networks(gan),
        "stage": asdict(gan.stage) if gan.stage else None,
        "controller": gan.controller.state() if gan.controller else None,
        "files": {path.name: _sha256(path) for path in sorted(folder.iterdir())},
    }


def _networks(gan):
    """What has to be the same for a checkpoint to fit, as plain values."""
    told = {name: getattr(gan.preset, name) for name in ("architecture", "width", "norm", "optimizer")}
    shapes = {
        "images": list(gan.generator.output_shape[1:]),
        "generator parameters": gan.generator.count_params(),
        "discriminator parameters": gan.discriminator.count_params(),
    }
    return told | shapes


def plan(folder):
    """The stage and the controller's state that a checkpoint was saved with, as plain dicts, or None each."""
    return json.loads((Path(folder) / PLAN).read_text())


def fault(folder):
    """What is wrong with a checkpoint, in a few words; None if every file is as it was written."""
    folder = Path(folder)
    try:
        files = plan(folder)["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return f"{PLAN} is missing or unreadable"
    for name, expected in files.items():
        path = folder / Path(name).name
        if not path.is_file():
            return f"{name} is missing"
        if _sha256(path) != expected:
            return f"{name} is not as it was written"
    return None


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folders(run, kind="checkpoints"):
    """The run's checkpoints, sound or not, oldest first; with the kind "best", the one that judged best."""
    return sorted((Path(run) / kind).glob("step_*"))


def newest(run, kind="checkpoints"):
    """The newest sound checkpoint; None where there is none at all. Names each damaged one that it passes over.

    Raises:
        UserError: there are checkpoints, and none is sound.
    """
    found = folders(run, kind)
    for folder in reversed(found):
        if not (reason := fault(folder)):
            return folder
        print(f"{folder} is damaged ({reason}): passing over it")
    if found:
        raise UserError(f"none of the {len(found)} checkpoints in {run} is sound: begin anew with --fresh")
    return None


def step_of(folder):
    """The step of a checkpoint folder."""
    return int(folder.name.removeprefix("step_"))


def save(gan, run, kind="checkpoints", keep=KEEP):
    """Write a checkpoint of this step, then drop all but the newest few. Returns its folder."""
    target = Path(run) / kind / f"step_{int(gan.step.numpy()):07}"
    if not target.exists():
        beside = target.with_name(f"partial_{target.name}")
        shutil.rmtree(beside, ignore_errors=True)
        try:
            beside.mkdir(parents=True)
            _state(gan).write(str(beside / "state"))
            (beside / PLAN).write_text(json.dumps(_plan(gan, beside)))
            for path in beside.iterdir():
                _to_disk(path)
            beside.rename(target)
        except (OSError, tf.errors.OpError) as error:
            shutil.rmtree(beside, ignore_errors=True)
            reason = getattr(error, "strerror", None) or str(error).splitlines()[0][:120]
            raise Failure(
                f"{target} cannot be written ({reason}); the checkpoint before it is whole: make room, "
                "and the same call goes on from there"
            ) from None
        for old in folders(run, kind)[:-keep]:
            shutil.rmtree(old)
    return target


def _to_disk(path):
    """Wait until a file has left the machine's memory, or a power cut could leave its name without its content."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def check(folder):
    """Refuse a folder that is no checkpoint, or a damaged one.

    Raises:
        UserError: what is wrong with it.
    """
    if not any((Path(folder) / name).exists() for name in ("state.index", PLAN)):
        raise UserError(f"no checkpoint in {folder}: give a folder such as runs/mnist/checkpoints/step_0000500")
    if reason := fault(folder):
        raise UserError(f"the checkpoint {folder} is damaged ({reason}): give another one")


def restore(gan, folder):
    """Set a GAN to a checkpoint, every variable of it.

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
    if gan.controller:
        gan.controller.restore(plan(folder)["controller"])


def chosen(run):
    """The checkpoint that stands for a run: the best by KID, or the newest where none was judged; a sound one."""
    best = folders(run, "best")
    if best and not fault(best[-1]):
        return best[-1]
    found = newest(run)
    if not found:
        raise UserError(f"{run} holds no checkpoint yet: train it first")
    return found


def restore_network(folder, role, network):
    """Set a "generator" to the moving average in a checkpoint, a "discriminator" to the one there."""
    name = "average" if role == "generator" else role
    tf.train.Checkpoint(**{name: network}).read(str(folder / "state")).expect_partial()
