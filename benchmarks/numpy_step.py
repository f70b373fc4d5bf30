"""A training step of numpy_dcgan against the same step in TensorFlow: python -m benchmarks.numpy_step

The pair is that of the pixel heroes project for 64x64 images: Dense to 8x8x256 and three transposed convolutions; two
convolutions, dropout and Dense. A step draws its noise and dropout masks, and takes both networks forwards and
backwards, batch norm and both Adams included. float32 on both sides, as many threads for each; the two take turns, and
medians are compared.
"""

import argparse
import os
import sys
import time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--rounds", type=int, default=15)
parser.add_argument("--threads", type=int, default=os.cpu_count())
options = parser.parse_args()
for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = str(options.threads)

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

import numpy_dcgan  # noqa: E402
from benchmarks.plain import Plain  # noqa: E402
from dcgan_tf import devices  # noqa: E402

tf.config.threading.set_intra_op_parallelism_threads(options.threads)


def networks(kind, sequential):
    """Generator and discriminator of one library."""
    tanh = kind.Tanh() if hasattr(kind, "Tanh") else kind.Activation("tanh")
    generator = [kind.Dense(8 * 8 * 256), kind.BatchNormalization(), kind.LeakyReLU(0.2), kind.Reshape((8, 8, 256))]
    for filters in (128, 64):
        generator += [kind.Conv2DTranspose(filters, 4, 2, "same"), kind.BatchNormalization(), kind.LeakyReLU(0.2)]
    generator += [kind.Conv2DTranspose(3, 4, 2, "same"), tanh]
    discriminator = []
    for filters in (64, 128):
        discriminator += [kind.Conv2D(filters, 4, 2, "same"), kind.LeakyReLU(0.2), kind.Dropout(0.3)]
    discriminator += [kind.Flatten(), kind.Dense(1)]
    pair = sequential(generator), sequential(discriminator)
    pair[0].build((None, 100))
    pair[1].build((None, 64, 64, 3))
    return pair


def ours(batch):
    """A function that takes one step in NumPy, as chapter 06 writes it."""
    generator, discriminator = networks(numpy_dcgan.layers, numpy_dcgan.Sequential)
    adams = [numpy_dcgan.optimizers.Adam(2e-4, 0.5) for _ in range(2)]
    cross_entropy, random = numpy_dcgan.losses.binary_crossentropy, np.random.default_rng(0)

    def step():
        fake = generator(random.standard_normal((len(batch), 100), np.float32), training=True)
        discriminator.backward(cross_entropy(discriminator(batch, training=True), 1.0)[1], inputs=False)
        of_real = discriminator.gradients
        logits = discriminator(fake, training=True)
        discriminator.backward(cross_entropy(logits, 0.0)[1], inputs=False)
        of_both = [one + other for one, other in zip(of_real, discriminator.gradients, strict=True)]
        of_fake = discriminator.backward(cross_entropy(logits, 1.0)[1], weights=False)
        generator.backward(of_fake, inputs=False)
        adams[0].apply(generator.gradients, generator.trainable_weights)
        adams[1].apply(of_both, discriminator.trainable_weights)

    return step


def theirs(batch):
    """A function that takes the same step in TensorFlow, written as its tutorials write it."""
    generator, discriminator = networks(keras.layers, keras.Sequential)
    step = tf.function(Plain(generator, discriminator, len(batch)).step)
    real = tf.constant(batch)
    return lambda: float(step(real)[0])


def main():
    batch = np.random.default_rng(1).uniform(-1, 1, (options.batch_size, 64, 64, 3)).astype(np.float32)
    steps = {"NumPy": ours(batch), "TensorFlow": theirs(batch)}
    times = {name: [] for name in steps}
    for turn in range(options.rounds + 2):
        for name, step in steps.items():
            then = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - then)
        print(f"\rround {turn + 1} of {options.rounds + 2}", end="", file=sys.stderr, flush=True)
    medians = {name: 1e3 * float(np.median(taken[2:])) for name, taken in times.items()}  # two to warm up
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    print(f"\n{devices.describe()}; {options.threads} threads; batches of {options.batch_size}; float32")
    print(f"NumPy {np.__version__} with {blas['name']} {blas['version']}, TensorFlow {tf.__version__}\n")
    print("| | ms a step |\n|---|---|")
    for name, value in medians.items():
        print(f"| {name} | {value:.0f} |")
    print(f"\nNumPy takes {medians['NumPy'] / medians['TensorFlow']:.2f} times as long.")


if __name__ == "__main__":
    main()
