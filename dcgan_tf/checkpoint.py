"""Checkpoints: all that a resumed run needs, each in a folder that appears whole or not at all.

checkpoints/step_0000500/ holds both networks, both optimizers, the moving average, the step and the state of the
dropout layers; so does best/step_0000400/, where a metric is followed. The latents of each step, the order of the
images and the fixed latents of the samples are functions of the seed and the step, so they need no saving.
"""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import tensorflow as tf

from dcgan_tf.errors import UserError

KEEP = 3


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


def _plan(gan):
    """What is not a variable: the stage of progressive growing and the controller's state."""
    return {
        "stage": asdict(gan.stage) if gan.stage else None,
        "controller": gan.controller.state() if gan.controller else None,
    }


def plan(folder):
    """The stage and the controller's state that a checkpoint was saved with, as plain dicts, or None each."""
    path = Path(folder) / "plan.json"
    return json.loads(path.read_text()) if path.exists() else {"stage": None, "controller": None}


def folders(run, kind="checkpoints"):
    """The run's checkpoints, oldest first; with the kind "best", the one that judged best."""
    return sorted(path for path in (Path(run) / kind).glob("step_*") if (path / "state.index").exists())


def step_of(folder):
    """The step of a checkpoint folder."""
    return int(folder.name.removeprefix("step_"))


def save(gan, run, kind="checkpoints", keep=KEEP):
    """Write a checkpoint of this step, then drop all but the newest few. Returns its folder."""
    target = Path(run) / kind / f"step_{int(gan.step):07}"
    if not target.exists():
        beside = target.with_name(f"partial_{target.name}")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        _state(gan).write(str(beside / "state"))
        (beside / "plan.json").write_text(json.dumps(_plan(gan)))
        beside.rename(target)
        for old in folders(run, kind)[:-keep]:
            shutil.rmtree(old)
    return target


def restore(gan, folder):
    """Set a GAN to a checkpoint, every variable of it.

    Raises:
        UserError: the folder holds no checkpoint, or one of other networks.
    """
    folder = Path(folder)
    if not (folder / "state.index").exists():
        raise UserError(f"no checkpoint in {folder}: give a folder such as runs/mnist/checkpoints/step_0000500")
    try:
        _state(gan).read(str(folder / "state")).assert_consumed()
    except (AssertionError, ValueError, tf.errors.OpError) as error:
        reason = str(error).strip().splitlines()[0][:120]
        raise UserError(f"{folder} cannot be restored into this GAN: {reason}") from None
    if gan.controller:
        gan.controller.restore(plan(folder)["controller"])


def chosen(run):
    """The checkpoint that stands for a run: the best by KID, or the newest where none was judged."""
    found = folders(run, "best") or folders(run)
    if not found:
        raise UserError(f"{run} holds no checkpoint yet: train it first")
    return found[-1]


def restore_average(run, generator):
    """Set a generator to the moving average in the run's chosen checkpoint."""
    tf.train.Checkpoint(average=generator).read(str(chosen(run) / "state")).expect_partial()
