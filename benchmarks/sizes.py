"""What a training step costs by the size of the images: python -m benchmarks.sizes

The pair `models.image_generator` and `image_discriminator` with the Pokémon's recipe, each size in its own process:
milliseconds a step (median of ten groups of eight steps), the memory of the whole process, and the parameters of both
networks.
"""

import argparse
import json
import subprocess
import sys

from dcgan_tf import cli

SIZES = [cli.size(size) for size in ("32", "48", "64", "64x96", "96", "128", "192", "256")]
CHILD = """
import json, resource, sys, time
import numpy as np
from dcgan_tf import GAN, datasets, devices, presets

size, batch_size = tuple(json.loads(sys.argv[1])), int(sys.argv[2])
preset = presets.get("anime").for_images(size, 3, batch_size=batch_size, flip=True, augment="translation,cutout")
gan = GAN.from_preset(preset)
images = np.random.default_rng(0).integers(0, 256, (2 * batch_size, *size, 3), dtype=np.uint8)
batches = iter(datasets.batches(images, batch_size))
times = []
for _ in range(11):  # eight steps: whole rounds of the lazy penalty; the first group compiles
    then = time.perf_counter()
    for _ in range(8):
        result = gan.train_step(next(batches))
    float(result["g_loss"])
    times.append((time.perf_counter() - then) / 8)
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # kilobytes on Linux
parameters = gan.generator.count_params(), gan.discriminator.count_params()
print(json.dumps([1e3 * float(np.median(times[1:])), memory, *parameters, devices.describe(), devices.precision()[0]]))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=SIZES, type=cli.size)
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args()
    results = {}
    for size in options.sizes:
        command = [sys.executable, "-c", CHILD, json.dumps(size), str(options.batch_size)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        results[size] = json.loads(done.stdout.splitlines()[-1])
    *_, machine, precision = results[options.sizes[0]]
    print(f"{machine}; {precision}, batches of {options.batch_size}\n")
    print("| height x width | ms a step | to 64x64 | pixels to 64x64 | memory, GB | generator | discriminator |")
    print("|---|---|---|---|---|---|---|")
    usual = results.get((64, 64), results[options.sizes[0]])[0]
    for (height, width), (ms, memory, generator, discriminator, *_) in results.items():
        print(
            f"| {height}x{width} | {ms:.0f} | {ms / usual:.2f} | {height * width / 4096:.2f} | {memory:.1f} "
            f"| {generator:,} | {discriminator:,} |"
        )


if __name__ == "__main__":
    main()
