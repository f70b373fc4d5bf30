"""The GIF of a chapter, from its run: python -m gifs.chapters 02_pokemon --frames 30 --corner 6x4

Written to gifs/NAME.gif. 07_explore needs no run: its faces turn into one another.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from dcgan_tf import cli, figures, gif, load_generator, run_folder, sampling
from dcgan_tf.training.callbacks import SHOWN

HERE = Path(__file__).resolve().parent


def training(run, count, corner):
    """Grids of samples of a run, more of the early ones; of each the upper left corner, (columns, rows)."""
    columns, rows = corner
    config = run_folder.config(run)
    height, width = config["images"][1:3]
    across = config["recipe"].get("classes") or int(SHOWN**0.5)
    frames = [np.asarray(Image.open(path)) for path in gif.thinned(run_folder.taken(run, run_folder.SAMPLES), count)]
    scale = frames[0].shape[1] // (across * (width + 1) - 1)
    return [frame[: scale * (rows * (height + 1) - 1), : scale * (columns * (width + 1) - 1)] for frame in frames]


def exploring():
    """Twelve walks of three stops through the cartoon faces, side by side."""
    walks = sampling.walks(load_generator("anime"), 12, stops=3, frames=12)
    return [figures.grid([walk[i] for walk in walks], scale=1) for i in range(len(walks[0]))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", metavar="NAME", help="of the chapter, such as 02_pokemon")
    parser.add_argument("--run", type=Path, metavar="DIR", help="the run folder (default: runs/NAME)")
    parser.add_argument("--frames", type=int, default=30, metavar="N", help="of the run's samples (default: 30)")
    parser.add_argument("--corner", type=cli.size, default=(6, 4), metavar="6x4", help="columns x rows of each grid")
    options = parser.parse_args()
    path = HERE / f"{options.name}.gif"
    if options.name == "07_explore":
        gif.save(exploring(), path, 80, hold=80)
    else:
        gif.save(training(options.run or Path("runs") / options.name, options.frames, options.corner), path)
    print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
