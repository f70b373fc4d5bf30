"""Checkpoints: all that a resumed run needs, each in a folder that appears whole or not at all.

checkpoints/step_0000500/ holds both networks, both optimizers, the moving average, the step and the state of the
dropout layers; so does best/step_0000400/, where a metric is followed, with a README.txt on how it was chosen. The
latents of each step, the order of the images and the fixed latents of the samples are functions of the seed and the
step, so they need no saving. networks.json describes the networks, so that they can be built again without the code
that made them. TensorFlow keeps a checksum of each weight: a damaged checkpoint is noticed, named and passed over.
"""

import filecmp
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from dcgan_tf.errors import Failure, UserError
from dcgan_tf.runtime import files
from dcgan_tf.training import run_folder

if TYPE_CHECKING:
    from dcgan_tf.gan import GAN

KEEP = 3  # the newest checkpoints of a run
STATE, NETWORKS, README = "state", "networks.json", "README.txt"


def _state(gan):
    # TensorFlow does not track the random state of Keras layers: without these, dropout would start anew.
    variables = [*gan.generator.non_trainable_variables, *gan.discriminator.non_trainable_variables]
    streams = [variable.value for variable in variables if variable.path.endswith("seed_generator_state")]
    return tf.train.Checkpoint(
        generator=gan.generator,
        discriminator=gan.discriminator,
        average=gan.average,
        generator_optimizer=gan.generator_optimizer,
        discriminator_optimizer=gan.discriminator_optimizer,
        step=gan.step,
        streams=streams,
    )


def save(gan: "GAN", run: str | Path) -> Path:
    """Write a checkpoint of this step, then drop all but the newest few. Returns its folder."""
    target = write(gan, run_folder.at_step(run, run_folder.CHECKPOINTS, int(gan.step.numpy())))
    for old in run_folder.taken(run)[:-KEEP]:
        run_folder.remove(old)
    return target


def save_best(gan: "GAN", run: str | Path, kid: float, readme: str) -> Path:
    """Write this step's checkpoint to best/, with its KID and a README.txt, then drop the others that are there."""
    target = write(gan, run_folder.at_step(run, run_folder.BEST, int(gan.step.numpy())), readme, kid=kid)
    files.remove(target.parent / README)  # an older version's
    for old in run_folder.taken(run, run_folder.BEST):
        if old != target:
            run_folder.remove(old)
    return target


def write(gan: "GAN", target: Path, readme: str = "", **facts: float) -> Path:
    """Write a checkpoint of this step; returns its folder. `facts` are kept in networks.json.

    Raises:
        Failure: it cannot be written.
    """
    try:
        with files.atomic(target, keep=True) as partial:
            partial.mkdir()
            _state(gan).write(str(partial / STATE))
            networks = {**gan.architectures, "classes": gan.classes, "parameters": _parameters(gan), **facts}
            (partial / NETWORKS).write_text(json.dumps(networks), encoding="utf-8")
            if readme:
                (partial / README).write_text(readme, encoding="utf-8")
            for path in partial.iterdir():
                _to_disk(path)
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0][:120]
        raise Failure(
            f"{target} cannot be written ({reason}). Free some space, or mend the cause, and run the same "
            "command again: it goes on from the checkpoint before, if there is one"
        ) from None
    return target


def _to_disk(path):
    """Wait until a file has left the machine's memory, or a power cut could leave its name without its content."""
    with path.open("r+b") as file:  # Windows refuses a file that was opened for reading alone
        os.fsync(file.fileno())


def networks(folder: Path) -> dict:
    """What networks.json says: "generator" and "discriminator" as Keras's JSON, "classes", and "kid" in best/.

    Checkpoints until 0.9 hold plan.json and a file for each network; the run's config.json knows the classes.
    """
    if not (folder / "plan.json").exists():
        return json.loads((folder / NETWORKS).read_text(encoding="utf-8"))
    roles = [role for role in ("generator", "discriminator") if (folder / f"{role}.json").exists()]
    run = run_folder.config(folder.parents[1]) or {"recipe": {}}
    classes = {"classes": run["recipe"].get("classes", 0)}
    return {role: (folder / f"{role}.json").read_text(encoding="utf-8") for role in roles} | classes


def fault(folder: str | Path) -> str | None:
    """What is wrong with a checkpoint, in a few words; None if every weight is as it was written."""
    folder = Path(folder)
    try:
        reader = tf.train.load_checkpoint(str(folder / STATE))
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
        networks(folder)
    except Exception as error:  # TensorFlow raises IndexError, RuntimeError and others for damaged files
        return (str(error).strip() or type(error).__name__).splitlines()[0][:120]
    return None


def newest(folder: str | Path) -> Path | None:
    """The newest sound checkpoint in a folder of some; None where there is none. Names each damaged one.

    Raises:
        UserError: there are checkpoints, and none is sound.
    """
    folder = Path(folder)
    candidates = run_folder.taken(folder.parent, folder.name)
    for checkpoint in reversed(candidates):
        if not (reason := fault(checkpoint)):
            return checkpoint
        print(f"{checkpoint} is damaged ({reason}): passing over it")
    if candidates:
        raise UserError(f"every checkpoint in {folder} is damaged: give another one, or train anew with --fresh")
    return None


