"""The pictures in a .zip or .tar file, read one by one: nothing is unpacked."""

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from dcgan_tf.errors import UserError

LARGEST = 500_000_000  # bytes of one picture: a larger one is skipped
RATIO = 200  # an archive that claims to hold LARGEST bytes and this many times its own size is taken for a bomb
DAMAGED = (
    tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, OSError,
    NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip


def is_archive(path: Path) -> bool:
    """Is it a .zip or .tar file (plain or compressed)?"""
    return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))


@contextmanager
def opened(path: Path, kind: Callable[[str], str | None]) -> Iterator[tuple[list[str], Iterator[Callable], list]]:
    """Open an archive while the block runs: (names, openers, strange).

    `kind` says what a file is by its name: "image", None for what does not matter, or why it cannot be read. `names`
    are those of the images, sorted (of a tar archive in its own order, as a compressed one cannot be read from the
    middle); `openers` is an iterator of functions that return a file object each; `strange` holds (name, reason) of
    what cannot be read.

    Raises:
        UserError: a damaged archive, or one that claims to hold far more than it could.
    """
    is_tar = tarfile.is_tarfile(path)
    with ExitStack() as stack:
        with _damage_named(path):
            archive = stack.enter_context((tarfile.open if is_tar else zipfile.ZipFile)(path))
            if is_tar:
                members = ((m, m.name, m.size, m.isfile()) for m in archive if not m.isdir())
            else:  # bits of a file made on Unix: 0x8 is a plain file, 0xA a link
                listed = sorted(archive.infolist(), key=lambda m: m.filename)
                members = (
                    (m, m.filename, m.file_size, m.external_attr >> 28 in (0, 8)) for m in listed if not m.is_dir()
                )
            total, pictures, strange = 0, [], []
            for member, name, size, is_file in members:
                total += size
                if total > LARGEST + RATIO * path.stat().st_size:
                    raise UserError(
                        f"{path} claims to hold far more than pictures could take: it may be a decompression bomb"
                    )
                what = kind(name)
                if what == "image" and not is_file:
                    what = "a link, or not a file"
                elif what == "image" and size > LARGEST:
                    what = f"larger than {LARGEST / 1e6:.0f} MB"
                if what == "image":
                    pictures.append((name, member))
                elif what:
                    strange.append((name, what))
            while is_tar and archive.fileobj.read(1 << 20):  # to the end, where the checksum of a compressed one is
                pass
        if is_tar:  # read when the iterator comes to it, in order; of a zip archive when the opener is called
            openers = (partial(io.BytesIO, _member(path, archive, member)) for _, member in pictures)
        else:
            openers = (lambda member=member: io.BytesIO(archive.read(member)) for _, member in pictures)
        yield [name for name, _ in pictures], openers, strange


def _member(path, archive, member):
    """The bytes of a file in a tar archive."""
    with _damage_named(path):
        return archive.extractfile(member).read()


@contextmanager
def _damage_named(path):
    """What goes wrong with an archive while the block reads it, in one line."""
    try:
        yield
    except UserError:
        raise
    except DAMAGED as error:
        raise UserError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
