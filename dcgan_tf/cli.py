"""The command line: train, generate, interpolate, evaluate, gif, export, datasets."""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from dcgan_tf import archive, presets
from dcgan_tf.devices import PRECISIONS
from dcgan_tf.errors import Failure, UserError
from dcgan_tf.presets import EXTRACTORS, METRICS


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message):
        raise UserError(f"{message} (see: {self.prog} --help)")


def main(arguments=None):
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
    train.add_argument(
        "--images", type=Path, metavar="FOLDER", help="train on a folder (or .zip, .tar) of images instead"
    )
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
    train.add_argument(
        "--checkpoint-every", type=_interval, metavar="N", help="steps between two checkpoints, or minutes: 5min"
    )
    train.add_argument("--deterministic", action="store_true", help="on a GPU: the same results each time, more slowly")
    train.add_argument(
        "--strategy", choices=presets.STRATEGIES, default="none", help="several GPUs, or several machines"
    )
    train.add_argument(
        "--replicas", type=_positive(int), metavar="N", help="with mirrored and no GPU: parts to cut the CPU into"
    )
    train.add_argument("--xla", action="store_true", help="compile the step with XLA: for GPUs, slower on a CPU")
    train.add_argument("--precision", choices=PRECISIONS, default="auto", help="default: what suits the hardware")
    train.add_argument(
        "--seed", type=_natural, default=0, metavar="N", help="of weights, latents and order (default: 0)"
    )

    generate = command("generate", generate_command, "Draw images from a run or a released generator.")
    generate.add_argument("source", metavar="RUN_OR_NAME", help="a run folder, or the name of a released generator")
    generate.add_argument("--count", type=_positive(int), default=16, metavar="N", help="how many (default: 16)")
    generate.add_argument("--seed", type=_natural, default=0, metavar="N", help="the same seed, the same images")
    generate.add_argument("--out", type=Path, default=Path("grid.png"), metavar="PNG", help="default: grid.png")

    interpolate = command("interpolate", interpolate_command, "Walk through the latent space, as a GIF or a PNG.")
    interpolate.add_argument("source", metavar="RUN_OR_NAME", help="a run folder, or the name of a released generator")
    interpolate.add_argument(
        "--out", type=Path, default=Path("walk.gif"), metavar="FILE", help=".gif, or .png: a walk a row (walk.gif)"
    )
    interpolate.add_argument("--walks", type=_positive(int), default=9, metavar="N", help="side by side (default: 9)")
    interpolate.add_argument("--stops", type=_positive(int), default=4, metavar="N", help="latents a walk (default: 4)")
    interpolate.add_argument(
        "--frames", type=_positive(int), default=12, metavar="N", help="images from stop to stop (default: 12)"
    )
    interpolate.add_argument(
        "--scale", type=_positive(int), metavar="N", help="a pixel is N x N large (default: what fits 600 across)"
    )
    interpolate.add_argument("--seed", type=_natural, default=0, metavar="N", help="the same seed, the same walks")

    evaluate = command("evaluate", evaluate_command, "Judge a generator against images that it was not trained on.")
    evaluate.add_argument("source", metavar="RUN_OR_NAME", help="a run folder, or the name of a released generator")
    evaluate.add_argument("--metrics", type=_names, metavar="A,B", help=f"some of {','.join(METRICS)} (default: all)")
    evaluate.add_argument("--extractor", help=f"who judges: {', '.join(EXTRACTORS)} (default: what suits the set)")
    evaluate.add_argument("--inception-weights", type=Path, metavar="FILE", help="InceptionV3's weights, a local .h5")
    evaluate.add_argument("--images", type=Path, metavar="FOLDER", help="the folder that the run was trained on")
    evaluate.add_argument("--samples", type=_positive(int), default=2_048, metavar="N", help="default: 2048")
    evaluate.add_argument("--seed", type=_natural, default=0, metavar="N", help="of the samples (default: 0)")
    evaluate.add_argument("--neighbours", type=Path, metavar="PNG", help="where the nearest training images are shown")

    gif = command("gif", gif_command, "Make a GIF of a run's samples.")
    gif.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    gif.add_argument("--out", type=Path, metavar="GIF", help="default: RUN/training.gif")
    gif.add_argument("--ms", type=_positive(int), default=120, metavar="N", help="milliseconds a frame (default: 120)")

    gif.add_argument(
        "--frames", type=_positive(int), metavar="N", help="so many samples, more early ones (default: all)"
    )
    gif.add_argument("--corner", type=_size, metavar="5x4", help="so many columns and rows of the grids (default: 8x8)")

    export = command("export", export_command, "Write a generator as a Keras file, ONNX or a SavedModel.")
    export.add_argument("source", metavar="RUN_OR_NAME", help="a run folder, or the name of a released generator")
    export.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help=".keras, .onnx, or a new folder for a SavedModel"
    )

    sets = command("datasets", datasets_command, "List the image sets and check their files.")
    fetch = sets.add_subparsers(title="more", metavar="fetch NAME")
    fetch = fetch.add_parser("fetch", help="get a set that does not come with the repository: pokemon")
    fetch.add_argument("name", metavar="NAME")
    fetch.set_defaults(run_command=fetch_command)
    return top


