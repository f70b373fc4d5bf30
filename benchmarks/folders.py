"""Time and peak memory of reading folders of images: python -m benchmarks.folders

Writes two folders, of many small images and of a few huge ones, and reads each with `from_folder` in a process of its
own. The result goes to a file in the cache folder. The memory is the most that the process held beside that file (its
anonymous memory, looked at every 10 ms), less what it held before it began to read. Linux only.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from dcgan_tf import devices

READ = """
import sys, threading, time
from dcgan_tf.datasets.folder import from_folder
from PIL import Image
Image.init()
def anonymous():
    return next(1024 * int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon"))
before = most = anonymous()
def watch():
    global most
    while True:
        most = max(most, anonymous())
        time.sleep(0.01)
threading.Thread(target=watch, daemon=True).start()
then = time.perf_counter()
found = from_folder(sys.argv[1], 64, progress=False)
print(len(found.images), found.images.nbytes, time.perf_counter() - then, most - before)
"""


def write(path, side, seed):
    """A JPEG of coloured noise, coarse enough to be small."""
    coarse = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC).save(path, quality=85)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", type=int, default=20_000, help="images of 96 x 96 pixels")
    parser.add_argument("--huge", type=int, default=50, help="images of 8,000 x 8,000 pixels")
    options = parser.parse_args()
    rows = []
    for count, side in ((options.small, 96), (options.huge, 8_000)):
        with tempfile.TemporaryDirectory() as name:
            paths = [Path(name) / f"{i:07}.jpg" for i in range(count)]
            with ProcessPoolExecutor() as pool:
                sides = [side] * count
                list(tqdm(pool.map(write, paths, sides, range(count), chunksize=16), f"Writing {side} x {side}", count))
            time.sleep(1)
            with tempfile.TemporaryDirectory() as cache:
                environment = os.environ | {"DCGAN_TF_CACHE": cache}
                command = [sys.executable, "-c", READ, name]
                told = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        images, size, seconds, memory = (float(value) for value in told.stdout.split())
        one = 4 * side * side / 1e6  # Pillow keeps four bytes a pixel
        rows.append(
            f"| {images:,.0f} of {side} x {side} | {one:,.2f} | {size / 1e6:.1f} | {memory / 1e6:.0f} | "
            f"{seconds:.1f} | {images / seconds:,.0f} |"
        )
    print(f"\n{devices.describe()}\n")
    print("| images | one of them, MB | the result, MB | peak memory, MB | seconds | images a second |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
