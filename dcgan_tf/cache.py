"""What can be made again but takes time: fetched sets, folders that were read, features of real images."""

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

DAMAGED = (  # what reading a .npz file raises that is not one, or not whole
    OSError, ValueError, EOFError, KeyError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def folder():
    """Where it is kept: DCGAN_TF_CACHE, else dcgan_tf in the user's cache folder (~/.cache)."""
    if chosen := os.environ.get("DCGAN_TF_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dcgan_tf"


def save(path, **arrays):
    """Write arrays to a .npz file, which appears whole or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".partial{os.getpid()}")
    with beside.open("wb") as file:
        np.savez_compressed(file, **arrays)
    beside.replace(path)


def load(path):
    """The arrays of a .npz file as a dict, or None where there is none or it is damaged. Pickles are refused."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except DAMAGED:
        return None
