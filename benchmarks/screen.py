"""One change to a recipe, everything else equal: python -m benchmarks.screen heroes --steps 2500 r1_weight=0.1

Trains a chapter's preset with fields of the preset changed (`r1_weight=0.1 width=48`) or
with one of the ideas below, and adds a line to RUNS/screen.md: KID by the ImageNet judge of 2,048 samples against all
real images of the set (for digits: FID by the digit classifier of 10,000 samples against the test set), what the
discriminator gave to reals and fakes over the last hundred steps, and the minutes. A run that is cut off goes on where
it was; finished ones are not repeated.

  falling         the weight of R1 and R2 falls to a tenth in a cosine over the run
  deviation       the standard deviation of the minibatch, in groups of 4, beside D's last maps (Karras et al. 2018)
  nearest         nearest-neighbour upsampling and a 3x3 convolution in place of each transposed convolution
  kernel=K        K x K kernels in place of 4 x 4 in the generator's transposed convolutions
  full=M          M more maps at the size of the image, and a 3x3 convolution that makes the image of them
"""

import argparse
import ast
import math
from dataclasses import fields, replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dcgan_tf import GAN, datasets, devices, extractors, figures, load_generator, metrics, presets, train
from dcgan_tf.gan import _networks

SAMPLES, DIGITS = 2_048, 10_000
IDEAS = {"falling": False, "deviation": False, "nearest": False, "kernel": 4, "full": 0}


class Tried(GAN):
    """A GAN with the ideas that the package does not hold."""

    ideas, steps = IDEAS, 1

    def _penalties(self, discriminator, real, fake):
        progress = tf.cast(self.step, tf.float32) / self.steps
        factor = 0.55 + 0.45 * tf.cos(math.pi * progress) if self.ideas["falling"] else 1.0
        return factor * GAN._penalties(self, discriminator, real, fake)


@keras.saving.register_keras_serializable("screen")
class Deviation(layers.Layer):
    """One more map: the mean over features and places of the deviation within each group of 4 images."""

    def call(self, maps):
        groups = tf.reshape(tf.cast(maps, tf.float32), [4, -1, *maps.shape[1:]])
        deviation = tf.reduce_mean(
            tf.math.reduce_std(groups + 1e-8 * tf.range(4.0)[:, None, None, None, None], 0), [1, 2, 3]
        )
        one = tf.tile(deviation, [4])[:, None, None, None]
        extra = tf.broadcast_to(tf.cast(one, maps.dtype), [*tf.unstack(tf.shape(maps)[:3]), 1])
        return tf.concat([maps, extra], -1)


def changed(generator, discriminator, ideas):
    """The networks with the ideas in them; their weights anew where layers have changed."""
    if ideas["nearest"] or ideas["kernel"] != 4:
        stack = [keras.Input(generator.input_shape[1:])]
        for layer in generator.layers:
            config = layer.get_config()
            if isinstance(layer, layers.Conv2DTranspose) and layer.strides[0] == 2:
                policy = {"dtype": layer.dtype_policy}
                if ideas["nearest"]:
                    options = {"use_bias": layer.use_bias, "activation": config["activation"], **policy}
                    stack += [layers.UpSampling2D(**policy), layers.Conv2D(layer.filters, 3, 1, "same", **options)]
                    continue
                config["kernel_size"] = (ideas["kernel"],) * 2
            stack.append(type(layer).from_config(config))
        generator = keras.Sequential(stack)
    if ideas["full"]:
        *before, last = generator.layers
        policy = {"dtype": last.dtype_policy}
        stack = [keras.Input(generator.input_shape[1:]), *before]
        stack += [layers.Conv2DTranspose(ideas["full"], 4, 2, "same", **policy), layers.LeakyReLU(0.2, **policy)]
        stack.append(layers.Conv2D(3, 3, 1, "same", activation="tanh", dtype="float32"))
        generator = keras.Sequential(stack)
    if ideas["deviation"]:
        stack = [keras.Input(discriminator.input_shape[1:])]
        for layer in discriminator.layers:
            if isinstance(layer, layers.Flatten) or (isinstance(layer, layers.Conv2D) and layer.filters == 1):
                stack.append(Deviation(dtype=layer.dtype_policy))
            stack.append(type(layer).from_config(layer.get_config()))
        discriminator = keras.Sequential(stack)
    return generator, discriminator


def judged(run, dataset):
    """How far a run's average is from the images of its set, as text."""
    digits = dataset == "mnist"
    fake = metrics.draw(load_generator(run), DIGITS if digits else SAMPLES, 0, progress=False)
    judge = extractors.extractor("mnist" if digits else "imagenet")
    real = [datasets.load(dataset, part) for part in (("test",) if digits else ("train", "test"))]
    features = judge(fake).features, metrics.reference(np.concatenate(real), judge).features
    if digits:
        distance = f"{metrics.frechet_distance(*map(metrics.statistics, features)):.1f}"
    else:
        distance = "{:.3f} ± {:.3f}".format(*metrics.kernel_distance(*features))
    figures.save_png(figures.grid(fake[:64], columns=16), run / "grid.png")  # last: it says that all is done
    return distance


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset", choices=presets.PRESETS)
    parser.add_argument("changes", nargs="*", metavar="FIELD=VALUE or IDEA")
    parser.add_argument("--steps", type=int, default=2_500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=Path, default=Path("runs/screen"))
    options = parser.parse_intermixed_args()
    values = {}
    for change in options.changes:
        name, _, value = change.partition("=")
        try:
            values[name] = ast.literal_eval(value) if value else True
        except (ValueError, SyntaxError):
            values[name] = value
    known = {field.name for field in fields(presets.Preset)}
    if unknown := values.keys() - known - IDEAS.keys():
        parser.error(f"neither a field of a preset nor an idea: {', '.join(sorted(unknown))}")
    changes = {name: value for name, value in values.items() if name in known}
    preset = replace(presets.get(options.preset), **changes)
    name = f"{options.preset} {' '.join(options.changes) or 'as it is'}"
    run = options.runs / f"{name}-{options.steps}-{options.seed}".replace(" ", "_").replace("=", "")
    if (run / "grid.png").exists():
        return
    images = datasets.load(preset.dataset)
    Tried.ideas = {idea: values.get(idea, default) for idea, default in IDEAS.items()}
    Tried.steps = options.steps
    policy = devices.precision()[0]
    pair = changed(*_networks(preset.recipe(), policy, options.seed), Tried.ideas)
    gan = Tried(*pair, preset, options.seed)
    history = train(gan, images, run=run, schedule=presets.Schedule(options.steps, 500, 500, log_every=20))
    if history.interrupted:
        raise SystemExit(130)
    distance, minutes = judged(run, preset.dataset), history.seconds(preset.batch_size) / 60
    d_real, d_fake = (np.mean(history[column][-5:]) for column in ("d_real", "d_fake"))
    line = (
        f"| {options.preset} | {' '.join(options.changes) or 'as it is'} | {options.steps:,} | {options.seed} "
        f"| {distance} | {d_real:.2f}, {d_fake:.2f} | {minutes:.1f} |"
    )
    with (options.runs / "screen.md").open("a") as file:
        file.write(line + "\n")
    print(line)


if __name__ == "__main__":
    main()
