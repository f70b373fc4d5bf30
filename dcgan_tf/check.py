"""What this machine is, line by line: [OK], [--] where something optional is missing, or [!!] and what to do."""

import importlib.metadata
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from dcgan_tf import __version__, data, weights
from dcgan_tf.errors import UserError
from dcgan_tf.runtime import devices, quiet

PYTHON = ((3, 11), (3, 14))  # from, and below
ROOM = 2.0  # GB: what runs of all chapters take


def report() -> int:
    """Print the lines; returns 0, or 1 if one of them is [!!]."""
    wrong = False
    for mark, what in _findings():
        print(f"[{mark}] {what}", flush=True)
        wrong |= mark == "!!"
    return int(wrong)


def _findings():
    python = ".".join(map(str, sys.version_info[:3]))
    if PYTHON[0] <= sys.version_info[:2] < PYTHON[1]:
        yield "OK", f"Python {python}, dcgan_tf {__version__}"
    else:
        yield "!!", f"Python {python}: install 3.11, 3.12 or 3.13"
    try:
        tensorflow = quiet.tensorflow()
    except ImportError:
        yield "!!", "TensorFlow cannot be imported: pip install tensorflow"
        return
    except UserError as error:
        yield "!!", str(error)
        return
    versions = {name: importlib.metadata.version(name) for name in ("keras", "numpy")}
    yield "OK", f"TensorFlow {tensorflow.__version__}, Keras {versions['keras']}, NumPy {versions['numpy']}"
    yield "OK", "Keras's backend is TensorFlow"
    yield "OK", f"Devices: {devices.describe()}"
    if not devices.gpus() and (shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists()):
        yield "!!", "There is an NVIDIA GPU that TensorFlow cannot use: pip install 'tensorflow[and-cuda]'"
    policy, why = devices.precision()
    yield "OK", f"Precision: {policy} ({why})"
    yield _disk(Path.cwd())
    yield _sets()
    yield "OK", f"Released generators: {', '.join(weights.released())}"
    if find_spec("tf2onnx") and find_spec("onnx"):
        yield "OK", "ONNX files can be written"
    else:
        yield "--", "ONNX files cannot be written: pip install tf2onnx onnx"


def _disk(folder):
    free = shutil.disk_usage(folder).free / 1e9
    if not os.access(folder, os.W_OK):
        return "!!", f"{folder} cannot be written into: change to another folder, or give --run"
    if free < ROOM:
        return "!!", f"{free:.1f} GB free in {folder}: make room for {ROOM:.0f} GB, or give --run on another disk"
    return "OK", f"{free:.0f} GB free in {folder}"


def _sets():
    here, missing = [], []
    for name in data.names():
        try:
            data.load(name)
            here.append(name)
        except UserError as error:
            missing.append(f"{name} ({error})")
    return "--" if missing else "OK", f"Image sets: {', '.join(here)}" + "".join(f"; not here: {m}" for m in missing)