def _names(text):
    return tuple(text.split(","))


def _size(text):
    columns, rows = (int(side) for side in text.lower().split("x"))
    if not (1 <= columns <= 8 and 1 <= rows <= 8):
        raise ValueError
    return columns, rows


_size.__name__ = "size (1x1 to 8x8)"


def _interval(text):
    """(steps, minutes) of "500" or "5min"; one of them is None."""
    if text.endswith("min"):
        return None, _positive(float)(text.removesuffix("min"))
    return _positive(int)(text), None


_interval.__name__ = "number above 0, of steps or, with min behind it, of minutes"


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
    if options.images and not (options.images.is_dir() or archive.is_archive(options.images)):
        raise UserError(f"no folder {options.images}: give one that holds images, or a .zip or .tar of one")
    run = options.run or Path("runs") / preset.name
    _check_folder(run)
    if options.restore_from and not (options.restore_from / "state.index").exists():
        raise UserError(
            f"no checkpoint in {options.restore_from}: give a folder such as {run}/checkpoints/step_0000500"
        )

    from dcgan_tf import GAN, devices, distribution, extractors, load_generator, metrics, train

    strategy = distribution.strategy(options.strategy, options.replicas)  # before TensorFlow settles on its devices
    images, held_out = _images(options.images, preset.dataset)
    precision, reason = devices.precision(options.precision)
    profile = presets.profile(profile)
    print(
        f"{preset.name}: {len(images):,} images to train on, {len(held_out):,} held out, profile {profile!r}, "
        f"precision {precision} ({reason})",
        flush=True,
    )
    if options.images:  # whose classes a classifier of another set does not know
        preset = replace(preset, extractor="random")
    if options.deterministic:
        devices.deterministic()
    checkpoint_steps, checkpoint_minutes = options.checkpoint_every or (None, None)
    with strategy.scope():
        gan = GAN.from_preset(preset, precision, options.seed, options.xla)
    history = train(
        gan,
        images,
        steps=options.steps,
        epochs=options.epochs,
        run=run,
        profile=profile,
        sample_every=options.sample_every,
        checkpoint_every=checkpoint_steps,
        checkpoint_minutes=checkpoint_minutes,
        restore_from=options.restore_from,
        fresh=options.fresh,
        held_out=held_out if len(held_out) else None,
    )
    if history.interrupted:
        return 130
    if not distribution.is_chief(strategy):
        print(f"The chief of the workers wrote {run}")
        return 0
    if len(held_out):
        count = preset.schedule(profile).evaluate_on
        judge = extractors.extractor(preset.extractor)
        scores = metrics.evaluate(
            load_generator(run), held_out, judge, count, options.seed, metrics=("fid", "kid", "is")
        )
        metrics.save(scores, run)
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


def _images(folder, dataset):
    """The images of a folder or a set: (to train on, held out)."""
    from dcgan_tf import datasets
    from dcgan_tf.folder import shown

    if not folder:
        if dataset == "pokemon" and not datasets.where(dataset).exists():
            print(
                "The Pokémon sprites have not been fetched (python -m dcgan_tf datasets fetch pokemon): "
                "the monsters take their place"
            )
            dataset = "monsters"
        return datasets.load(dataset), datasets.load(dataset, "test")
    size, channels = (28, 1) if dataset == "mnist" else (64, 3)
    found = datasets.from_folder(folder, size, channels)
    for path, reason in found.skipped:
        print(f"skipped {shown(path)}: {reason}")
    for path, same in found.duplicates:
        print(f"{shown(path)} is the same image as {shown(same)}; both are kept")
    if found.enlarged:
        print(f"{found.enlarged:,} of {len(found.images):,} images are smaller than {size} pixels and were enlarged")
    return datasets.hold_out(found.images)


