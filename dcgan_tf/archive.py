"""Archives of images, which are not to be trusted: only their pictures are written, and only below one folder."""

import gzip
import hashlib
import lzma
import os
import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from dcgan_tf import cache
from dcgan_tf.errors import UserError

LARGEST = 500_000_000  # bytes of one picture
MOST = 50_000_000_000  # bytes of all
_CHUNK = 1 << 20
DAMAGED = (
    tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError,
    RuntimeError, ValueError,
)  # fmt: skip


def is_archive(path):
    """Is it a .zip or .tar file (plain or compressed)?"""
    return Path(path).is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))


def unpack(path, suffixes):
    """Unpack the pictures of an archive into the cache folder, once; returns their folder.

    Links, devices and files without one of the `suffixes` are left out, so that nothing but pictures can be written.

    Raises:
        UserError: a path that leads out of the folder, more bytes than any picture has, a damaged archive.
    """
    path = Path(path)
    with path.open("rb") as file:
        folder = cache.folder() / "archives" / hashlib.file_digest(file, "sha256").hexdigest()[:16]
    if folder.exists():
        return folder
    beside = folder.with_name(f"{folder.name}.partial{os.getpid()}")
    try:
        total = 0
        for name, open_member in _members(path):
            target = beside / _safe(path, name)
            if target.suffix.lower() not in suffixes:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with open_member() as source, target.open("wb") as file:
                written = 0
                while data := source.read(_CHUNK):  # what an archive says of its sizes may be a lie
                    written += len(data)
                    total += len(data)
                    if written > LARGEST or total > MOST:
                        raise UserError(f"{path} unpacks to more than it should ({name}): is it a bomb?")
                    file.write(data)
        if not beside.exists():
            raise UserError(f"no image in {path}: it is searched for {', '.join(sorted(suffixes))}")
        beside.replace(folder)
    except UserError:
        raise
    except DAMAGED as error:
        raise UserError(f"{path} cannot be unpacked: {str(error).splitlines()[0]}") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _members(path):
    """(name, function that opens it) of each regular file in an archive."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                kind = member.external_attr >> 28  # of a file made on Unix; 0xA is a link
                if not member.is_dir() and kind in (0, 0x8):
                    yield member.filename, lambda member=member: archive.open(member)
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile():
                    yield member.name, lambda member=member: archive.extractfile(member)
            while archive.fileobj.read(_CHUNK):  # to the end, where the check sum of a compressed one is
                pass


def _safe(path, name):
    """A member's name as a relative path that stays where it is."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in name or "\0" in name or not parts.parts:
        raise UserError(f"{path} holds a path that leads out of it ({name!r}): nothing of it was unpacked")
    return Path(*parts.parts)
