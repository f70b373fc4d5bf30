"""What happens between steps: the record, samples, scores, checkpoints, plots. Subclass `Callback` for your own."""

import math
import time

import numpy as np
import tensorflow as tf

from dcgan_tf import metrics
from dcgan_tf.datasets import to_uint8
from dcgan_tf.pictures import figures, gif
from dcgan_tf.runtime.progress import bar
from dcgan_tf.training import checkpoint, guard, run_folder
from dcgan_tf.training.history import SCORES
from dcgan_tf.training.loop import Callback, Run

SHOWN = 64  # images in a grid of samples, in 8 columns; with labels a column for each, in whole rows
CHECKPOINT_MINUTES = 10  # a checkpoint is taken at least as often


class Progress(Callback):
    """A progress bar with the newest losses."""

    def __init__(self, shown: bool):
        self.shown = shown

    def on_train_begin(self, run: Run) -> None:
        options = {"unit": "step", "disable": not self.shown, "dynamic_ncols": True}
        self.bar = bar(total=run.steps, initial=run.step, **options)

    def on_step_end(self, run: Run) -> None:
        self.bar.update()
        if len(run.history) and run.history.rows[-1]["step"] == run.step:
            row = run.history.rows[-1]
            self.bar.set_postfix(
                G=f"{row['g_loss']:.2f}", D=f"{row['d_loss_real'] + row['d_loss_fake']:.2f}", refresh=False
            )

    def on_train_end(self, run: Run) -> None:
        self.bar.close()


class Recorder(Callback):
    """A row of history.csv every so many steps, and TensorBoard's scalars."""

    def __init__(self, every: int):
        self.every = every

    def on_train_begin(self, run: Run) -> None:
        self.last, self.then = run.step, time.perf_counter()

    def on_step_end(self, run: Run) -> None:
        if not (run.is_time(self.every) or "kid" in run.results):
            return
        run.require_finite(weights=False)
        now = time.perf_counter()
        row = self._row(run, (run.step - self.last) * run.gan.preset.batch_size / (now - self.then))
        self.last, self.then = run.step, now
        run.history.append(**row)
        not_logged = {"step", "epoch", "d_loss"}  # in TensorBoard: what is known or would be the same throughout
        with run.writer.as_default(run.step):
            for name in row.keys() - not_logged:
                tf.summary.scalar(name, row[name])

    @staticmethod
    def _row(run, speed):
        gan = run.gan
        return {
            "step": run.step,
            "epoch": run.step * gan.preset.batch_size / len(run.images),
            "generator_learning_rate": float(gan.generator_optimizer.learning_rate.numpy()),
            "discriminator_learning_rate": float(gan.discriminator_optimizer.learning_rate.numpy()),
            "images_per_second": speed,
            **{name: float(value) for name, value in run.results.items()},
        }


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
            run.require_finite()
            self.draw(run)

    def on_train_end(self, run: Run) -> None:
        if samples := run_folder.taken(run.folder, run_folder.SAMPLES):
            gif.save(gif.thinned(samples, gif.MOST), run.folder / run_folder.ANIMATION)

    def draw(self, run: Run) -> None:
        """Draw the grid of this step."""
        pictures = to_uint8(run.gan.generate(_shown(run.gan), run.gan.seed))
        grid = figures.grid(pictures, run.gan.classes or None)
        figures.save_png(grid, run_folder.at_step(run.folder, run_folder.SAMPLES, run.step))
        with run.writer.as_default(run.step):
            tf.summary.image("samples", grid.reshape(1, *grid.shape[:2], -1))
        run.say(self.watch.warning(run.step, pictures))


