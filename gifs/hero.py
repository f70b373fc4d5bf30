"""The banner of the README, made of the chapters' GIFs: python -m gifs.hero

Six images of each, from the first frame to the last in the same time, side by side: gifs/hero.gif.
"""

from pathlib import Path

import imageio.v3 as iio
import numpy as np
from PIL import Image

from dcgan_tf import gif

HERE = Path(__file__).resolve().parent
PANELS = {  # and the size of two rows of three images there, in pixels
    "01_mnist": (172, 114),
    "02_pokemon": (194, 129),
    "04_anime_faces": (194, 129),
    "05_pixel_heroes": (194, 129),
    "06_from_scratch": (196, 130),
}
SIZE = (194, 129)
FRAMES = 20
GAP = np.full((SIZE[1], 5, 3), 64, np.uint8)  # the grey between the images


def panel(name, size):
    """The corner of a GIF, at FRAMES moments spread over it."""
    result, *others = iio.imread(HERE / f"{name}.gif", mode="RGB")
    frames = np.stack([*others, result])
    for i in np.rint(np.linspace(0, len(frames) - 1, FRAMES)).astype(int):
        corner = Image.fromarray(frames[i, : size[1], : size[0]])
        yield np.asarray(corner.resize(SIZE, Image.Resampling.LANCZOS) if size != SIZE else corner)


def main():
    frames = []
    for pictures in zip(*(panel(name, size) for name, size in PANELS.items()), strict=True):
        parts = [part for picture in pictures for part in (picture, GAP)][:-1]
        frames.append(np.concatenate(parts, 1))
    path = gif.save(frames, HERE / "hero.gif", ms=130, hold=2500, bits=7)
    height, width, _ = frames[0].shape
    print(f"{path.name}: {len(frames)} frames of {width} x {height}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
