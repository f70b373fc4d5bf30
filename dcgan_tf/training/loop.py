"""The training loop: one step after the other, and the callbacks after each."""

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from dcgan_tf import data
from dcgan_tf.gan import GAN
from dcgan_tf.runtime import distribution
from dcgan_tf.training import guard
from dcgan_tf.training.callbacks import Callback
from dcgan_tf.training.run import Run

AHEAD = 8  # batches fetched in one call: a call for each one would cost a sixtieth of MNIST's step
RATES_EVERY = 10  # steps between two changes of the learning rates that fall


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
                    told = {} if labels is None else {"labels": labels}
                    run.results = gan.train_step(real, *gan.update_schedule(), **told)
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
    slots = distribution.replica_slots(gan.strategy)

    def part(_):
        return data.batches(images, gan.preset.batch_size, gan.seed, start, slots, labels)

    iterator = iter(gan.strategy.distribute_datasets_from_function(part))
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
