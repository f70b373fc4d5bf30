"""Your own images: every picture below a folder, as one array."""

import errno
import functools
import hashlib
import itertools
import json
import math
import os
import shutil
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dcgan_tf.data import archive
from dcgan_tf.data.framing import How, framed
from dcgan_tf.errors import UserError
from dcgan_tf.runtime import files, marks
from dcgan_tf.runtime.progress import bar

SUFFIXES = {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".tif", ".tiff", ".gif", ".bmp"}
UNREAD = {".heic", ".heif", ".avif", ".jxl", ".svg", ".psd"}  # images too, which are skipped and named
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")  # others can start programs, as EPS does
LARGE = 16_000_000  # pixels; of images beyond it one is in memory at a time
AHEAD = 1_000  # files in the readers' queue at a time, or that of a large folder would be large itself
DAY = 24 * 3600  # seconds
DRAWN = "drawn by dcgan_tf itself"
_ONE_LARGE = Lock()


class Folder(NamedTuple):
    """The images of a folder, and what was done to them."""

    images: np.ndarray  # uint8 [N, height, width, channels], in the order of the sorted paths; a read-only file if kept
    skipped: list  # (path, reason) of each file that could not be used
    duplicates: list  # (path, path of the image that it equals) of each image that came before; they are kept
    enlarged: int  # how many were smaller than asked for
    cropped: int = 0  # of how many something was cut off (fit="crop")
    cut: float = 0.0  # how much of those, as a share of their pixels, on average
    padded: int = 0  # to how many a border was added (fit="pad")
    transparent: int = 0  # how many have transparent pixels


def from_folder(
    path: str | Path,
    size: int | tuple[int, int] = 64,
    channels: int = 3,
    progress: bool = True,
    keep: bool = True,
    fit: str = "crop",
    enlarge: str = "smooth",
) -> Folder:
    """Read every image below a folder, brought to one size with antialiasing.

    PNG, JPEG, WebP, TIFF, GIF and BMP of any mode: a file's content, not its name, decides which of them it
    is. Files without the suffix of an image are ignored. EXIF rotation is followed, the first frame of an animation is
    taken, 16 bits are scaled to 8. Runs below the folder, and pictures that this package has drawn, are left out.

    Args:
        path: a folder, searched with its subfolders, links to folders included; or a .zip or .tar of one.
        size: height and width of the result in pixels: one number for both, or (height, width).
        channels: 1 (grey), 3 (RGB) or 4 (RGB and alpha). Without alpha, transparent pixels are set on white; with it,
            the colour of pixels that are wholly transparent is white.
        progress: show a progress bar.
        keep: write the result to the cache folder (12 kB an image of 64x64) and read it from there, so that it may be
            larger than memory; the images are decoded again when a file has changed. If not, it is in memory.
        fit: what is done with images of other proportions. "crop" takes the largest part in the middle; "pad" takes all
            of it and adds a border, transparent with alpha, else of the colour that is most common at the image's edge.
        enlarge: how smaller images are enlarged: "smooth", or "nearest" for pixel art, whose pixels it repeats.

    Returns:
        Folder: the images, and how many were skipped, enlarged, cropped, padded.

    Raises:
        UserError: no such folder, no image in it, or more than half of them cannot be read.
        ValueError: a `fit`, an `enlarge` or a number of channels that does not exist.
    """
    if fit not in ("crop", "pad") or enlarge not in ("smooth", "nearest") or channels not in (1, 3, 4):
        raise ValueError(
            "fit is 'crop' or 'pad', enlarge 'smooth' or 'nearest', channels 1, 3 or 4: "
            f"not {fit!r}, {enlarge!r}, {channels!r}"
        )
    how = How(*((size, size) if isinstance(size, int) else size), channels, fit, enlarge)
    path = Path(path)
    if not path.is_dir() and not archive.is_archive(path):
        raise UserError(f"{shown(path)} is not a folder of images, nor a .zip or .tar of one")
    with _opened(path) as (names, openers, strange):
        if not names and not strange:
            raise UserError(f"no image in {shown(path)}: it is searched for {', '.join(sorted(SUFFIXES))}")
        kept = files.cache() / "folders" / _fingerprint(path, names, how)
        if keep and (cached := _load(kept, path)):
            return cached._replace(skipped=sorted(cached.skipped + strange))
        files.remove_partial(kept.parent, older_than=DAY)  # of processes that were killed while they decoded
        shape = (len(names), how.height, how.width, channels)
        with files.atomic(kept) if keep and names else nullcontext() as partial:
            images = _file(partial, shape) if partial else np.empty(shape, np.uint8)
            decoded = _decode(path, names, openers, images, how, progress)
            skipped = sorted(decoded.skipped + strange)
            broken = [reason for _, reason in decoded.skipped if reason != DRAWN]  # others are no sign of damage
            if 2 * len(broken) > len(names) or not len(decoded.images):
                why = "; ".join(f"{shown(file.relative_to(path))}: {reason}" for file, reason in skipped[:3])
                of = len(names) + len(strange)
                raise UserError(f"{len(skipped)} of {of} files in {shown(path)} cannot be read: {why}")
            if partial:
                images.flush()
                _save(partial, path, decoded)
                images, decoded = None, decoded._replace(images=None)  # closed: Windows renames no open file
    images = _load(kept, path).images if partial else decoded.images
    return decoded._replace(images=images, skipped=skipped)


