"""Your own images: every picture below a folder, as one array."""

import functools
import hashlib
import io
import itertools
import json
import os
import warnings
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dcgan_tf.datasets import archive
from dcgan_tf.datasets.framing import How, framed
from dcgan_tf.errors import UserError
from dcgan_tf.runtime import files, marks
from dcgan_tf.runtime.progress import bar
from dcgan_tf.training import run_folder

SUFFIXES = {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".tif", ".tiff", ".gif", ".bmp"}
UNREAD = {".heic", ".heif", ".avif", ".jxl", ".svg", ".psd"}  # images too, which are skipped and named
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")  # others can start programs, as EPS does
LARGE = 16_000_000  # pixels; of images beyond it one is in memory at a time
AHEAD = 200  # files that may be decoded ahead of the one that is written
DAY = 24 * 3600  # seconds
DRAWN, RUN = "drawn by dcgan_tf itself", "a run of dcgan_tf: its pictures are not read"
PIXELS, FACTS = "pixels", "facts.json"  # of a folder in the cache
_ONE_LARGE = Lock()


class Folder(NamedTuple):
    """The images of a folder, and what was done to them."""

    images: np.ndarray  # uint8 [N, height, width, channels], in the order of the sorted paths; a read-only file if kept
    skipped: list  # (path, reason) of each file that could not be used
    duplicates: list  # (path, path of the image that it equals) of each image that came before; they are kept
    enlarged: int = 0  # how many were smaller than asked for
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
) -> Folder:
    """Read every image below a folder, brought to one size with antialiasing.

    PNG, JPEG, WebP, TIFF, GIF and BMP of any mode: a file's content, not its name, decides which of them it
    is. Files without the suffix of an image are ignored. EXIF rotation is followed, the first frame of an animation is
    taken, 16 bits are scaled to 8. Small images of few colours are taken for pixel art and enlarged by repeating their
    pixels. Runs below the folder, and pictures that this package has drawn, are left out.

    Args:
        path: a folder, searched with its subfolders, links to folders included; or a .zip of one.
        size: height and width of the result in pixels: one number for both, or (height, width).
        channels: 1 (grey), 3 (RGB) or 4 (RGB and alpha). Without alpha, transparent pixels are set on white; with it,
            the colour of pixels that are wholly transparent is white.
        progress: show a progress bar.
        keep: write the result to the cache folder (12 kB an image of 64x64) and read it from there, so that it may be
            larger than memory; the images are decoded again when a file has changed. If not, or where the cache cannot
            be written, it is in memory.
        fit: what is done with images of other proportions. "crop" takes the largest part in the middle; "pad" takes all
            of it and adds a border, transparent with alpha, else of the colour that is most common at the image's edge.

    Returns:
        Folder: the images, and how many were skipped, enlarged, cropped, padded.

    Raises:
        UserError: no such folder, no image in it, or more than half of them cannot be read.
        ValueError: a `fit` or a number of channels that does not exist.
    """
    if fit not in ("crop", "pad") or channels not in (1, 3, 4):
        raise ValueError(f"fit is 'crop' or 'pad', channels 1, 3 or 4: not {fit!r}, {channels!r}")
    how = How(*((size, size) if isinstance(size, int) else size), channels, fit)
    path = Path(path)
    if not path.is_dir() and not zipfile.is_zipfile(path):
        raise UserError(f"{shown(path)} is not a folder of images, nor a .zip of one")
    with _opened(path) as (names, openers, strange):
        if not names and not strange:
            raise UserError(f"no image in {shown(path)}: it is searched for {', '.join(sorted(SUFFIXES))}")
        decode = functools.partial(_decode, path, names, openers, strange, how, progress)
        if not keep:
            memory = io.BytesIO()
            facts = decode(memory)
            pixels = np.frombuffer(memory.getbuffer(), np.uint8)
        else:
            kept = files.cache() / "folders" / _fingerprint(path, names, how)
            try:
                facts = _kept(kept) or _keep(kept, decode)
            except OSError as error:
                print(f"The images are in memory: {error.filename or kept} cannot be written ({error.strerror})")
                return from_folder(path, size, channels, progress, False, fit)
            pixels = np.memmap(kept / PIXELS, np.uint8, "r")
    skipped, duplicates = ([(path / name, what) for name, what in facts.pop(key)] for key in ("skipped", "duplicates"))
    images = pixels.reshape(-1, how.height, how.width, channels)
    return Folder(images, sorted(skipped + strange), [(one, path / other) for one, other in duplicates], **facts)


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


