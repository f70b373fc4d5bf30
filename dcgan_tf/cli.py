"""The command line: train, generate, gif, datasets."""

import argparse
import os
import sys
from pathlib import Path

from dcgan_tf import presets
from dcgan_tf.devices import PRECISIONS
from dcgan_tf.errors import UserError


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message):
        raise UserError(f"{message} (see: {self.prog} --help)")


def main(arguments=None):
    """Run a command; returns the exit code: 0, 2 for a mistake of the user's, 130 after Ctrl-C."""
    try:
        options = parser().parse_args(arguments)
        return options.run_command(options) or 0
    except UserError as error:
        print(f"dcgan_tf: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted")
        return 130


def parser():
    """The whole command line."""
    top = Parser(prog="python -m dcgan_tf", description="Deep convolutional GANs: train, sample, animate.")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name, function, text):
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run_command=function)
        return sub

    train = command("train", train_command, "Train a chapter's GAN; goes on where the run folder left off.")
    train.add_argument("preset", help=f"the chapter: {', '.join(presets.PRESETS)}")
    train.add_argument("--images", type=Path, metavar="FOLDER", help="train on a folder of images instead")
    train.add_argument("--profile", choices=presets.PROFILES, help="how long: gpu where there is one, else cpu")
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
    train.add_argument("--precision", choices=PRECISIONS, default="auto", help="default: what suits the hardware")
    train.add_argument(
        "--seed", type=_natural, default=0, metavar="N", help="of weights, latents and order (default: 0)"
    )

    generate = command("generate", generate_command, "Draw images from a run or a released generator.")
    generate.add_argument("source", metavar="RUN_OR_NAME", help="a run folder, or the name of a released generator")
    generate.add_argument("--count", type=_positive(int), default=16, metavar="N", help="how many (default: 16)")
    generate.add_argument("--seed", type=_natural, default=0, metavar="N", help="the same seed, the same images")
    generate.add_argument("--out", type=Path, default=Path("grid.png"), metavar="PNG", help="default: grid.png")

    gif = command("gif", gif_command, "Make a GIF of a run's samples.")
    gif.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    gif.add_argument("--out", type=Path, metavar="GIF", help="default: RUN/training.gif")
    gif.add_argument("--ms", type=_positive(int), default=120, metavar="N", help="milliseconds a frame (default: 120)")

    command("datasets", datasets_command, "List the image sets and check their files.")
    return top


def _positive(kind):
    def convert(text):
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    convert.__name__ = "number above 0"  # argparse names it: "invalid number above 0 value: '-1'"
    return convert


def _natural(text):
    value = int(text)
    if not 0 <= value < 2**32:
        raise ValueError
    return value


_natural.__name__ = "seed (0 to 4294967295)"


def train_command(options):
    preset = presets.get(options.preset)
    profile = presets.profile(options.profile) if options.profile or os.environ.get("DCGAN_TF_PROFILE") else None
    if options.images and not options.images.is_dir():
        raise UserError(f"no folder {options.images}: give one that holds images")
    run = options.run or Path("runs") / preset.name
    if run.exists() and not run.is_dir():
        raise UserError(f"{run} is a file: give a folder for the run")
    if options.restore_from and not (options.restore_from / "state.index").exists():
        raise UserError(
            f"no checkpoint in {options.restore_from}: give a folder such as {run}/checkpoints/step_0000500"
        )

    from dcgan_tf import GAN, datasets, devices, metrics, train

    images = _images(options, preset, datasets)
    precision, reason = devices.precision(options.precision)
    profile = presets.profile(profile)
    print(f"{preset.name}: {len(images):,} images, profile {profile!r}, precision {precision} ({reason})", flush=True)
    gan = GAN.from_preset(preset, precision, options.seed)
    history = train(
        gan,
        images,
        steps=options.steps,
        epochs=options.epochs,
        run=run,
        profile=profile,
        sample_every=options.sample_every,
        restore_from=options.restore_from,
        fresh=options.fresh,
    )
    if history.interrupted:
        return 130
    if preset.extractor and not options.images:
        scores = metrics.evaluate(
            gan.average, preset.dataset, preset.extractor, preset.schedule(profile).evaluate_on, options.seed
        )
        metrics.save(scores, gan, run)
        print(metrics.report(scores))
    newest = max((run / "samples").glob("step_*.png"))
    for what, where in (
        ("Run folder", run),
        ("Sample grid", newest),
        ("Loss curves", run / "losses.png"),
        ("Training GIF", run / "training.gif"),
    ):
        print(f"{what + ':':14}{where}")
    return 0


def _images(options, preset, datasets):
    if not options.images:
        return datasets.load(preset.dataset)
    size, channels = datasets.load(preset.dataset).shape[2:]
    folder = datasets.from_folder(options.images, size, channels)
    for path, reason in folder.skipped:
        print(f"skipped {path}: {reason}")
    return folder.images


def generate_command(options):
    from dcgan_tf import weights

    source = Path(options.source)
    if not (source / "config.json").exists() and options.source not in weights.released():
        raise UserError(presets.unknown("run folder or released generator", options.source, weights.released()))

    from dcgan_tf import figures, load_generator
    from dcgan_tf.gan import generate, latents

    generator = load_generator(options.source)
    images = generate(generator, latents(options.count, generator.input_shape[-1], options.seed))
    figures.save_png(figures.grid(images), options.out)
    print(f"{options.count} images of {options.source}, seed {options.seed}: {options.out}")


def gif_command(options):
    from dcgan_tf import gif

    print(f"GIF: {gif.from_run(options.run, options.out, ms=options.ms)}")


def datasets_command(options):
    from dcgan_tf import datasets

    for name in datasets.names():
        try:
            train, test = datasets.load(name), datasets.load(name, "test")
            size = "x".join(map(str, train.shape[1:]))
            print(f"{name:10} {len(train):6,} to train on, {len(test):6,} held out, {size}", flush=True)
        except UserError as error:
            print(f"{name:10} not here: {error}")
