"""Kill a training process again and again, and compare what it ends with: python tests/kill.py faces --kills 20

A run is trained without interruption. A second one, of the same configuration, is killed with SIGKILL at random
moments, uniformly over the life that is left to it, and some times in the middle of writing a checkpoint; each time it
is started again. In the end weights, optimizers, moving average, history (times apart) and samples of both must be the
same to the bit. The precision is the one that suits the machine; it stands in the table.

The configurations are small versions of the chapters': mnist, faces (DiffAugment, flips), heroes (relativistic,
R1 and R2), critic (chapter 05's clipped one: RMSprop, two steps to one of the generator), conditional (networks that
are told what to draw).
With --leave-out one part of the state is neither saved nor restored: that has to be seen.
"""

import argparse
import csv
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parent.parent
STEPS, CHECKPOINT_EVERY = 60, 4
CONFIGURATIONS = ("mnist", "faces", "heroes", "critic", "conditional")
PARTS = ("generator", "discriminator", "average", "generator_optimizer", "discriminator_optimizer", "streams", "step")


def preset_of(configuration):
    """A chapter's preset, made small."""
    from dcgan_tf import presets

    chapters = {"critic": "heroes", "conditional": "mnist-conditional"}
    preset = presets.get(chapters.get(configuration, configuration))
    preset = replace(preset, batch_size=4, dropout=0.3)
    if preset.dataset != "mnist":
        preset = replace(preset, width=4)
    if configuration == "critic":
        preset = replace(preset, loss="wasserstein", optimizer="rmsprop", clip=0.01, critic_steps=2)
    return preset


def leave_out(part):
    """Have checkpoints lack one part of the state."""
    import tensorflow as tf

    whole = tf.train.Checkpoint
    tf.train.Checkpoint = lambda **parts: whole(**{name: value for name, value in parts.items() if name != part})


def run_it(configuration, run, without=None):
    """Train one configuration to its end, or go on with it: what the killed process does."""
    import numpy as np

    import dcgan_tf as dcgan

    if without:
        leave_out(without)
    preset = preset_of(configuration)
    images = np.random.default_rng(0).integers(0, 256, (50, *preset.image_shape), dtype=np.uint8)
    labels = np.arange(50) * 7 % preset.classes if preset.classes else None
    gan = dcgan.GAN.from_preset(preset, dcgan.devices.precision()[0])
    schedule = dcgan.presets.Schedule(STEPS, sample_every=10, checkpoint_every=CHECKPOINT_EVERY, log_every=1)
    dcgan.train(gan, images, labels, run=run, schedule=schedule)


def start(configuration, run, without=None):
    command = [sys.executable, __file__, configuration, "--child", str(run)]
    if without:
        command += ["--leave-out", without]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    """Wait for a process that is to end well; returns its seconds."""
    then = time.perf_counter()
    out, err = process.communicate()
    if process.returncode:
        sys.exit(f"a run failed with exit code {process.returncode}:\n{out}{err}")
    return time.perf_counter() - then


def kill_in(process, seconds):
    """Kill a process after so many seconds; returns False if it ended before."""
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        return True


def kill_in_a_checkpoint(process, run, skip):
    """Kill a process while it writes a checkpoint, after letting `skip` others pass; False if it ended before."""
    seen = set()
    while process.poll() is None:
        for folder in (run / "checkpoints").glob(".dcgan_tf-partial-*"):
            seen.add(folder.name)
            if len(seen) > skip:
                os.kill(process.pid, signal.SIGKILL)
                process.communicate()
                return folder.exists()
        time.sleep(0.0002)
    process.communicate()
    return False


def ends_with(run):
    """What a finished run holds: {name: sha256}, the times in history.csv left out."""
    import tensorflow as tf

    newest = sorted((run / "checkpoints").glob("step_*"))[-1]
    found = {"step": newest.name}
    reader = tf.train.load_checkpoint(str(newest / "state"))
    for name in sorted(reader.get_variable_to_shape_map()):
        if "OBJECT_GRAPH" not in name and "save_counter" not in name:
            found[name] = hashlib.sha256(reader.get_tensor(name).tobytes()).hexdigest()
    with (run / "history.csv").open(newline="") as file:
        rows = [{k: v for k, v in row.items() if k != "images_per_second"} for row in csv.DictReader(file)]
    found["history"] = json.dumps(rows)
    for picture in sorted((run / "samples").iterdir()):
        found[picture.name] = hashlib.sha256(picture.read_bytes()).hexdigest()
    return found


def compare(configuration, kills, inside, seed=0, without=None):
    """Run the whole experiment; returns (kills, kills inside a checkpoint, starts, names that differ)."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, cut = Path(folder) / "whole", Path(folder) / "cut"
        life = finish(start(configuration, whole))
        expected = ends_with(whole)
        done = done_inside = starts = 0
        while done < kills or done_inside < inside:
            starts += 1
            process = start(configuration, cut, without)
            if done_inside < inside:
                hit = kill_in_a_checkpoint(process, cut, chance.randrange(3))
                done_inside += hit
            else:
                hit = kill_in(process, chance.uniform(0, life))
            done += hit
            if process.returncode == 0:  # it got to its end: another life
                differ = differences(expected, ends_with(cut), without)
                if differ:
                    return done, done_inside, starts, differ
                shutil.rmtree(cut)
            elif process.returncode != -signal.SIGKILL:
                sys.exit(f"a resumed run failed with exit code {process.returncode}")
        starts += 1
        finish(start(configuration, cut, without))
        return done, done_inside, starts, differences(expected, ends_with(cut), without)


def differences(expected, found, without=None):
    """The names of what is not the same; what has been left out on purpose is no difference by itself."""
    names = expected.keys() & found.keys() if without else expected.keys() | found.keys()
    return sorted(name for name in names if expected.get(name) != found.get(name))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("configurations", nargs="*", default="all", choices=(*CONFIGURATIONS, "all"))
    parser.add_argument("--kills", type=int, default=20, help="in all, for each configuration")
    parser.add_argument("--inside", type=int, default=5, help="of them inside the writing of a checkpoint, at least")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--leave-out", choices=PARTS, help="a part of the state that is not to be in the checkpoints")
    parser.add_argument("--child", type=Path, metavar="RUN", help="be the process that is killed")
    options = parser.parse_args()
    if options.child:
        return run_it(options.configurations[0], options.child, options.leave_out)
    print(
        "| configuration | precision | kills | inside a checkpoint | starts | identical to the bit |\n"
        "|---|---|---|---|---|---|",
        flush=True,
    )
    sys.path.insert(0, str(ROOT))
    from dcgan_tf import devices

    wrong = False
    for configuration in CONFIGURATIONS if "all" in options.configurations else options.configurations:
        done, inside, starts, differ = compare(
            configuration, options.kills, options.inside, options.seed, options.leave_out
        )
        verdict = f"no: {', '.join(differ[:5])}" if differ else "yes"
        print(f"| {configuration} | {devices.precision()[0]} | {done} | {inside} | {starts} | {verdict} |", flush=True)
        wrong |= bool(differ)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
