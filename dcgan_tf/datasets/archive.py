"""The pictures in a .zip file, read one by one: nothing is unpacked."""

import functools
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dcgan_tf.errors import UserError
from dcgan_tf.training import run_folder

LARGEST = 500_000_000  # bytes of one picture: a larger one is skipped
RATIO = 200  # an archive that claims to hold LARGEST bytes and this many times its own size is taken for a bomb
DAMAGED = zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError


@contextmanager
def opened(path: Path, kind: Callable[[str], str | None]) -> Iterator[tuple[list[str], Iterator[Callable], list]]:
    """Open a .zip file while the block runs: (names, openers, strange).

    `kind` says what a file is by its name: "image", None for what does not matter, or why it cannot be read. `names`
    are those of the images, sorted; `openers` is an iterator of functions that return a file object each; `strange`
    holds (name, reason) of what cannot be read.

    Raises:
        UserError: a damaged archive, or one that claims to hold far more than it could.
    """
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGED as error:
        raise UserError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    with archive:
        members = sorted((m for m in archive.infolist() if not m.is_dir()), key=lambda m: m.filename)
        if sum(m.file_size for m in members) > LARGEST + RATIO * path.stat().st_size:
            raise UserError(f"{path} claims to hold far more than pictures could take: it may be a decompression bomb")
        runs = [m.filename.removesuffix(run_folder.CONFIG) for m in members if _is_of_a_run(archive, m)]
        ours = tuple(f"{run}{name}/" for run in runs for name in run_folder.NAMES)
        kinds = [(m, _what(m, kind(m.filename))) for m in members if not f"{m.filename}/".startswith(ours)]
        pictures = [m for m, what in kinds if what == "image"]
        strange = [(m.filename, what) for m, what in kinds if what not in ("image", None)]
        openers = (functools.partial(_content, archive, m) for m in pictures)
        yield [m.filename for m in pictures], openers, strange


def _is_of_a_run(archive, member):
    """Is a member the config.json of a run folder?"""
    try:
        is_config = member.filename.rpartition("/")[2] == run_folder.CONFIG and member.file_size < LARGEST
        return is_config and bool(run_folder.parsed(archive.read(member)))
    except (UserError, *DAMAGED):
        return False


def _content(archive, member):
    return io.BytesIO(archive.read(member))


def _what(member, kind):
    """What a file of this kind is once its entry has been looked at."""
    if kind == "image" and member.external_attr >> 28 not in (0, 8):  # made on Unix: 0x8 is a plain file, 0xA a link
        return "a link, or not a file"
    if kind == "image" and member.file_size > LARGEST:
        return f"larger than {LARGEST / 1e6:.0f} MB"
    return kind
