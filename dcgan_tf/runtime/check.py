"""What this machine is, line by line: [OK], [--] where something optional is missing, or [!!] and what to do."""

import importlib.metadata
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from dcgan_tf import __version__, datasets
from dcgan_tf.errors import UserError
from dcgan_tf.runtime import devices, quiet

ROOM = 2.0  # GB: what runs of all chapters take


def report() -> int:
    """Print the lines; returns 0, or 1 if one of them is [!!]."""
    wrong = False
    for mark, what in _findings():
        print(f"[{mark}] {what}", flush=True)
        wrong |= mark == "!!"
    return int(wrong)


def _findings():
    yield "OK", f"Python {'.'.join(map(str, sys.version_info[:3]))}, dcgan_tf {__version__}"
    try:
        versions = {"TensorFlow": quiet.tensorflow().__version__}
    except (ImportError, UserError) as error:
        yield "!!", f"TensorFlow cannot be used: {error}"
        return
    versions |= {name: importlib.metadata.version(name) for name in ("keras", "numpy", "pillow")}
    yield "OK", ", ".join(f"{name} {version}" for name, version in versions.items())
    yield "OK", f"Devices: {devices.describe()}"
    if not devices.gpus() and (shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists()):
        yield "!!", "There is an NVIDIA GPU that TensorFlow cannot use: pip install 'tensorflow[and-cuda]'"
    yield "OK", "Precision: {} ({})".format(*devices.precision())
    here, free = Path.cwd(), shutil.disk_usage(Path.cwd()).free / 1e9
    if not os.access(here, os.W_OK):
        yield "!!", f"{here} cannot be written into: change to another folder, or give --run"
    else:
        yield "OK" if free > ROOM else "!!", f"{free:.0f} GB free in {here}; runs of all chapters take {ROOM:.0f} GB"
    for name in datasets.names():
        try:
            yield "OK", f"Image set {name}: {len(datasets.load(name)):,} images to train on"
        except UserError as error:
            yield "--", f"Image set {name}: {error}"
    onnx = find_spec("tf2onnx") and find_spec("onnx")
    yield ("OK", "ONNX files can be written") if onnx else ("--", "No ONNX files: pip install tf2onnx onnx")
