"""Frames to an animated GIF."""

from pathlib import Path

import numpy as np
from PIL import Image

from dcgan_tf.errors import UserError


def save(frames, path, ms=120, hold=2000, greys=32):
    """Write a GIF that loops for ever and rests on its last frame.

    Args:
        frames: uint8 arrays [H, W] or [H, W, 3] of one size, or paths of pictures, in order.
        path: where to; the folder is made, the file appears whole or not at all.
        ms: how long each frame is shown, milliseconds (browsers slow anything under 20 down).
        hold: how long the last frame is shown, milliseconds.
        greys: the shades that grey frames are rounded to (32 look the same as 256 and take less than half the bytes).

    Raises:
        UserError: no frames, or frames of different sizes.
    """
    images = [Image.open(f).copy() if isinstance(f, str | Path) else Image.fromarray(np.asarray(f)) for f in frames]
    if not images:
        raise UserError("a GIF needs at least one frame: train for longer, or sample more often")
    if len({image.size for image in images}) > 1:
        raise UserError(f"the frames of a GIF must have one size, not {sorted({image.size for image in images})}")
    shade = [round(round(value / 255 * (greys - 1)) * 255 / (greys - 1)) for value in range(256)]
    images = [image.point(shade) if image.mode == "L" else image for image in images]
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".partial")
    times = [ms] * (len(images) - 1) + [hold]
    images[0].save(beside, "GIF", save_all=True, append_images=images[1:], duration=times, loop=0, optimize=True)
    beside.replace(path)
    return path


def from_run(run, path=None, **options):
    """The GIF of a run's samples, in the order of their steps; by default RUN/training.gif."""
    frames = sorted((Path(run) / "samples").glob("step_*.png"))
    if not frames:
        raise UserError(f"no samples in {run}: give a run folder that `train` has written")
    return save(frames, path or Path(run) / "training.gif", **options)
