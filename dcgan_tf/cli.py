"""The command line: its arguments, then what each command does. TensorFlow is imported once they have been checked."""

import argparse
import itertools
import math
import re
import shlex
import sys
import tempfile
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np

from dcgan_tf import presets
from dcgan_tf.errors import Failure, UserError, unknown
from dcgan_tf.presets import EXTRACTORS, METRICS, Preset
from dcgan_tf.runtime import marks
from dcgan_tf.runtime.devices import PRECISIONS
from dcgan_tf.runtime.distribution import STRATEGIES
from dcgan_tf.training import run_folder

FEW = 100  # images below which a GAN can hardly learn more than to vary them
NAMED = 10  # files that are named for each reason to skip them
ALIKE = 4.0  # grey levels: the mean deviation from image to image below which all are nearly the same
SOURCE = "a run folder, or the name of a released generator"
GONE = {  # options of older versions, and what takes their place
    "--pixel-art": "small images of few colours are enlarged by repeating their pixels by themselves",
    "--checkpoint-every": "a checkpoint is taken at least every ten minutes",
    "--replicas": "--strategy mirrored takes all GPUs",
    "--inception-weights": "Keras fetches InceptionV3's weights; without a network put its file into ~/.keras/models",
    "--stops": "each walk has 4 stops",
    "--scale": "each walk is drawn as large as fits",
    "--ms": "in Python: dcgan_tf.gif.save(..., ms=)",
    "--frames": "in Python: dcgan_tf.gif.thinned",
    "--corner": "cut the GIF afterwards",
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        for option in re.findall(r"--[\w-]+", message) if message.startswith("unrecognized") else ():
            if option in GONE:
                raise UserError(f"there is no {option} any more: {GONE[option]}")
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
    top = Parser(prog=name, description="Deep convolutional GANs: train, sample, animate.", allow_abbrev=False)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name, function, text):
        sub = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.set_defaults(run_command=function)
        return sub

    def option(parser, name, kind, metavar, text, **more):
        parser.add_argument(name, type=kind, metavar=metavar, help=text, **more)

    train = command("train", _train_command, "Train a GAN by a chapter's recipe, or go on with a run.")
    train.add_argument("preset", help=f"the recipe: {', '.join(presets.PRESETS)}; or custom, with --images")
    own = train.add_argument_group("images of your own")
    option(own, "--images", Path, "FOLDER", "a folder of images, or a .zip of one")
    option(own, "--like", str, "PRESET", "with custom: which recipe (default: by number of images)")
    option(own, "--size", size, "128 | 64x96", "HEIGHTxWIDTH (default: 64, or the recipe's)")
    colour = own.add_mutually_exclusive_group()
    colour.add_argument("--grey", action="store_true", help="train in shades of grey")
    colour.add_argument("--alpha", action="store_true", help="keep transparency, as a fourth channel")
    own.add_argument("--fit", choices=("crop", "pad"), help="cut to the size (default), or add a border")
    option(own, "--width", whole_number, "N", "feature maps near the image; more are slower")
    option(own, "--batch-size", whole_number, "N", "images per step")
    own.add_argument("--flip", action=argparse.BooleanOptionalAction, help="mirror images at random, or never")
    option(own, "--augment", policy, "POLICY", "some of color,translation,cutout; or none")
    profiles = (*presets.PROFILES, *presets.OLDER)
    option(train, "--profile", str, "NAME", "length: smoke, short (default) or long", choices=profiles)
    length = train.add_mutually_exclusive_group()
    option(length, "--steps", whole_number, "N", "stop after N batches in all")
    option(length, "--epochs", number, "N", "stop after N passes over the data in all")
    option(train, "--run", Path, "DIR", "the run folder (default: runs/PRESET)")
    start = train.add_mutually_exclusive_group()
    start.add_argument("--fresh", action="store_true", help="begin anew; the old run is moved aside")
    option(start, "--from", Path, "CHECKPOINT", "go on from this checkpoint", dest="restore_from")
    option(train, "--sample-every", whole_number, "N", "steps between two sample grids")
    train.add_argument("--deterministic", action="store_true", help="on a GPU: the same results each time, more slowly")
    text = "mirrored: several GPUs; multiworker: several machines"
    train.add_argument("--strategy", choices=STRATEGIES, default="none", help=text)
    train.add_argument("--xla", action="store_true", help="compile the step: half the time on a GPU, slower on a CPU")
    train.add_argument("--precision", choices=PRECISIONS, default="auto", help="default: what suits the hardware")
    option(train, "--seed", seed, "N", "seed of the weights, latents and image order (default: 0)", default=0)

    generate = command("generate", _generate_command, "Draw images from a run or a released generator.")
    option(generate, "source", str, "RUN_OR_NAME", SOURCE)
    option(generate, "--count", whole_number, "N", "images; with --label, of each (default: 16)", default=16)
    option(generate, "--seed", seed, "N", "the same seed, the same images", default=0)
    option(generate, "--label", labels, "7 | 0-9", "such as a digit; 0-9: a row each (default: all labels in turn)")
    option(generate, "--out", Path, "PNG | FOLDER", "a grid (default: grid.png), or one file per image")

    interpolate = command("interpolate", _interpolate_command, "Walk through the latent space, as a GIF or a PNG.")
    option(interpolate, "source", str, "RUN_OR_NAME", SOURCE)
    option(interpolate, "--out", Path, "FILE", "a GIF (default: walk.gif), or a PNG with a walk in each row")
    option(interpolate, "--walks", whole_number, "N", "side by side (default: 9)", default=9)
    option(interpolate, "--seed", seed, "N", "the same seed, the same walks", default=0)

    evaluate = command("evaluate", _evaluate_command, "Judge a generator against images that it was not trained on.")
    option(evaluate, "source", str, "RUN_OR_NAME", SOURCE)
    option(evaluate, "--metrics", metric_names, "A,B", f"some of {','.join(METRICS)} (default: all)", default=METRICS)
    evaluate.add_argument("--extractor", choices=EXTRACTORS, help="who judges (default: what suits the set)")
    option(evaluate, "--images", Path, "FOLDER", "the folder that the run was trained on")
    option(evaluate, "--samples", samples, "N", "20 or more (default: 2048)", default=2_048)
    option(evaluate, "--seed", seed, "N", "seed of the samples (default: 0)", default=0)
    option(evaluate, "--neighbours", Path, "PNG", "a picture of the nearest training images")

    gif = command("gif", _gif_command, "Make a GIF of a run's samples.")
    option(gif, "run", Path, "RUN", "a run folder")
    option(gif, "--out", Path, "GIF", "default: RUN/training.gif")

    export = command("export", _export_command, "Write a generator as a Keras file, ONNX or a SavedModel.")
    option(export, "source", str, "RUN_OR_NAME", SOURCE)
    option(export, "--out", Path, "FILE", ".keras, .onnx, or a new folder for a SavedModel", required=True)

    command("check", _check_command, "Say what this machine has, and what it lacks.")
    sets = command("datasets", _datasets_command, "List the image sets and check their files.")
    more = sets.add_subparsers(title="more (optional)", metavar="fetch NAME")
    fetch = more.add_parser("fetch", help="get a set that does not come with the repository: pokemon")
    fetch.add_argument("name", metavar="NAME")
    fetch.set_defaults(run_command=_fetch_command)
    return top


