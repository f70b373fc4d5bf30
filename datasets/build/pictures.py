"""Draw the contact sheets of datasets/README.md: python datasets/build/pictures.py"""

import sys

import numpy as np
import sources

sys.path.insert(0, str(sources.DATASETS.parent))
from dcgan_tf import datasets, figures


def main():
    for name in ("mnist", "monsters", "anime", "heroes"):
        images = datasets.load(name)
        chosen = images[np.random.default_rng(0).permutation(len(images))[: 96 if name == "mnist" else 48]]
        figures.save_png(
            figures.grid(chosen, columns=24 if name == "mnist" else 12, scale=1, ground=200),
            sources.DATASETS / "pictures" / f"{name}.png",
        )


if __name__ == "__main__":
    main()
