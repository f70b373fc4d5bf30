"""The command line and its arguments; commands.py holds what each command does."""

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from dcgan_tf import commands, presets, sizes
from dcgan_tf.errors import Failure, UserError
from dcgan_tf.names import EXTRACTORS, METRICS, STRATEGIES
from dcgan_tf.runtime.devices import PRECISIONS


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see: {self.prog} --help)")


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 1 if something broke on the way, 2 for a mistake, 130 after Ctrl-C."""
    try:
        options = parser().parse_args(arguments)
        return options.run_command(options) or 0
    except UserError as error:
        print(f"dcgan_tf: {error}", file=sys.stderr)
        return 2
    except Failure as error:
        print(f"dcgan_tf: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a disk that is full, a folder that may not be written
        print(f"dcgan_tf: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted")
        return 130


def parser() -> Parser:
    """The whole command line."""
    name = "python -m dcgan_tf" if Path(sys.argv[0]).name == "__main__.py" else "dcgan-tf"
    top = Parser(prog=name, description="Deep convolutional GANs: train, sample, animate.")
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name, function, text):
        sub = subparsers.add_parser(name, help=text, description=text)
        sub.set_defaults(run_command=function)
        return sub

    train = command("train", commands.train_command, "Train a GAN by a chapter's recipe, or go on with a run.")
    train.add_argument("preset", help=f"the recipe: {', '.join(presets.PRESETS)}; or custom, with --images")
    own = train.add_argument_group("images of your own")
    own.add_argument("--images", type=Path, metavar="FOLDER", help="a folder of images, or a .zip or .tar of one")
    own.add_argument("--like", metavar="PRESET", help="with custom: which recipe (default: by number of images)")
    own.add_argument(
        "--size",
        type=_image_size,
        metavar="128 | 64x96",
        help="HEIGHTxWIDTH in pixels (default: 64 with custom, else the recipe's)",
    )
    colour = own.add_mutually_exclusive_group()
    colour.add_argument("--grey", action="store_true", help="train in shades of grey")
    colour.add_argument("--alpha", action="store_true", help="keep transparency, as a fourth channel")
    own.add_argument("--fit", choices=("crop", "pad"), help="cut to the size (default), or add a border")
    own.add_argument("--pixel-art", action="store_true", help="enlarge small images by repeating their pixels")
    own.add_argument("--width", type=_positive(int), metavar="N", help="feature maps near the image; more are slower")
    own.add_argument("--batch-size", type=_positive(int), metavar="N", help="images per step")
    own.add_argument("--flip", action=argparse.BooleanOptionalAction, help="mirror images at random, or never")
    own.add_argument("--augment", type=_augment, metavar="POLICY", help="some of color,translation,cutout; or none")
    train.add_argument("--profile", choices=presets.PROFILES, help="length (default: gpu if there is one, else cpu)")
    length = train.add_mutually_exclusive_group()
    length.add_argument("--steps", type=_positive(int), metavar="N", help="stop after N batches in all")
    length.add_argument("--epochs", type=_positive(float), metavar="N", help="stop after N passes over the data in all")
    train.add_argument("--run", type=Path, metavar="DIR", help="the run folder (default: runs/PRESET)")
    start = train.add_mutually_exclusive_group()
    start.add_argument("--fresh", action="store_true", help="begin anew; the old run is moved aside")
    start.add_argument(
        "--from", type=Path, dest="restore_from", metavar="CHECKPOINT", help="go on from this checkpoint"
    )
    train.add_argument("--sample-every", type=_positive(int), metavar="N", help="steps between two sample grids")
    train.add_argument(
        "--checkpoint-every", type=_interval, metavar="N", help="steps between two checkpoints; 5min: also by time"
    )
    train.add_argument("--deterministic", action="store_true", help="on a GPU: the same results each time, more slowly")
    train.add_argument(
        "--strategy", choices=STRATEGIES, default="none", help="mirrored: several GPUs; multiworker: several machines"
    )
    train.add_argument(
        "--replicas", type=_positive(int), metavar="N", help="with mirrored and no GPU: devices to split the CPU into"
    )
    train.add_argument("--xla", action="store_true", help="compile the step: half the time on a GPU, slower on a CPU")
    train.add_argument("--precision", choices=PRECISIONS, default="auto", help="default: what suits the hardware")
    train.add_argument(
        "--seed",
        type=_natural,
        default=0,
        metavar="N",
        help="seed of the weights, latents and image order (default: 0)",
    )

    generate = command("generate", commands.generate_command, "Draw images from a run or a released generator.")
    generate.add_argument("source", metavar="RUN_OR_NAME", help="a run folder, or the name of a released generator")
    generate.add_argument(
        "--count", type=_positive(int), default=16, metavar="N", help="images; with --label, of each (default: 16)"
    )
    generate.add_argument("--seed", type=_natural, default=0, metavar="N", help="the same seed, the same images")
    generate.add_argument(
        "--label",
        type=_labels,
        metavar="7 | 0-9",
        help="a digit, or a hair colour from 0 to 15; 0-9: a row each (default: all in turn)",
    )
    generate.add_argument(
        "--out",
        type=Path,
        default=Path("grid.png"),
        metavar="PNG | FOLDER",
        help="a grid, or one file per image (default: grid.png)",
    )

    interpolate = command(
        "interpolate", commands.interpolate_command, "Walk through the latent space, as a GIF or a PNG."
    )
    interpolate.add_argument("source", metavar="RUN_OR_NAME", help="a run folder, or the name of a released generator")
    interpolate.add_argument(
        "--out",
        type=Path,
        default=Path("walk.gif"),
        metavar="FILE",
        help=".gif, or .png with a walk in each row (default: walk.gif)",
    )
    interpolate.add_argument("--walks", type=_positive(int), default=9, metavar="N", help="side by side (default: 9)")
    interpolate.add_argument(
        "--stops", type=_positive(int), default=4, metavar="N", help="latents per walk (default: 4)"
    )
    interpolate.add_argument(
        "--frames", type=_positive(int), default=12, metavar="N", help="images from stop to stop (default: 12)"
    )
    interpolate.add_argument(
        "--scale",
        type=_positive(int),
        metavar="N",
        help="draw each pixel as N x N (default: as large as fits 600 across)",
    )
    interpolate.add_argument("--seed", type=_natural, default=0, metavar="N", help="the same seed, the same walks")

    evaluate = command(
        "evaluate", commands.evaluate_command, "Judge a generator against images that it was not trained on."
    )
    evaluate.add_argument("source", metavar="RUN_OR_NAME", help="a run folder, or the name of a released generator")
    evaluate.add_argument("--metrics", type=_names, metavar="A,B", help=f"some of {','.join(METRICS)} (default: all)")
    evaluate.add_argument("--extractor", help=f"who judges: {', '.join(EXTRACTORS)} (default: what suits the set)")
    evaluate.add_argument("--inception-weights", type=Path, metavar="FILE", help="InceptionV3's weights, a local .h5")
    evaluate.add_argument("--images", type=Path, metavar="FOLDER", help="the folder that the run was trained on")
    evaluate.add_argument("--samples", type=_samples, default=2_048, metavar="N", help="20 or more (default: 2048)")
    evaluate.add_argument("--seed", type=_natural, default=0, metavar="N", help="seed of the samples (default: 0)")
    evaluate.add_argument("--neighbours", type=Path, metavar="PNG", help="a picture of the nearest training images")

    gif = command("gif", commands.gif_command, "Make a GIF of a run's samples.")
    gif.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    gif.add_argument("--out", type=Path, metavar="GIF", help="default: RUN/training.gif")
    gif.add_argument("--ms", type=_positive(int), default=120, metavar="N", help="milliseconds a frame (default: 120)")

    gif.add_argument(
        "--frames", type=_positive(int), metavar="N", help="use N samples, more of the early ones (default: all)"
    )
    gif.add_argument(
        "--corner", type=_size, metavar="5x4", help="show only these columns and rows of each grid (default: all)"
    )

    export = command("export", commands.export_command, "Write a generator as a Keras file, ONNX or a SavedModel.")
    export.add_argument("source", metavar="RUN_OR_NAME", help="a run folder, or the name of a released generator")
    export.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help=".keras, .onnx, or a new folder for a SavedModel"
    )

    command("check", commands.check_command, "Say what this machine has, and what it lacks.")

    sets = command("datasets", commands.datasets_command, "List the image sets and check their files.")
    fetch = sets.add_subparsers(title="more (optional)", metavar="fetch NAME")
    fetch = fetch.add_parser("fetch", help="get a set that does not come with the repository: pokemon")
    fetch.add_argument("name", metavar="NAME")
    fetch.set_defaults(run_command=commands.fetch_command)
    return top


def _names(text):
    return tuple(text.split(","))


def _size(text):
    columns, rows = (int(side) for side in text.lower().split("x"))
    if not (1 <= columns <= 8 and 1 <= rows <= 8):
        raise ValueError
    return columns, rows


_size.__name__ = "size (1x1 to 8x8)"


def _image_size(text):
    return sizes.parse(text)


_image_size.__name__ = "size (128, or 64x96 for height x width)"


def _augment(text):
    if text != "none" and not set(text.split(",")) <= {"color", "translation", "cutout"}:
        raise ValueError
    return text


_augment.__name__ = "augmentation (some of color,translation,cutout, or none)"


def _interval(text):
    """(steps, minutes) of "500" or "5min"; one of them is None."""
    if text.endswith("min"):
        return None, _positive(float)(text.removesuffix("min"))
    return _positive(int)(text), None


_interval.__name__ = "number of steps (500) or of minutes (5min), above 0"


def _positive(kind):
    def convert(text):
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    whole = "whole " if kind is int else ""
    convert.__name__ = f"{whole}number above 0"  # argparse names it: "invalid whole number above 0 value: '-1'"
    return convert


def _labels(text):
    """The labels of "7" or "0-9"."""
    first, dash, last = text.partition("-")
    labels = range(int(first), int(last if dash else first) + 1)
    if not labels:
        raise ValueError
    return labels


_labels.__name__ = "label (7, or 0-9 for several)"


def _samples(text):
    count = int(text)
    if count < 20:  # metrics.LEAST, which is not imported here: it would start TensorFlow
        raise ValueError
    return count


_samples.__name__ = "number of samples (20 or more)"


def _natural(text):
    value = int(text)
    if not 0 <= value < 2**32:
        raise ValueError
    return value


_natural.__name__ = "seed (0 to 4294967295)"
