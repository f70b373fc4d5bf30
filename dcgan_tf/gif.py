"""Frames to an animated GIF."""

from pathlib import Path

import numpy as np
from PIL import Image

from dcgan_tf.errors import UserError


def save(frames, path, ms=120, hold=2000, greys=32, colors=128):
    """Write a GIF that loops for ever and rests on its last frame.

    Args:
        frames: uint8 arrays [H, W] or [H, W, 3] of one size, or paths of pictures, in order.
        path: where to; the folder is made, the file appears whole or not at all.
        ms: how long each frame is shown, milliseconds (browsers slow anything under 20 down).
        hold: how long the last frame is shown, milliseconds.
        greys: the shades that grey frames are rounded to (32 look the same as 256 and take less than half the bytes).
        colors: the size of the palette that each frame in colour is reduced to, without dithering, 2 to 256.

    Raises:
        UserError: no frames, or frames of different sizes.
    """
    images = [Image.open(f).copy() if isinstance(f, str | Path) else Image.fromarray(np.asarray(f)) for f in frames]
    if not images:
        raise UserError("a GIF needs at least one frame: train for longer, or sample more often")
    if len({image.size for image in images}) > 1:
        raise UserError(f"the frames of a GIF must have one size, not {sorted({image.size for image in images})}")
    shade = [round(round(value / 255 * (greys - 1)) * 255 / (greys - 1)) for value in range(256)]
    images = [
        image.point(shade)
        if image.mode == "L"
        else image.convert("RGB").quantize(colors, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        for image in images
    ]
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".partial")
    times = [ms] * (len(images) - 1) + [hold]
    images[0].save(beside, "GIF", save_all=True, append_images=images[1:], duration=times, loop=0, optimize=True)
    beside.replace(path)
    return path


def from_run(run, path=None, frames=None, corner=None, **options):
    """The GIF of a run's samples, in the order of their steps.

    Args:
        run: a run folder.
        path: where to; by default RUN/training.gif.
        frames: take this many of the samples, more of the early ones, where more changes.
        corner: (columns, rows): show this corner of the grids, which are 8 x 8 images.
        options: as in `save`.
    """
    pictures = sorted((Path(run) / "samples").glob("step_*.png"))
    if not pictures:
        raise UserError(f"no samples in {run}: give a run folder that `train` has written")
    if frames and 1 < frames < len(pictures):
        shares = np.linspace(0, 1, frames) ** 1.6
        pictures = [pictures[i] for i in sorted(set(np.rint(shares * (len(pictures) - 1)).astype(int)))]
    if corner:
        pictures = [_corner(Image.open(picture), *corner) for picture in pictures]
    return save(pictures, path or Path(run) / "training.gif", **options)


def _corner(picture, columns, rows):
    """The upper left images of a grid of 8 x 8: its width is eight cells less one gap, of fewer than 8 pixels."""
    gap = -picture.width % 8
    cell = (picture.width + gap) // 8
    return np.asarray(picture.crop((0, 0, columns * cell - gap, rows * cell - gap)))