@contextmanager
def _opened(path):
    """(names, functions that open each of them, [(path, reason)] of what cannot be an image) of a folder or archive."""
    if path.is_dir():
        paths, strange = _search(path)
        yield [file.relative_to(path) for file in paths], (functools.partial(Path, file) for file in paths), strange
    else:
        with archive.opened(path, _kind) as (names, openers, strange):
            yield [_inside(name) for name in names], openers, [(path / _inside(name), why) for name, why in strange]


def _kind(name):
    """What a file is by its name: "image", why it is an image that cannot be read, or None."""
    path = Path(name)
    if path.name.startswith("._"):  # macOS keeps what it knows of a file in another one
        return None
    suffix = path.suffix.lower()
    if suffix in UNREAD:
        return f"{suffix.removeprefix('.').upper()} is not read: convert it to PNG or JPEG"
    return "image" if suffix in SUFFIXES else None


def _inside(name):
    """The name of an archive's member as a path that can be shown below that of the archive."""
    return Path(name.replace("\\", "/").lstrip("/"))


def _decode(path, names, openers, images, how, progress):
    """Read pictures into the rows of an array; returns the Folder."""
    ahead = AHEAD if path.is_dir() else AHEAD // 20  # pictures from an archive wait in memory

    def read(i, opener):
        done, reason = _read(opener, images[i], how)
        return done, reason, None if reason else hashlib.sha256(images[i].tobytes()).digest()

    Image.init()  # here: two threads that both begin with it get in each other's way
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow works outside Python's lock
        warnings.simplefilter("ignore")  # of Pillow's, on odd files: what matters of them is in `skipped`
        parts = (range(len(names))[i : i + ahead] for i in range(0, len(names), ahead))
        results = (result for part in parts for result in pool.map(read, part, itertools.islice(openers, len(part))))
        options = {"desc": f"Reading {shown(path)}", "unit": "image", "disable": not progress}
        results = list(bar(results, total=len(names), **options))
    skipped, duplicates, first, all_done, count = [], [], {}, [], 0
    for i, (name, (done, reason, key)) in enumerate(zip(names, results, strict=True)):
        if reason:
            skipped.append((path / name, reason))
            continue
        if key in first:
            duplicates.append((path / name, path / first[key]))
        first.setdefault(key, name)
        if count < i:
            images[count] = images[i]
        count += 1
        all_done.append(done)
    cuts = [done.cut for done in all_done if done.cut]
    counts = {name: sum(getattr(done, name) for done in all_done) for name in ("enlarged", "padded", "transparent")}
    share = float(np.mean(cuts)) if cuts else 0.0
    return Folder(images[:count], skipped, duplicates, cropped=len(cuts), cut=share, **counts)


