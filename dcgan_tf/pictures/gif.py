"""Frames to an animated GIF."""

from collections.abc import Sequence
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from dcgan_tf.errors import UserError
from dcgan_tf.runtime import files, marks

MOST = 120  # frames of a run's GIF: each is in memory while it is written


def save(frames: Sequence, path: str | Path, ms: int = 120, hold: int = 2000, greys: int = 32, bits: int = 7) -> Path:
    """Write a GIF that loops for ever; returns its path.

    It opens with the last of the frames, held: the result is what a page shows before a GIF plays, and then how it came
    about.

    Args:
        frames: uint8 arrays [H, W] or [H, W, 3] of one size, or paths of pictures, in order.
        path: the file; its folder is made.
        ms: how long each frame is shown, in milliseconds (browsers slow down anything under 20).
        hold: how long the result is shown, in milliseconds.
        greys: the number of shades of grey frames: 32 look the same as 256 and take less than half the bytes.
        bits: the palette of each colour frame has 2**bits colours, without dithering; 1 to 8.

    Raises:
        UserError: no frames, or frames of different sizes.
    """
    arrays = [iio.imread(frame) if isinstance(frame, str | Path) else np.asarray(frame) for frame in frames]
    if not arrays:
        raise UserError("a GIF needs at least one frame: train for longer, or sample more often")
    if len({array.shape[:2] for array in arrays}) > 1:
        sizes = sorted({(array.shape[1], array.shape[0]) for array in arrays})
        raise UserError(f"the frames of a GIF must have one size, not {sizes}")
    if all(array.ndim == 2 for array in arrays):
        palette = {}
        arrays = [np.rint(np.rint(array / 255 * (greys - 1)) * 255 / (greys - 1)).astype(np.uint8) for array in arrays]
    else:
        palette = {"bits": bits}
        arrays = [array if array.ndim == 3 else np.stack([array] * 3, -1) for array in arrays]
    arrays = arrays[-1:] + arrays[:-1]
    times = [hold] + [ms] * (len(arrays) - 1) if len(arrays) > 1 else hold
    with files.atomic(path) as partial:
        iio.imwrite(
            partial, np.stack(arrays), plugin="pillow", extension=".gif", is_batch=True, duration=times, loop=0,
            optimize=True, comment=marks.SOFTWARE.encode(), **palette,
        )  # fmt: skip
    return Path(path)


def thinned(frames: Sequence, count: int) -> list:
    """At most so many of the frames, the last among them, and more of the early ones, where more changes."""
    if len(frames) <= count:
        return list(frames)
    positions = np.linspace(0, 1, count) ** 1.6 if count > 1 else np.ones(1)
    return [frames[i] for i in sorted(set(np.rint(positions * (len(frames) - 1)).astype(int)))]