def _checked(convert, fits, what):
    """A function that converts an argument, and refuses one that does not fit in a line that says what does."""

    def converted(text):
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is None or not fits(value):
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return value

    return converted


def _sides(text):
    sides = re.fullmatch(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", text.lower())
    return sides and (int(sides[1]), int(sides[2] or sides[1]))


def _range(text):
    ends = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    return ends and range(int(ends[1]), int(ends[2] or ends[1]) + 1)


whole_number = _checked(int, lambda value: value > 0, "a whole number above 0")
number = _checked(float, lambda value: 0 < value < math.inf, "a number above 0")
seed = _checked(int, lambda value: 0 <= value < 2**32, "a seed, from 0 to 4294967295")
samples = _checked(int, lambda value: value >= 20, "a number of samples, 20 or more")  # metrics.LEAST
size = _checked(_sides, bool, "a size, such as 128, or 64x96 for height x width")
labels = _checked(_range, bool, "a label, such as 7, or 0-9 for several")


def policy(text: str) -> str:
    """DiffAugment's policy."""
    if text != "none" and not set(text.split(",")) <= {"color", "translation", "cutout"}:
        raise argparse.ArgumentTypeError(f"{text!r} is not some of color,translation,cutout, nor none")
    return "" if text == "none" else text


def metric_names(text: str) -> tuple[str, ...]:
    """Names of metrics."""
    if strange := [name for name in text.split(",") if name not in METRICS]:
        raise argparse.ArgumentTypeError(unknown("metric", strange[0], METRICS))
    return tuple(text.split(","))


def _train_command(options: Namespace) -> int | None:
    preset = None if options.preset == "custom" else presets.get(options.preset)
    _refuse_misfits(options, preset)
    profile = presets.profile(options.profile)
    run = options.run or Path("runs") / options.preset
    _writable(run)

    from dcgan_tf import GAN, checkpoint, datasets, devices, distribution, models, train

    if options.size:
        models.sizes.stem(options.size)
    if options.restore_from:
        checkpoint.check(options.restore_from)
    strategy = distribution.strategy(options.strategy)  # before TensorFlow settles on its devices
    if options.images:
        preset, images = _own_recipe(options, preset)
        images, held_out = datasets.hold_out(images)
    else:
        preset, images, held_out = _set(preset)
    known = datasets.labels(preset.dataset)[preset.label_field or ...] if preset.classes else None
    precision, reason = devices.precision(options.precision)
    print(
        f"{preset.name}: {len(images):,} images to train on, {len(held_out):,} held out, profile {profile!r}, "
        f"precision {precision} ({reason})",
        flush=True,
    )
    if options.deterministic:
        devices.deterministic()
    steps = round(options.epochs * len(images) / preset.batch_size) if options.epochs else options.steps
    schedule = preset.schedule(profile)
    schedule = replace(schedule, sample_every=options.sample_every or schedule.sample_every)
    with strategy.scope():
        gan = GAN.from_preset(preset, precision, options.seed, options.xla)
    history = train(
        gan,
        images,
        known,
        steps,
        run,
        held_out=held_out if len(held_out) else None,
        schedule=schedule,
        restore_from=options.restore_from,
        fresh=options.fresh,
    )
    if history.interrupted:
        return 130
    if not distribution.is_chief(strategy):
        print(f"The chief of the workers wrote {run}")
        return 0
    if len(held_out):
        _judge_run(run, preset, held_out, schedule.evaluate_on, options.seed)
    _say_what_there_is(run)
    return 0


def _refuse_misfits(options, preset):
    """Refuse options of `train` that do not fit together, before TensorFlow is started."""
    if preset is None and not options.images:
        raise UserError("train custom needs images: give a folder, or a .zip of one (--images)")
    given = [
        name for name in ("size", "fit", "width", "batch_size", "flip", "augment") if getattr(options, name) is not None
    ]
    given += [name for name in ("grey", "alpha") if getattr(options, name)]
    if given and not options.images:
        name = "--flip and --no-flip are" if given[0] == "flip" else f"--{given[0].replace('_', '-')} is"
        raise UserError(f"{name} for images of your own (--images): each chapter's set has its own recipe")
    if options.images and not (options.images.is_dir() or options.images.is_file()):
        raise UserError(f"{options.images} is not a folder of images, nor a .zip of one")
    if options.images and preset and preset.classes:
        raise UserError(f"{preset.name} needs labels, which a folder does not give: train custom --images FOLDER")
    if options.width and preset and preset.architecture == "mnist":
        raise UserError("the networks of mnist have one width: train custom, or leave --width out")
    if options.like:
        presets.get(options.like)
    if options.like and preset:
        raise UserError(f"--like is for `train custom`: `train {preset.name}` takes its own recipe")


def _set(preset):
    """(preset, images to train on, images held out); the monsters where the Pokémon have not been fetched."""
    from dcgan_tf import datasets

    if preset.dataset == "pokemon" and not datasets.where("pokemon").exists():
        print(
            "The Pokémon sprites have not been fetched (python -m dcgan_tf datasets fetch pokemon): "
            "the monsters take their place"
        )
        preset = replace(preset, dataset="monsters")
    return preset, datasets.load(preset.dataset), datasets.load(preset.dataset, "test")


def _own_recipe(options, preset):
    """(preset, images) for images of your own; says what was done to the images, and why the recipe."""
    shape = preset.image_shape if preset else (64, 64, 3)
    height, width = options.size or shape[:2]
    channels = 1 if options.grey else 4 if options.alpha else shape[2]
    fit = options.fit or "crop"
    images = _own_images(options.images, (height, width), channels, fit)
    base = preset or (presets.get(options.like) if options.like else None)
    if base is None:
        name, why = presets.like(len(images))
        print(f"Recipe of {name!r}, for {why} (choose another with --like)")
        base = presets.get(name)
    changes = {name: getattr(options, name) for name in ("width", "batch_size", "flip", "augment")}
    changes = {name: value for name, value in changes.items() if value is not None}
    changes |= {"dataset": "", "extractor": "imagenet", "fit": fit, "classes": 0, "label_field": ""}
    changes["schedules"] = presets.own_schedules(len(images), (height, width))
    if preset is None:
        changes["name"] = "custom"
    if preset is None or (height, width, channels) != shape:
        return base.for_images((height, width), channels, **changes), images
    return replace(base, **changes), images


def _own_images(folder: Path, size: tuple[int, int], channels: int, fit: str) -> np.ndarray:
    """The images below a folder or in an archive, uint8 [N, *size, channels]; says what was done to them."""
    from dcgan_tf import datasets
    from dcgan_tf.datasets.folder import shown

    found = datasets.from_folder(folder, size, channels, fit=fit)
    for reason, files in itertools.groupby(sorted(found.skipped, key=lambda file: file[1]), key=lambda file: file[1]):
        names = [shown(path) for path, _ in files]
        for name in names[:NAMED]:
            print(f"skipped {name}: {reason}")
        if len(names) > NAMED:
            print(f"skipped {len(names) - NAMED:,} more: {reason}")
    for path, same in found.duplicates[:NAMED]:
        print(f"{shown(path)} is the same image as {shown(same)}; both are kept")
    if len(found.duplicates) > NAMED:
        print(f"{len(found.duplicates) - NAMED:,} more are the same as another one")
    count, pixels = len(found.images), f"{size[0]}x{size[1]}"
    if channels == 4 and not found.transparent:
        raise UserError(f"none of the {count:,} images in {shown(folder)} has transparent pixels: leave --alpha out")
    for some, what in (
        (found.cropped, f"were cropped to {pixels}, losing {found.cut:.0%} of each on average"),
        (found.padded, f"got a border, to fill {pixels}"),
        (found.enlarged, f"are smaller than {pixels} and were enlarged"),
        (found.transparent if channels != 4 else 0, "have transparent pixels, which were set on white"),
    ):
        if some:
            print(f"{some:,} of {count:,} images {what}")
    if count < FEW:
        print(f"Only {count} images: expect near-copies of them. None are held out, so results are not judged")
    if found.images[:: max(1, count // 256)].std(0, dtype="float32").mean() < ALIKE:
        print("These images are nearly all alike: expect the generator to draw that one image again and again")
    return found.images


def _judge_run(run, preset, held_out, count, seed):
    """Judge a finished run as its profile says; print the scores and keep them."""
    from dcgan_tf import load_generator, metrics

    wanted = ("fid", "kid", "is")
    scores = metrics.evaluate(load_generator(run), held_out, preset.extractor, count, seed, metrics=wanted)
    _keep(scores, run)
    print(metrics.report(scores))


def _keep(scores, run):
    """Keep the scores of a run's generator in RUN/metrics.json, with the step of the checkpoint that it came from."""
    from dcgan_tf import checkpoint

    step = run_folder.step_of(checkpoint.find(run))
    run_folder.write_json(run / run_folder.METRICS, {"step": step, **scores})


def _say_what_there_is(run):
    """Where a finished run's results are, and what to do next."""
    samples = run_folder.taken(run, run_folder.SAMPLES)
    for what, where in (
        ("Run folder", run),
        ("Sample grid", samples[-1] if samples else None),
        ("Loss curves", run / run_folder.LOSSES),
        ("Training GIF", run / run_folder.ANIMATION),
        ("Best by KID", run / run_folder.BEST),
    ):
        if where and where.exists():
            print(f"{what + ':':14}{where}")
    here, python = Path.cwd(), Path(sys.executable)
    python = python.relative_to(here) if python.is_relative_to(here) else "python"
    command = shlex.join(
        [str(python), "-m", "dcgan_tf", "generate", str(run), "--count", "64", "--out", "pictures.png"]
    )
    print(f"Next:         draw more with  {command}")


def _writable(folder):
    """Make a folder to write into; refuse one that cannot be, before any work is done for it."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: give a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"{folder} cannot be written into: {error.strerror}") from None


def _writable_file(path, *suffixes):
    """Refuse a file that cannot be written, or that has none of the suffixes; its folder is made."""
    if path.suffix.lower() not in suffixes:
        raise UserError(f"{path} is not a file name that ends in {' or '.join(suffixes)}")
    if path.is_dir():
        raise UserError(f"{path} is a folder: give a file")
    _writable(path.parent)


def _not_written_over(path):
    """Refuse to write over a picture that this program has not drawn, where the user has not named it."""
    if path.exists() and not marks.is_drawn_file(path):
        raise UserError(f"{path} is a file that this program has not drawn: give another name (--out)")


def _generator(source):
    """The generator of a run or a release."""
    if not Path(source).exists() and source not in presets.PRESETS:  # before TensorFlow starts
        raise UserError(unknown("run folder or released generator", source, presets.PRESETS))
    from dcgan_tf import load_generator

    return load_generator(source)


def _generate_command(options: Namespace) -> int | None:
    if not options.out:
        options.out = Path("grid.png")
        _not_written_over(options.out)
    wanted, single = options.label or [None], not options.out.suffix or options.out.is_dir()
    if single:
        _writable(options.out)
        names = [options.out / f"{i:04}.png" for i in range(options.count * len(wanted))]
        for name in names:
            _not_written_over(name)
    else:
        _writable_file(options.out, ".png")
    generator = _generator(options.source)
    from dcgan_tf import datasets, figures, sample

    rows = [sample(generator, options.count, options.seed, label) for label in wanted]
    images, columns = np.concatenate(rows), len(rows[0]) if len(rows) > 1 else None  # the same latents in each row
    if single:
        for name, image in zip(names, datasets.to_uint8(images), strict=True):
            figures.save_png(image, name)
    else:
        figures.save_png(figures.grid(images, columns), options.out)
    print(f"{len(images)} images of {options.source}, seed {options.seed}: {options.out}")


def _interpolate_command(options: Namespace) -> int | None:
    if not options.out:
        options.out = Path("walk.gif")
        _not_written_over(options.out)
    _writable_file(options.out, ".gif", ".png")
    generator = _generator(options.source)
    from dcgan_tf import figures, gif, sampling

    walks = sampling.walks(generator, options.walks, stops=4, frames=12, seed=options.seed)
    if options.out.suffix.lower() == ".gif":
        moments = ([walk[i] for walk in walks] for i in range(len(walks[0])))
        gif.save([figures.grid(moment) for moment in moments], options.out, 80, hold=80)
    else:
        figures.save_png(figures.grid([image for walk in walks for image in walk], len(walks[0])), options.out)
    print(f"{options.walks} walks through {options.source}, {len(walks[0])} images each: {options.out}")


def _evaluate_command(options: Namespace) -> int | None:
    if options.neighbours:
        _writable_file(options.neighbours, ".png")
    run, before = Path(options.source), run_folder.config(Path(options.source))
    generator = _generator(options.source)
    if not before and options.source not in presets.PRESETS:
        raise UserError(f"{options.source} is a part of a run: give the run folder itself, which holds config.json")
    recipe = before["recipe"] if before else presets.get(options.source).recipe()
    if not recipe["dataset"] and not options.images:
        raise UserError(f"{options.source} was trained on images of your own: give their folder (--images)")

    from dcgan_tf import datasets, figures, metrics

    if options.images:
        *size, channels = before["images"][1:] if before else presets.get(options.source).image_shape
        found = _own_images(options.images, tuple(size), channels, recipe.get("fit", "crop"))
        training, held_out = datasets.hold_out(found)
    else:
        _, training, held_out = _set(Preset(dataset=recipe["dataset"]))
    if before and before.get("images_sha256") not in (None, datasets.fingerprint(training)):
        raise UserError(
            f"{options.source} was trained on {before['images'][0]:,} images, which are not these {len(training):,}: "
            "give the folder that it was trained on (--images), or fetch its set (datasets fetch)"
        )
    if not len(held_out):
        raise UserError(f"{len(training)} images, too few to hold some out: judging takes at least 100 different ones")
    wanted = {"metrics": options.metrics, "training": training, "mirrored": recipe["flip"]}
    judge = options.extractor or recipe["extractor"]
    scores = metrics.evaluate(generator, held_out, judge, options.samples, options.seed, **wanted)
    print(metrics.report(scores))
    picture = options.neighbours
    if before:
        _keep(scores, run)
        print(f"{'Scores:':22}{run / run_folder.METRICS}")
        picture = picture or run / run_folder.NEIGHBOURS
    if picture:
        fakes = metrics.draw(generator, 12, options.seed, progress=False)
        near = training[metrics.nearest(fakes, training, 2, recipe["flip"])[0]]
        figures.save_png(figures.grid(np.concatenate([fakes, near[:, 0], near[:, 1]]), 12), picture)
        print(f"{'Nearest neighbours:':22}{picture} (generated above, the two nearest training images below)")


def _gif_command(options: Namespace) -> int | None:
    from dcgan_tf import gif

    if not (samples := run_folder.taken(options.run, run_folder.SAMPLES)):
        raise UserError(f"no samples in {options.run}: give a run folder that `train` has written")
    out = options.out or options.run / run_folder.ANIMATION
    _writable_file(out, ".gif")
    print(f"GIF: {gif.save(gif.thinned(samples, gif.MOST), out)}")


def _export_command(options: Namespace) -> int | None:
    if options.out.suffix not in (".keras", ".onnx", ""):
        raise UserError(f"{options.out} must end in .keras or .onnx, or be a folder without a suffix")
    _writable(options.out.parent)
    from dcgan_tf import export

    print(f"{options.source}: {export(options.source, options.out)}")


def _check_command(options: Namespace) -> int | None:
    from dcgan_tf.runtime import check

    return check.report()


def _datasets_command(options: Namespace) -> int | None:
    from dcgan_tf import datasets

    for name in datasets.names():
        try:
            train, test = datasets.load(name), datasets.load(name, "test")
            shape = "x".join(map(str, train.shape[1:]))
            print(f"{name:10} {len(train):6,} to train on, {len(test):6,} held out, {shape}", flush=True)
        except UserError as error:
            print(f"{name:10} not here: {error}")


def _fetch_command(options: Namespace) -> int | None:
    from dcgan_tf import datasets

    count, where = datasets.fetch(options.name), datasets.where(options.name)
    print(f"{options.name}: {count:,} images, in {where if where.exists() else 'an installed package'}")
