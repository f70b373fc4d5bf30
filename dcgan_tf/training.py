"""The training loop: steps, samples, history, checkpoints; it resumes whatever the run folder holds."""

import json
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.scalar.summary_v2 import scalar_pb

from dcgan_tf import (
    checkpoint,
    datasets,
    devices,
    distribution,
    extractors,
    figures,
    gif,
    guard,
    metrics,
    presets,
    progressive,
)
from dcgan_tf.errors import Failure, UserError
from dcgan_tf.history import JUDGED, History
from dcgan_tf.progress import bar as progress_bar

SAMPLES = 64  # images a sample grid
WATCHED = 1_024  # samples that a metric is followed on
AHEAD = 8  # batches fetched in one call: one by one each would take a sixtieth of MNIST's step
RATES_EVERY = 10  # steps between two changes of the learning rates that fall
WARM_UP = 200  # steps over which the learning rates rise when the networks have changed


def train(
    gan,
    images,
    steps=None,
    epochs=None,
    run="runs/custom",
    profile=None,
    sample_every=None,
    checkpoint_every=None,
    log_every=None,
    restore_from=None,
    fresh=False,
    progress=True,
    held_out=None,
    evaluate_every=None,
    checkpoint_minutes=None,
):
    """Train a GAN, or go on with the run that the folder holds.

    Args:
        gan: a GAN; its preset gives the batch size, the learning rates and their decay.
        images: uint8 [N, H, W, C], of the size that the generator makes.
        steps, epochs: when to stop, counted from the beginning of the run; by default the profile's steps.
        run: the run folder: config.json, history.csv, samples/, losses.png, training.gif, checkpoints/, tensorboard/.
        profile: "smoke", "cpu" or "gpu", for what is not given; by default what suits the machine.
        sample_every, checkpoint_every, log_every: in steps.
        restore_from: a checkpoint folder to go on from, instead of the newest of the run.
        fresh: begin anew; a run that the folder holds is moved aside, not deleted.
        progress: show a progress bar.
        held_out: uint8 images like `images` that are not trained on. With them FID, KID and the inception score are
            followed, in the features of the preset's extractor, and the checkpoint of the lowest KID is kept in best/.
        evaluate_every: how often, in steps.
        checkpoint_minutes: take a checkpoint when so many minutes have passed since the last one, as well.

    Returns:
        History. After an interruption (Ctrl-C, SIGTERM) a checkpoint is saved and the history so far is returned.

    Raises:
        UserError: arguments that do not fit each other or the run; another process that trains in the run folder;
            checkpoints of which none is sound.
        Failure: losses that are no numbers any more, a disk that is full. The last checkpoint is whole.
    """
    run, preset = Path(run), gan.preset
    size = preset.sizes[-1] if preset.sizes else gan.generator.output_shape[1]
    makes = (size, size, gan.generator.output_shape[-1]) if preset.sizes else gan.generator.output_shape[1:]
    if images.shape[1:] != makes:
        raise UserError(f"the images are {images.shape[1:]}, the generator makes {makes}")
    schedule = preset.schedules.get(presets.profile(profile)) or presets.Schedule(2_000, 100, 500)
    if steps is not None and epochs is not None:
        raise UserError("give steps or epochs, not both")
    if epochs is not None:
        steps = round(epochs * len(images) / preset.batch_size)
    steps = schedule.steps if steps is None else steps
    intervals = {
        "sample": sample_every or schedule.sample_every,
        "checkpoint": checkpoint_every or schedule.checkpoint_every,
        "log": log_every or schedule.log_every,
        "evaluate": evaluate_every or schedule.evaluate_every or steps,
        "minutes": checkpoint_minutes or float("inf"),
    }
    if steps < 1 or min(intervals.values()) <= 0:
        raise UserError("steps, epochs and the intervals must be at least 1")

    _, here, replicas = distribution.share(gan.strategy)
    if fresh and here < replicas:  # one worker would move away what another is reading
        raise UserError(f"several workers cannot begin anew: move {run} away before they are started")
    chief = distribution.is_chief(gan.strategy)
    if fresh and run.exists() and chief:
        with guard.lock(run):
            print(f"The run that {run} held is now {_move_aside(run)}")
    run.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if chief:
            stack.enter_context(guard.lock(run))
            out = run
        else:  # of several workers one writes the run; what the others write is thrown away
            held_out, progress = None, False
            out = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stop = stack.enter_context(guard.Stop())
        try:
            return _train(gan, images, run, out, steps, held_out, stop, progress, restore_from, intervals)
        except OSError as error:
            raise Failure(
                f"{error.filename or run} cannot be written ({error.strerror or error}); the last checkpoint is whole: "
                "make room, and the same call goes on from there"
            ) from None


