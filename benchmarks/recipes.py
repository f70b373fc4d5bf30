"""Recipes on a 64x64 set for the same minutes, over several seeds: python -m benchmarks.recipes anime

Trains a chapter's recipe ("ours"), the DCGAN paper's ("paper": batches of 128, Adam 2e-4 and 0.5, batch norm, no
augmentation, no averaging) and, if asked for, ours without DiffAugment ("bare"), all in the same precision. How many
steps of each take the same time is measured first, in turns. Judged by KID, FID and MS-SSIM against held-out images.

A run that is cut off goes on where it was; finished ones are not repeated.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from dcgan_tf import GAN, datasets, devices, load_generator, metrics, presets, run_folder, train

METRICS = ("fid", "kid", "is", "diversity", "neighbours")
JUDGES = [name for name in presets.EXTRACTORS if name != "mnist"]
# Batch size, rates and momentum are the paper's by default; it has no moving average.
PAPER = presets.Preset(name="paper", architecture="face", average_decay=0.0)


def recipes(dataset, width):
    """The recipes by name, with networks of another width if one is given."""
    ours = presets.get(dataset)
    paper = replace(PAPER, extractor=ours.extractor)
    found = {"ours": ours, "paper": paper, "bare": replace(ours, augment="")}
    return {name: replace(preset, width=width or preset.width) for name, preset in found.items()}


def seconds_a_step(arms, images, precision, rounds=6):
    """The median time of a step of each recipe; the recipes take turns, so that a disturbance meets all."""
    eight = presets.get("anime").r1_every  # whole rounds of the lazy penalty
    gans = {name: GAN.from_preset(preset, precision) for name, preset in arms.items()}
    streams = {name: iter(datasets.batches(images, preset.batch_size)) for name, preset in arms.items()}
    times = {name: [] for name in arms}
    for _ in range(rounds + 1):
        for name, gan in gans.items():
            then = time.perf_counter()
            for _ in range(eight):
                gan.train_step(next(streams[name]))
            times[name].append((time.perf_counter() - then) / eight)
    return {name: float(np.median(taken[1:])) for name, taken in times.items()}  # the first compiled


def measured(folder, arms, images, precision):
    """The step times of an earlier start, or those measured now."""
    path = folder / "seconds_a_step.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    if set(arms) - set(found):
        found = seconds_a_step(arms, images, precision) | found  # those of trained arms stay
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found))
    return found


def score(run, preset, images, held_out, precision, seed, steps, samples, judge):
    """Train one recipe with one seed, or take what an earlier start has trained; returns its scores by a judge."""
    path = run / f"metrics_{judge}_{samples}.json"
    if not path.exists():
        gan = GAN.from_preset(preset, precision, seed)
        history = train(gan, images, run=run, schedule=presets.Schedule(steps, max(1, steps // 10), 500))
        if history.interrupted:
            sys.exit(130)
        found = metrics.evaluate(load_generator(run), held_out, judge, samples, seed, metrics=METRICS, training=images)
        run_folder.write_json(path, found)
    return json.loads(path.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", choices=("anime", "pokemon", "monsters", "faces"))
    parser.add_argument("--arms", nargs="+", choices=("ours", "paper", "bare"), default=["ours", "paper"])
    parser.add_argument("--steps", type=int, default=3_000, help="of our recipe; the others get the same minutes")
    parser.add_argument("--width", type=int, help="of all networks: narrow ones train for longer in as many minutes")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--samples", type=int, default=2_048)
    parser.add_argument("--extractor", choices=JUDGES, help="who judges (default: what suits the set)")
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmarks"))
    options = parser.parse_args()

    images, held_out = datasets.load(options.dataset), datasets.load(options.dataset, "test")
    arms = {
        name: preset
        for name, preset in recipes(options.dataset, options.width).items()
        if name in {"ours", *options.arms}
    }
    precision, _ = devices.precision()
    folder = options.runs / (f"{options.dataset}-width{options.width}" if options.width else options.dataset)
    pace = measured(folder, arms, images, precision)
    steps = {name: round(options.steps * pace["ours"] / pace[name]) for name in arms}
    steps["bare"] = options.steps  # an ablation: the same steps
    for name in arms:
        minutes = steps[name] * pace[name] / 60
        print(f"{name:6} {1e3 * pace[name]:6.0f} ms a step, {steps[name]:,} steps: {minutes:.1f} minutes", flush=True)

    kids = {}
    rows = []
    for seed in options.seeds:
        for name, preset in arms.items():
            run = folder / f"{name}-{seed}-{options.steps}"
            judge = options.extractor or preset.extractor
            found = score(run, preset, images, held_out, precision, seed, steps[name], options.samples, judge)
            kids.setdefault(name, []).append(found["kid"])
            kid = f"{found['kid']:.4f} ± {found['kid_error']:.4f}"
            rows.append(
                f"| {name} | {seed} | {steps[name]:,} | {kid} | {found['fid']:.1f} | {found['pair_similarity']:.3f}"
                f" | {found['to_training']:.1f} |"
            )
            print(rows[-1], flush=True)

    print(
        f"\n{devices.describe()}, {precision}; {options.samples:,} samples against {len(held_out):,} held-out images,"
    )
    print(
        f"judged by {found['extractor']!r}; MS-SSIM of real pairs {found['real_pair_similarity']:.3f}, held-out images"
    )
    print(f"{found['held_out_to_training']:.1f} from the nearest training image\n")
    print("| recipe | seed | steps | KID | FID | MS-SSIM of pairs | to the nearest training image |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(sorted(rows)))
    for name in arms:
        if name != "ours":
            ratios = np.array(kids["ours"]) / np.array(kids[name])
            mean = np.mean(kids["ours"]) / np.mean(kids[name])
            print(f"\nKID, ours / {name}: {mean:.3f} of the means; seed by seed {np.round(ratios, 3).tolist()}")


if __name__ == "__main__":
    main()
