"""Release the generator of a finished run: python -m weights.release runs/mnist mnist --fails "strokes do not join"

Writes weights/NAME.npz (the moving average, float16), weights/NAME.png (64 samples) and weights/NAME.md, a card with
what the run itself recorded and with the metrics of what was written; with --discriminator its opponent of the same
step too, weights/NAME_discriminator.npz.
"""

import argparse
import inspect
import json
from pathlib import Path

import numpy as np

from dcgan_tf import (
    History,
    checkpoint,
    datasets,
    extractors,
    figures,
    load_discriminator,
    load_generator,
    metrics,
    models,
    weights,
)
from dcgan_tf.errors import UserError
from dcgan_tf.sampling import generate, latents

COUNT = 64
FEW = 10_000  # images of a set below which the KID against all of them is given too
CARD = """# The {name} generator

![{count} samples, seed 0]({name}.png)

*{count} samples of these weights, none picked out: `python -m dcgan_tf generate {name} --count {count} --seed 0`.*

- **Data:** {images:,} training images of `{dataset}`; licence and credit, which hold for the samples too:
  [datasets/README.md](../datasets/README.md#{dataset}).{notice}
- **Network:** `models.{architecture}_generator()`, {parameters:,} weights, the moving average of the run's, stored as
  float16 and computed with in float32.
- **Training:** {steps:,} steps of {batch_size} in {minutes:.1f} minutes on {machine}; these are the weights of the
  last one. {precision}, TensorFlow {tensorflow}, Keras {keras}, seed {seed}.
- **Recipe:** {recipe}.
- **Known failures:** {fails}.

```
{report}
```
"""
NOTICE = """
- **Not for passing on:** the images that it learned from may not be redistributed, and what it draws can resemble them.
  These weights are here to be looked at in the chapters; they are not part of the installed package."""
NOT_SHIPPED = ("faces", "pokemon")  # data sets
LEFT_OUT = ("name", "dataset", "architecture", "extractor", "image_size", "channels", "fit", "enlarge")


def in_use(recipe):
    """The hyperparameters that had a part in a run: of those of the networks, those that its builders take."""
    builders = models.GENERATORS[recipe["architecture"]], models.DISCRIMINATORS[recipe["architecture"]]
    taken = {name for builder in builders for name in inspect.signature(builder).parameters}
    idle = {"width", "norm", "dropout"} - taken
    if not recipe["r1_weight"]:
        idle.add("r1_every")
    if not recipe["r2_weight"]:
        idle.add("r2_weight")
    if not recipe["sizes"]:
        idle |= {"sizes", "shares", "frozen"}
    return {key: value for key, value in recipe.items() if key not in idle and key not in LEFT_OUT and value != ""}


def release(run, name, fails, folder=weights.FOLDER):
    """Write the three files of a generator; returns the path of its weights."""
    config, history = json.loads((run / "config.json").read_text()), History.load(run / "history.csv")
    recipe = config["recipe"]
    images, held_out = (datasets.load(recipe["dataset"], split) for split in ("train", "test"))
    if config["images_sha256"] != datasets.fingerprint(images):
        raise UserError(f"{run} was not trained on the images of {recipe['dataset']}")
    path = folder / f"{name}.npz"
    generator = load_generator(run)
    weights.save(generator, path)
    weights.load(generator, path)
    pictures = generate(generator, latents(COUNT, generator.input_shape[-1], 0))
    figures.save_png(figures.grid(pictures), path.with_suffix(".png"))
    samples = 10_000 if len(held_out) >= 10_000 else 2_048
    judge = extractors.extractor(recipe["extractor"])
    scores = metrics.evaluate(generator, held_out, judge, samples, training=images, metrics=metrics.METRICS)
    report = metrics.report(scores)
    if len(images) < FEW:
        every = np.concatenate([images, held_out])
        kid, error = metrics.kernel_distance(
            judge(metrics.draw(generator, samples, progress=False)).features, metrics.reference(every, judge).features
        )
        report += f"\n  KID, all {len(every):,} real images  {kid:.4f} ± {error:.4f}    steadier: fewer are held out"
    path.with_suffix(".md").write_text(
        CARD.format(
            **{
                **config,
                **recipe,
                "name": name,
                "notice": NOTICE if recipe["dataset"] in NOT_SHIPPED else "",
                "images": len(images),
                "count": COUNT,
                "parameters": generator.count_params(),
                "steps": checkpoint.step_of(checkpoint.find(run)),
                "minutes": history.seconds(recipe["batch_size"]) / 60,
                "recipe": ", ".join(f"{key} {value}" for key, value in in_use(recipe).items()),
                "fails": fails,
                "report": report,
            }
        )
    )
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--fails", required=True, help="what a look at the samples shows to be wrong")
    parser.add_argument("--discriminator", action="store_true", help="release its opponent too")
    options = parser.parse_args()
    path = release(options.run, options.name, options.fails)
    print(f"released {path.name}, {path.stat().st_size:,} bytes, and its card")
    if options.discriminator:
        path = path.with_name(f"{options.name}_discriminator.npz")
        weights.save(load_discriminator(options.run), path)
        print(f"released {path.name}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