def _train(gan, images, source, run, steps, held_out, stop, progress, restore_from, every):
    """The loop itself, from what `source` holds, into `run`; `every` holds the intervals in steps, and "minutes"."""
    preset = gan.preset
    size = preset.sizes[-1] if preset.sizes else gan.generator.output_shape[1]
    stages = _stages(gan, source, steps)
    history = _resume(gan, images, source, restore_from, stages, tidy=source == run)
    _write_config(gan, run, images, stages)
    first = int(gan.step.numpy())
    if first >= steps:
        print(f"{run} has been trained for {first:,} steps: nothing left to do (more: --steps; anew: --fresh)")
        return history

    writer = tf.summary.create_file_writer(str(run / "tensorboard"))
    samples = run / "samples"
    judge = None if held_out is None else _judge(gan, held_out)
    batches = _batches(gan, images, first)
    bar = progress_bar(total=steps, initial=first, unit="step", disable=not progress, dynamic_ncols=True)
    untold = {"step", "epoch", "d_loss"}  # in TensorBoard: what is known or would be the same throughout
    untold |= set() if stages else {"size", "frozen"}
    untold |= set() if gan.controller else {"generator_steps", "discriminator_steps"}

    watch = guard.Watch(images)
    losses = []  # of the steps since the last look at them, still on their device

    def look():
        """Stop before anything is kept of a step from which on the losses are no numbers."""
        for number, values in enumerate(losses, int(gan.step.numpy()) - len(losses) + 1):
            if not np.isfinite(values).all():
                raise _went_wrong(gan, run, number)
        losses.clear()

    def sample(step):
        pictures = figures.to_uint8(progressive.enlarge(gan.generate(SAMPLES, gan.seed), size))
        picture = figures.grid(pictures)
        figures.save_png(picture, samples / f"step_{step:07}.png")
        with writer.as_default(step):
            tf.summary.image("samples", picture.reshape(1, *picture.shape[:2], -1))
        tell(watch.samples(step, pictures))

    def tell(warning):
        if warning:
            bar.write(warning, file=sys.stdout)

    def record(step, results, speed):
        row = {
            "step": step,
            "epoch": step * preset.batch_size / len(images),
            "generator_learning_rate": float(gan.generator_optimizer.learning_rate.numpy()),
            "discriminator_learning_rate": float(gan.discriminator_optimizer.learning_rate.numpy()),
            "images_per_second": speed,
            "size": gan.generator.output_shape[1],
            "frozen": int(gan.stage is not None and gan.stage.frozen),
            "generator_steps": gan.controller.generator_steps if gan.controller else 1,
            "discriminator_steps": gan.controller.discriminator_steps if gan.controller else preset.critic_steps,
            **{name: float(value) for name, value in results.items()},
        }
        history.append(**row)
        summaries = [scalar_pb(name, row[name]).SerializeToString() for name in row.keys() - untold]
        with writer.as_default(step):  # as one (joined, they are one message): a tenth of the time of one by one
            tf.summary.experimental.write_raw_pb(b"".join(summaries))
        bar.set_postfix(G=f"{row['g_loss']:.2f}", D=f"{row['d_loss']:.2f}", refresh=False)
        tell(watch.losses(step, row["d_loss"]))

    def save():
        nonlocal saved
        history.save(run / "history.csv")
        checkpoint.save(gan, run)
        saved = time.perf_counter()

    def is_time(what):
        return step % every[what] == 0 or step == steps

    step, set_to = first, None
    logged, then = first, time.perf_counter()
    saved = then
    try:
        if first == 0:
            sample(0)
        for step in range(first + 1, steps + 1):
            if stop.wanted:
                raise KeyboardInterrupt
            if stages and gan.stage != (stage := progressive.stage_of(stages, step)):
                gan.enter(stage)
                watch.anew()
                batches, set_to = _batches(gan, images, step - 1), None
            factor = decay(step - 1, steps, preset.decay_from) * warm_up(step, gan.stage)
            if factor != set_to or gan.controller:
                gan.set_learning_rates(factor)
                set_to = factor
            results = gan.train_step(next(batches), *gan.turns())
            if gan.controller:
                gan.controller.update(*(float(results[name]) for name in ("g_loss", "d_loss_real", "d_loss_fake")))
            losses.append((results["g_loss"], results["d_loss"]))
            bar.update()
            due = {what for what in ("log", "sample", "checkpoint", "evaluate") if is_time(what)}
            if time.perf_counter() - saved > 60 * every["minutes"]:
                due.add("checkpoint")
            if due:
                look()
            if judged := judge is not None and "evaluate" in due:
                results |= judge()
            if judged or "log" in due:
                now = time.perf_counter()
                record(step, results, (step - logged) * preset.batch_size / (now - then))
                logged, then = step, now
            if "sample" in due:
                sample(step)
            if "checkpoint" in due:
                save()
            if judged and (history.best()["step"] == step or not checkpoint.folders(run, "best")):
                save()  # a run that is cut off here must not go back to before its best
                checkpoint.save(gan, run, "best", keep=1)
    except KeyboardInterrupt:
        look()
        history.interrupted = True
        save()
        bar.close()
        print(f"Interrupted at step {int(gan.step.numpy()):,}: saved in {run}; the same call goes on from there")
    bar.close()
    writer.close()
    if len(history):
        figures.plot_history(history, f"{preset.name}: {int(gan.step.numpy()):,} steps").savefig(
            run / "losses.png", dpi=110
        )
    if list(samples.glob("step_*.png")):
        gif.from_run(run)
    return history


