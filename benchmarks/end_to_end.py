"""What training costs beside its steps, and how that grows with the data: python -m benchmarks.end_to_end

Folders of 28x28 images are written and trained on in processes of their own, by MNIST's recipe with its samples,
checkpoints and history. Told are: seconds to read the folder; seconds from the start of the process, with the folder in
the cache, to the end of its first step; the wall time of so many steps, and how much of it was spent in the calls of
`train_step` (on a CPU they return when the step is done); the most anonymous memory (what the system cannot take back
by writing it to a file).
"""

import argparse
import json
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

CHILD = """
import json, sys, threading, time
began = float(sys.argv[1])
most = 0
def watch():
    global most
    while True:
        for line in open("/proc/self/status"):
            if line.startswith("RssAnon"):
                most = max(most, int(line.split()[1]))
        time.sleep(0.05)
threading.Thread(target=watch, daemon=True).start()
import dcgan_tf as dcgan
folder, run, steps = sys.argv[2], sys.argv[3], int(sys.argv[4])
then = time.time()
found = dcgan.datasets.from_folder(folder, 28, 1, progress=False)
read = time.time() - then
images, _ = dcgan.datasets.hold_out(found.images)
if steps == 0:
    print(json.dumps({"read": read, "images": len(found.images), "memory": most}))
    sys.exit()
precision, _ = dcgan.devices.precision()
gan = dcgan.GAN.from_preset("mnist", precision)
step, first, seconds = gan.train_step, [], []
def timed(*arguments):
    then = time.time()
    results = step(*arguments)
    if not first:
        float(results["g_loss"])
        first.append(time.time() - began)
    seconds.append(time.time() - then)
    return results
gan.train_step = timed
schedule = gan.preset.schedule("short")
dcgan.train(gan, images, steps=200, run=run, schedule=schedule)
seconds.clear()
then = time.time()
dcgan.train(gan, images, steps=200 + steps, run=run, schedule=schedule)
wall = time.time() - then
print(json.dumps({"first": first[0], "wall": wall, "steps": sum(seconds), "memory": most}))
"""


def write(path, seed):
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 7), np.uint8)
    Image.fromarray(coarse).resize((28, 28), Image.Resampling.BICUBIC).save(path, quality=80)


def child(*arguments, cache):
    told = subprocess.run(
        [sys.executable, "-c", CHILD, str(time.time()), *map(str, arguments)],
        capture_output=True, text=True, env=os.environ | {"DCGAN_TF_CACHE": str(cache), "TQDM_DISABLE": "1"},
    )  # fmt: skip
    if told.returncode:
        sys.exit(told.stderr)
    return json.loads(told.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="of images")
    parser.add_argument("--steps", type=int, default=2_000, help="to be timed; an epoch of MNIST has 1,875")
    options = parser.parse_args()
    rows = []
    for count in options.counts:
        with tempfile.TemporaryDirectory() as name:
            folder, cache = Path(name) / "images", Path(name) / "cache"
            paths = [folder / f"{i // 10_000:04}" / f"{i:08}.jpg" for i in range(count)]
            for parent in {path.parent for path in paths}:
                parent.mkdir(parents=True)
            with ProcessPoolExecutor() as pool:
                list(tqdm(pool.map(write, paths, range(count), chunksize=64), f"Writing {count:,}", count))
            read = child(folder, "", 0, cache=cache)
            told = child(folder, Path(name) / "run", options.steps, cache=cache)
        seconds = [read["read"], told["first"], told["wall"], told["steps"]]
        memory = [f"{each['memory'] / 1e3:,.0f}" for each in (read, told)]
        more = f"{told['wall'] / told['steps'] - 1:+.1%}"
        rows.append([f"{read['images']:,}", *(f"{value:.1f}" for value in seconds), more, *memory])
    print(f"\n{devices.describe()}; {options.steps:,} steps of MNIST's recipe\n")
    print("| images | reading, s | to the first step, s | training, s | its steps, s | more | MB reading | MB then |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
