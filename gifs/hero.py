"""The picture at the top of the README, drawn by the released generators: python -m gifs.hero

A row for each generator, eight images of seed 0, none picked out: gifs/hero.png.
"""

from pathlib import Path

import numpy as np

import dcgan_tf as dcgan
from dcgan_tf import figures

NAMES = ("anime", "heroes", "monsters", "mnist")
COLUMNS, SIDE, GAP = 8, 128, 4  # images a row; pixels


def row(name):
    """Eight images of a generator as one strip, in colour."""
    images = dcgan.datasets.to_uint8(dcgan.sample(name, COLUMNS, seed=0))
    images = np.repeat(images, 3, -1) if images.shape[-1] == 1 else images
    if SIDE % images.shape[1]:  # 28 pixels: four times as large, on black
        scaled = images.repeat(4, 1).repeat(4, 2)
        space = (SIDE - scaled.shape[1]) // 2
        images = np.pad(scaled, [(0, 0), (space, space), (space, space), (0, 0)])
    scale = SIDE // images.shape[1]
    return figures.grid(images, COLUMNS, scale=scale, gap=GAP // scale, ground=255)


def main():
    rows = [row(name) for name in NAMES]
    space = np.full((GAP, *rows[0].shape[1:]), 255, np.uint8)
    picture = np.concatenate([part for strip in rows for part in (strip, space)][:-1])
    path = Path(__file__).resolve().parent / "hero.png"
    figures.save_png(picture, path)
    print(f"{path.name}: {picture.shape[1]} x {picture.shape[0]}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