def _went_wrong(gan, run, step):
    """Take the GAN back to its last sound checkpoint, if it has not grown since; returns the Failure that says so."""
    found = checkpoint.newest(run)
    if found and checkpoint.plan(found)["stage"] == (asdict(gan.stage) if gan.stage else None):
        checkpoint.restore(gan, found)
    where = f"the run stands at {found}" if found else "no checkpoint had been taken yet"
    return Failure(
        f"step {step:,}: a loss is no longer a finite number, so training stops; {where}. Lower learning rates help, "
        "float32 in place of float16, or a gradient penalty in place of clipped or unbounded scores"
    )


def _judge(gan, held_out):
    """A function that takes FID and KID of the moving average against held-out images."""
    judge = extractors.extractor(gan.preset.extractor)
    expected = metrics.reference(held_out, judge)

    def scores():
        fake = progressive.enlarge(gan.generate(WATCHED, gan.seed), held_out.shape[1])
        found = metrics.compare(fake, held_out, judge, ("fid", "kid", "is"), real_features=expected)
        return {name: found[name] for name in JUDGED if name in found}

    return scores


def _batches(gan, images, start):
    """The batches from a step on, at the size that the generator makes now."""
    size, share = gan.generator.output_shape[1], distribution.share(gan.strategy)

    def part(_):
        return datasets.batches(images, gan.preset.batch_size, gan.seed, start, size, share)

    dataset = iter(gan.strategy.distribute_datasets_from_function(part))
    fetch = tf.function(lambda: [next(dataset) for _ in range(AHEAD)])
    while True:
        yield from fetch()