def _decode(
    path: Path, names: list[Path], openers: Iterator[Callable], strange: list, how: How, progress: bool, file: BinaryIO
) -> dict:
    """Write the pixels of pictures to a file, one after the other; returns what there is to know of them.

    Raises:
        UserError: more than half of them are broken, or none is left.
    """
    skipped, duplicates, first, done = [], [], {}, []
    Image.init()  # here: two threads that both begin with it get in each other's way
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow works outside Python's lock
        warnings.simplefilter("ignore")  # of Pillow's, on odd files: what matters of them is in `skipped`
        parts = (names[i : i + AHEAD] for i in range(0, len(names), AHEAD))
        results = (
            result
            for part in parts
            for result in pool.map(lambda o: _read(o, how), itertools.islice(openers, len(part)))
        )
        options = {"desc": f"Reading {shown(path)}", "unit": "image", "disable": not progress, "total": len(names)}
        for name, (pixels, facts) in zip(names, bar(results, **options), strict=True):
            if pixels is None:
                skipped.append((str(name), facts))
                continue
            same = first.setdefault(hashlib.sha256(pixels).digest(), name)
            if same is not name:
                duplicates.append((str(name), str(same)))
            file.write(pixels)
            done.append(facts)
    broken = [reason for _, reason in skipped if reason != DRAWN]  # others are no sign of damage
    if 2 * len(broken) > len(names) or not done:
        all_skipped = sorted([*skipped, *((str(file.relative_to(path)), reason) for file, reason in strange)])
        why = "; ".join(f"{shown(name)}: {reason}" for name, reason in all_skipped[:3])
        raise UserError(
            f"{len(all_skipped)} of {len(names) + len(strange)} files in {shown(path)} cannot be read: {why}"
        )
    cuts = [facts.cut for facts in done if facts.cut]
    counts = {name: sum(getattr(facts, name) for facts in done) for name in ("enlarged", "padded", "transparent")}
    cropped = {"cropped": len(cuts), "cut": float(np.mean(cuts)) if cuts else 0.0}
    return {"skipped": skipped, "duplicates": duplicates, **counts, **cropped}


def _keep(folder, decode):
    """Decode pictures into a folder of the cache."""
    files.remove_partial(folder.parent, older_than=DAY)  # of processes that were killed while they decoded
    with files.atomic(folder) as partial:
        partial.mkdir()
        with (partial / PIXELS).open("wb") as file:
            facts = decode(file)
        size = (partial / PIXELS).stat().st_size
        (partial / FACTS).write_text(json.dumps({"bytes": size, **facts}), encoding="utf-8")
    return facts


def _kept(folder):
    """What is known of pictures that have been decoded into a folder of the cache before, or None."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return facts if facts.pop("bytes") == (folder / PIXELS).stat().st_size else None
    except (OSError, ValueError, KeyError):
        return None


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
        real = here.resolve()
        if real.name in run_folder.NAMES and run_folder.is_run(real.parent):  # reached by a link, or asked for
            strange.append((here, RUN))
            folders.clear()
            continue
        if run_folder.is_run(here):
            ours = [name for name in (*folders, *names) if name in run_folder.NAMES]
            folders[:], names = ([name for name in some if name not in ours] for some in (folders, names))
            strange.append((here, RUN))
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


def _read(opener, how):
    """(the pixels of an image as bytes, Done), or (None, why it cannot be used)."""
    try:
        with Image.open(opener(), formats=FORMATS) as image:
            if marks.is_drawn(image):
                return None, DRAWN
            with _ONE_LARGE if image.width * image.height > LARGE else nullcontext():
                with suppress(Exception):  # damaged metadata says nothing about the pixels
                    ImageOps.exif_transpose(image, in_place=True)
                pixels, done = framed(image, how)
            return pixels.tobytes(), done
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
    return hashlib.sha256(json.dumps([2, str(path.resolve()), files_seen, how]).encode()).hexdigest()[:16]
