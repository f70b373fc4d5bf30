"""The run folder: what lies where in it, which folders are runs, and how one is begun or moved aside."""

import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from dcgan_tf.errors import UserError
from dcgan_tf.runtime import files, marks
from dcgan_tf.training import guard

CONFIG = "config.json"  # the recipe, the images, the machine; a folder that has one is a run
HISTORY = "history.csv"
SAMPLES = "samples"  # step_0000100.png …
CHECKPOINTS = "checkpoints"  # step_0000500/ …: training/checkpoint.py
BEST = "best"  # step_0000400/, the one of the lowest KID
LOSSES = "losses.png"
ANIMATION = "training.gif"
TENSORBOARD = "tensorboard"
METRICS = "metrics.json"
NEIGHBOURS = "neighbours.png"
OLDER = r"state\..*|checkpoint|(plan|generator|discriminator)\.json"  # what checkpoints held until 0.9
NAMES = (CONFIG, HISTORY, SAMPLES, CHECKPOINTS, BEST, LOSSES, ANIMATION, TENSORBOARD, METRICS, NEIGHBOURS)


def parsed(text: str | bytes) -> dict | None:
    """What a config.json says, or None if `train` has not written it."""
    try:
        found = json.loads(text)
        return found if isinstance(found["recipe"], dict) and isinstance(found["images"], list) else None
    except (ValueError, TypeError, KeyError):
        return None


def config(run: Path) -> dict | None:
    """What config.json in a run folder holds, or None if there is none.

    Raises:
        UserError: it is not one that `train` has written.
    """
    path = run / CONFIG
    if not path.is_file():
        return None
    if found := parsed(path.read_text(encoding="utf-8", errors="replace")):
        return found
    raise UserError(f"{path} is damaged, or was not written by `train`: give another run folder")


def is_run(folder: Path) -> bool:
    """Is it a run folder?"""
    try:
        return config(folder) is not None
    except (UserError, OSError):
        return False


def write_json(path: Path, content: dict) -> None:
    """Write config.json or metrics.json, whole or not at all."""
    with files.atomic(path) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def at_step(run: str | Path, kind: str, step: int) -> Path:
    """The checkpoint (in CHECKPOINTS or BEST) or the sample of a step."""
    return Path(run) / kind / (f"step_{step:07}" + ".png" * (kind == SAMPLES))


def taken(run: str | Path, kind: str = CHECKPOINTS) -> list[Path]:
    """The checkpoints or samples of a run, sound or not, oldest first."""
    found = [path for path in (Path(run) / kind).glob("step_*") if re.fullmatch(r"step_\d+(\.png)?", path.name)]
    return sorted(found, key=step_of)


def step_of(path: Path) -> int:
    """The step of a checkpoint or a sample."""
    return int(path.stem.removeprefix("step_"))


def later(run: Path, step: int, kinds: Sequence[str] = (CHECKPOINTS, BEST, SAMPLES)) -> list[Path]:
    """What was taken in a run after a step, the newest first."""
    return [path for kind in kinds for path in reversed(taken(run, kind)) if step_of(path) > step]


def remove_later(run: Path, step: int) -> None:
    """Remove what a run has left after the newest sound checkpoint: damaged ones, and samples to be drawn again."""
    for path in later(run, step, (CHECKPOINTS, SAMPLES)):
        remove(path)


def remove(path: Path) -> None:
    """Remove a checkpoint or a sample of ours; one to which something has been added is left alone."""
    unmarked = path.is_dir() and not (path / files.MARK).exists()
    older = unmarked and all(re.fullmatch(OLDER, file.name) for file in path.iterdir())
    if older or path.is_symlink() or (files.is_ours(path) if path.is_dir() else marks.is_drawn_file(path)):
        files.remove(path)


def begin(run: Path, fresh: bool) -> None:
    """Make the run folder; with `fresh` move the run that it holds aside, into RUN-old1.

    Raises:
        UserError: it holds files of other origin under the names of a run's.
    """
    if fresh and is_run(run):
        with guard.lock(run):  # nobody trains in it
            aside = files.free_name(run)
            aside.mkdir()
            shutil.copy(run / CONFIG, aside)  # first, and removed here last: what a kill leaves is a run, twice
            for name in NAMES[1:]:
                if os.path.lexists(run / name):
                    shutil.move(run / name, aside / name)  # to another disk too
            files.remove(run / CONFIG)
        print(f"The old run in {run} has been moved to {aside}")
    if "[" in str(run.resolve()):
        raise UserError(f"{run.resolve()}: TensorFlow cannot read from a path with a '[' in it: choose another (--run)")
    if config(run) is None and (strangers := [name for name in NAMES if (run / name).exists()]):
        raise UserError(f"{run / strangers[0]} belongs to no run: move it away, or choose another run folder (--run)")
    run.mkdir(parents=True, exist_ok=True)


def tidy(run: Path) -> None:
    """Remove what a killed process has left unfinished in a run folder."""
    files.remove_partial(run, NAMES)
    for folder in (run / CHECKPOINTS, run / BEST, run / SAMPLES):
        files.remove_partial(folder)
