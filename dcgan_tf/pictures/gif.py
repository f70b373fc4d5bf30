"""Frames to an animated GIF."""

from collections.abc import Sequence
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from dcgan_tf.errors import UserError
from dcgan_tf.runtime import files, marks

IMAGES, COLUMNS = 64, 8  # of the sample grids of a run; with labels a column for each, in whole rows


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


def from_run(
    run: str | Path,
    path: str | Path | None = None,
    frames: int | None = None,
    corner: tuple[int, int] | None = None,
    **options: int,
) -> Path:
    """Write the GIF of a run's samples, in the order of their steps; returns its path.

    Args:
        run: a run folder.
        path: the file; by default RUN/training.gif.
        frames: use this many of the samples, more of the early ones, where more changes.
        corner: (columns, rows): show this corner of the grids, which have 8 columns, or one for each label.
        options: as in `save`.

    Raises:
        UserError: the run has no samples.
    """
    pictures = sorted((Path(run) / "samples").glob("step_*.png"))
    if not pictures:
        raise UserError(f"no samples in {run}: give a run folder that `train` has written")
    if frames and frames < len(pictures):
        positions = np.linspace(0, 1, frames) ** 1.6 if frames > 1 else np.ones(1)
        pictures = [pictures[i] for i in sorted(set(np.rint(positions * (len(pictures) - 1)).astype(int)))]
    grids = [iio.imread(picture) for picture in pictures]
    if corner:
        if not (config := marks.config(Path(run))):
            raise UserError(f"no config.json in {run}, which says how large its images are: leave --corner out")
        across = config["recipe"].get("classes") or COLUMNS
        grids = [_corner(grid, *corner, *config["images"][1:3], across) for grid in grids]
    return save(grids, path or Path(run) / "training.gif", **options)


def _corner(grid: np.ndarray, columns: int, rows: int, height: int, width: int, across: int) -> np.ndarray:
    """The upper left images of a grid that has `across` columns of images [height, width], enlarged, with gaps."""
    scale = grid.shape[1] // (across * (width + 1) - 1)
    return grid[: scale * (rows * (height + 1) - 1), : scale * (columns * (width + 1) - 1)]
