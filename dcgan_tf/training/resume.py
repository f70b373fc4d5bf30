"""Where a run goes on: its configuration, its newest sound checkpoint, and what to do with what came after it."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from dcgan_tf import data
from dcgan_tf.data import fingerprint
from dcgan_tf.errors import UserError
from dcgan_tf.gan import GAN
from dcgan_tf.runtime import devices, files
from dcgan_tf.training import checkpoint
from dcgan_tf.training.history import History


def resume(gan: GAN, run: Path, restore_from: str | Path | None, tidy: bool) -> History:
    """Restore the chosen or the newest checkpoint into the GAN; returns the history up to it.

    With `tidy`, checkpoints and samples of later steps are removed from the run folder.
    """
    if restore_from is not None:
        checkpoint.check(restore_from)
    chosen = Path(restore_from) if restore_from is not None else checkpoint.newest(run)
    if chosen is None:
        if (run / "config.json").exists():
            print(f"{run} holds no checkpoint yet: beginning at step 0")
        return History()
    checkpoint.restore(gan, chosen)
    step = int(gan.step.numpy())
    print(f"Resuming {run} at step {step:,} ({chosen.name})")
    history = History.load(run / "history.csv").until(step)
    if not tidy:
        return history
    if restore_from is not None:
        _set_aside(run, step)
    for path in _later(run, step):  # damaged checkpoints, and samples that will be drawn again
        files.remove(path)
    return history


def _later(run, step):
    """The checkpoints and samples in a run folder that were taken after a step."""
    paths = [*checkpoint.folders(run), *checkpoint.folders(run, "best"), *(run / "samples").glob("step_*.png")]
    return [path for path in paths if checkpoint.step_of(path) > step]


def _set_aside(run, step):
    """Move what a run has done after a step into a new run folder, which can be sampled from and resumed."""
    if not (later := _later(run, step)):
        return
    aside = free_name(run)
    for path in later:
        (aside / path.parent.name).mkdir(parents=True, exist_ok=True)
        path.rename(aside / path.relative_to(run))
    for name in ("config.json", "history.csv"):
        if (run / name).exists():
            shutil.copy(run / name, aside / name)
    chosen_by = Path("best") / "README.txt"
    if (aside / "best").exists() and (run / chosen_by).exists():
        (run / chosen_by).rename(aside / chosen_by)
    print(f"The part of {run} after step {step:,} is now in {aside}")


def config(gan: GAN, images: np.ndarray, labels: np.ndarray | None = None) -> dict:
    """What config.json holds: the recipe, the images and the machine."""
    recipe, sha256 = gan.preset.recipe(), fingerprint(images)
    if recipe["dataset"] and sha256 != _fingerprint_of_set(recipe["dataset"]):
        recipe["dataset"] = ""  # other images, or a part of the set
    return {
        "recipe": json.loads(json.dumps(recipe)),  # as it will be read again
        "seed": gan.seed,
        "images": list(images.shape),
        "images_sha256": sha256,
        **({} if labels is None else {"labels_sha256": fingerprint(labels.astype(np.int32))}),
        "precision": gan.policy,
        "machine": devices.describe(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }


def _fingerprint_of_set(name):
    """The sha256 of a set's training images, or None for a set that is not here."""
    try:
        return fingerprint(data.load(name))
    except UserError:
        return None


def check_config(config: dict, run: Path) -> None:
    """Refuse to go on with a run under another recipe or seed, or on other images."""
    if not (before := files.config(run)):
        return
    instead = "choose another run folder (--run), or begin anew (--fresh)"
    now = {**config["recipe"], "seed": config["seed"], "images": config["images"]}
    for key, value in {**before["recipe"], "seed": before["seed"], "images": before["images"]}.items():
        if key not in now and not value:  # a field that there is no more, and of which the run made no use
            continue
        if now.get(key) != value and key != "dataset":  # a name: which images they are, their sha256 tells
            was, wanted = (_shown(key, some) for some in (value, now.get(key)))
            raise UserError(f"{run} was trained with {key} {was}, not {wanted}: {instead}")
    if before.get("images_sha256") not in (None, config["images_sha256"]):
        raise UserError(f"{run} was trained on other images, though as many of the same size: {instead}")
    if before.get("labels_sha256") != config.get("labels_sha256"):
        raise UserError(f"{run} was trained with other labels: {instead}")


def _shown(key, value):
    """A value of config.json as it is written elsewhere: sizes as HEIGHTxWIDTH."""
    return "x".join(map(str, value)) if key in ("image_size", "images") and value else repr(value)


def free_name(run: Path) -> Path:
    """RUN-old1, or the first such name that is not taken."""
    number = 1
    while (name := run.with_name(f"{run.name}-old{number}")).exists():
        number += 1
    return name
