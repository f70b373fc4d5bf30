"""`train`: what is refused, where a run goes on, and the callbacks that record and show it."""

import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from dcgan_tf import datasets, metrics, presets
from dcgan_tf.errors import Failure, UserError
from dcgan_tf.gan import GAN
from dcgan_tf.presets import Schedule
from dcgan_tf.runtime import devices, distribution
from dcgan_tf.training import checkpoint, guard, run_folder
from dcgan_tf.training.callbacks import Callback, Checkpointer, Judge, KeepBest, Plots, Progress, Recorder, Samples
from dcgan_tf.training.history import History
from dcgan_tf.training.loop import Run, fit

WATCHED = 1_024  # samples that a metric is followed on, at most: a schedule may evaluate on fewer


def train(
    gan: GAN,
    images: np.ndarray,
    labels: np.ndarray | None = None,
    steps: int | None = None,
    run: str | Path = "runs/own",
    callbacks: Sequence[Callback] = (),
    held_out: np.ndarray | None = None,
    schedule: Schedule | None = None,
    restore_from: str | Path | None = None,
    fresh: bool = False,
) -> History:
    """Train a GAN, or go on with the run that the folder holds.

    Args:
        gan: a GAN; its preset gives the batch size, the learning rates and their decay.
        images: uint8 [N, H, W, C], of the size that the generator makes.
        labels: integers [N] from 0 on, of the images, for networks that know some. They are shuffled with the images.
        steps: when to stop, counted from the beginning of the run; by default the schedule's.
        run: the run folder: config.json, history.csv, samples/, losses.png, training.gif, checkpoints/, tensorboard/.
            What a run that is taken back (`restore_from`) has done since is moved to RUN-old1.
        callbacks: your own, each a `callbacks.Callback`, told of each step after those of this function.
        held_out: at least 20 uint8 images like `images` that are not trained on. With them FID, KID and the inception
            score are followed, in the features of the preset's extractor, and the checkpoint of the lowest KID is kept
            in best/, beside the newest ones: it has been chosen by these images, so it must not be scored on them.
        schedule: how often to sample, save, log and judge; by default that of the preset, for the current profile.
        restore_from: a checkpoint folder to go on from, instead of the newest of the run.
        fresh: begin anew; a run that the folder holds is moved aside, not deleted.

    Returns:
        History. After an interruption (Ctrl-C, SIGTERM) a checkpoint is saved and the history so far is returned.

    Raises:
        UserError: arguments that do not fit each other or the run; another process that trains in the run folder;
            checkpoints of which none is sound.
        Failure: a loss or a weight becomes NaN or infinite; the disk is full. The last checkpoint is whole.
    """
    run, labels = Path(run), None if labels is None else np.asarray(labels)
    schedule = _schedule(gan.preset, schedule, steps)
    _require_fitting(gan, images, labels, held_out)
    if fresh and restore_from:
        raise UserError("give fresh or restore_from, not both")
    if fresh and not distribution.is_alone(gan.strategy):  # one worker would move away what another is reading
        raise UserError(f"several workers cannot begin anew: move {run} away before they are started")
    before = None if fresh else run_folder.config(run)
    if not restore_from and before and "going_back_to" in before:  # and was killed meanwhile
        restore_from = run_folder.at_step(run, run_folder.CHECKPOINTS, before["going_back_to"])
        restore_from = restore_from if restore_from.exists() else None
    if restore_from:
        chosen = checkpoint.check(restore_from)
    else:
        chosen = None if fresh else checkpoint.newest(run / run_folder.CHECKPOINTS)
    if not chosen and (step := int(gan.step.numpy())):
        raise UserError(f"this GAN has already been trained for {step:,} steps: build a new one for a run in {run}")
    run_folder.begin(run, fresh)
    with ExitStack() as stack:
        out = run
        if distribution.is_chief(gan.strategy):
            stack.enter_context(guard.lock(run))
            run_folder.tidy(run)
        else:  # of several workers one writes the run; what the others write is thrown away
            out, held_out = Path(stack.enter_context(tempfile.TemporaryDirectory())), None
        try:
            config = _config(gan, images, labels)
            history = _restore(gan, run, chosen, config)
            if (step := int(gan.step.numpy())) >= schedule.steps:
                done = f"{run} has been trained for {step:,} steps"
                print(f"{done}: nothing left to do (--steps with a larger total trains longer, --fresh begins anew)")
                return history
            run_folder.write_json(out / run_folder.CONFIG, config)
            if out == run and restore_from:
                checkpoint.go_back(gan, run, chosen)
            elif out == run and chosen:
                run_folder.remove_later(run, step)
            state = Run(gan, images, out, schedule.steps, history, step, labels=labels)
            fit(state, [*_callbacks(schedule, held_out, shown=out == run), *callbacks])
            return history
        except OSError as error:
            raise Failure(
                f"{error.filename or run} cannot be written ({error.strerror or error}). Free some space, or mend the "
                "cause, and run the same command again: it goes on from the last checkpoint, if there is one"
            ) from None


