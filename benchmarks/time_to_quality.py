"""Minutes until generated digits are good, the tutorial's recipe against ours: python -m benchmarks.time_to_quality

Both train the networks of TensorFlow's DCGAN tutorial on MNIST, one after the other on the same machine: its recipe in
float32, ours as `make train` runs it. The FID of 1,024 samples, in the space of the digit classifier, is taken twice a
minute; the table tells when it stays under a mark. With --precisions, ours in float32 and in bfloat16 instead, for the
same steps and over three seeds, judged on 10,000 samples: speed that costs quality does not count.

A run that is cut off goes on where it was; finished ones are not repeated.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.mnist_recipes import TUTORIAL
from dcgan_tf import GAN, History, datasets, devices, extractors, load_generator, metrics, presets, train


def seconds_a_step(preset, precision, images, rounds=10):
    """The median time of a training step."""
    gan, stream, times = GAN.from_preset(preset, precision), iter(datasets.batches(images, preset.batch_size)), []
    for _ in range(rounds + 8):
        then = time.perf_counter()
        float(gan.train_step(next(stream))["g_loss"])
        times.append(time.perf_counter() - then)
    return float(np.median(times[8:]))


def trained(run, preset, precision, seed, steps, every):
    """The history of a run of so many steps, judged every so often; taken from its folder where it is finished."""
    history = History.load(run / "history.csv")
    if not len(history) or history["step"][-1] < steps:
        gan = GAN.from_preset(preset, precision, seed)
        images, held_out = datasets.load("mnist"), datasets.load("mnist", "test")
        schedule = replace(preset.schedule("short"), steps=steps, sample_every=every, evaluate_every=every)
        history = train(gan, images, run=run, held_out=held_out, schedule=schedule)
        if history.interrupted:
            raise SystemExit(130)
    return history


def minutes_to(history, mark, batch_size):
    """Minutes of training after which the FID was never above a mark again; None if it was at the end."""
    judged = [i for i, fid in enumerate(history["fid"]) if not np.isnan(fid)]
    above = [i for i in judged if history["fid"][i] > mark]
    after = [i for i in judged if not above or i > above[-1]]
    if not after:
        return None
    return History(history.rows[: after[0] + 1]).seconds(batch_size) / 60


def race(options):
    folder, images = options.run, datasets.load("mnist")
    precision, _ = devices.precision()
    arms = {"tutorial": (TUTORIAL, "float32"), "ours": (presets.get("mnist"), precision)}
    histories = {}
    for name, (preset, kind) in arms.items():
        path = folder / f"seconds_{name}.json"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(seconds_a_step(preset, kind, images)))
        seconds = json.loads(path.read_text())
        steps = preset.schedule("short").steps if name == "ours" else round(60 * options.minutes / seconds)
        histories[name] = trained(folder / name, preset, kind, options.seed, steps, max(1, round(30 / seconds)))
    print(f"\n{devices.describe()}; 1,024 samples, seed {options.seed}\n")
    print("| FID stays under | tutorial, minutes | ours, minutes | times sooner |\n|---|---|---|---|")
    for mark in options.marks:
        theirs, ours = (minutes_to(histories[name], mark, arms[name][0].batch_size) for name in arms)
        end = histories["tutorial"].seconds(TUTORIAL.batch_size) / 60
        sooner = "" if ours is None else f"{theirs / ours:.1f}" if theirs else f"more than {end / ours:.1f}"
        shown = [f"not in {end:.0f}" if theirs is None else f"{theirs:.1f}", "not" if ours is None else f"{ours:.1f}"]
        print(f"| {mark:g} | {shown[0]} | {shown[1]} | {sooner} |")


def precisions(options):
    judge, held_out = extractors.extractor("mnist"), datasets.load("mnist", "test")
    print("| seed | precision | steps | minutes | FID |\n|---|---|---|---|---|", flush=True)
    for seed in range(3):
        for precision in ("float32", "mixed_bfloat16"):
            run = options.run / f"{precision}_{seed}"
            preset = presets.get("mnist")
            history = trained(run, preset, precision, seed, options.steps, options.steps)
            found = metrics.evaluate(load_generator(run), held_out, judge, 10_000, progress=False, metrics=("fid",))
            minutes = history.seconds(preset.batch_size) / 60
            print(f"| {seed} | {precision} | {options.steps:,} | {minutes:.1f} | {found['fid']:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("runs/time_to_quality"), help="where the runs are kept")
    parser.add_argument("--minutes", type=float, default=30, help="of the tutorial's recipe")
    parser.add_argument("--marks", type=float, nargs="+", default=[400, 200, 100, 60], help="FIDs to be reached")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precisions", action="store_true", help="compare precisions at equal steps instead")
    parser.add_argument("--steps", type=int, default=2_000, help="with --precisions")
    options = parser.parse_args()
    (precisions if options.precisions else race)(options)


if __name__ == "__main__":
    main()