def _shown(gan):
    """How many images a grid of samples has: whole rows of all labels, where there are some."""
    return max(1, SHOWN // gan.classes) * gan.classes if gan.classes else SHOWN


class Judge(Callback):
    """FID, KID and the inception score of the moving average against held-out images, every so many steps."""

    def __init__(self, held_out: np.ndarray, every: int, samples: int):
        self.held_out, self.every, self.samples = held_out, every, samples

    def on_train_begin(self, run: Run) -> None:
        self.extractor = metrics.extractor(run.gan.preset.extractor)
        self.expected = metrics.reference(self.held_out, self.extractor)

    def on_step_end(self, run: Run) -> None:
        if run.is_time(self.every):
            run.require_finite()
            fake = run.gan.generate(self.samples, run.gan.seed)
            wanted = ("fid", "kid", "is")
            scores = metrics.compare(fake, self.held_out, self.extractor, wanted, real_features=self.expected)
            run.results = {**run.results, **{name: scores[name] for name in SCORES if name in scores}}


class Checkpointer(Callback):
    """A checkpoint every so many steps, every ten minutes, and at an interruption."""

    def __init__(self, every: int):
        self.every = every

    def on_train_begin(self, run: Run) -> None:
        self.then, self.saved = time.perf_counter(), None

    def on_step_end(self, run: Run) -> None:
        if run.is_time(self.every) or time.perf_counter() - self.then > 60 * CHECKPOINT_MINUTES:
            self.save(run)

    def on_train_end(self, run: Run) -> None:
        if run.history.interrupted:
            self.save(run)
            run.say(f"Interrupted at step {run.step:,}: saved in {run.folder}; run the same again to go on from there")

    def save(self, run: Run) -> None:
        """Save the history and a checkpoint of this step, if that has not been done."""
        if run.step == self.saved:
            return
        run.require_finite()
        run.history.save(run.folder / run_folder.HISTORY)
        checkpoint.save(run.gan, run.folder)
        self.then, self.saved = time.perf_counter(), run.step


class KeepBest(Callback):
    """The checkpoint of the lowest KID, in best/. It needs a Judge earlier in the list of callbacks."""

    def __init__(self, checkpointer: Checkpointer, samples: int):
        self.checkpointer, self.samples = checkpointer, samples

    def on_train_begin(self, run: Run) -> None:
        if self.is_better(run):  # the run was cut off before it could be kept
            self.keep(run)

    def on_step_end(self, run: Run) -> None:
        if "kid" in run.results and self.is_better(run):
            self.checkpointer.save(run)  # a run that is cut off here must not go back to before its best
            self.keep(run)

    def is_better(self, run: Run) -> bool:
        """Was this step judged, and has it a lower KID than the checkpoint that is kept, if there is one?"""
        judged = {row["step"]: row["kid"] for row in run.history.rows if not math.isnan(row["kid"])}
        kept = [self._kid_of(folder, judged) for folder in run_folder.taken(run.folder, run_folder.BEST)]
        return run.step in judged and all(judged[run.step] < kid for kid in kept)

    @staticmethod
    def _kid_of(folder, judged):
        """What a checkpoint in best/ was chosen by; one of an older version does not say it."""
        if checkpoint.fault(folder):
            return math.inf
        return checkpoint.networks(folder).get("kid", judged.get(run_folder.step_of(folder), math.inf))

    def keep(self, run: Run) -> None:
        """Keep this step's checkpoint as the best one, and say what chose it."""
        row, folder = run.history.rows[-1], run_folder.at_step(run.folder, run_folder.BEST, run.step)
        which = "this run" if run.history.best()["step"] == run.step else "the checkpoints that are left"
        readme = (
            f"{folder.name} had the lowest KID of {which} until then: {row['kid']:.4f} ± {row['kid_error']:.4f}, "
            f"{self.samples:,} samples against the held-out images, judged by {run.gan.preset.extractor!r}.\n"
            "It was chosen by them, so its score on them is too good to be true. Good if the run collapses late:\n"
            "give the path of this folder to dcgan-tf generate.\n"
        )
        checkpoint.save_best(run.gan, run.folder, row["kid"], readme)


class Plots(Callback):
    """losses.png, at the end."""

    def on_train_end(self, run: Run) -> None:
        if len(run.history):
            title = f"{run.gan.preset.name}: {run.step:,} steps"
            figure = figures.plot_history(run.history, title, run.gan.loss.probabilities)
            figures.save_figure(figure, run.folder / run_folder.LOSSES)


class Live(Callback):
    """In a notebook: the newest samples and losses below the cell, every so many steps, in place of the ones before.

    `dcgan.train(gan, images, callbacks=[dcgan.callbacks.Live(200)])`
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
