"""Build anime.npz: 5,120 cartoon faces (4,096 to train on, 1,024 held out) rendered with DiceBear's Adventurer style.

The drawings are vector parts by Lisa Wischofsky (CC BY 4.0) put together by seed; they are rendered straight at 64x64.
The renderer says which parts it took, so the labels are exact. Needs Node.js on Linux x86-64.

With --png FOLDER SIZE the faces to train on are written as PNGs of another size instead, to try a larger one on.
"""

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import sources
from PIL import Image

TRAIN, TEST, SIZE = 4096, 1024, 64
SPARE = 100  # a few faces come out alike: a held-out one must not be among those trained on
PACKAGES = [
    ("@dicebear/core", "9.4.3", "6ca7dae651c74ad547e548fbe7c41f49aaa377cf4617259277518389bf6b1a3d"),
    ("@dicebear/adventurer", "9.4.3", "6edeac04f94ef6177c946918dce012e530200dfcc274b4f954239e33ecbe590c"),
    ("@resvg/resvg-js", "2.6.2", "5b4c67c32d593a42bca6d97320b57465cf340bee441f4cb6bf250b1086872a43"),
    ("@resvg/resvg-js-linux-x64-gnu", "2.6.2", "ead221101ab0c8f27821c6ad4e65259ff6796d49978831b2992abb0ecdbaf96a"),
]

BACKGROUND = "b6e3f4 c0aede d1d4f9 ffd5dc ffdfbf c9f0d8 fff3b0 f4f4f4".split()
HAIR_COLOR = (
    "0e0e0e 562306 ac6511 e5d7a3 f5c542 ab2a18 e8633a ff8fb1 c94f8c 592454 7a5cc7 3c6fd1 6fc3df 3eac2c 2a9d8f c9ccd6"
).split()
HAIR = (
    "short16 short11 short10 short09 short08 short07 short06 short05 short03 short02 short01 short17 short18 "
    "long20 long19 long18 long17 long16 long15 long14 long13 long12 long11 long10 long09 long08 long07 long06 "
    "long05 long04 long03 long02 long01 long26 long25 long24 long23 long22 long21"
).split()


def _variants(numbers):
    return [f"variant{n}" for n in numbers.split()]


# Grotesque eyes and mouths and bald heads are left out: the set is to look like a set of portraits.
OPTIONS = {
    "scale": 125,
    "backgroundColor": BACKGROUND,
    "hairColor": HAIR_COLOR,
    "hair": HAIR,
    "skinColor": "fdeee0 fbe3cf f2d3b1 ecad80 c68642".split(),
    "eyes": _variants("26 25 24 23 22 18 16 15 12 11 10 05 03 02 01"),
    "mouth": _variants("30 28 27 26 25 23 22 21 20 18 08 07 06 05 04 03 02 01"),
    "eyebrows": _variants("15 14 13 12 11 10 09 08 07 06 03"),
    "glassesProbability": 5,
    "featuresProbability": 10,
}
RENDER = """
import fs from 'node:fs';
import { createAvatar } from '@dicebear/core';
import * as adventurer from '@dicebear/adventurer';
import { Resvg } from '@resvg/resvg-js';
const options = JSON.parse(process.argv[2]), count = Number(process.argv[3]);
const pixels = [], parts = [];
for (let i = 0; i < count; i++) {
  const { svg, extra } = createAvatar(adventurer, { seed: `dcgan-${i}`, ...options }).toJson();
  pixels.push(new Resvg(svg, { fitTo: { mode: 'width', value: options.size } }).render().pixels);
  parts.push([extra.hairColor.slice(1), extra.hair, extra.primaryBackgroundColor.slice(1)]);
}
fs.writeFileSync('pixels.raw', Buffer.concat(pixels));
fs.writeFileSync('parts.json', JSON.stringify(parts));
"""


def build(size=SIZE):
    count = TRAIN + TEST + SPARE
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, version, sha256 in PACKAGES:
            with tarfile.open(sources.npm(name, version, sha256)) as archive:
                archive.extractall(folder / "unpacked", filter="data")
            target = folder / "node_modules" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (folder / "unpacked" / "package").rename(target)
        (folder / "render.mjs").write_text(RENDER)
        if not shutil.which("node"):
            sys.exit("this needs Node.js on Linux x86-64")
        rendered = subprocess.run(["node", "render.mjs", json.dumps({**OPTIONS, "size": size}), str(count)], cwd=folder)
        if rendered.returncode:
            sys.exit("Node.js could not render the faces: this needs Node.js on Linux x86-64")
        images = np.fromfile(folder / "pixels.raw", np.uint8).reshape(count, size, size, 4)[..., :3]
        parts = json.loads((folder / "parts.json").read_text())
    seen = {image.tobytes() for image in images[:TRAIN]}
    unseen = [i for i in range(TRAIN, count) if images[i].tobytes() not in seen][:TEST]
    kept = np.array([*range(TRAIN), *unseen])
    labels = np.array(
        [(HAIR_COLOR.index(color), HAIR.index(style), BACKGROUND.index(ground)) for color, style, ground in parts],
        dtype=[("hair_color", np.uint8), ("hair", np.uint8), ("background", np.uint8)],
    )
    return {
        "images": images[kept],
        "labels": labels[kept],
        "is_test": kept >= TRAIN,
        "hair_color_names": np.array(HAIR_COLOR),
        "hair_names": np.array(HAIR),
        "background_names": np.array(BACKGROUND),
    }


def write_png(folder, size):
    """The faces to train on as FOLDER/0000.png, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    faces = build(size)
    for i, face in enumerate(faces["images"][~faces["is_test"]]):
        Image.fromarray(face).save(folder / f"{i:04}.png")
    print(f"{i + 1:,} faces of {size}x{size}: {folder}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--png"]:
        write_png(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        sources.main("anime", build)