def _check_folder(folder):
    """Make a folder to write into; refuse one that cannot be, before any work is done for it."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: give a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"{folder} cannot be written into: {error.strerror}") from None


def _check_out(path, *suffixes):
    """Refuse a file that cannot be written, or that has none of the suffixes; its folder is made."""
    if path.suffix.lower() not in suffixes:
        raise UserError(f"{path} is to be a file that ends in {' or '.join(suffixes)}")
    if path.is_dir():
        raise UserError(f"{path} is a folder: give a file")
    _check_folder(path.parent)


def _check_source(source):
    """Refuse what is neither a run nor a released name, before TensorFlow is imported."""
    from dcgan_tf import weights

    if not (Path(source) / "config.json").exists() and source not in weights.released():
        raise UserError(presets.unknown("run folder or released generator", source, weights.released()))


def generate_command(options):
    _check_source(options.source)
    _check_out(options.out, ".png")
    from dcgan_tf import figures, load_generator
    from dcgan_tf.gan import generate, latents

    generator = load_generator(options.source)
    images = generate(generator, latents(options.count, generator.input_shape[-1], options.seed))
    figures.save_png(figures.grid(images), options.out)
    print(f"{options.count} images of {options.source}, seed {options.seed}: {options.out}")


def interpolate_command(options):
    _check_source(options.source)
    _check_out(options.out, ".gif", ".png")
    if options.stops < 2:
        raise UserError("a walk needs at least 2 stops")

    from dcgan_tf import figures, gif, latent, load_generator
    from dcgan_tf.gan import generate, latents

    generator = load_generator(options.source)
    stops = latents(options.walks * options.stops, generator.input_shape[-1], options.seed)
    stops = stops.reshape(options.walks, options.stops, -1)
    walks = [generate(generator, latent.walk(walk, options.frames)) for walk in stops]
    if options.out.suffix == ".gif":
        moments = ([walk[i] for walk in walks] for i in range(len(walks[0])))
        gif.save([figures.grid(moment, scale=options.scale) for moment in moments], options.out, 80, hold=80)
    else:
        images = [image for walk in walks for image in walk]
        figures.save_png(figures.grid(images, len(walks[0]), options.scale), options.out)
    print(f"{options.walks} walks through {options.source}, {len(walks[0])} images each: {options.out}")


def evaluate_command(options):
    _check_source(options.source)
    presets.check_metrics(options.metrics or METRICS)
    if options.extractor and options.extractor not in EXTRACTORS:
        raise UserError(presets.unknown("extractor", options.extractor, EXTRACTORS))
    if options.neighbours:
        _check_out(options.neighbours, ".png")
    config = Path(options.source) / "config.json"
    recipe = json.loads(config.read_text())["recipe"] if config.exists() else presets.get(options.source).recipe()

    from dcgan_tf import extractors, figures, load_generator, metrics

    training, held_out = _images(options.images, recipe["dataset"])
    if config.exists() and (before := json.loads(config.read_text())["images"]) != list(training.shape):
        raise UserError(
            f"{options.source} was trained on {before[0]:,} images, these are {len(training):,}: give its --images"
        )
    if not len(held_out):
        raise UserError(f"{len(training)} images are too few to hold some out: 100 are needed to judge by")
    judge = extractors.extractor(options.extractor or recipe["extractor"], options.inception_weights)
    generator = load_generator(options.source)
    scores = metrics.evaluate(
        generator,
        held_out,
        judge,
        options.samples,
        options.seed,
        metrics=options.metrics or METRICS,
        training=training,
    )
    print(metrics.report(scores))
    picture = options.neighbours
    if config.exists():
        metrics.save(scores, config.parent)
        print(f"{'Scores:':22}{config.parent / 'metrics.json'}")
        picture = picture or config.parent / "neighbours.png"
    if picture:
        fakes = metrics.draw(generator, 12, options.seed, progress=False)
        near = training[metrics.nearest(fakes, training, 2)[0]]
        figures.save_png(figures.grid(np.concatenate([fakes, near[:, 0], near[:, 1]]), 12), picture)
        print(f"{'Nearest neighbours:':22}{picture} (generated above, the two nearest training images below)")


def fetch_command(options):
    from dcgan_tf import datasets

    count = datasets.fetch(options.name)
    print(f"{options.name}: {count:,} images, in {datasets.where(options.name)}")


def gif_command(options):
    from dcgan_tf import gif

    if options.out:
        _check_out(options.out, ".gif")
    print(f"GIF: {gif.from_run(options.run, options.out, options.frames, options.corner, ms=options.ms)}")


def export_command(options):
    _check_source(options.source)
    if options.out.suffix not in (".keras", ".onnx", ""):
        raise UserError(f"{options.out} is to end in .keras or .onnx, or to be a folder without a suffix")
    _check_folder(options.out.parent)
    from dcgan_tf import load_generator
    from dcgan_tf.export import export

    print(f"{options.source}: {export(load_generator(options.source), options.out)}")


def datasets_command(options):
    from dcgan_tf import datasets

    for name in datasets.names():
        try:
            train, test = datasets.load(name), datasets.load(name, "test")
            size = "x".join(map(str, train.shape[1:]))
            print(f"{name:10} {len(train):6,} to train on, {len(test):6,} held out, {size}", flush=True)
        except UserError as error:
            print(f"{name:10} not here: {error}")
