"""Fetch the pinned packages that the datasets are built from, and write the .npz files.

Nothing is trusted: every package is compared with its sha256 before it is opened, archives are read member by
member in memory, and no install script runs.
"""

import argparse
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

DATASETS = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("DCGAN_TF_CACHE", Path.home() / ".cache" / "dcgan_tf")) / "packages"


def npm(name, version, sha256):
    """Return the path of an npm package's tarball, fetched by `npm pack`."""
    return _fetch(["npm", "pack", "--silent", f"{name}@{version}"], "*.tgz", sha256)


def deb(name, version, sha256):
    """Return the path of a Debian package, fetched by `apt-get download`."""
    return _fetch(["apt-get", "download", f"{name}={version}"], "*.deb", sha256)


def debian_source(name, version, sha256):
    """Return the path of a Debian source package's original tarball.

    The machine's own package sources are read with "deb" turned into "deb-src", in a private folder, so that its
    configuration stays as it is. apt-get may end in an error because it misses Debian's patches, which are not needed.
    """
    with tempfile.TemporaryDirectory() as folder:
        apt = Path(folder)
        lists, parts = apt / "lists", apt / "parts"
        lists.mkdir(), parts.mkdir()
        for file in Path("/etc/apt").glob("sources.list.d/debian*.sources"):
            text = file.read_text().replace("Types: deb\n", "Types: deb-src\n")
            (parts / file.name).write_text(text)
        classic = Path("/etc/apt/sources.list")
        if classic.exists():
            lines = [line.replace("deb ", "deb-src ", 1) for line in classic.read_text().splitlines() if "deb " in line]
            (parts / "classic.list").write_text("\n".join(lines) + "\n")
        options = ["-o", "Dir::Etc::SourceList=/dev/null", "-o", f"Dir::Etc::SourceParts={parts}"]
        options += ["-o", f"Dir::State::Lists={lists}"]
        command = ["apt-get", *options, "source", "--download-only", f"{name}={version}"]
        subprocess.run(
            ["apt-get", *options, "update"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return _fetch(command, "*.orig.tar.*", sha256)


def _fetch(command, pattern, sha256):
    """Run `command` in an empty folder, check the file it leaves there, and keep it in the cache under its sha256."""
    cached = CACHE / sha256
    if not cached.exists():
        print("fetching:", command[-1])
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            try:
                subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            except FileNotFoundError:
                sys.exit(f"{command[0]} is needed to fetch {command[-1]}")
            files = sorted(Path(folder).glob(pattern))
            if len(files) != 1:
                sys.exit(f"{command[-1]} could not be fetched: is the network there, and that version to be had?")
            found = hashlib.sha256(files[0].read_bytes()).hexdigest()
            if found != sha256:
                sys.exit(f"{command[-1]} has sha256 {found}, not {sha256}: it is not the package this set was made of")
            files[0].rename(cached)
    return cached


def members(path, keep):
    """Yield (name, bytes) of each regular file in a tar or .deb archive whose name `keep` accepts."""
    if path.read_bytes()[:8] == b"!<arch>\n":
        unpacked = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], check=True, capture_output=True).stdout
        archive = tarfile.open(fileobj=io.BytesIO(unpacked))
    else:
        archive = tarfile.open(path)
    with archive:
        for member in archive:
            if member.isfile() and keep(member.name):
                yield member.name, archive.extractfile(member).read()


def rgba(data):
    """Decode PNG bytes to uint8 [H, W, 4]."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def on_white(images):
    """Composite RGBA uint8 [..., 4] on white; returns float64 [..., 3] in [0, 255]."""
    alpha = images[..., 3:] / 255.0
    return images[..., :3] * alpha + 255 * (1 - alpha)


def far_apart(images, threshold):
    """Indices of a greedy subset in which no two images are nearly alike.

    The distance is the mean absolute difference of the images shrunk to 16x16. `images` is [N, 64, 64, 3]; an earlier
    image is preferred to a later one.
    """
    small = images.astype(np.float32).reshape(-1, 16, 4, 16, 4, 3).mean((2, 4)).reshape(len(images), -1)
    chosen = []
    for i in range(len(small)):
        if not chosen or np.abs(small[chosen] - small[i]).mean(1).min() >= threshold:
            chosen.append(i)
    return np.array(chosen)


def save(path, arrays):
    """Write a .npz with LZMA members (np.load reads them; flat art shrinks to half of deflate's size)."""
    beside = path.with_suffix(".partial")
    with zipfile.ZipFile(beside, "w", zipfile.ZIP_LZMA) as archive:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, np.ascontiguousarray(array), allow_pickle=False)
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980: the same arrays give the same bytes
            archive.writestr(member, data.getvalue(), zipfile.ZIP_LZMA)
    beside.rename(path)


def main(name, build):
    """The command line of a build script: write datasets/NAME.npz, or compare a fresh build with it (--check)."""
    parser = argparse.ArgumentParser(description=f"Build datasets/{name}.npz from its named, pinned package.")
    parser.add_argument("--check", action="store_true", help="rebuild, compare with the committed file, write nothing")
    arguments = parser.parse_args()
    path = DATASETS / f"{name}.npz"
    arrays = build()
    for key, array in arrays.items():
        print(f"{key}: {array.dtype}{list(array.shape)}")
    if arguments.check:
        with np.load(path) as committed:
            same = set(committed.files) == set(arrays) and all(np.array_equal(committed[k], arrays[k]) for k in arrays)
        print(f"{path.name}: the rebuilt arrays are {'identical' if same else 'DIFFERENT'}")
        sys.exit(0 if same else 1)
    save(path, arrays)
    print(f"wrote {path.name}: {path.stat().st_size:,} bytes, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")
