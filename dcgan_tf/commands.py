"""What each command does with its parsed arguments. TensorFlow is imported once they have been checked."""

import os
import sys
import tempfile
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np

from dcgan_tf import own_images, presets
from dcgan_tf.data import archive
from dcgan_tf.errors import UserError, unknown
from dcgan_tf.names import EXTRACTORS, METRICS, check_metrics
from dcgan_tf.runtime import marks


def train_command(options: Namespace) -> int | None:
    preset = None if options.preset == "custom" else presets.get(options.preset)
    own_images.check(options)
    profile = presets.profile(options.profile) if options.profile or os.environ.get("DCGAN_TF_PROFILE") else None
    if options.images and not (options.images.is_dir() or archive.is_archive(options.images)):
        raise UserError(f"{options.images} is not a folder of images, nor a .zip or .tar of one")
    run = options.run or Path("runs") / options.preset
    _check_folder(run)
    if options.restore_from and not (options.restore_from / "state.index").exists():
        raise UserError(
            f"no checkpoint in {options.restore_from}: give a folder such as {run}/checkpoints/step_0000500"
        )

    from dcgan_tf import GAN, datasets, devices, distribution, extractors, load_generator, metrics, train

    strategy = distribution.strategy(options.strategy, options.replicas)  # before TensorFlow settles on its devices
    if options.images:
        preset, images = own_images.read(options)
        images, held_out = datasets.hold_out(images)
    else:
        dataset, images, held_out = _set(preset.dataset)
        if dataset != preset.dataset:  # whose classes a classifier of another set does not know
            preset = replace(preset, dataset=dataset, extractor="imagenet")
    labels = datasets.labels(preset.dataset)[preset.label_field or ...] if preset.classes else None
    precision, reason = devices.precision(options.precision)
    profile = presets.profile(profile)
    print(
        f"{preset.name}: {len(images):,} images to train on, {len(held_out):,} held out, profile {profile!r}, "
        f"precision {precision} ({reason})",
        flush=True,
    )
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
        labels=labels,
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
    for what, where in (
        ("Run folder", run),
        ("Sample grid", max((run / "samples").glob("step_*.png"), default=None)),
        ("Loss curves", run / "losses.png"),
        ("Training GIF", run / "training.gif"),
        ("Best by KID", run / "best"),
    ):
        if where and where.exists():
            print(f"{what + ':':14}{where}")
    here, python = Path.cwd(), Path(sys.executable)
    python = python.relative_to(here) if python.is_relative_to(here) else "python"
    print(f"Next:         draw more with  {python} -m dcgan_tf generate {run} --count 64 --out pictures.png")
    return 0


def _set(name):
    """(name, images to train on, images held out) of a set; the monsters where the Pokémon have not been fetched."""
    from dcgan_tf import datasets

    if name == "pokemon" and not datasets.where(name).exists():
        print(
            "The Pokémon sprites have not been fetched (python -m dcgan_tf datasets fetch pokemon): "
            "the monsters take their place"
        )
        name = "monsters"
    return name, datasets.load(name), datasets.load(name, "test")


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
        raise UserError(f"{path} is not a file name that ends in {' or '.join(suffixes)}")
    if path.is_dir():
        raise UserError(f"{path} is a folder: give a file")
    _check_folder(path.parent)


def _check_source(source):
    """Refuse what is neither a run nor a released name, before TensorFlow is imported."""
    from dcgan_tf import weights

    is_run = (Path(source) / "config.json").exists() or any(Path(source).glob("**/plan.json"))
    if not is_run and source not in weights.released():
        raise UserError(weights.not_found(source))


def generate_command(options: Namespace) -> int | None:
    _check_source(options.source)
    labels, single = options.label or [None], not options.out.suffix or options.out.is_dir()
    if single:
        _check_folder(options.out)
        names = [options.out / f"{i:04}.png" for i in range(options.count * len(labels))]
        if strangers := [name for name in names if name.exists() and not marks.is_drawn_file(name)]:
            raise UserError(f"{strangers[0]} is a file that this program has not drawn: give another folder")
    else:
        _check_out(options.out, ".png")
    from dcgan_tf import datasets, figures, load_generator, sample

    generator = load_generator(options.source)
    rows = [sample(generator, options.count, options.seed, label) for label in labels]
    images, columns = np.concatenate(rows), len(rows[0]) if len(rows) > 1 else None  # the same latents in each row
    if single:
        for name, image in zip(names, datasets.to_uint8(images), strict=True):
            figures.save_png(image, name)
    else:
        figures.save_png(figures.grid(images, columns), options.out)
    print(f"{len(images)} images of {options.source}, seed {options.seed}: {options.out}")


