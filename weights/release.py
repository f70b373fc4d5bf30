"""Release the generator of a finished run: python -m weights.release runs/mnist mnist

Writes weights/NAME.npz (the moving average, float16) and weights/NAME.md, a card with what the run itself recorded.
"""

import json
import sys
from pathlib import Path

from dcgan_tf import History, figures, load_generator, weights
from dcgan_tf.gan import generate, latents

CARD = """# The {name} generator

![{count} samples, seed 0]({name}.png)

*{count} samples of these weights, none picked out: `python -m dcgan_tf generate {name} --count {count} --seed 0`.*

- **Data:** `{dataset}`, {images:,} training images; for licence and credit see
  [datasets/README.md](../datasets/README.md).
- **Network:** `models.{architecture}_generator()`, the moving average of its weights, stored as float16.
- **Training:** {steps:,} steps of {batch_size} in {minutes:.1f} minutes on {machine}.
  {precision}, TensorFlow {tensorflow}, Keras {keras}, seed {seed}. Recipe: {recipe}.
- **Judged** by the `{extractor}` classifier on {samples:,} samples against the test split, before rounding to
  float16: FID {fid:.1f}, inception score {inception_score:.2f}, mean confidence {confidence:.1%}, classes
  {class_distance:.1%} away from the real shares.
- **Known failures:** strokes that do not join, and shapes between two digits.
"""


def main(run, name, count=64):
    run = Path(run)
    config, scores = (json.loads((run / file).read_text()) for file in ("config.json", "metrics.json"))
    recipe = config["recipe"]
    seconds = History.load(run / "history.csv").seconds(recipe["batch_size"])
    generator = load_generator(run)
    path = weights.FOLDER / f"{name}.npz"
    weights.save(generator, path)
    weights.load(generator, path)
    figures.save_png(
        figures.grid(generate(generator, latents(count, generator.input_shape[-1], 0)), scale=2),
        path.with_suffix(".png"),
    )
    left_out = ("name", "dataset", "architecture", "extractor")
    path.with_suffix(".md").write_text(
        CARD.format(
            **{**config, **recipe, **scores, "images": config["images"][0]}
            | {"name": name, "count": count, "steps": scores["step"], "minutes": seconds / 60}
            | {"recipe": ", ".join(f"{k} {v}" for k, v in recipe.items() if k not in left_out)}
        )
    )
    print(f"released {path.name}, {path.stat().st_size:,} bytes, and its card")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m weights.release RUN NAME")
    main(*sys.argv[1:])
