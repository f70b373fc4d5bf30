"""Your own images: every picture below a folder, as one array."""

import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from dcgan_tf import cache
from dcgan_tf.errors import UserError

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp"}


class Folder(NamedTuple):
    """The images of a folder, and what there is to know about them."""

    images: np.ndarray  # uint8 [N, size, size, channels], in the order of the sorted paths
    skipped: list  # (path, reason) of each file that could not be used
    duplicates: list  # (path, path of the image that it equals) of each image that came before; they are kept
    enlarged: int  # how many were smaller than `size`


def from_folder(path, size=64, channels=3, progress=True, keep=True):
    """Read every image below a folder, cut to its centre square and resized with antialiasing.

    PNG, JPEG, WebP, TIFF, GIF and BMP of any mode. Transparent pixels are set on white, EXIF rotation is followed, the
    first frame of an animation is taken, 16 bits are scaled to 8, smaller images are enlarged.

    Args:
        path: a folder; it is searched with its subfolders.
        size: height and width of the result, in pixels.
        channels: 3 (RGB) or 1 (grey).
        progress: show a progress bar.
        keep: keep the result in the cache folder; the images are read again when a file has changed.

    Returns:
        Folder: `.images`, `.skipped`, `.duplicates`, `.enlarged`.

    Raises:
        UserError: no such folder, or no image in it that can be read.
    """
    path = Path(path)
    if not path.is_dir():
        raise UserError(f"no folder {path}: give one that holds images")
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not files:
        raise UserError(f"no image in {path}: it is searched for {', '.join(sorted(SUFFIXES))}")
    kept = cache.folder() / "folders" / f"{_fingerprint(path, files, size, channels)}.npz"
    if keep and (found := _load(kept, path)):
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow decodes and resizes outside Python's lock
        results = pool.map(lambda file: _read(file, size, channels), files)
        results = list(
            tqdm(results, f"Reading {path}", len(files), unit="image", disable=not progress, file=sys.stdout)
        )
    images, skipped, duplicates, first, enlarged = [], [], [], {}, 0
    for file, (image, small, reason) in zip(files, results, strict=True):
        if image is None:
            skipped.append((file, reason))
            continue
        key = hashlib.sha256(image.tobytes()).digest()
        if key in first:
            duplicates.append((file, first[key]))
        first.setdefault(key, file)
        images.append(image)
        enlarged += small
    if not images:
        raise UserError(f"no image could be read in {path}: {skipped[0][0].name}: {skipped[0][1]}")
    found = Folder(np.stack(images), skipped, duplicates, enlarged)
    if keep:
        _save(kept, path, found)
    return found


def _read(file, size, channels):
    """(uint8 [size, size, channels], smaller than that before, None), or (None, False, the reason)."""
    try:
        with Image.open(file) as image:
            small = min(image.size) < size
            return square(ImageOps.exif_transpose(image), size, channels), small, None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = str(error) or type(error).__name__
        return None, False, reason.replace(repr(str(file)), "the file").splitlines()[0]


def square(image, size, channels=3):
    """The middle of a PIL image as uint8 [size, size, channels]."""
    if image.mode.startswith("I"):  # 16 bits, which Pillow would clip to 8, not scale
        image = Image.fromarray(np.rint(np.asarray(image, np.float32).clip(0, 65535) / 257).astype(np.uint8))
    elif image.mode == "F":  # from 0 to 1, or from 0 to 255
        values = np.asarray(image)
        values = values * 255 if values.max() <= 1 else values
        image = Image.fromarray(np.rint(values.clip(0, 255)).astype(np.uint8))
    rgba = image.convert("RGBA")
    ground = Image.new("RGBA", rgba.size, "white")
    ground.alpha_composite(rgba)
    fitted = ImageOps.fit(ground.convert("RGB"), (size, size), Image.Resampling.LANCZOS)
    return np.asarray(fitted if channels == 3 else fitted.convert("L")).reshape(size, size, channels)


def _fingerprint(path, files, size, channels):
    """What decides the result: the files' names, sizes and times of change, and how they are to be read."""
    told = [(str(file.relative_to(path)), (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files]
    return hashlib.sha256(json.dumps([str(path.resolve()), told, size, channels]).encode()).hexdigest()[:16]


def _save(kept, path, found):
    """Keep a Folder: the images, and the rest as JSON with paths below the folder."""
    told = {
        "skipped": [(str(file.relative_to(path)), reason) for file, reason in found.skipped],
        "duplicates": [[str(file.relative_to(path)) for file in pair] for pair in found.duplicates],
        "enlarged": found.enlarged,
    }
    cache.save(kept, images=found.images, told=np.array(json.dumps(told)))


def _load(kept, path):
    """The Folder that was kept, or None."""
    arrays = cache.load(kept)
    if arrays is None:
        return None
    told = json.loads(str(arrays["told"]))
    skipped = [(path / file, reason) for file, reason in told["skipped"]]
    duplicates = [(path / file, path / other) for file, other in told["duplicates"]]
    return Folder(arrays["images"], skipped, duplicates, told["enlarged"])
