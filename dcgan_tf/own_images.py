"""Images of your own on the command line: read them, say what was done to them, and choose a recipe."""

import itertools
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from dcgan_tf import presets, sizes
from dcgan_tf.errors import UserError
from dcgan_tf.presets import Preset

FEW = 100  # images below which a GAN can hardly learn more than to vary them
NAMED = 10  # files that are named for each reason to skip them
ALIKE = 4.0  # grey levels: the mean deviation from image to image below which all are nearly the same
OPTIONS = ("size", "grey", "alpha", "fit", "width", "batch_size", "flip", "augment", "pixel_art")


def check(options: Namespace) -> None:
    """Refuse options that do not fit together, before TensorFlow is started; `options` are those of `train`."""
    custom = options.preset == "custom"
    if custom and not options.images:
        raise UserError("train custom needs images: give a folder, or a .zip or .tar of one (--images)")
    switches = ("grey", "alpha", "pixel_art")  # False where they are not given; --no-flip is False as well
    given = [name for name in OPTIONS if getattr(options, name) not in ((None, False) if name in switches else (None,))]
    if given and not options.images:
        name = "--flip and --no-flip are" if given[0] == "flip" else f"--{given[0].replace('_', '-')} is"
        raise UserError(f"{name} for images of your own (--images): each chapter's set has its own recipe")
    if options.images and not custom and presets.get(options.preset).classes:
        raise UserError(f"{options.preset} needs labels, which a folder does not give: train custom --images FOLDER")
    if options.width and options.preset == "mnist" and not options.size:
        raise UserError("the networks of mnist have one width: leave --width out, or give a --size")
    if options.like and not custom:
        raise UserError(f"--like is for `train custom`: `train {options.preset}` takes its own recipe")
    if options.size:
        sizes.stem(options.size)


def read(options: Namespace) -> tuple[Preset, "np.ndarray"]:  # noqa: F821
    """The recipe and the images for the options of `train`; prints what was done to the images, and why the recipe."""
    base = presets.get(options.like) if options.like else None
    base = base if options.preset == "custom" else presets.get(options.preset)
    shape = base.image_shape if base and options.preset != "custom" else (64, 64, 3)
    size = options.size or shape[:2]
    channels = 1 if options.grey else 4 if options.alpha else shape[2]
    fit, enlarge = options.fit or "crop", "nearest" if options.pixel_art else "smooth"
    images = load(options.images, size, channels, fit, enlarge)
    if base is None:
        name, why = presets.like(len(images))
        print(f"Recipe of {name!r}, for {why} (choose another with --like)")
        base = presets.get(name)
    changes = {"width": options.width, "batch_size": options.batch_size, "flip": options.flip}
    changes = {name: value for name, value in changes.items() if value is not None}
    if options.augment:
        changes["augment"] = "" if options.augment == "none" else options.augment
    changes |= {"dataset": "", "extractor": "imagenet", "fit": fit, "enlarge": enlarge, "classes": 0, "label_field": ""}
    if options.preset == "custom":
        changes["name"] = "custom"
    if options.preset == "custom" or (*size, channels) != shape:
        return base.for_images(tuple(size), channels, **changes), images
    return replace(base, **changes), images


def load(folder: Path, size: tuple, channels: int, fit: str, enlarge: str) -> "np.ndarray":  # noqa: F821
    """The images below a folder or in an archive, uint8 [N, *size, channels]; prints what was done to them.

    Raises:
        UserError: alpha is asked for, and no image has any; and what `from_folder` raises.
    """
    from dcgan_tf import datasets
    from dcgan_tf.data.folder import shown

    found = datasets.from_folder(folder, size, channels, fit=fit, enlarge=enlarge)
    for reason, files in itertools.groupby(sorted(found.skipped, key=lambda file: file[1]), key=lambda file: file[1]):
        names = [shown(path) for path, _ in files]
        for name in names[:NAMED]:
            print(f"skipped {name}: {reason}")
        if len(names) > NAMED:
            print(f"skipped {len(names) - NAMED:,} more: {reason}")
    for path, same in found.duplicates:
        print(f"{shown(path)} is the same image as {shown(same)}; both are kept")
    count, pixels = len(found.images), f"{size[0]}x{size[1]}"
    if channels == 4 and not found.transparent:
        raise UserError(f"none of the {count:,} images in {shown(folder)} has transparent pixels: leave --alpha out")
    if found.cropped:
        print(
            f"{found.cropped:,} of {count:,} images were cropped to {pixels}, losing {found.cut:.0%} of each on average"
        )
    if found.padded:
        print(f"{found.padded:,} of {count:,} images got a border, to fill {pixels}")
    if found.enlarged:
        how = "by repeating pixels" if enlarge == "nearest" else "smoothly; pixel art: --pixel-art"
        print(f"{found.enlarged:,} of {count:,} images are smaller than {pixels} and were enlarged, {how}")
    if found.transparent and channels != 4:
        print(f"{found.transparent:,} of {count:,} images have transparent pixels, which were set on white")
    if count < FEW:
        print(f"Only {count} images: expect near-copies of them. None are held out, so results are not judged")
    if found.images[:: max(1, count // 256)].std(0, dtype="float32").mean() < ALIKE:
        print("These images are nearly all alike: expect the generator to draw that one image again and again")
    return found.images
