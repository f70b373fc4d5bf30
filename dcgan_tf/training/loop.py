"""The training loop: one step after the other, and the callbacks after each."""

import functools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from dcgan_tf import datasets
from dcgan_tf.errors import Failure
from dcgan_tf.gan import GAN
from dcgan_tf.runtime import distribution
from dcgan_tf.training import checkpoint, guard, run_folder
from dcgan_tf.training.history import History

AHEAD = 8  # batches fetched in one call: a call for each one would cost a sixtieth of MNIST's step
RATES_EVERY = 10  # steps between two changes of the learning rates that fall


@dataclass
class Run:
    """What is trained, how far it has come, and where it is written: what a callback receives."""

    gan: GAN
    images: np.ndarray  # uint8 [N, H, W, C]
    folder: Path
    steps: int  # of the whole run
    history: History
    step: int = 0  # the last one that was taken
    results: dict = field(default_factory=dict)  # what it returned, and the scores of a step that was judged
    losses: list = field(default_factory=list)  # of the steps since they were last looked at, still on their device
    labels: np.ndarray | None = None  # integers [N], of networks that know some

    @functools.cached_property
    def writer(self) -> tf.summary.SummaryWriter:
        """TensorBoard's writer."""
        return tf.summary.create_file_writer(str(self.folder / run_folder.TENSORBOARD))

    def is_time(self, every: int) -> bool:
        """Is it time for what is done every so many steps, and after the last one?"""
        return self.step % every == 0 or self.step == self.steps

    def say(self, text: str | None) -> None:
        """Print a line above the progress bar."""
        if text:
            tqdm.write(text, file=sys.stdout)

    def require_finite(self, weights: bool = True) -> None:
        """Stop if a loss or a weight is NaN or infinite. Call it before anything of a step is saved.

        Raises:
            Failure: one of them is. The GAN is taken back to its last sound checkpoint.
        """
        step = int(self.gan.step.numpy())
        for number, values in enumerate(self.losses, step - len(self.losses) + 1):
            if not np.isfinite(values).all():
                raise self._went_wrong(number, "a loss")
        self.losses.clear()
        if weights and not self.gan.is_finite():  # a step's losses are those before its update
            raise self._went_wrong(step, "a weight")

    def _went_wrong(self, step, what):
        if last := checkpoint.newest(self.folder / run_folder.CHECKPOINTS):
            checkpoint.restore(self.gan, last)
        where = f"the run stands at {last}" if last else "no checkpoint had been taken yet"
        return Failure(
            f"step {step:,}: {what} is no longer a finite number, so training stops; {where}. What may "
            "help: --precision float32; from Python, a preset with lower learning rates, or with a gradient penalty"
        )


class Callback:
    """Receives the events of a run, like Keras's callbacks. Define the methods that you need."""

    def on_train_begin(self, run: Run) -> None:
        """Before the first step; `run.step` is 0, or where a resumed run goes on."""

    def on_step_end(self, run: Run) -> None:
        """After each step; `run.results` holds its losses, as tensors."""

    def on_train_end(self, run: Run) -> None:
        """After the last step, or after an interruption (`run.history.interrupted`)."""


def fit(run: Run, callbacks: Sequence[Callback]) -> None:
    """Train to the end of a run, or until it is interrupted (Ctrl-C, SIGTERM): then `history.interrupted` is set."""

    def tell(event, callbacks=tuple(callbacks)):
        for callback in callbacks:
            getattr(callback, event)(run)

    gan, factor = run.gan, None
    try:
        with guard.Stop() as stop:
            tell("on_train_begin")
            try:
                batches = batches_from(gan, run.images, run.step, run.labels)
                for step in range(run.step + 1, run.steps + 1):
                    if stop.wanted:
                        raise KeyboardInterrupt
                    before, factor = factor, decay(step - 1, run.steps, gan.preset.decay_from)
                    if factor != before:  # so a callback may set rates of its own where they do not fall
                        gan.set_learning_rates(factor)
                    real, labels = next(batches)
                    conditions = {} if labels is None else {"labels": labels}
                    run.results = gan.train_step(real, *gan.update_schedule(), **conditions)
                    run.step = step
                    run.losses.append((run.results["g_loss"], run.results["d_loss"]))
                    tell("on_step_end")
            except KeyboardInterrupt:
                run.history.interrupted = True
            tell("on_train_end", reversed(callbacks))  # so an interrupted run is saved before its GIF is made
    finally:
        run.writer.close()


def batches_from(
    gan: GAN, images: np.ndarray, start: int, labels: np.ndarray | None = None
) -> Iterator[tuple[tf.Tensor, tf.Tensor | None]]:
    """The batches from a step on: images, and their labels where there are some."""
    size = gan.preset.batch_size
    batches = functools.partial(datasets.batches, images, size, gan.seed, start, labels)
    iterator = iter(distribution.shared(gan.strategy, size, batches))
    while True:
        yield from _next(iterator) if labels is not None else ((batch, None) for batch in _next(iterator))


@tf.function(reduce_retracing=True)
def _next(iterator):
    return [next(iterator) for _ in range(AHEAD)]


def decay(step: int, steps: int, decay_from: float) -> float:
    """The factor on the learning rates: 1 for the first `decay_from` of the run (0 to 1), then falling linearly to 0.

    It falls every RATES_EVERY steps: setting the rates costs a fortieth of MNIST's step.
    """
    step = step // RATES_EVERY * RATES_EVERY
    return min(1.0, (1 - step / steps) / (1 - decay_from)) if decay_from < 1 else 1.0