def shown(path: str | Path) -> str:
    """A path as it can be printed in one line, whatever its name is made of."""
    return str(path) if str(path).isprintable() else ascii(str(path))


def _search(path):
    """The files below a folder that have an image's name, sorted, and (path, reason) of what cannot be one."""
    images, strange, root, been = [], [], path.resolve(), set()

    def closed(error):
        strange.append((Path(error.filename), "the folder cannot be opened"))

    for here, folders, names in os.walk(path, onerror=closed, followlinks=True):
        here = Path(here)
        if marks.is_run(here):
            ours = [name for name in (*folders, *names) if name in marks.RUN]
            folders[:], names = ([name for name in some if name not in ours] for some in (folders, names))
            strange.append((here, "a run of dcgan_tf: its pictures are not read"))
        for link in [here / name for name in folders if (here / name).is_symlink()]:
            target = link.resolve()
            if target in been or target == root or root in target.parents or target in root.parents:
                strange.append((link, "a link to a folder that is read anyway"))
                folders.remove(link.name)
            been.add(target)
        for file in (here / name for name in names):
            kind = _kind(file)
            if kind is None:
                continue
            if kind != "image":
                strange.append((file, kind))
            elif file.is_file():
                images.append(file)
            else:
                strange.append((file, "a link to nothing" if file.is_symlink() else "not a file"))
    return sorted(images), strange


def _read(opener, place, how):
    """Write an image to `place`, uint8 [height, width, channels]; returns (Done, None or why it cannot be read)."""
    try:
        with Image.open(opener(), formats=FORMATS) as image:
            if marks.is_drawn(image):
                return None, DRAWN
            with _ONE_LARGE if image.width * image.height > LARGE else nullcontext():
                ImageOps.exif_transpose(image, in_place=True)
                place[:], done = framed(image, how)
            return done, None
    except UnidentifiedImageError:
        return None, f"not an image of {', '.join(FORMATS)}"
    except OSError as error:
        return None, error.strerror or str(error).splitlines()[0]
    except Exception as error:  # Pillow raises whatever a broken file makes it stumble over
        return None, (str(error) or type(error).__name__).splitlines()[0]


def _fingerprint(path, names, how):
    """What decides the result: the files' names, sizes and times of change, and how they are to be read."""
    stats = [(str(name), (path / name).stat()) for name in names] if path.is_dir() else [("", path.stat())]
    files_seen = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return hashlib.sha256(json.dumps([str(path.resolve()), files_seen, how]).encode()).hexdigest()[:16]


def _file(folder, shape):
    """A new array in a file, which the system moves to and from memory as it sees fit.

    Its room on the disk is reserved first. Otherwise a disk that fills up would end the process by a signal.
    """
    folder.mkdir(parents=True)
    if shutil.disk_usage(folder).free < math.prod(shape):  # all that can be done where nothing can be reserved
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, shape)
    if hasattr(os, "posix_fallocate"):
        with (folder / "images.npy").open("r+b") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
            except OSError as error:
                raise OSError(error.errno, error.strerror, file.name) from None
    return images


def _save(folder, path, folder_images):
    """Write what there is to know of a Folder beside its images, with paths below `path`."""
    facts = {
        "count": len(folder_images.images),
        "skipped": [(str(file.relative_to(path)), reason) for file, reason in folder_images.skipped],
        "duplicates": [[str(file.relative_to(path)) for file in pair] for pair in folder_images.duplicates],
        "done": folder_images[3:],
    }
    (folder / "facts.json").write_text(json.dumps(facts))


def _load(folder, path):
    """The Folder that was kept, its images still in their file, or None."""
    try:
        facts = json.loads((folder / "facts.json").read_text())
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)[: facts["count"]]
    except (OSError, ValueError, KeyError):
        return None
    skipped = [(path / file, reason) for file, reason in facts["skipped"]]
    duplicates = [(path / file, path / other) for file, other in facts["duplicates"]]
    return Folder(images, skipped, duplicates, *facts["done"])