def _schedule(preset, schedule, steps):
    """The schedule that was given, or the preset's, of so many steps."""
    schedule = schedule or preset.schedules.get(presets.profile()) or Schedule(2_000, 100, 500)
    schedule = replace(schedule, steps=schedule.steps if steps is None else steps)
    every = schedule.sample_every, schedule.checkpoint_every, schedule.log_every
    if min(schedule.steps, *every) < 1 or schedule.evaluate_every < 0:
        raise UserError("training needs at least 1 step, and intervals above 0")
    return schedule


def _callbacks(schedule, held_out, shown):
    """The callbacks of a run, in the order in which they are told of a step."""
    checkpointer = Checkpointer(schedule.checkpoint_every)
    judged, kept = [], []
    if held_out is not None:
        samples = min(WATCHED, schedule.evaluate_on)
        judged = [Judge(held_out, schedule.evaluate_every or schedule.steps, samples)]
        kept = [KeepBest(checkpointer, samples)]
    recorded = [Recorder(schedule.log_every), Samples(schedule.sample_every)]
    return [*judged, *recorded, checkpointer, *kept, Plots(), Progress(shown)]


def _restore(gan, run, chosen, config):
    """Restore a checkpoint into the GAN, if there is one; returns the history up to it."""
    before = run_folder.config(run)
    _require_same(config, before, run)
    if not chosen:
        if before:
            print(f"{run} holds no checkpoint yet: beginning at step 0")
        return History()
    checkpoint.restore(gan, chosen)
    step = int(gan.step.numpy())
    print(f"Resuming {run} at step {step:,} ({chosen.name})")
    source = chosen.resolve().parents[1] if checkpoint.from_elsewhere(chosen, run) else run
    return History.load(source / run_folder.HISTORY).until(step)


def _require_fitting(gan, images, labels, held_out):
    """Refuse images, held-out images and labels that the networks do not take."""
    size, devices_in_all = gan.preset.batch_size, gan.strategy.num_replicas_in_sync
    datasets.require_images(images, size)
    if size % devices_in_all:
        raise UserError(f"a batch of {size} cannot be split over {devices_in_all} devices: give a multiple of that")
    makes = gan.generator.output_shape[1:]
    if images.shape[1:] != makes:
        raise UserError(f"the images have shape {images.shape[1:]}, but the generator makes {makes}")
    if held_out is not None and (len(held_out) < metrics.LEAST or held_out.shape[1:] != images.shape[1:]):
        raise UserError(
            f"held_out has shape {held_out.shape}: give {metrics.LEAST} or more images of the size trained on"
        )
    if labels is None:
        if gan.classes:
            raise UserError(f"these networks know {gan.classes} labels: give the labels of the images")
        return
    if not gan.classes:
        raise UserError("these networks know no labels: leave the labels out, or give `classes` to their preset")
    if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(
            f"labels of shape {labels.shape}, {labels.dtype}, are not one integer for each of {len(images)} images"
        )
    if labels.min() < 0 or labels.max() >= gan.classes:
        raise UserError(
            f"the labels go from {labels.min()} to {labels.max()}, the networks know 0 to {gan.classes - 1}"
        )


def _config(gan, images, labels):
    """What config.json holds: the recipe, the images and the machine."""
    recipe, sha256 = gan.preset.recipe(), datasets.fingerprint(images)
    if recipe["dataset"] and not datasets.is_set(recipe["dataset"], sha256):
        recipe["dataset"] = ""  # other images, or a part of the set
    return {
        "recipe": json.loads(json.dumps(recipe)),  # as it will be read again
        "seed": gan.seed,
        "images": list(images.shape),
        "images_sha256": sha256,
        **({} if labels is None else {"labels_sha256": datasets.fingerprint(labels.astype(np.int32))}),
        "precision": gan.policy,
        "machine": devices.describe(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }


def _require_same(config, before, run):
    """Refuse to go on with a run under another recipe or seed, or on other images."""
    if not before:
        return
    instead = "choose another run folder (--run), or begin anew (--fresh)"
    told_by_sha256 = {"dataset", "enlarge"}  # which images they are; how older versions enlarged small ones
    now = {**config["recipe"], "seed": config["seed"], "images": config["images"]}
    for key, value in {**before["recipe"], "seed": before["seed"], "images": before["images"]}.items():
        if key in told_by_sha256 or key not in now and not value:  # or an older field, of which no use was made
            continue
        if now.get(key) != value:
            was, wanted = (_shown(key, some) for some in (value, now.get(key)))
            raise UserError(f"{run} was trained with {key} {was}, not {wanted}: {instead}")
    if before.get("images_sha256") not in (None, config["images_sha256"]):
        raise UserError(f"{run} was trained on other images, though as many of the same size: {instead}")
    if before.get("labels_sha256") != config.get("labels_sha256"):
        raise UserError(f"{run} was trained with other labels: {instead}")


def _shown(key, value):
    """A value of config.json as it is written elsewhere: sizes as HEIGHTxWIDTH."""
    return "x".join(map(str, value)) if key in ("image_size", "images") and value else repr(value)
