"""Write the released generators for the playground's pictures: python playground/generators.py

To playground/public/generators/: an ONNX file for each (its weights in float16, as they are released, its arithmetic in
float32), four pictures of each, the directions of chapter 07, the latents of seeds 0 to 9, and index.json, which lists
them. To playground/tests/expected/: what Keras makes of the latents of seed 0, for the tests.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import dcgan_tf as dcgan  # noqa: E402
from dcgan_tf import figures  # noqa: E402
from dcgan_tf.sampling import inputs, latents  # noqa: E402

OUT, EXPECTED = HERE / "public" / "generators", HERE / "tests" / "expected"
SEEDS, COUNT, DIRECTIONS, CHECKED = 10, 64, 6, 16
LARGE = 1_000  # numbers: smaller tensors stay in float32
DIGITS = "CC BY-SA 3.0 (learned from MNIST, © Yann LeCun and Corinna Cortes)"
ADVENTURER = "CC BY 4.0, a remix of “Adventurer” by Lisa Wischofsky"
WESNOTH = "GPL-2.0-or-later, parts CC BY-SA 4.0 (learned from “The Battle for Wesnoth”, © its contributors)"
CRAWL = "GPL-2.0-or-later (learned from “Dungeon Crawl Stone Soup”, by its artists and those of RLTiles)"
FACES, WRITTEN = "4,096 cartoon faces, assembled from parts drawn by one artist", "60,000 handwritten digits"
TITLES = {  # title, licence, what it has learned from; those that may be shown to anybody: datasets/README.md
    "anime": ("Cartoon faces", ADVENTURER, FACES),
    "anime-conditional": ("Faces by hair colour", ADVENTURER, FACES),
    "heroes": ("Pixel heroes", WESNOTH, "2,664 small pictures of fighters from a fantasy game"),
    "monsters": ("Monsters", CRAWL, "592 small pictures of creatures from a fantasy game"),
    "mnist": ("Digits", DIGITS, WRITTEN),
    "mnist-conditional": ("Digits of your choice", DIGITS, WRITTEN),
}
LABELS = {
    "mnist-conditional": [str(digit) for digit in range(10)],
    "anime-conditional": list(dcgan.datasets.HAIR_COLORS),
}


def halve(path: Path) -> None:
    """Store the large weights of an ONNX file in float16; a Cast after each gives float32 again."""
    model = onnx.load(path)
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > LARGE:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    EXPECTED.mkdir(parents=True, exist_ok=True)
    index = []
    for name in (name for name in TITLES if name in dcgan.released.names()):
        generator = dcgan.load_generator(name)
        path = dcgan.export(name, OUT / f"{name}.onnx")
        halve(path)
        title, licence, learned = TITLES[name]
        _, height, width, channels = generator.output_shape
        index.append(
            {
                "name": name, "title": title, "licence": licence, "learned": learned, "bytes": path.stat().st_size,
                "height": height, "width": width, "channels": channels, "labels": LABELS.get(name, []),
                "directions": dcgan.sampling.directions(generator, DIRECTIONS).round(5).tolist(),
            }
        )  # fmt: skip
        made = dcgan.sampling.generate(generator, inputs(generator, CHECKED))
        (EXPECTED / f"{name}.bin").write_bytes(made.astype("<f4").tobytes())
        figures.save_png(figures.grid(made[:4], 4, 1), OUT / f"{name}.png")
        print(f"{name}: {path.stat().st_size / 1e6:.1f} MB")
    draws = np.stack([latents(COUNT, 100, seed) for seed in range(SEEDS)])
    (OUT / "latents.bin").write_bytes(draws.astype("<f4").tobytes())
    (OUT / "index.json").write_text(json.dumps(index, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
