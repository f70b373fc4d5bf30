"""A training run, as its callbacks see it."""

import functools
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from dcgan_tf.errors import Failure
from dcgan_tf.gan import GAN
from dcgan_tf.training import checkpoint
from dcgan_tf.training.history import History


@dataclass
class Run:
    """What is trained, how far it has come, and where it is written."""

    gan: GAN
    images: np.ndarray  # uint8 [N, H, W, C]
    folder: Path
    steps: int  # of the whole run
    history: History
    step: int = 0  # the last one that was taken
    results: dict = field(default_factory=dict)  # what it returned, and the scores of a step that was judged
    losses: list = field(default_factory=list)  # of the steps since the last check, still on their device
    labels: np.ndarray | None = None  # integers [N], of networks that know some

    @functools.cached_property
    def writer(self) -> tf.summary.SummaryWriter:
        """TensorBoard's writer."""
        return tf.summary.create_file_writer(str(self.folder / "tensorboard"))

    def is_time(self, every: int) -> bool:
        """Is it time for what is done every so many steps, and after the last one?"""
        return self.step % every == 0 or self.step == self.steps

    def say(self, text: str | None) -> None:
        """Print a line above the progress bar."""
        if text:
            tqdm.write(text, file=sys.stdout)

    def check(self, weights: bool = True) -> None:
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
        if last := checkpoint.newest(self.folder):
            checkpoint.restore(self.gan, last)
        where = f"the run stands at {last}" if last else "no checkpoint had been taken yet"
        return Failure(
            f"step {step:,}: {what} is no longer a finite number, so training stops; {where}. What may "
            "help: --precision float32; from Python, a preset with lower learning rates, or with a gradient penalty"
        )
