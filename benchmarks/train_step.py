"""The training step of tutorials, of Keras's `fit`, of PyTorch, and ours: python -m benchmarks.train_step

The same two networks for all, trained on the same images, in turns of a few steps; medians are compared. "plain" is a
float32 step with two tapes on TensorFlow's usual pipeline; "Keras fit" is a custom `train_step` in Keras's own loop;
"ours" is GAN.train_step, with the pipeline of `dcgan_tf.train` and the moving average. PyTorch's rows appear where it
is installed (`pip install torch`). The share of the peak counts the products that no step can leave out, against a
large matrix product in the same precision.

The pairs: mnist (TensorFlow's tutorial's, batches of 256), paper (the DCGAN paper's at 64x64, batches of 128) and anime
(chapter 04's at 64x64, without batch norm in the discriminator, batches of 32).

With --layers, ours alone: the whole step of chapters' presets (penalties, augmentation and the average included) as it
is, without one part of runtime/fast_layers.py at a time, and without all of them. Keras's own stand in for them.
"""

import argparse
import sys
import time
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from benchmarks.mnist_recipes import TUTORIAL
from benchmarks.plain import Plain
from benchmarks.recipes import PAPER
from dcgan_tf import GAN, datasets, devices, models, presets
from dcgan_tf.runtime import fast_layers

PAIRS = {
    "mnist": replace(TUTORIAL, average_decay=0.999),
    "paper": replace(PAPER, average_decay=0.999),
    "anime": replace(presets.get("anime"), r1_weight=0.0),  # which the others do not have
}
CHUNK = 4  # steps a turn
ROUND = 8  # with --layers: whole rounds of the lazy penalties
PARTS = (*(fast.__name__ for fast in fast_layers._FAST.values()), "FusedAdam")
WHOLE = [name for name, preset in presets.PRESETS.items() if not preset.classes]


def networks(preset, precision="float32"):
    keras.utils.set_random_seed(0)
    return [models.build(role, preset.recipe(), precision) for role in ("generator", "discriminator")]


def stream(images, batch_size):
    """TensorFlow's usual pipeline: floats, shuffled and batched."""
    normal = ((images.astype(np.float32) - 127.5) / 127.5).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices(normal).shuffle(len(normal)).repeat().batch(batch_size)


def tutorial(preset):
    """The tutorial's step on the networks of a preset."""
    return Plain(*networks(preset), preset.batch_size, preset.generator_learning_rate, preset.beta_1)


def plain(preset, images):
    """A function that takes some steps as TensorFlow's tutorial does."""
    step = tf.function(tutorial(preset).step)
    batches = iter(stream(images, preset.batch_size))

    def steps():
        for _ in range(CHUNK):
            value, _ = step(next(batches))
        return float(value)

    return steps


class Fitted(keras.Model):
    """The same step as a custom `train_step`, for Keras's `fit`."""

    def __init__(self, plain):
        super().__init__()
        self.plain = plain
        self.generator, self.discriminator = plain.networks

    def train_step(self, real):
        g_loss, d_loss = self.plain.step(real)
        return {"g_loss": g_loss, "d_loss": d_loss}


def fit(preset, images):
    model = Fitted(tutorial(preset))
    model.compile()
    batches = stream(images, preset.batch_size).take(CHUNK).cache()  # `fit` would fill the shuffling anew each time
    return lambda: model.fit(batches, epochs=1, verbose=0)


def ours(preset, images, precision, xla=False, without=(), count=CHUNK):
    """A function that takes some steps of GAN.train_step, `without` some of PARTS."""
    own = {plain: plain for plain, fast in fast_layers._FAST.items() if fast.__name__ in without}
    if keras.layers.BatchNormalization in own:  # `accelerate` asks for statistics over all devices, which are slower
        own[keras.layers.BatchNormalization] = SimpleNamespace(
            from_config=lambda config: keras.layers.BatchNormalization.from_config(config | {"synchronized": False})
        )
    adam = keras.optimizers.Adam if "FusedAdam" in without else fast_layers.FusedAdam
    with mock.patch.dict(fast_layers._FAST, own), mock.patch("dcgan_tf.gan.FusedAdam", adam):
        gan = GAN.from_preset(preset, precision, xla=xla)
    batches = iter(datasets.batches(images, preset.batch_size))

    def steps():
        for _ in range(count):
            results = gan.train_step(next(batches))
        return float(results["g_loss"])

    return steps


