"""`train`, and the callbacks that show a run: samples, metrics, plots, and a live view in notebooks."""

import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import tensorflow as tf

from dcgan_tf import data, evaluation, presets
from dcgan_tf.data import to_uint8
from dcgan_tf.errors import Failure, UserError
from dcgan_tf.evaluation.extractors import extractor
from dcgan_tf.gan import GAN
from dcgan_tf.pictures import figures, gif
from dcgan_tf.runtime import distribution, files, marks
from dcgan_tf.training import checkpoint, guard, resume
from dcgan_tf.training.callbacks import Callback, Checkpointer, Estimate, KeepBest, Progress, Recorder
from dcgan_tf.training.history import JUDGED, History
from dcgan_tf.training.loop import fit
from dcgan_tf.training.run import Run

SAMPLES = gif.IMAGES
WATCHED = 1_024  # samples that a metric is followed on, at most: a profile may evaluate on fewer


class Samples(Callback):
    """A grid of images of the moving average every so many steps, always of the same latents; at the end a GIF."""

    def __init__(self, every: int):
        self.every = every

    def on_train_begin(self, run: Run) -> None:
        self.watch = guard.CollapseWatch(run.images)
        if run.step == 0:
            self.draw(run)

    def on_step_end(self, run: Run) -> None:
        if run.is_time(self.every):
            run.check()
            self.draw(run)

    def on_train_end(self, run: Run) -> None:
        if list((run.folder / "samples").glob("step_*.png")):
            gif.from_run(run.folder)

    def draw(self, run: Run) -> None:
        """Draw the grid of this step."""
        pictures = to_uint8(run.gan.generate(_shown(run.gan), run.gan.seed))
        grid = figures.grid(pictures, run.gan.classes or None)
        figures.save_png(grid, run.folder / "samples" / f"step_{run.step:07}.png")
        with run.writer.as_default(run.step):
            tf.summary.image("samples", grid.reshape(1, *grid.shape[:2], -1))
        run.say(self.watch.check(run.step, pictures))


class Judge(Callback):
    """FID, KID and the inception score of the moving average against held-out images, every so many steps."""

    def __init__(self, held_out: np.ndarray, every: int, samples: int):
        self.held_out, self.every, self.samples = held_out, every, samples

    def on_train_begin(self, run: Run) -> None:
        self.extractor = extractor(run.gan.preset.extractor)
        self.expected = evaluation.reference(self.held_out, self.extractor)

    def on_step_end(self, run: Run) -> None:
        if run.is_time(self.every):
            run.check()
            fake = run.gan.generate(self.samples, run.gan.seed)
            wanted = ("fid", "kid", "is")
            scores = evaluation.compare(fake, self.held_out, self.extractor, wanted, real_features=self.expected)
            run.results = {**run.results, **{name: scores[name] for name in JUDGED if name in scores}}


class Plots(Callback):
    """losses.png, at the end."""

    def on_train_end(self, run: Run) -> None:
        if len(run.history):
            title = f"{run.gan.preset.name}: {run.step:,} steps"
            with files.atomic(run.folder / "losses.png") as partial:
                figure = figures.plot_history(run.history, title, run.gan.loss.probabilities)
                figure.savefig(partial, dpi=110, metadata={"Software": marks.SOFTWARE})


class Live(Callback):
    """In a notebook: the newest samples and losses below the cell, every so many steps, in place of the ones before.

    `dcgan.train(gan, images, callbacks=[dcgan.trainer.Live(200)])`
    """

    def __init__(self, every: int):
        self.every = every

    def on_train_begin(self, run: Run) -> None:
        from IPython.display import display

        self.shown = display(self._picture(run), display_id=True)  # None outside of a notebook

    def on_step_end(self, run: Run) -> None:
        if self.shown and run.is_time(self.every):
            self.shown.update(self._picture(run))

    def _picture(self, run):
        samples = run.gan.generate(_shown(run.gan), run.gan.seed)
        return figures.progress(run.history, samples, f"step {run.step:,}", run.gan.classes or None)


