"""The playground's game as a GIF: python -m gifs.playground runs/film, after `node film.mjs ../runs/film`."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from dcgan_tf import gif


def main():
    frames = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(Path(sys.argv[1]).glob("*.png"))]
    print(gif.save(frames, Path(__file__).with_suffix(".gif"), ms=120, hold=2500))


if __name__ == "__main__":
    main()
