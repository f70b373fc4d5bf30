"""Does growing pay? Four ways to 64-pixel heroes in the same minutes: python -m benchmarks.growing --seeds 0 1 2

straight   64 pixels from the first step
at once    16, 32, then 64 pixels; new layers learn together with the old ones from the beginning
frozen     the same; only the new layers learn in the first tenth of a size's minutes
fade-in    the same; the new layers' share rises from 0 to 1 in the first half of a size's minutes

The networks are those that chapter 05 writes out in its cells. How many steps fit into the minutes of a stage is
measured first, once, and holds for all seeds; compiling does not count. KID by the ImageNet judge, 2,048 samples of the
moving average against all real images, both at the size of the stage and enlarged to 64 pixels; the floor is the KID of
the training images against the held-out ones, which are other units. Writes benchmarks/growing.json, and growing.png:
the first 16 samples of each way for the first seed. A run that is cut off goes on where it was.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from dcgan_tf import GAN, callbacks, datasets, devices, extractors, figures, metrics, presets, train
from dcgan_tf.sampling import generate, latents
from notebooks.cells import cells_of

WAYS = ("straight", "at once", "frozen", "fade-in")
SIZES = (16, 32, 64)
MINUTES = {16: 0.15, 32: 0.25, 64: 0.6}  # shares of the minutes
FROZEN, FADING = 0.1, 0.5  # shares of a size's minutes in which new layers learn alone, or are faded in
FALLING = 0.3  # share of all minutes, at the end, in which the rates fall: the same in all ways
SAMPLES, SHOWN = 2_048, 16
OUT = Path(__file__).with_suffix("")
PRESET = presets.get("heroes")


def chapter_of(seed, precision):
    """What chapter 05 writes out, for one seed."""
    given = {"PRESET": PRESET, "PRECISION": precision, "SEED": seed, "Callback": callbacks.Callback, "replace": replace}
    return SimpleNamespace(seed=seed, **cells_of("05_pixel_heroes", "shrink", "networks", "growing", **given))


def gan_of(chapter, pair, size, falling=0.0):
    preset = replace(PRESET, image_size=(size, size), decay_from=round(1 - falling, 6))
    return GAN(*pair, preset, chapter.seed)


def phases(way):
    """The stages of a way, in order: (size, how the new layers learn, share of all minutes)."""
    if way == "straight":
        return [(64, "all", 1.0)]
    first = {"at once": 0.0, "frozen": FROZEN, "fade-in": FADING}[way]
    plan = [(16, "all", MINUTES[16])]
    for size in SIZES[1:]:
        plan += [(size, way, first * MINUTES[size])] if first else []
        plan += [(size, "all", (1 - first) * MINUTES[size])]
    return plan


def networks(chapter, pair, size, how):
    """The pair for a stage, built around the trained one, or new where there is none."""
    large = chapter.new_pair(size)
    if pair is None:
        return large
    if how == "fade-in":
        return chapter.fading_generator(pair[0], large[0]), chapter.fading_discriminator(pair[1], large[1]), large
    grown = chapter.grown_generator(pair[0], large[0]), chapter.grown_discriminator(pair[1], large[1])
    if how == "frozen":
        for network, trained in zip(grown, pair, strict=True):
            for layer in network.layers:
                layer.trainable = layer not in trained.layers
    return grown


def pace(chapter, images, size, how):
    """Seconds a step: the mean of the 60 quickest of 64, after the compilation."""
    pair = chapter.new_pair(size // 2) if how != "all" else None
    gan = gan_of(chapter, networks(chapter, pair, size, how)[:2], size)
    batches = iter(datasets.batches(chapter.shrink(images[:512], size), PRESET.batch_size, 0))
    times = []
    for _ in range(80):
        batch, start = next(batches), time.perf_counter()
        float(gan.train_step(batch)["g_loss"])
        times.append(time.perf_counter() - start)
    return float(np.mean(np.sort(times[16:])[:60]))  # with the penalty's steps, without hiccups


def run_way(way, chapter, images, judge, real, steps, run):
    """Train all stages of a way; returns the KID of each size and 16 samples."""
    pair, kids = None, {}
    for number, (size, how, share) in enumerate(phases(way)):
        falling = FALLING / share if number == len(phases(way)) - 1 else 0.0
        if pair is not None and len(pair) == 3:  # faded in: the grown pair by itself
            small, large = pair[2]
            stage = chapter.grown_generator(small[0], large[0]), chapter.grown_discriminator(small[1], large[1])
        elif how == "all" and pair is not None and pair[0].output_shape[1] == size:  # frozen before: thaw
            for layer in (*pair[0].layers, *pair[1].layers):  # Keras does not pass a network's own setting on
                layer.trainable = True
            stage = pair
        else:
            stage = networks(chapter, pair, size, how)
        gan = gan_of(chapter, stage[:2], size, falling)
        folder = run / f"seed{chapter.seed}_{way.replace(' ', '_')}_{number}_{size}"
        if way != "straight" and number == 0:
            folder = run / f"seed{chapter.seed}_first_16"  # the same for all three
        count = steps[f"{way}, {size}, {how}"]
        schedule, fade = presets.Schedule(count, count, count), [chapter.Fade()] if how == "fade-in" else []
        history = train(gan, chapter.shrink(images, size), run=folder, schedule=schedule, callbacks=fade)
        if history.interrupted:
            raise SystemExit(130)
        if how == "all":
            made = generate(gan.average, latents(SAMPLES, 100, 1))
            pictures = chapter.enlarge(datasets.to_uint8(made), 64)
            kids[size], _ = metrics.kernel_distance(judge(pictures).features, real[size])
            print(f"  seed {chapter.seed}, {way}, {size} pixels: KID {kids[size]:.3f}", flush=True)
        pair = (*stage[:2], (pair, stage[2])) if how == "fade-in" else stage
    return kids, pictures[:SHOWN]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("runs/growing"))
    parser.add_argument("--minutes", type=float, default=3.0, help="of training for each way and seed (default: 3)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)

    precision = devices.precision()[0]
    images = datasets.load("heroes")
    chapter = chapter_of(0, precision)
    plan = options.run / "steps.json"
    if not plan.exists():
        stages = {(size, how) for way in WAYS for size, how, _ in phases(way)}
        paces = {stage: pace(chapter, images, *stage) for stage in sorted(stages)}
        steps = {}
        for way in WAYS:
            for size, how, share in phases(way):
                count = round(share * 60 * options.minutes / paces[size, how])
                steps[f"{way}, {size}, {how}"] = max(4, count)
        plan.write_text(json.dumps({"ms": {f"{s}, {h}": 1e3 * p for (s, h), p in paces.items()}, "steps": steps}))
    steps = json.loads(plan.read_text())
    print(json.dumps(steps, indent=1), flush=True)

    judge = extractors.extractor("imagenet")
    held_out = datasets.load("heroes", "test")
    features = {
        size: [judge(chapter.enlarge(chapter.shrink(part, size), 64)).features for part in (images, held_out)]
        for size in SIZES
    }
    floor = {size: metrics.kernel_distance(*parts)[0] for size, parts in features.items()}
    real = {size: np.concatenate(parts) for size, parts in features.items()}
    print("floor", floor, flush=True)

    rows, grids = [], []
    for seed in options.seeds:
        for way in WAYS:
            kids, shown = run_way(way, chapter_of(seed, precision), images, judge, real, steps["steps"], options.run)
            rows.append({"seed": seed, "way": way, "kid": kids})
            grids += [shown] if seed == options.seeds[0] else []
    result = {"machine": devices.describe(), "precision": precision, "minutes": options.minutes, "samples": SAMPLES}
    OUT.with_suffix(".json").write_text(json.dumps(result | steps | {"floor": floor, "rows": rows}, indent=1) + "\n")
    figures.save_png(figures.grid(np.concatenate(grids), columns=SHOWN), OUT.with_suffix(".png"))
    for way in WAYS:
        last = [row["kid"][64] for row in rows if row["way"] == way]
        print(f"{way:9} KID at 64 pixels: {', '.join(f'{kid:.3f}' for kid in last)}; mean {np.mean(last):.3f}")


if __name__ == "__main__":
    main()
