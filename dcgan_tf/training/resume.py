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
from dcgan_tf.runtime import devices, files, marks
from dcgan_tf.training import checkpoint, guard


def begin(run: Path, fresh: bool) -> None:
    """Make the run folder; with `fresh` move the run that it holds aside, into RUN-old1.

    Raises:
        UserError: it holds files of other origin under the names of a run's.
    """
    if fresh and marks.is_run(run):
        with guard.lock(run):  # nobody trains in it
            aside = free_name(run)
            aside.mkdir()
            shutil.copy(run / "config.json", aside)  # first, and moved last: what a kill leaves is a run, twice
            for name in (*marks.RUN[1:], marks.RUN[0]):
                if (run / name).exists():
                    (run / name).replace(aside / name)
        print(f"The old run in {run} has been moved to {aside}")
    if marks.config(run) is None and (strangers := [name for name in marks.RUN if (run / name).exists()]):
        raise UserError(f"{run / strangers[0]} belongs to no run: move it away, or choose another run folder (--run)")
    run.mkdir(parents=True, exist_ok=True)


def restore(gan: GAN, run: Path, restore_from: str | Path | None) -> Path | None:
    """Restore the chosen or the newest checkpoint into the GAN; returns its folder, or None where there is none."""
    chosen = Path(restore_from) if restore_from is not None else checkpoint.newest(run)
    if chosen is None:
        if marks.config(run):
            print(f"{run} holds no checkpoint yet: beginning at step 0")
        return None
    checkpoint.restore(gan, chosen)
    print(f"Resuming {run} at step {int(gan.step.numpy()):,} ({chosen.name})")
    return chosen


def remove_later(run: Path, step: int) -> None:
    """Remove what a run has left after the newest sound checkpoint: damaged ones, and samples to be drawn again."""
    for path in _later(run, step, ("checkpoints", "samples")):
        files.remove(path)


def go_back(gan: GAN, run: Path, chosen: Path) -> None:
    """Make a checkpoint that has been restored the newest of a run.

    What the run has done since then becomes a run of its own, RUN-old1, which can be sampled from and resumed. The
    restored checkpoint is in the run before anything leaves it, so a run that is killed goes on from there.
    """
    step = int(gan.step.numpy())
    here = run / "checkpoints" / f"step_{step:07}"
    from_elsewhere = chosen.resolve() != here.resolve()
    replaced = [here] if from_elsewhere and here.exists() else []
    later, aside = _later(run, step), free_name(run)
    for path in (*replaced, run / "config.json", run / "history.csv") if later or replaced else ():
        if path.exists():
            copy = aside / path.relative_to(run)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(path, copy) if path.is_dir() else shutil.copy(path, copy)
    if from_elsewhere:
        checkpoint.write(gan, here.parent)
    for path in later:
        moved = aside / path.relative_to(run)
        moved.parent.mkdir(parents=True, exist_ok=True)
        path.rename(moved)
    if later or replaced:
        print(f"The part of {run} after step {step:,} is now in {aside}")


def _later(run, step, kinds=("checkpoints", "best", "samples")):
    """What was taken in a run after a step, the newest first."""
    paths = [path for kind in kinds for path in checkpoint.folders(run, kind)]
    return [path for path in reversed(paths) if checkpoint.step_of(path) > step]


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
    if not (before := marks.config(run)):
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
    number, run = 1, run.resolve()
    while (name := run.with_name(f"{run.name}-old{number}")).exists():
        number += 1
    return name
