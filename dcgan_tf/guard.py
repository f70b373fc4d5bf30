"""What stands between a training run and its end: signals, a second process, losses that go wrong."""

import os
import signal
import sys
import threading
from contextlib import contextmanager

import numpy as np

from dcgan_tf.errors import UserError


class Stop:
    """Ctrl-C and SIGTERM (and "interrupt" in a notebook) as a wish: `wanted` is looked at between two steps.

    So a step is never left half-counted. A second Ctrl-C does not wait. Only Python's main thread can listen; elsewhere
    nothing is changed.
    """

    def __init__(self):
        self.wanted = False

    def __enter__(self):
        self._before = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number, frame):
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True


@contextmanager
def lock(run):
    """Hold a run folder, so that no second process writes into it; the lock dies with its process.

    Raises:
        UserError: another process holds it.
    """
    if sys.platform == "win32":  # no such lock there
        yield
        return
    import fcntl

    folder = os.open(run, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(folder)
        raise UserError(
            f"{run} is being trained by another process: wait for it, or choose another folder (--run)"
        ) from None
    except OSError:  # a file system that has no locks, as some on a network
        pass
    try:
        yield
    finally:
        os.close(folder)


class Watch:
    """Warns, once each, of the two ways in which a GAN fails while its losses look like numbers.

    Args:
        real: uint8 images that it is trained on, to compare the variety of the samples with.
        patience: steps for which the discriminator's loss has to be near zero.
    """

    WON = 0.02  # of the discriminator's loss: it is right in 99 of 100 cases on both sides
    ALIKE = 0.2  # of the reals' variety

    def __init__(self, real, patience=500):
        self.patience = patience
        self.variety = _variety(real[:: max(1, len(real) // 256)])
        self.since = None
        self.varied = False  # have the samples ever been? Those of the first steps are all alike
        self.told = set()

    def losses(self, step, d_loss):
        """Take the discriminator's loss at a step; returns a warning or None."""
        if d_loss > self.WON:
            self.since = None
        elif self.since is None:
            self.since = step
        elif step - self.since >= self.patience:
            return self._once(
                "won",
                f"Step {step:,}: the discriminator has won. For {step - self.since:,} steps it has told every image "
                "apart, so the generator learns nothing from it. Look at losses.png; a lower learning rate for the "
                "discriminator, an R1 penalty or DiffAugment help.",
            )
        return None

    def samples(self, step, images):
        """Take generated uint8 images at a step; returns a warning or None."""
        share = _variety(images) / max(self.variety, 1e-6)
        self.varied |= share > 2 * self.ALIKE
        if self.varied and share < self.ALIKE:
            return self._once(
                "collapsed",
                f"Step {step:,}: the generator seems to have collapsed: its samples vary {share:.0%} as much as the "
                "real images. Look at the newest picture in samples/; an earlier checkpoint (--from) and a lower "
                "learning rate help.",
            )
        return None

    def anew(self):
        """The networks have grown, and what they draw is to come yet."""
        self.varied = False

    def _once(self, kind, text):
        if kind in self.told:
            return None
        self.told.add(kind)
        return text


def _variety(images):
    """The mean over pixels of the standard deviation from image to image, in grey levels."""
    return float(np.asarray(images, np.float32).std(0).mean())
