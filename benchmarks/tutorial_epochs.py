"""The recipe of TensorFlow's DCGAN tutorial for its own 50 epochs of MNIST: python -m benchmarks.tutorial_epochs

Keeps the generator every five epochs, and judges each on 10,000 samples against the test digits. Writes
benchmarks/tutorial_epochs.json (steps, minutes and FID, with the machine) and benchmarks/tutorial_epochs.png (its last
64 samples): chapter 01 shows both. A run that is cut off goes on where it was.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.mnist_recipes import TUTORIAL
from dcgan_tf import GAN, callbacks, datasets, devices, extractors, figures, metrics, released, train

EPOCHS, EVERY = 50, 5
SAMPLES, SHOWN = 10_000, 64
OUT = Path(__file__).with_suffix("")


class Keep(callbacks.Callback):
    """Write the generator into the run folder at some steps; this recipe's average is the generator itself."""

    def __init__(self, steps):
        self.steps = steps

    def on_step_end(self, run):
        if run.step in self.steps:
            released.save(run.gan.average, run.folder / f"generator_{run.step}.npz")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("runs/tutorial_epochs"))
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="fewer, to try it out; a multiple of 5")
    options = parser.parse_args()

    images = datasets.load("mnist")
    epochs = range(EVERY, options.epochs + 1, EVERY)
    steps = [round(epoch * len(images) / TUTORIAL.batch_size) for epoch in epochs]
    gan, schedule = GAN.from_preset(TUTORIAL), replace(TUTORIAL.schedule("short"), checkpoint_every=500)
    history = train(gan, images, steps=steps[-1], run=options.run, callbacks=[Keep(steps)], schedule=schedule)
    if history.interrupted:
        raise SystemExit(130)
    minutes = history.seconds(TUTORIAL.batch_size) / 60

    judge = extractors.extractor("mnist")
    expected = metrics.statistics(metrics.reference(datasets.load("mnist", "test"), judge).features)
    rows = []
    for epoch, step in zip(epochs, steps, strict=True):
        generator = released.load(options.run / f"generator_{step}.npz")
        made = metrics.draw(generator, SAMPLES, progress=False)
        fid = metrics.frechet_distance(metrics.statistics(judge(made).features), expected)
        rows.append({"epochs": epoch, "steps": step, "minutes": round(minutes * step / steps[-1], 2), "fid": fid})
        print(f"{epoch} epochs: FID {fid:.1f} after {rows[-1]['minutes']:.0f} minutes", flush=True)
    result = {"machine": devices.describe(), "precision": gan.policy, "samples": SAMPLES, "rows": rows}
    OUT.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n")
    figures.save_png(figures.grid(np.asarray(made[:SHOWN])), OUT.with_suffix(".png"))


if __name__ == "__main__":
    main()
