"""Digits that are asked for, against digits that are not: python -m benchmarks.conditional --seeds 0 1 2

Trains the presets mnist and mnist-conditional for the same steps from each seed, and judges 10,000 samples of each by a
digit classifier: FID against the test digits, and for the conditional one the share of each digit that is recognised as
the one asked for. Writes benchmarks/conditional.json. A run that is cut off goes on where it was.
"""

import argparse
import json
from pathlib import Path

from dcgan_tf import GAN, datasets, devices, load_generator, metrics, presets, train

OUT = Path(__file__).with_suffix(".json")
SAMPLES = 10_000


def trained(name, seed, folder, steps):
    """One run of a preset: what it scores, and how long it took."""
    preset, run = presets.get(name), folder / f"{name}_{seed}"
    gan, images = GAN.from_preset(preset, seed=seed), datasets.load("mnist")
    labels = datasets.labels("mnist") if preset.classes else None
    history = train(gan, images, labels, steps, run, schedule=preset.schedule("short"))
    if history.interrupted:
        raise SystemExit(130)
    scores = metrics.evaluate(load_generator(run), "mnist", "mnist", SAMPLES, progress=False)
    asked = {"as_asked": scores["as_asked"]} if "as_asked" in scores else {}
    minutes = history.seconds(preset.batch_size) / 60
    return {"preset": name, "seed": seed, "steps": steps, "minutes": minutes, "fid": scores["fid"], **asked}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=presets.get("mnist").schedule("short").steps)
    parser.add_argument("--runs", type=Path, default=Path("runs/conditional"))
    options = parser.parse_args()
    rows = json.loads(OUT.read_text())["rows"] if OUT.exists() else []
    for seed in options.seeds:
        for name in ("mnist", "mnist-conditional"):
            rows = [row for row in rows if (row["preset"], row["seed"]) != (name, seed)]
            rows.append(trained(name, seed, options.runs, options.steps))
            print(rows[-1], flush=True)
            precision = devices.precision()[0]
            result = {"machine": devices.describe(), "precision": precision, "samples": SAMPLES, "rows": rows}
            OUT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
