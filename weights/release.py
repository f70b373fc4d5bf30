"""Release the generator of a finished run: python -m weights.release runs/mnist mnist --fails "strokes do not join"

Writes weights/NAME.npz (the moving average, float16), weights/NAME.png (64 samples) and weights/NAME.md, a card with
what the run itself recorded and with the metrics of what was written; with --discriminator its opponent of the same
step too, weights/NAME_discriminator.npz.
"""

import argparse
import json
from pathlib import Path

from dcgan_tf import History, datasets, extractors, figures, load_discriminator, load_generator, metrics, weights
from dcgan_tf.gan import generate, latents

COUNT = 64
CARD = """# The {name} generator

![{count} samples, seed 0]({name}.png)

*{count} samples of these weights, none picked out: `python -m dcgan_tf generate {name} --count {count} --seed 0`.*

- **Data:** {images:,} training images of `{dataset}`; licence and credit, which hold for the samples too:
  [datasets/README.md](../datasets/README.md#{dataset}).
- **Network:** `models.{architecture}_generator()`, {parameters:,} weights, the moving average of the run's, stored as
  float16 and computed with in float32.
- **Training:** {steps:,} steps of {batch_size} in {minutes:.1f} minutes on {machine}; these are the weights of step
  {best:,}{why}. {precision}, TensorFlow {tensorflow}, Keras {keras}, seed {seed}.
- **Recipe:** {recipe}.
- **Known failures:** {fails}.

```
{report}
```
"""
LEFT_OUT = ("name", "dataset", "architecture", "extractor")


def release(run, name, fails, folder=weights.FOLDER):
    """Write the three files of a generator; returns the path of its weights."""
    config, history = json.loads((run / "config.json").read_text()), History.load(run / "history.csv")
    recipe = {key: told for key, told in config["recipe"].items() if told != ""}
    path = folder / f"{name}.npz"
    generator = load_generator(run)
    weights.save(generator, path)
    weights.load(generator, path)
    pictures = generate(generator, latents(COUNT, generator.input_shape[-1], 0))
    figures.save_png(figures.grid(pictures), path.with_suffix(".png"))
    images, held_out = (datasets.load(recipe["dataset"], split) for split in ("train", "test"))
    samples = 10_000 if len(held_out) >= 10_000 else 2_048
    judge = extractors.extractor(recipe["extractor"])
    scores = metrics.evaluate(generator, held_out, judge, samples, training=images, metrics=metrics.METRICS)
    best = history.best()
    path.with_suffix(".md").write_text(
        CARD.format(
            **{
                **config,
                **recipe,
                "name": name,
                "images": len(images),
                "count": COUNT,
                "parameters": generator.count_params(),
                "steps": int(history["step"][-1]),
                "minutes": history.seconds(recipe["batch_size"]) / 60,
                "best": int(best["step"] if best else history["step"][-1]),
                "why": ", the best by KID" if best else "",
                "recipe": ", ".join(
                    f"{key} {told}" for key, told in recipe.items() if key not in LEFT_OUT and told != ""
                ),
                "fails": fails,
                "report": metrics.report(scores),
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
