"""Pictures: pixel-exact grids of images, and plots of a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from dcgan_tf.datasets.batches import on_white, to_uint8
from dcgan_tf.runtime import files, marks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette: colours that a colour-blind reader can tell apart.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
LOSSES = {  # the last two are halves of one loss where pairs are judged: losses.Relativistic
    "g_loss": (ORANGE, "generator"),
    "d_loss_real": (BLUE, "discriminator on reals"),
    "d_loss_fake": (GREEN, "discriminator on fakes"),
}
OPINIONS = {"d_real": (BLUE, "D(x), on reals"), "d_fake": (GREEN, "D(G(z)), on fakes")}


def grid(
    images: np.ndarray, columns: int | None = None, scale: int | None = None, gap: int = 1, ground: int = 64
) -> np.ndarray:
    """Lay images out in rows.

    Args:
        images: [N, H, W, C], uint8 or float in [-1, 1]; C is 1, 3 or 4 (with alpha: they are set on white).
        columns: images a row; by default as square as can be.
        scale: each pixel becomes a block of scale x scale; by default as large as fits 600 pixels across.
        gap: pixels between images, before scaling.
        ground: the grey of the gaps and of empty places, 0 to 255.

    Returns:
        uint8 [H', W'] (grey) or [H', W', 3].
    """
    images = to_uint8(images)
    if images.ndim != 4 or not len(images):
        raise ValueError(f"a grid needs images [N, H, W, C] with N > 0, not {images.shape}")
    images = on_white(images)
    count, height, width, channels = images.shape
    columns = min(columns or int(np.ceil(np.sqrt(count))), count)
    rows = -(-count // columns)
    canvas = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), ground, np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * (height + gap), i % columns * (width + gap)
        canvas[y : y + height, x : x + width] = image
    scale = scale or max(1, 600 // canvas.shape[1])
    canvas = canvas.repeat(scale, 0).repeat(scale, 1)
    return canvas[..., 0] if channels == 1 else canvas


def save_png(array: np.ndarray, path: str | Path) -> None:
    """Write uint8 [H, W] or [H, W, 1, 3 or 4] as PNG; the folder is made, the file appears whole or not at all.

    The file is marked, so that `datasets.from_folder` does not take it for a picture to train on.
    """
    with files.atomic(path) as partial:
        picture = Image.fromarray(array[..., 0] if array.shape[2:] == (1,) else array)
        picture.save(partial, "PNG", pnginfo=marks.png_info())


def save_figure(figure: "Figure", path: str | Path) -> None:
    """Write a matplotlib figure as PNG, marked like those of `save_png`."""
    with files.atomic(path) as partial:
        figure.savefig(partial, dpi=110, format="png", metadata={"Software": marks.SOFTWARE})


def smooth(values: np.ndarray, window: float) -> np.ndarray:
    """A running mean over `window` values, as long as the input; the ends average what there is."""
    values = np.asarray(values, np.float64)
    window = max(1, min(int(window), len(values)))
    kernel = np.ones(window)
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")


def plot_history(history: Mapping[str, np.ndarray], title: str = "Training", probabilities: bool = True) -> "Figure":
    """Losses and the discriminator's opinion against the step, with KID if there is any. Returns a matplotlib figure.

    Without `probabilities` the discriminator is a critic, and what it gives the images are scores.
    """
    from matplotlib.figure import Figure

    judged = ~np.isnan(history["kid"])
    panels = 2 + judged.any()
    figure = Figure(figsize=(9, 3.25 * panels), layout="constrained")
    losses, beliefs, *distance = figure.subplots(panels, 1, sharex=True)
    _curves(losses, history, LOSSES)
    _curves(beliefs, history, OPINIONS)
    if probabilities:
        halves = " (the discriminator's halves: half of it)" * np.array_equal(*(history[c] for c in list(LOSSES)[1:]))
        losses.axhline(np.log(2), color=GREY, linestyle=":", label=f"log 2: nothing to tell apart{halves}")
        beliefs.axhline(0.5, color=GREY, linestyle=":")
    if len(judged) and min(history["g_loss"].min(), history["d_loss_real"].min()) >= 0:  # not a critic's scores
        losses.set_ylim(0, max(2.0, 1.2 * np.percentile(np.r_[history["g_loss"], history["d_loss_real"]], 98)))
    losses.set(title=title, ylabel="loss")
    beliefs.set(ylabel="mean probability of “real”", ylim=(0, 1)) if probabilities else beliefs.set(ylabel="mean score")
    for axes in distance:
        step, kid, error = (history[column][judged] for column in ("step", "kid", "kid_error"))
        axes.errorbar(
            step, kid, error, color=BLUE, marker="o", capsize=2, label="KID to held-out images ± standard error"
        )
        best = kid.argmin()
        axes.plot(step[best], kid[best], "*", color=ORANGE, markersize=14, label=f"best: step {step[best]:,.0f}")
        axes.set(ylabel="KID", yscale="log" if kid.min() > 0 else "linear")
    for axes in (losses, beliefs, *distance):
        axes.legend(loc="best", fontsize=9)
        axes.grid(alpha=0.25)
    axes.set_xlabel("step")
    return figure


def _curves(axes, history, columns):
    """Columns of a history against the step: faintly as they are, and smoothed."""
    for column, (color, label) in columns.items():
        axes.plot(history["step"], history[column], color=color, alpha=0.2, linewidth=0.7)
        if len(history["step"]):
            smoothed = smooth(history[column], len(history["step"]) / 50)
            axes.plot(history["step"], smoothed, color=color, label=label, linewidth=1.8)


def _show(axes, images, title, columns):
    """Images as a grid without axes."""
    axes.imshow(grid(images, columns), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(title)
    axes.axis("off")


def real_and_fake(real: np.ndarray, fake: np.ndarray) -> "Figure":
    """Real images beside generated ones, 8 x 8 each, as one picture with titles. Returns a matplotlib figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.3), layout="constrained")
    for axes, images, title in zip(figure.subplots(1, 2), (real, fake), ("real", "generated"), strict=True):
        _show(axes, images[:64], title, 8)
    return figure


def progress(
    history: Mapping[str, np.ndarray], samples: np.ndarray, title: str, columns: int | None = None
) -> "Figure":
    """The losses so far beside the newest samples, in a grid of `columns`. Returns a matplotlib figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    losses, pictures = figure.subplots(1, 2, width_ratios=(1.3, 1))
    _curves(losses, history, LOSSES)
    losses.set(title=title, xlabel="step", ylabel="loss")
    losses.grid(alpha=0.25)
    if len(history["step"]):
        losses.legend(loc="best", fontsize=9)
    _show(pictures, samples, "samples", columns)
    return figure
