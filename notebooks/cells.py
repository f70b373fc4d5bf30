"""Use what a chapter writes out in its cells: the tests hold it against the package, the benchmarks train with it."""

import linecache
from pathlib import Path

import keras
import nbformat
import numpy as np
import tensorflow as tf
from keras import layers
from PIL import Image

import dcgan_tf as dcgan

FOLDER = Path(__file__).resolve().parent


def cells_of(chapter: str, *tags: str, **given: object) -> dict:
    """Run a chapter's cells that have one of the tags; returns their names.

    Args:
        chapter: the name of a notebook, without its ending.
        tags: of the cells.
        given: names that the cells use, besides the libraries'.
    """
    names = {"dcgan": dcgan, "keras": keras, "layers": layers, "np": np, "tf": tf, "Image": Image, "SEED": 0, **given}
    for i, cell in enumerate(nbformat.read(FOLDER / f"{chapter}.ipynb", as_version=4).cells):
        if set(tags) & set(cell.metadata.get("tags", ())):
            file = f"<{chapter}, cell {i}>"  # where AutoGraph finds the source
            linecache.cache[file] = len(cell.source), None, cell.source.splitlines(keepends=True), file
            exec(compile(cell.source, file, "exec"), names)
    return names
