"""The picture at the top of the README, drawn by the released generators: python -m gifs.hero

Eight images a row, not selected: cartoon faces of seed 0; the first face of seed 1 with every other hair colour;
heroes of seed 0; and the digits from 0 to 7, as asked for, of seed 0. Written to gifs/hero.png.
"""

from pathlib import Path

import numpy as np

import dcgan_tf as dcgan
from dcgan_tf import figures
from dcgan_tf.sampling import generate, latents

COLUMNS, SIDE, GAP = 8, 128, 4  # images a row; pixels


def dyed(columns):
    """One face with every other of the sixteen hair colours."""
    faces, colours = dcgan.load_generator("anime-conditional"), np.arange(1, 2 * columns, 2)
    z = latents(1, faces.input_shape[-1] - 16, seed=1).repeat(columns, 0)
    return generate(faces, dcgan.sampling.beside(z, colours, 16))


def row(images):
    """Images in [-1, 1] as one strip, in colour."""
    images = dcgan.datasets.to_uint8(images)
    images = np.repeat(images, 3, -1) if images.shape[-1] == 1 else images
    if SIDE % images.shape[1]:  # 28 pixels: four times as large, on black
        scaled = images.repeat(4, 1).repeat(4, 2)
        space = (SIDE - scaled.shape[1]) // 2
        images = np.pad(scaled, [(0, 0), (space, space), (space, space), (0, 0)])
    scale = SIDE // images.shape[1]
    return figures.grid(images, COLUMNS, scale=scale, gap=GAP // scale, ground=255)


def main():
    faces, heroes, digits = (
        dcgan.sample(name, COLUMNS, seed=0) for name in ("anime-conditional", "heroes", "mnist-conditional")
    )
    rows = [row(images) for images in (faces, dyed(COLUMNS), heroes, digits)]
    space = np.full((GAP, *rows[0].shape[1:]), 255, np.uint8)
    picture = np.concatenate([part for strip in rows for part in (strip, space)][:-1])
    path = Path(__file__).resolve().parent / "hero.png"
    figures.save_png(picture, path)
    print(f"{path.name}: {picture.shape[1]} x {picture.shape[0]}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
