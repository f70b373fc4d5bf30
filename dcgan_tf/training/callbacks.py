"""What happens between steps: the record, the checkpoints, the progress bar. Subclass `Callback` for your own."""

import math
import time

import tensorflow as tf

from dcgan_tf.runtime.progress import bar
from dcgan_tf.training import checkpoint, guard
from dcgan_tf.training.run import Run


class Callback:
    """Receives the events of a run, like Keras's callbacks. Define the methods that you need."""

    def on_train_begin(self, run: Run) -> None:
        """Before the first step; `run.step` is 0, or where a resumed run goes on."""

    def on_step_end(self, run: Run) -> None:
        """After each step; `run.results` holds its losses, as tensors."""

    def on_train_end(self, run: Run) -> None:
        """After the last step, or after an interruption (`run.history.interrupted`)."""


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


class Estimate(Callback):
    """Says once, after some steps, how long the others will take on this machine."""

    FIRST, LAST = 10, 60  # of the steps that are timed; those before it compile

    def on_step_end(self, run: Run) -> None:
        self.taken = getattr(self, "taken", 0) + 1
        if self.taken == self.FIRST:
            self.then = time.perf_counter()
        elif self.taken == self.LAST and run.steps - run.step > 10 * self.LAST:
            seconds = (time.perf_counter() - self.then) / (self.LAST - self.FIRST) * (run.steps - run.step)
            run.say(f"About {seconds / 60:.0f} minutes for the {run.steps - run.step:,} steps left; stop at any time")


class Recorder(Callback):
    """A row of history.csv every so many steps, and TensorBoard's scalars."""

    def __init__(self, every: int):
        self.every = every

    def on_train_begin(self, run: Run) -> None:
        self.last, self.then = run.step, time.perf_counter()
        self.watch = guard.WonWatch() if run.gan.loss.probabilities else None

    def on_step_end(self, run: Run) -> None:
        if not (run.is_time(self.every) or "kid" in run.results):
            return
        run.check(weights=False)
        now = time.perf_counter()
        row = self._row(run, (run.step - self.last) * run.gan.preset.batch_size / (now - self.then))
        self.last, self.then = run.step, now
        run.history.append(**row)
        not_logged = {"step", "epoch", "d_loss"}  # in TensorBoard: what is known or would be the same throughout
        with run.writer.as_default(run.step):
            for name in row.keys() - not_logged:
                tf.summary.scalar(name, row[name])
        if self.watch:
            run.say(self.watch.check(run.step, row["d_loss"]))

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


class Checkpointer(Callback):
    """A checkpoint every so many steps or minutes, and at an interruption."""

    def __init__(self, every: int, minutes: float = float("inf")):
        self.every, self.minutes = every, minutes

    def on_train_begin(self, run: Run) -> None:
        self.then, self.saved = time.perf_counter(), None

    def on_step_end(self, run: Run) -> None:
        if run.is_time(self.every) or time.perf_counter() - self.then > 60 * self.minutes:
            self.save(run)

    def on_train_end(self, run: Run) -> None:
        if run.history.interrupted:
            self.save(run)
            run.say(f"Interrupted at step {run.step:,}: saved in {run.folder}; run the same again to go on from there")

    def save(self, run: Run) -> None:
        """Save the history and a checkpoint of this step, if that has not been done."""
        if run.step == self.saved:
            return
        run.check()
        run.history.save(run.folder / "history.csv")
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
        kept = [self._kid_of(folder, judged) for folder in checkpoint.folders(run.folder, "best")]
        return run.step in judged and all(judged[run.step] < kid for kid in kept)

    @staticmethod
    def _kid_of(folder, judged):
        """What a checkpoint in best/ was chosen by; one of an older version does not say it."""
        if checkpoint.fault(folder):
            return math.inf
        step = checkpoint.step_of(folder)
        return checkpoint.plan(folder).get("scores", {}).get("kid", judged.get(step, math.inf))

    def keep(self, run: Run) -> None:
        """Keep this step's checkpoint as the best one, and say what chose it."""
        row = run.history.rows[-1]
        which = "this run" if run.history.best()["step"] == run.step else "the checkpoints that are left"
        folder = run.folder / "best" / f"step_{run.step:07}"
        readme = (
            f"{folder.name} had the lowest KID of {which} until then: {row['kid']:.4f} ± {row['kid_error']:.4f}, "
            f"{self.samples:,} samples against the held-out images, judged by {run.gan.preset.extractor!r}.\n"
            "It was chosen by them, so its score on them is too good to be true. Good if the run collapses late:\n"
            f"dcgan-tf generate {folder}\n"
        )
        checkpoint.save_best(run.gan, run.folder, {"kid": row["kid"]}, readme)
