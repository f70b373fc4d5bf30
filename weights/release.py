"""Release the generator of a finished run: python -m weights.release runs/mnist mnist --fails "strokes do not join"

Writes weights/NAME.npz (the moving average, float16), weights/NAME.png (64 samples) and weights/NAME.md, a card with
what the run itself recorded and with the metrics of what was written; with --discriminator its opponent of the same
step too, weights/NAME_discriminator.npz.
"""

import argparse
import inspect
import sys
import tempfile
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
    released,
    run_folder,
)
from dcgan_tf.errors import UserError
from dcgan_tf.sampling import classes, generate, inputs

COUNT = 64
FEW = 10_000  # images of a set below which the KID against all of them is given too
CARD = """# The {name} generator

![{count} samples, seed 0]({name}.png)

*{count} samples of these weights, not selected: `dcgan-tf generate {name} --count {count} --seed 0`.*

```python
import dcgan_tf as dcgan

images = dcgan.sample("{name}", 16, seed=0)  # float32 [16, {shape}] in [-1, 1]
{ask}generator = dcgan.load_generator("{name}")  # a keras.Sequential: {takes} to such images
```

- **Intended use:** learning, teaching and trying things out.{people} Not a source of varied, finished artwork: see the
  failures below.
- **What it knows:** {knows} It knows nothing else.{names}
- **Data:** {images:,} training images of `{dataset}`; licence and credit, which hold for the samples too:
  [datasets/README.md](../datasets/README.md#{dataset}).{notice}
- **Network:** `models.{architecture}_generator({arguments})`, {parameters:,} weights: the moving average of
  the training run, stored as float16; computations use float32.
- **Training:** {steps:,} steps with batches of {batch_size} in {minutes:.1f} minutes on {machine}. These are the
  weights after the last step. {precision}, TensorFlow {tensorflow}, Keras {keras}, seed {seed}.
- **Recipe:** {recipe}.
- **Known failures:** {fails}.

```
{report}
```

Compare these figures with others of the same judge and the same number of samples only, and not with published FIDs,
which are taken with the Inception network. How large a KID is depends on the judge's features too.
"""
ASK = 'asked = dcgan.sample("{name}", 16, seed=0, label=7)  # without `label`: all of them in turn\n'
NAMES = "\n- **Labels:** hair colours: {}."
WITH = "latents, labels"
KNOWS = {  # what the images of a set show, and so the bias of what learns from them
    "mnist": "Digits as people in the United States wrote them around 1990, all ten about equally often.",
    "pokemon": "Sprites of one series of video games, each creature alone on white.",
    "faces": "40 people, 36 of them men, photographed in one laboratory in Cambridge between 1992 and 1994.",
    "anime": "Cartoon faces put together from the parts of one artist: one pose, round eyes, 16 hair colours.",
    "heroes": "People from one fantasy game, as its artists drew them, most of them armed.",
    "monsters": "Creatures of one fantasy game, as its artists drew them.",
}
PEOPLE = " Not for making anybody believe that they see a person who exists, or did something."
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
    if not recipe.get("classes"):
        idle.add("classes")
    if not recipe["r1_weight"]:
        idle.add("r1_every")
    if not recipe["r2_weight"]:
        idle.add("r2_weight")
    return {key: value for key, value in recipe.items() if key not in idle and key not in LEFT_OUT and value != ""}


def builder_arguments(recipe):
    """The arguments of the generator's builder that are not its defaults."""
    parameters = inspect.signature(models.GENERATORS[recipe["architecture"]]).parameters
    return [key for key in ("width", "classes") if key in parameters and recipe[key] != parameters[key].default]


def release(run, name, fails, folder=released.FOLDER):
    """Write the three files of a generator, all or none; returns the path of its weights."""
    with tempfile.TemporaryDirectory(dir=folder) as partial:
        written = _write(run, name, fails, Path(partial))
        for path in sorted(written.parent.iterdir()):
            path.replace(folder / path.name)
    return folder / written.name


