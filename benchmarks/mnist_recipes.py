"""The tutorial's recipe and ours on MNIST, for the same minutes: python -m benchmarks.mnist_recipes

Trains the same networks by the recipe of TensorFlow's DCGAN tutorial (Adam 1e-4, beta1 0.9, batches of 256, float32)
for as long as the given finished run took, and judges both on 10,000 samples against the test digits.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

from dcgan_tf import GAN, History, datasets, devices, metrics, presets

# The recipe of TensorFlow's DCGAN tutorial: Adam at its default betas, batches of 256, no moving average (a decay of
# zero is the plain generator), no penalty, no schedule.
TUTORIAL = replace(
    presets.get("mnist"),
    name="mnist-tutorial",
    batch_size=256,
    generator_learning_rate=1e-4,
    discriminator_learning_rate=1e-4,
    beta_1=0.9,
    beta_2=0.999,
    average_decay=0.0,
    dropout=0.3,
    r1_weight=0.0,
    decay_from=1.0,
)


def train_for(seconds, preset, precision, images, seed):
    """Train from scratch until the time is up, compilation included. Returns the GAN."""
    gan = GAN.from_preset(preset, precision, seed)
    batches = iter(datasets.batches(images, preset.batch_size, seed))
    end, told = time.perf_counter() + seconds, time.perf_counter()
    while time.perf_counter() < end:
        results = gan.train_step(next(batches))
        if time.perf_counter() - told > 30:
            told = time.perf_counter()
            print(f"  step {int(gan.step):,}, {end - told:,.0f} s left, D {float(results['d_loss']):.2f}", flush=True)
    return gan


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("runs/mnist"), help="our finished run (default: runs/mnist)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    config = json.loads((options.run / "config.json").read_text())
    ours = json.loads((options.run / "metrics.json").read_text())
    seconds = History.load(options.run / "history.csv").seconds(config["recipe"]["batch_size"])
    print(f"{options.run}: {ours['step']:,} steps in {seconds / 60:.1f} minutes; the tutorial's recipe gets as long")
    gan = train_for(seconds, TUTORIAL, "float32", datasets.load("mnist"), options.seed)
    theirs = {"step": int(gan.step), **metrics.evaluate(gan.generator, "mnist", "mnist", ours["samples"], options.seed)}

    print(f"\n{devices.describe()}; {seconds / 60:.1f} minutes each; {ours['samples']:,} samples, MNIST classifier\n")
    print(f"| {'recipe':20} | precision | steps | FID | inception score | off the real shares | smallest share |")
    print("|---|---|---|---|---|---|---|")
    rows = [("the tutorial's", "float32", theirs), ("ours", config["precision"], ours)]
    for name, precision, scores in rows:
        print(
            f"| {name} | {precision} | {scores['step']:,} | {scores['fid']:.1f} | {scores['inception_score']:.2f}"
            f" | {scores['class_distance']:.1%} | {min(scores['class_shares']):.1%} |"
        )
    print(f"\nours / tutorial's FID: {ours['fid'] / theirs['fid']:.3f}")


if __name__ == "__main__":
    main()