def is_checkpoint(folder: Path) -> bool:
    """Does a folder hold a checkpoint?"""
    return any((folder / name).exists() for name in (f"{STATE}.index", NETWORKS))


def check(folder: str | Path) -> Path:
    """Refuse a folder that is no checkpoint, or a damaged one; returns it.

    Raises:
        UserError: what is wrong with it.
    """
    folder = Path(folder)
    if not is_checkpoint(folder):
        raise UserError(f"no checkpoint in {folder}: give a folder such as runs/mnist/checkpoints/step_0000500")
    if reason := fault(folder):
        raise UserError(f"the checkpoint {folder} is damaged ({reason}): give another one")
    return folder


def find(source: str | Path) -> Path | None:
    """The checkpoint that a path stands for: itself, or the newest of a run folder or its best/; None if there is none.

    Raises:
        UserError: a run without a checkpoint, or without a sound one; a damaged checkpoint.
    """
    path = Path(source)
    if is_checkpoint(path):
        return check(path)
    if not run_folder.config(path):
        return newest(path) if path.is_dir() else None
    if checkpoint := newest(path / run_folder.CHECKPOINTS):
        return checkpoint
    raise UserError(f"{path} holds no checkpoint yet: train it first")


def restore(gan: "GAN", folder: str | Path) -> None:
    """Restore every variable of a GAN from a checkpoint.

    Raises:
        UserError: the folder holds no checkpoint, a damaged one, or one of other networks.
    """
    folder = Path(folder)
    try:
        theirs, ours = networks(folder).get("parameters", {}), _parameters(gan)
        if different := [role for role in theirs if theirs[role] != ours[role]]:
            counts = f"its {different[0]} has {theirs[different[0]]:,} parameters, not {ours[different[0]]:,}"
            raise UserError(f"{folder} cannot be restored into this GAN: {counts}")
        _state(gan).read(str(folder / STATE)).assert_consumed()
    except UserError:
        raise
    except (AssertionError, ValueError, RuntimeError, OSError, tf.errors.OpError) as error:
        reason = str(error).strip().splitlines()[0][:120]
        raise UserError(f"{folder} cannot be restored into this GAN: {reason}") from None


def _parameters(gan):
    return {"generator": gan.generator.count_params(), "discriminator": gan.discriminator.count_params()}


def load_network(folder: str | Path, role: str) -> keras.Model:
    """The moving-average "generator", or the "discriminator", of a checkpoint as a Keras model in float32.

    Raises:
        UserError: a network with layers that Keras does not know, or that has no description.
    """
    folder = Path(folder)
    facts = networks(folder)
    if not facts.get(role):
        raise UserError(f"{folder} does not say what its {role} is made of: build it yourself and load its weights")
    try:
        network = keras.models.model_from_json(facts[role])
    except (TypeError, ValueError) as error:
        raise UserError(
            f"the {role} in {folder} cannot be built ({str(error).strip().splitlines()[0][:120]}): register your own "
            "layers with @keras.saving.register_keras_serializable(), and import their module before this call"
        ) from None
    try:
        status = tf.train.Checkpoint(**{"average" if role == "generator" else role: network}).read(str(folder / STATE))
        status.assert_existing_objects_matched().expect_partial()
    except (AssertionError, ValueError, RuntimeError, tf.errors.OpError):  # one is missing, or of another shape
        raise UserError(f"the weights in {folder} are not those of the {role} that it describes") from None
    network.classes = facts["classes"]
    return network


def go_back(gan: "GAN", run: Path, chosen: Path) -> None:
    """Make a checkpoint that has been restored the newest of a run.

    What the run has done since then becomes a run of its own, RUN-old1, which can be sampled from and resumed. The step
    is noted in config.json until all is moved, so that a run that is killed meanwhile is taken back all the same.
    """
    step = int(gan.step.numpy())
    here = run_folder.at_step(run, run_folder.CHECKPOINTS, step)
    later, aside = run_folder.later(run, step), files.free_name(run)
    if from_elsewhere(chosen, run):  # where the best of this run no longer belongs
        later += [path for path in run_folder.taken(run, run_folder.BEST) if path not in later]
    replaced = [here] if here.exists() and not _is_same(here, chosen) else []
    if later or replaced:
        aside.mkdir()
        for name in (run_folder.CONFIG, run_folder.HISTORY):
            if (run / name).exists():
                shutil.copy(run / name, aside / name)
    config = run_folder.config(run)
    run_folder.write_json(run / run_folder.CONFIG, config | {"going_back_to": step})
    for path in replaced:
        shutil.copytree(path, aside / path.relative_to(run))
    if replaced or not here.exists():
        write(gan, here)
    for path in later:
        (aside / path.parent.name).mkdir(exist_ok=True)
        shutil.move(path, aside / path.relative_to(run))
    run_folder.write_json(run / run_folder.CONFIG, config)
    if later or replaced:
        print(f"The part of {run} after step {step:,} is now in {aside}")


def from_elsewhere(chosen: Path, run: Path) -> bool:
    """Is a checkpoint one of another run?"""
    other = chosen.resolve().parents[1]
    return other != run.resolve() and run_folder.is_run(other)


def _is_same(one, other):
    """Do two checkpoints hold the same weights?"""
    return one.samefile(other) or all(
        (other / file.name).exists() and filecmp.cmp(file, other / file.name, shallow=False)
        for file in one.glob(f"{STATE}.data*")
    )
