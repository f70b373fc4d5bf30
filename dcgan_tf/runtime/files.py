"""Files and folders that appear whole or not at all, and the cache of what can be made again."""

import os
import secrets
import shutil
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import platformdirs

from dcgan_tf.errors import UserError

DAMAGED = (  # what NumPy raises for a .npz file that is not one, or not whole
    OSError, ValueError, EOFError, KeyError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
PARTIAL = ".dcgan_tf-partial-"  # what the name of an unfinished file or folder begins with
BEFORE = "-before"  # and what that of a folder that is being replaced ends with
MARK = ".dcgan_tf"  # a file in each folder that `atomic` writes: the names of the files that it has written there


@contextmanager
def atomic(path: str | Path, keep: bool = False) -> Iterator[Path]:
    """Give the block a temporary path in the same folder, and rename it to `path` when the block has succeeded.

    The block writes a file or a folder there. A file replaces a file, a folder one that this function has written, to
    which nothing has been added since; with `keep` another folder is moved aside, to PATH-old1. If the block fails,
    what it wrote is removed and `path` is left as it was. After a kill `remove_partial` puts that right.

    Raises:
        UserError: something else stands at `path`.
    """
    given, path = path, Path(os.path.abspath(path))
    ours = is_ours(path)
    if path.is_dir() and not (ours or keep):
        raise UserError(f"{given} is a folder that holds something else: give another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{PARTIAL}{os.getpid()}{secrets.token_hex(2)}-{path.name}")
    before = partial.with_name(f"{partial.name}{BEFORE}")
    try:
        yield partial
        if path.exists() and not (path.is_dir() if partial.is_dir() else path.is_file()):
            raise UserError(f"{given} is a {'folder' if path.is_dir() else 'file'} already: give another name")
        if partial.is_dir():
            (partial / MARK).write_text("\n".join(_content(partial)), encoding="utf-8")
        if path.is_dir():  # a folder cannot be renamed over one that holds something
            path.rename(before)
        try:
            partial.replace(path)
        except BaseException:
            if before.exists():
                before.rename(path)
            raise
        if before.exists():
            remove(before) if ours else before.rename(free_name(path))
    finally:
        remove(partial)


def _content(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def is_ours(folder: Path) -> bool:
    """Has `atomic` written all that a folder holds? So it has where there is nothing."""
    mark = folder / MARK
    listed = mark.read_text(encoding="utf-8", errors="replace").splitlines() if mark.is_file() else []
    return set(_content(folder)) <= {MARK, *listed}


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that it holds; do nothing if there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_partial(folder: Path, names: Sequence[str] | None = None, older_than: float = 0.0) -> None:
    """Put right what a killed process left in a folder of ours: of these names, and so many seconds old."""
    with suppress(PermissionError):  # of another user's cache
        for path in list(folder.glob(f"{PARTIAL}*")):
            name = path.name.removeprefix(PARTIAL).partition("-")[2].removesuffix(BEFORE)
            if names and name not in names or not path.exists() or time.time() - path.stat().st_mtime < older_than:
                continue
            if path.name.endswith(BEFORE) and not (folder / name).exists():  # it was about to be replaced
                path.rename(folder / name)
            else:
                remove(path)


def free_name(path: Path) -> Path:
    """PATH-old1, or the first such name that is not taken."""
    number, path = 1, path.resolve()
    while os.path.lexists(name := path.with_name(f"{path.name}-old{number}")):
        number += 1
    return name


def shipped(kind: str) -> Path:
    """The folder of the "datasets", the "weights" or the "benchmarks": inside an installed package, else beside it."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "_files" / kind
    return inside if inside.is_dir() else package.parent / kind


def stored(name: str) -> Path:
    """The file of a result that a chapter shows and does not compute: a table (.json) or a picture (.png).

    Programs in benchmarks/ have written them. A picture that may not be passed on is not in the installed package.
    """
    return shipped("benchmarks") / name


def cache() -> Path:
    """The cache folder: DCGAN_TF_CACHE if that is set, else the system's folder for such files."""
    return Path(os.environ.get("DCGAN_TF_CACHE") or platformdirs.user_cache_dir("dcgan_tf", appauthor=False))


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