def interpolate_command(options: Namespace) -> int | None:
    _check_source(options.source)
    _check_out(options.out, ".gif", ".png")
    if options.stops < 2:
        raise UserError("a walk needs at least 2 stops")

    from dcgan_tf import figures, gif, load_generator, sampling

    generator = load_generator(options.source)
    walks = sampling.walks(generator, options.walks, options.stops, options.frames, options.seed)
    if options.out.suffix.lower() == ".gif":
        moments = ([walk[i] for walk in walks] for i in range(len(walks[0])))
        gif.save([figures.grid(moment, scale=options.scale) for moment in moments], options.out, 80, hold=80)
    else:
        images = [image for walk in walks for image in walk]
        figures.save_png(figures.grid(images, len(walks[0]), options.scale), options.out)
    print(f"{options.walks} walks through {options.source}, {len(walks[0])} images each: {options.out}")


def evaluate_command(options: Namespace) -> int | None:
    _check_source(options.source)
    check_metrics(options.metrics or METRICS)
    if options.extractor and options.extractor not in EXTRACTORS:
        raise UserError(unknown("extractor", options.extractor, EXTRACTORS))
    if options.neighbours:
        _check_out(options.neighbours, ".png")
    run, before = Path(options.source), marks.config(Path(options.source))
    if not before and options.source not in presets.PRESETS:
        raise UserError(f"{options.source} is a part of a run: give the run folder itself, which holds config.json")
    recipe = before["recipe"] if before else presets.get(options.source).recipe()
    if not recipe["dataset"] and not options.images:
        raise UserError(f"{options.source} was trained on images of your own: give their folder (--images)")

    from dcgan_tf import datasets, extractors, figures, load_generator, metrics

    if options.images:
        *size, channels = before["images"][1:] if before else presets.get(options.source).image_shape
        found = own_images.load(
            options.images, tuple(size), channels, recipe.get("fit", "crop"), recipe.get("enlarge", "smooth")
        )
        training, held_out = datasets.hold_out(found)
    else:
        _, training, held_out = _set(recipe["dataset"])
    if before and before.get("images_sha256") not in (None, datasets.fingerprint(training)):
        raise UserError(
            f"{options.source} was trained on {before['images'][0]:,} images, which are not these {len(training):,}: "
            "give the folder that it was trained on (--images), or fetch its set (datasets fetch)"
        )
    if not len(held_out):
        raise UserError(f"{len(training)} images, too few to hold some out: judging takes at least 100 different ones")
    if recipe["flip"]:
        training = datasets.Mirrored(training)  # as it was trained on
    judge = extractors.extractor(options.extractor or recipe["extractor"], options.inception_weights)
    generator = load_generator(options.source)
    wanted = {"metrics": options.metrics or METRICS, "training": training}
    scores = metrics.evaluate(generator, held_out, judge, options.samples, options.seed, **wanted)
    print(metrics.report(scores))
    picture = options.neighbours
    if before:
        metrics.save(scores, run)
        print(f"{'Scores:':22}{run / 'metrics.json'}")
        picture = picture or run / "neighbours.png"
    if picture:
        fakes = metrics.draw(generator, 12, options.seed, progress=False)
        near = training[metrics.nearest(fakes, training, 2)[0]]
        figures.save_png(figures.grid(np.concatenate([fakes, near[:, 0], near[:, 1]]), 12), picture)
        print(f"{'Nearest neighbours:':22}{picture} (generated above, the two nearest training images below)")


def fetch_command(options: Namespace) -> int | None:
    from dcgan_tf import datasets

    count, where = datasets.fetch(options.name), datasets.where(options.name)
    print(f"{options.name}: {count:,} images, in {where if where.exists() else 'an installed package'}")


def gif_command(options: Namespace) -> int | None:
    from dcgan_tf import gif

    if options.out:
        _check_out(options.out, ".gif")
    print(f"GIF: {gif.from_run(options.run, options.out, options.frames, options.corner, ms=options.ms)}")


def export_command(options: Namespace) -> int | None:
    _check_source(options.source)
    if options.out.suffix not in (".keras", ".onnx", ""):
        raise UserError(f"{options.out} must end in .keras or .onnx, or be a folder without a suffix")
    _check_folder(options.out.parent)
    from dcgan_tf import export

    print(f"{options.source}: {export(options.source, options.out)}")


def check_command(options: Namespace) -> int | None:
    from dcgan_tf import check

    return check.report()


def datasets_command(options: Namespace) -> int | None:
    from dcgan_tf import datasets

    for name in datasets.names():
        try:
            train, test = datasets.load(name), datasets.load(name, "test")
            size = "x".join(map(str, train.shape[1:]))
            print(f"{name:10} {len(train):6,} to train on, {len(test):6,} held out, {size}", flush=True)
        except UserError as error:
            print(f"{name:10} not here: {error}")