def judged(generator, recipe):
    """The scores of a generator and what they are to be held against, as lines to print."""
    images, held_out = (datasets.load(recipe["dataset"], split) for split in ("train", "test"))
    samples = 10_000 if len(held_out) >= 10_000 else 2_048
    judge = extractors.extractor(recipe["extractor"])
    options = {"metrics": metrics.METRICS, "training": images, "mirrored": recipe["flip"]}
    scores = metrics.evaluate(generator, held_out, judge, samples, **options)
    report = metrics.report(scores)
    known = judge(images[np.random.default_rng(0).permutation(len(images))[:samples]]).features
    floor = metrics.kernel_distance(known, metrics.reference(held_out, judge).features)
    report += f"\n  KID of training images  {floor[0]:.4f} ± {floor[1]:.4f}    the floor: what real images score"
    if len(images) < FEW:
        every = np.concatenate([images, held_out])
        kid, error = metrics.kernel_distance(
            judge(metrics.draw(generator, samples, progress=False)).features, metrics.reference(every, judge).features
        )
        meaning = "held-out and training images together: steadier"
        report += f"\n  KID, all {len(every):,} real images  {kid:.4f} ± {error:.4f}    {meaning}"
    return report


def _write(run, name, fails, folder):
    config, history = run_folder.config(run), History.load(run / run_folder.HISTORY)
    if not config or (recipe := config["recipe"])["dataset"] not in KNOWS:
        raise UserError(f"{run} is no run on a set that KNOWS describes: {', '.join(KNOWS)}")
    images = datasets.load(recipe["dataset"])
    if config["images_sha256"] != datasets.fingerprint(images):
        raise UserError(f"{run} was not trained on the images of {recipe['dataset']}")
    path = folder / f"{name}.npz"
    released.save(load_generator(run), path)
    generator = released.load(path)
    pictures = generate(generator, inputs(generator, COUNT))
    figures.save_png(figures.grid(pictures, recipe.get("classes") or None), path.with_suffix(".png"))
    report = judged(generator, recipe)
    path.with_suffix(".md").write_text(
        encoding="utf-8",
        data=CARD.format(
            **{
                **config,
                **recipe,
                "name": name,
                "notice": NOTICE if recipe["dataset"] in NOT_SHIPPED else "",
                "images": len(images),
                "count": COUNT,
                "shape": ", ".join(map(str, generator.output_shape[1:])),
                "knows": KNOWS[recipe["dataset"]],
                "names": NAMES.format(", ".join(f"{i} {name}" for i, name in enumerate(datasets.HAIR_COLORS)))
                if recipe.get("label_field") == "hair_color"
                else "",
                "people": PEOPLE if recipe["dataset"] == "faces" else "",
                "ask": ASK.format(name=name) if classes(generator) else "",
                "takes": f"{WITH if classes(generator) else 'latents'} [n, {generator.input_shape[-1]}]",
                "arguments": ", ".join(f"{key}={recipe[key]}" for key in builder_arguments(recipe)),
                "parameters": generator.count_params(),
                "steps": run_folder.step_of(checkpoint.find(run)),
                "minutes": history.seconds(recipe["batch_size"]) / 60,
                "recipe": ", ".join(f"{key} {value}" for key, value in in_use(recipe).items()),
                "fails": fails,
                "report": report,
            }
        ),
    )
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--fails", required=True, help="what a look at the samples shows to be wrong")
    parser.add_argument("--discriminator", action="store_true", help="release its opponent too")
    options = parser.parse_args()
    try:
        path = release(options.run, options.name, options.fails)
    except UserError as error:
        sys.exit(f"release: {error}")
    print(f"released {path.name}, {path.stat().st_size:,} bytes, and its card")
    if options.discriminator:
        path = path.with_name(f"{options.name}_discriminator.npz")
        released.save(load_discriminator(options.run), path)
        print(f"released {path.name}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