def torch_network(network, torch):
    """A Keras Sequential model's layers in PyTorch (channels first; the weights are its own)."""
    nn, stack, shape = torch.nn, [], None
    for layer in network.layers:
        kind, shape = type(layer).__name__, layer.output.shape[1:]
        taken = layer.input.shape[1:]
        if kind == "Dense":
            stack.append(nn.Linear(taken[-1], layer.units, bias=layer.use_bias))
        elif kind == "Conv2D":
            k, s = layer.kernel_size[0], layer.strides[0]
            pad = 0 if layer.padding == "valid" else (k - 1) // 2
            stack.append(nn.Conv2d(taken[-1], layer.filters, k, s, pad, bias=layer.use_bias))
        elif kind == "Conv2DTranspose":
            k, s = layer.kernel_size[0], layer.strides[0]
            pad = 0 if layer.padding == "valid" else (k - 1) // 2
            extra = shape[0] - ((taken[0] - 1) * s - 2 * pad + k)
            stack.append(nn.ConvTranspose2d(taken[-1], layer.filters, k, s, pad, extra, bias=layer.use_bias))
        elif "BatchNormalization" in kind:
            stack.append(nn.BatchNorm2d(shape[-1]) if len(shape) == 3 else nn.BatchNorm1d(shape[-1]))
        elif kind in ("ReLU", "LeakyReLU"):
            stack.append(nn.LeakyReLU(getattr(layer, "negative_slope", 0.0), inplace=True))
        elif kind == "Dropout":
            stack.append(nn.Dropout(layer.rate))
        elif kind == "Flatten":
            stack.append(nn.Flatten())
        elif kind == "Reshape":
            stack.append(nn.Unflatten(1, (shape[-1], *shape[:2])))
        else:
            raise ValueError(f"no layer of PyTorch's is known for {kind}")
        if getattr(layer, "activation", None) is keras.activations.tanh:
            stack.append(nn.Tanh())
    return nn.Sequential(*stack)


def pytorch(preset, images, dtype="float32", compiled=False):
    """A function that takes some steps in PyTorch, as its tutorial writes them; channels last, the quicker layout."""
    import torch

    torch.manual_seed(0)
    pair = [torch_network(network, torch).to(memory_format=torch.channels_last) for network in networks(preset)]
    (generator, discriminator), dim = pair, networks(preset)[0].input_shape[-1]
    optimizers = [
        torch.optim.Adam(n.parameters(), preset.generator_learning_rate, (preset.beta_1, 0.999)) for n in pair
    ]
    loss = torch.nn.BCEWithLogitsLoss()
    normal = torch.from_numpy(np.moveaxis(images, -1, 1).astype(np.float32) / 127.5 - 1)
    order = torch.Generator().manual_seed(0)

    def draw(noise):
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
            return generator(noise)

    def told_apart(real, fake):
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
            of_real, of_fake = discriminator(real).float(), discriminator(fake).float()
            return loss(of_real, torch.ones_like(of_real)) + loss(of_fake, torch.zeros_like(of_fake))

    def fooled(fake):
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
            logits = discriminator(fake).float()
            return loss(logits, torch.ones_like(logits))

    if compiled:
        draw, told_apart, fooled = (torch.compile(function) for function in (draw, told_apart, fooled))

    def step():
        chosen = torch.randint(len(normal), (preset.batch_size,), generator=order)
        real = normal[chosen].contiguous(memory_format=torch.channels_last)
        fake = draw(torch.randn(preset.batch_size, dim))
        optimizers[1].zero_grad()
        told_apart(real, fake.detach()).backward()
        optimizers[1].step()
        optimizers[0].zero_grad()
        g_loss = fooled(fake)
        g_loss.backward()
        optimizers[0].step()
        return g_loss

    def steps():
        for _ in range(CHUNK):
            value = step()
        return float(value.detach())

    return steps


def products(network):
    """Multiply-adds of one image's way through a network, from the layers' shapes."""
    total = 0
    for layer in network.layers:
        if (kind := type(layer).__name__) not in ("Dense", "Conv2D", "Conv2DTranspose"):
            continue
        places = layer.input.shape[1:3] if kind == "Conv2DTranspose" else layer.output.shape[1:3]
        total += int(np.prod(layer.kernel.shape)) * (1 if kind == "Dense" else int(np.prod(places)))
    return total


def work(preset):
    """Floating-point operations that a step cannot do without.

    Forwards once and backwards twice (to the weights and to the layer before) through the generator with the fakes and
    through the discriminator with reals and fakes.
    """
    generator, discriminator = networks(preset)
    return 2 * preset.batch_size * (3 * products(generator) + 6 * products(discriminator))


def peak(dtype, side=4096, rounds=6):
    """Operations a second of a large matrix product."""
    a = tf.cast(tf.random.normal([side, side]), dtype)
    product = tf.function(lambda x: tf.reduce_sum(tf.cast(x @ x, tf.float32)))
    float(product(a))
    times = []
    for _ in range(rounds):
        then = time.perf_counter()
        float(product(a))
        times.append(time.perf_counter() - then)
    return 2 * side**3 / float(np.median(times))


