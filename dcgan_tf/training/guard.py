"""What can stop a training run early, or spoil it: signals, a second process, losses that go wrong."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from dcgan_tf.errors import UserError


class Stop:
    """Turns Ctrl-C and SIGTERM (and "interrupt" in a notebook) into a request: `wanted` is checked between two steps.

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
def lock(run: Path) -> Iterator[None]:
    """Hold a run folder while the block runs, so that no second process writes into it.

    The system releases the lock of a process that is killed.

    Raises:
        UserError: another process holds it.
    """
    held = FileLock(run / ".dcgan_tf-lock")
    try:
        held.acquire(timeout=0)
    except Timeout:
        raise UserError(
            f"{run} is being trained by another process: wait for it, or choose another folder (--run)"
        ) from None
    except (NotImplementedError, OSError):  # a file system without locks, as some network drives
        pass
    try:
        yield
    finally:
        held.release()


class CollapseWatch:
    """Warns once that samples which used to vary hardly do any more.

    Args:
        real: uint8 training images: the baseline for the variety of the samples.
    """

    ALIKE = 0.2  # of the reals' variety

    def __init__(self, real: np.ndarray):
        self.variety = _variety(real[:: max(1, len(real) // 256)])
        self.varied = False  # have the samples ever been? Those of the first steps are all alike
        self.warned = False

    def warning(self, step: int, images: np.ndarray) -> str | None:
        """Take generated uint8 images at a step; returns a warning or None."""
        relative = _variety(images) / max(self.variety, 1e-6)
        self.varied |= relative > 2 * self.ALIKE
        if self.varied and relative < self.ALIKE and not self.warned:
            self.warned = True
            return (
                f"Step {step:,}: the generator seems to have collapsed: its samples vary {relative:.0%} as much as the "
                "real images. Look at the newest picture in samples/; an earlier checkpoint (--from) or, from "
                "Python, a preset with lower learning rates may help."
            )
        return None


def _variety(images):
    """The mean over pixels of the standard deviation from image to image, in grey levels."""
    return float(np.asarray(images, np.float32).std(0).mean())
