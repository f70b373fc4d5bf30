"""Files and folders that appear whole or not at all, and the cache of what can be made again."""

import json
import os
import shutil
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from dcgan_tf.errors import UserError

DAMAGED = (  # what NumPy raises for a .npz file that is not one, or not whole
    OSError, ValueError, EOFError, KeyError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
PARTIAL = "partial_"  # what the name of an unfinished file or folder begins with


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Give the block a temporary path in the same folder, and rename it to `path` when the block has succeeded.

    The block writes a file or a folder there. If it fails, what it wrote is removed and `path` is left as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{PARTIAL}{os.getpid()}_{path.name}")
    try:
        yield partial
        if path.is_dir():  # a folder cannot be renamed over one that holds something
            shutil.rmtree(path)
        partial.replace(path)
    finally:
        remove(partial)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that it holds; do nothing if there is none."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_partial(folder: Path, older_than: float = 0.0) -> None:
    """Remove what a killed process left unfinished anywhere below a folder, if it is so many seconds old."""
    with suppress(PermissionError):  # of another user's cache
        for path in list(folder.rglob(f"{PARTIAL}*")):
            if path.exists() and time.time() - path.stat().st_mtime >= older_than:
                remove(path)


def config(run: Path) -> dict | None:
    """What config.json in a run folder holds, or None if there is none.

    Raises:
        UserError: it is not one that `train` has written.
    """
    path = run / "config.json"
    try:
        found = json.loads(path.read_text())
        if not {"recipe", "seed", "images"} <= set(found):
            raise ValueError
        return found
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise UserError(f"{path} is damaged, or was not written by `train`: give another run folder") from None


def shipped(kind: str) -> Path:
    """The folder of the "datasets" or the "weights": inside an installed package, else beside it in the repository."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "_files" / kind
    return inside if inside.is_dir() else package.parent / kind


def cache() -> Path:
    """The cache folder: DCGAN_TF_CACHE if that is set, else the system's folder for such files."""
    if chosen := os.environ.get("DCGAN_TF_CACHE"):
        return Path(chosen)
    import pooch  # here, because it takes a while to import

    return Path(pooch.os_cache("dcgan_tf"))


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write arrays to a compressed .npz file."""
    with atomic(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of a .npz file, or None if it is missing or damaged. Pickles are refused."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except DAMAGED:
        return None