def steps_of(preset, images, with_xla):
    """{row's name: (precision, function that makes the steps)}."""
    found = {"plain": ("float32", lambda: plain(preset, images)), "Keras fit": ("float32", lambda: fit(preset, images))}
    for precision in ("float32", "mixed_bfloat16"):
        short = precision.removeprefix("mixed_")
        found[f"ours, {short}"] = (short, lambda precision=precision: ours(preset, images, precision))
        if with_xla:
            found[f"ours, {short}, XLA"] = (short, lambda precision=precision: ours(preset, images, precision, True))
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed: its rows are left out (pip install torch)")
        return found
    torch.set_num_threads(devices.cores())
    for short in ("float32", "bfloat16"):
        found[f"PyTorch, {short}"] = (short, lambda short=short: pytorch(preset, images, short))
        found[f"PyTorch, {short}, compiled"] = (short, lambda short=short: pytorch(preset, images, short, True))
    return found


def in_turns(name, makers, count, rounds):
    """{row's name: seconds a step, the median of the turns}; a row that cannot be measured is named and left out."""
    rows, times = {}, {}
    for row, make in makers.items():
        try:
            steps = make()
            steps()
            rows[row], times[row] = steps, []
        except Exception as error:  # torch.compile without a compiler, XLA without an operation
            print(f"{row}: not measured ({str(error).splitlines()[0][:100]})")
    for turn in range(rounds):
        for row, steps in rows.items():
            then = time.perf_counter()
            steps()
            times[row].append((time.perf_counter() - then) / count)
        print(f"\r{name}: turn {turn + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    return {row: float(np.median(taken)) for row, taken in times.items()}


def race(options):
    """All ways to take a step, for each pair."""
    peaks = {dtype: peak(dtype) for dtype in ("float32", "bfloat16")}
    print("A large matrix product: " + ", ".join(f"{v / 1e9:,.0f} GFLOP/s in {k}" for k, v in peaks.items()))
    for name in options.names or PAIRS:
        preset = PAIRS[name]
        images = datasets.load("mnist" if name == "mnist" else "anime")[:4_096]
        ways = steps_of(preset, images, options.xla)
        taken = in_turns(name, {row: make for row, (_, make) in ways.items()}, CHUNK, options.rounds)
        print(f"\n{name}: batches of {preset.batch_size}, {work(preset) / 1e9:,.0f} GFLOP a step\n")
        print("| step | ms | images a second | times as fast as plain | share of the peak |\n|---|---|---|---|---|")
        for row, seconds in taken.items():
            share = work(preset) / seconds / peaks[ways[row][0]]
            speed = preset.batch_size / seconds
            print(f"| {row} | {1e3 * seconds:,.1f} | {speed:,.0f} | {taken['plain'] / seconds:.2f} | {share:.0%} |")
        print()


def layers(options):
    """The whole step of each preset, with and without the parts of fast_layers.py."""
    precision, reason = devices.precision(options.precision)
    print(f"{precision} ({reason}){', XLA' * options.xla}")
    left_out = {"as it is": (), **{f"without {part}": (part,) for part in PARTS}, "without all of them": PARTS}
    for name in options.names or ("mnist", "anime", "heroes"):
        preset = presets.get(name)
        images = datasets.load(preset.dataset)[:4_096]
        step = partial(ours, preset, images, precision, options.xla, count=ROUND)
        makers = {row: partial(step, without=parts) for row, parts in left_out.items()}
        taken = in_turns(name, makers, ROUND, options.rounds)
        print(f"\n{name}: batches of {preset.batch_size}\n")
        print("| step | ms | images a second | times as long |\n|---|---|---|---|")
        for row, seconds in taken.items():
            speed, longer = preset.batch_size / seconds, seconds / taken["as it is"]
            print(f"| {row} | {1e3 * seconds:,.2f} | {speed:,.0f} | {longer:.3f} |", flush=True)
        print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"some of {', '.join(PAIRS)} (default: all); with --layers, presets"
    )
    parser.add_argument("--rounds", type=int, default=8, help="turns of a few steps each, after one to warm up")
    parser.add_argument("--xla", action="store_true", help="with XLA (slow to compile, and slow on a CPU)")
    parser.add_argument("--layers", action="store_true", help="ours, with and without each of the fast layers")
    parser.add_argument("--precision", choices=devices.PRECISIONS, default="auto", help="with --layers")
    options = parser.parse_args()
    if strange := set(options.names) - set(WHOLE if options.layers else PAIRS):
        parser.error(f"{', '.join(sorted(strange))}: choose from {', '.join(WHOLE if options.layers else PAIRS)}")
    print(f"{devices.describe()}; TensorFlow {tf.__version__}, Keras {keras.__version__}")
    (layers if options.layers else race)(options)


if __name__ == "__main__":
    main()
