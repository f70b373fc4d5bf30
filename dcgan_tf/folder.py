"""Your own images: every picture below a folder, as one array."""

import hashlib
import json
import os
import shutil
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dcgan_tf import archive, cache
from dcgan_tf.errors import UserError
from dcgan_tf.progress import bar

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp"}
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")  # others can start programs, as EPS does
LARGE = 16_000_000  # pixels; of images beyond it one is in memory at a time
AHEAD = 1_000  # files in the readers' queue at a time, or that of a large folder would be large itself
_ONE_LARGE = Lock()


class Folder(NamedTuple):
    """The images of a folder, and what there is to know about them."""

    images: np.ndarray  # uint8 [N, size, size, channels], in the order of the sorted paths; a read-only file if kept
    skipped: list  # (path, reason) of each file that could not be used
    duplicates: list  # (path, path of the image that it equals) of each image that came before; they are kept
    enlarged: int  # how many were smaller than `size`


def from_folder(path, size=64, channels=3, progress=True, keep=True):
    """Read every image below a folder, cut to its centre square and resized with antialiasing.

    PNG, JPEG, WebP, TIFF, GIF and BMP of any mode, told by their content, not their name. Transparent pixels are set
    on white, EXIF rotation is followed, the first frame of an animation is taken, 16 bits are scaled to 8, smaller
    images are enlarged.

    Args:
        path: a folder, searched with its subfolders, links to folders included; or a .zip or .tar of one.
        size: height and width of the result, in pixels.
        channels: 3 (RGB) or 1 (grey).
        progress: show a progress bar.
        keep: write the result to the cache folder (12 kB an image of 64x64) and read it from there, so that it may be
            larger than memory; the images are decoded again when a file has changed. If not, it is in memory.

    Returns:
        Folder: `.images`, `.skipped`, `.duplicates`, `.enlarged`.

    Raises:
        UserError: no such folder, no image in it, or more than half of them cannot be read.
    """
    path = Path(path)
    if archive.is_archive(path):
        path = archive.unpack(path, SUFFIXES)
    if not path.is_dir():
        raise UserError(f"no folder {shown(path)}: give one that holds images, or a .zip or .tar of one")
    files, strange = _search(path)
    if not files and not strange:
        raise UserError(f"no image in {shown(path)}: it is searched for {', '.join(sorted(SUFFIXES))}")
    kept = cache.folder() / "folders" / _fingerprint(path, files, size, channels)
    if keep and (found := _load(kept, path)):
        return found._replace(skipped=sorted(found.skipped + strange))
    shape = (len(files), size, size, channels)
    beside = kept.with_name(f"{kept.name}.partial{os.getpid()}")
    try:
        images = _file(beside, shape) if keep and files else np.empty(shape, np.uint8)
        found, skipped = _decode(path, files, images, progress)
        skipped = sorted(skipped + strange)
        if 2 * len(skipped) > len(files) + len(strange):
            why = "; ".join(f"{shown(file.relative_to(path))}: {reason}" for file, reason in skipped[:3])
            of = len(files) + len(strange)
            raise UserError(f"{len(skipped)} of {of} files in {shown(path)} cannot be read: {why}")
        if keep:
            images.flush()
            _save(beside, path, found)
            shutil.rmtree(kept, ignore_errors=True)
            beside.replace(kept)
            found = _load(kept, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return found._replace(skipped=skipped)


def _decode(path, files, images, progress):
    """Read files into the rows of an array; returns (the Folder, what was skipped)."""

    def read(i):
        small, reason = _read(files[i], images[i])
        return small, reason, None if reason else hashlib.sha256(images[i].tobytes()).digest()

    Image.init()  # here: two threads that both begin with it get in each other's way
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow works outside Python's lock
        warnings.simplefilter("ignore")  # of Pillow's, on odd files: what matters of them is in `skipped`
        parts = (range(len(files))[i : i + AHEAD] for i in range(0, len(files), AHEAD))
        results = (result for part in parts for result in pool.map(read, part))
        options = {"desc": f"Reading {shown(path)}", "unit": "image", "disable": not progress}
        results = list(bar(results, total=len(files), **options))
    skipped, duplicates, first, enlarged, count = [], [], {}, 0, 0
    for i, (file, (small, reason, key)) in enumerate(zip(files, results, strict=True)):
        if reason:
            skipped.append((file, reason))
            continue
        if key in first:
            duplicates.append((file, first[key]))
        first.setdefault(key, file)
        if count < i:
            images[count] = images[i]
        count += 1
        enlarged += small
    return Folder(images[:count], skipped, duplicates, enlarged), skipped


def shown(path):
    """A path as it can be printed in one line, whatever its name is made of."""
    return str(path) if str(path).isprintable() else ascii(str(path))


def _search(path):
    """The files below a folder that have an image's name, sorted, and (path, reason) of what cannot be one."""
    files, strange, root, been = [], [], path.resolve(), set()

    def closed(error):
        strange.append((Path(error.filename), "the folder cannot be opened"))

    for here, folders, names in os.walk(path, onerror=closed, followlinks=True):
        here = Path(here)
        for link in [here / name for name in folders if (here / name).is_symlink()]:
            target = link.resolve()
            if target in been or target == root or root in target.parents or target in root.parents:
                strange.append((link, "a link to a folder that is read anyway"))
                folders.remove(link.name)
            been.add(target)
        for file in (here / name for name in names):
            if file.suffix.lower() not in SUFFIXES:
                continue
            if file.is_file():
                files.append(file)
            else:
                strange.append((file, "a link to nothing" if file.is_symlink() else "not a file"))
    return sorted(files), strange


def _read(file, place):
    """Write an image to `place`, uint8 [size, size, channels]; returns (was it smaller, None or why it cannot be)."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            small = min(image.size) < len(place)
            with _ONE_LARGE if image.width * image.height > LARGE else nullcontext():
                ImageOps.exif_transpose(image, in_place=True)
                place[:] = square(image, *place.shape[1:])
            return small, None
    except UnidentifiedImageError:
        return False, f"not an image of {', '.join(FORMATS)}"
    except Exception as error:  # Pillow raises whatever a broken file makes it stumble over
        reason = str(error) or type(error).__name__
        return False, reason.replace(repr(str(file)), "the file").splitlines()[0]


def square(image, size, channels=3):
    """The middle of a PIL image as uint8 [size, size, channels]."""
    if image.mode.startswith("I"):  # 16 bits, which Pillow would clip to 8, not scale
        image = Image.fromarray(np.rint(np.asarray(image, np.float32).clip(0, 65535) / 257).astype(np.uint8))
    elif image.mode == "F":  # from 0 to 1, or from 0 to 255
        values = np.asarray(image)
        values = values * 255 if values.max() <= 1 else values
        image = Image.fromarray(np.rint(values.clip(0, 255)).astype(np.uint8))
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image.convert("RGBA"))
        image = ground
    if image.mode != "RGB":
        image = image.convert("RGB")
    fitted = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    return np.asarray(fitted if channels == 3 else fitted.convert("L")).reshape(size, size, channels)


def _fingerprint(path, files, size, channels):
    """What decides the result: the files' names, sizes and times of change, and how they are to be read."""
    told = [(str(file.relative_to(path)), (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files]
    return hashlib.sha256(json.dumps([str(path.resolve()), told, size, channels]).encode()).hexdigest()[:16]


def _file(folder, shape):
    """A new array in a file, which the system moves to and from memory as it sees fit."""
    folder.mkdir(parents=True)
    return np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, shape)


def _save(folder, path, found):
    """Write what there is to know of a Folder beside its images, with paths below `path`."""
    told = {
        "count": len(found.images),
        "skipped": [(str(file.relative_to(path)), reason) for file, reason in found.skipped],
        "duplicates": [[str(file.relative_to(path)) for file in pair] for pair in found.duplicates],
        "enlarged": found.enlarged,
    }
    (folder / "told.json").write_text(json.dumps(told))


def _load(folder, path):
    """The Folder that was kept, its images still in their file, or None."""
    try:
        told = json.loads((folder / "told.json").read_text())
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)[: told["count"]]
    except (OSError, ValueError, KeyError):
        return None
    skipped = [(path / file, reason) for file, reason in told["skipped"]]
    duplicates = [(path / file, path / other) for file, other in told["duplicates"]]
    return Folder(images, skipped, duplicates, told["enlarged"])