def _stages(gan, run, steps):
    """The stages of a progressive run: those that it began with, so that a longer run does not move its bounds."""
    path = run / "config.json"
    if path.exists() and (before := json.loads(path.read_text()).get("stages")):
        return tuple(progressive.Stage(**stage) for stage in before)
    preset = gan.preset
    return progressive.stages(preset.sizes, preset.shares, preset.frozen, steps) if preset.sizes else ()


def decay(step, steps, decay_from):
    """The factor on the learning rates: 1 until the share `decay_from` of the run, then in a line towards 0.

    It falls every RATES_EVERY steps: to set the rates takes a fortieth of MNIST's step.
    """
    step = step // RATES_EVERY * RATES_EVERY
    return min(1.0, (1 - step / steps) / (1 - decay_from)) if decay_from < 1 else 1.0


def warm_up(step, stage):
    """The factor on the learning rates after a change of stage: from 0 to 1 in WARM_UP steps.

    Adam begins anew with each stage, and its first steps are as long as the rate, however small the gradients.
    """
    return min(1.0, (step - stage.first) / WARM_UP) if stage and stage.first else 1.0


def _resume(gan, images, run, restore_from, stages, tidy):
    """Restore the chosen or the newest checkpoint into the GAN; returns the history up to it.

    With `tidy` the run folder loses what comes after it, and gains the best checkpoint if it was about to be kept.
    """
    _check_config(gan, images, run)
    if restore_from is not None:
        checkpoint.check(restore_from)
    chosen = Path(restore_from) if restore_from is not None else checkpoint.newest(run)
    if chosen is None:
        if (run / "config.json").exists():
            print(f"{run} holds no checkpoint yet: beginning at step 0")
        return History()
    if reached := checkpoint.plan(chosen)["stage"]:
        for stage in stages[: stages.index(progressive.Stage(**reached)) + 1]:  # as the run went through them
            gan.enter(stage)
    checkpoint.restore(gan, chosen)
    step = int(gan.step.numpy())
    print(f"Resuming {run} at step {step:,} ({chosen.name})")
    history = History.load(run / "history.csv").until(step)
    if not tidy:
        return history
    for later in checkpoint.folders(run) + checkpoint.folders(run, "best"):  # this run has not been there
        if checkpoint.step_of(later) > step:
            shutil.rmtree(later)
    for picture in (run / "samples").glob("step_*.png"):
        if int(picture.stem.removeprefix("step_")) > step:
            picture.unlink()
    if (best := history.best()) and best["step"] == step:  # the run was cut off before it could keep it
        checkpoint.save(gan, run, "best", keep=1)
    return history


def _config(gan, images, stages=()):
    return {
        "recipe": gan.preset.recipe(),
        "stages": [asdict(stage) for stage in stages],
        "seed": gan.seed,
        "images": list(images.shape),
        "precision": gan.generator.layers[0].dtype_policy.name,
        "machine": devices.describe(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }


def _check_config(gan, images, run):
    """Refuse to go on with a run under another recipe or seed, or on other images."""
    path = run / "config.json"
    if not path.exists():
        return
    before = json.loads(path.read_text())
    now = {**json.loads(json.dumps(gan.preset.recipe())), "seed": gan.seed, "images": list(images.shape)}
    for key, value in {**before["recipe"], "seed": before["seed"], "images": before["images"]}.items():
        if now.get(key) != value:
            raise UserError(
                f"{run} was trained with {key} {value!r}, not {now.get(key)!r}: choose another run folder (--run), "
                "or begin anew (--fresh)"
            )


def _write_config(gan, run, images, stages):
    run.mkdir(parents=True, exist_ok=True)
    beside = run / "config.partial"
    beside.write_text(json.dumps(_config(gan, images, stages), indent=2) + "\n")
    beside.replace(run / "config.json")


def _move_aside(run):
    number = 1
    while (target := run.with_name(f"{run.name}-old{number}")).exists():
        number += 1
    return run.rename(target)