def _shown(gan):
    """How many images a grid of samples has: whole rows of all labels, where there are some."""
    return max(1, SAMPLES // gan.classes) * gan.classes if gan.classes else SAMPLES


def train(
    gan: GAN,
    images: np.ndarray,
    steps: int | None = None,
    epochs: float | None = None,
    run: str | Path = "runs/own",
    profile: str | None = None,
    sample_every: int | None = None,
    checkpoint_every: int | None = None,
    log_every: int | None = None,
    restore_from: str | Path | None = None,
    fresh: bool = False,
    progress: bool = True,
    held_out: np.ndarray | None = None,
    evaluate_every: int | None = None,
    checkpoint_minutes: float | None = None,
    callbacks: Sequence[Callback] = (),
    labels: np.ndarray | None = None,
) -> History:
    """Train a GAN, or go on with the run that the folder holds.

    Args:
        gan: a GAN; its preset gives the batch size, the learning rates and their decay.
        images: uint8 [N, H, W, C], of the size that the generator makes.
        steps, epochs: when to stop, counted from the beginning of the run; by default the profile's steps.
        run: the run folder: config.json, history.csv, samples/, losses.png, training.gif, checkpoints/, tensorboard/.
            A run that has gone further than `restore_from` is not cut short: what came after is moved to RUN-old1.
        profile: "smoke", "cpu" or "gpu": fills in the arguments that are left out; by default what suits the machine.
        sample_every, checkpoint_every, log_every: in steps.
        restore_from: a checkpoint folder to go on from, instead of the newest of the run.
        fresh: begin anew; a run that the folder holds is moved aside, not deleted.
        progress: show a progress bar.
        held_out: at least 20 uint8 images like `images` that are not trained on. With them FID, KID and the inception
            score are followed, in the features of the preset's extractor, and the checkpoint of the lowest KID is kept
            in best/, beside the newest ones: it has been chosen by these images, so it must not be scored on them.
        evaluate_every: how often, in steps.
        checkpoint_minutes: take a checkpoint when so many minutes have passed since the last one, as well.
        callbacks: your own, each a `training.callbacks.Callback`, told of each step after those of this function.
        labels: integers [N] from 0 on, of the images, for networks that know some. They are shuffled with the images.

    Returns:
        History. After an interruption (Ctrl-C, SIGTERM) a checkpoint is saved and the history so far is returned.

    Raises:
        UserError: arguments that do not fit each other or the run; another process that trains in the run folder;
            checkpoints of which none is sound.
        Failure: a loss or a weight becomes NaN or infinite; the disk is full. The last checkpoint is whole.
    """
    run, preset, labels = Path(run), gan.preset, None if labels is None else np.asarray(labels)
    data.check(images, preset.batch_size)
    _check_shapes(gan, images, held_out)
    _check_labels(gan, images, labels)
    steps, every, watched = _lengths(preset, len(images), profile, steps, epochs)
    given = {"sample": sample_every, "checkpoint": checkpoint_every, "log": log_every, "evaluate": evaluate_every}
    every |= {name: value for name, value in given.items() if value is not None}
    minutes = float("inf") if checkpoint_minutes is None else checkpoint_minutes
    if steps < 1 or min(minutes, *every.values()) <= 0:
        raise UserError("training needs at least 1 step, and intervals above 0")
    if fresh and restore_from:
        raise UserError("give fresh or restore_from, not both")
    begins = fresh or not (restore_from or checkpoint.newest(run))
    if begins and (step := int(gan.step.numpy())):
        raise UserError(f"this GAN has already been trained for {step:,} steps: build a new one for a run in {run}")
    if fresh and not distribution.is_alone(gan.strategy):  # one worker would move away what another is reading
        raise UserError(f"several workers cannot begin anew: move {run} away before they are started")
    if restore_from is not None:
        checkpoint.check(restore_from)
    resume.begin(run, fresh)
    with ExitStack() as stack:
        out = run
        if distribution.is_chief(gan.strategy):
            stack.enter_context(guard.lock(run))
            for folder in (run, run / "checkpoints", run / "best", run / "samples"):
                files.remove_partial(folder)
        else:  # of several workers one writes the run; what the others write is thrown away
            out, held_out, progress = Path(stack.enter_context(tempfile.TemporaryDirectory())), None, False
        try:
            config = resume.config(gan, images, labels)
            resume.check_config(config, run)
            chosen = resume.restore(gan, run, restore_from)
            history = History.load(run / "history.csv").until(int(gan.step.numpy())) if chosen else History()
            with files.atomic(out / "config.json") as partial:
                partial.write_text(json.dumps(config, indent=2) + "\n")
            if out == run and restore_from is not None:
                resume.go_back(gan, run, chosen)
            elif out == run and chosen:
                resume.remove_later(run, int(gan.step.numpy()))
            state = Run(gan, images, out, steps, history, int(gan.step.numpy()), labels=labels)
            if state.step >= steps:
                done = f"{run} has been trained for {state.step:,} steps"
                print(f"{done}: nothing left to do (--steps with a larger total trains longer, --fresh begins anew)")
                return history
            checkpointer = Checkpointer(every["checkpoint"], minutes)
            judged = [Judge(held_out, every["evaluate"], watched)] if held_out is not None else []
            kept = [KeepBest(checkpointer, watched)] if held_out is not None else []
            parts = [*judged, Recorder(every["log"]), Samples(every["sample"]), checkpointer, *kept, Plots()]
            shown = [Progress(progress), *([Estimate()] if progress else [])]
            fit(state, [*parts, *shown, *callbacks])
            return history
        except OSError as error:
            raise Failure(
                f"{error.filename or run} cannot be written ({error.strerror or error}). Free some space, or mend the "
                "cause, and run the same command again: it goes on from the last checkpoint, if there is one"
            ) from None


def _check_shapes(gan, images, held_out):
    """Refuse images of another size than the networks make, and too few or mismatched held-out images."""
    makes = gan.generator.output_shape[1:]
    if images.shape[1:] != makes:
        raise UserError(f"the images have shape {images.shape[1:]}, but the generator makes {makes}")
    if held_out is not None and (len(held_out) < evaluation.LEAST or held_out.shape[1:] != images.shape[1:]):
        raise UserError(
            f"held_out has shape {held_out.shape}: give {evaluation.LEAST} or more images of the size trained on"
        )


def _check_labels(gan, images, labels):
    """Refuse labels that the networks do not know, or none where they need some."""
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


def _lengths(preset, count, profile, steps, epochs):
    """How long to train, in steps, the profile's intervals by name, and on how many samples a metric is followed."""
    if steps is not None and epochs is not None:
        raise UserError("give steps or epochs, not both")
    schedule = preset.schedules.get(presets.profile(profile)) or presets.Schedule(2_000, 100, 500)
    if epochs is not None:
        steps = round(epochs * count / preset.batch_size)
    steps = schedule.steps if steps is None else steps
    every = {
        "sample": schedule.sample_every,
        "checkpoint": schedule.checkpoint_every,
        "log": schedule.log_every,
        "evaluate": schedule.evaluate_every or max(steps, 1),
    }
    return steps, every, min(WATCHED, schedule.evaluate_on)
