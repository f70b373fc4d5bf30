"""What machine this is, and the arithmetic that suits it."""

import os
import platform
from contextlib import suppress
from functools import cache
from pathlib import Path

from dcgan_tf import quiet
from dcgan_tf.errors import UserError

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")


@cache
def gpus():
    """The GPUs that TensorFlow sees, as a list of (name, compute capability as (major, minor) or None).

    TensorFlow is told to take their memory as it needs it, not all at once.
    """
    tf = quiet.tensorflow()
    found = []
    for device in tf.config.list_physical_devices("GPU"):
        with suppress(RuntimeError):  # it has begun to work already
            tf.config.experimental.set_memory_growth(device, True)
        details = tf.config.experimental.get_device_details(device)
        found.append((details.get("device_name", "GPU"), details.get("compute_capability")))
    return found


def cpu_flags(cpuinfo="/proc/cpuinfo"):
    """The processor's feature flags as a set; empty where the system does not tell (macOS, Windows)."""
    file = Path(cpuinfo)
    for line in file.read_text().splitlines() if file.exists() else ():
        if line.startswith("flags"):
            return set(line.split(":", 1)[1].split())
    return set()


def precision(requested="auto", gpus=None, flags=None):
    """Choose a Keras dtype policy for this machine.

    Returns:
        (policy, reason): the name of a Keras dtype policy, and why, in a few words.

    bfloat16 pays where the hardware multiplies it: compute capability 8.0 and up, AMX, AVX512-BF16. On other
    processors it is emulated and slower than float32. Tensor cores from 7.0 on know float16 only.
    """
    if requested not in PRECISIONS:
        raise UserError(f"no precision named {requested!r}: there are: {', '.join(PRECISIONS)}")
    if requested != "auto":
        return requested, "as asked for"
    gpus = globals()["gpus"]() if gpus is None else gpus
    if gpus:
        name, capability = gpus[0]
        if capability and capability >= (8, 0):
            return "mixed_bfloat16", f"{name}, compute capability {capability[0]}.{capability[1]}"
        if capability and capability >= (7, 0):
            return "mixed_float16", f"{name}, compute capability {capability[0]}.{capability[1]}"
        return "float32", f"{name} has no tensor cores"
    flags = cpu_flags() if flags is None else flags
    for flag, name in (("amx_bf16", "AMX"), ("avx512_bf16", "AVX512-BF16")):
        if flag in flags:
            return "mixed_bfloat16", f"the CPU has {name}"
    return "float32", "the CPU has no bfloat16 arithmetic"


def describe():
    """The machine in one line, to stand beside a figure: processor, cores, GPUs."""
    flags = cpu_flags()
    extras = [name for flag, name in (("amx_bf16", "AMX"), ("avx512_bf16", "AVX512-BF16")) if flag in flags]
    text = f"{cores()} CPU cores, {platform.machine()}" + "".join(f", {name}" for name in extras[:1])
    return text + "; " + (", ".join(name for name, _ in gpus()) or "no GPU")


def cores():
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def deterministic():
    """Make TensorFlow repeat itself to the bit on a GPU too, at some cost in speed; on a CPU it does so anyway."""
    from dcgan_tf.quiet import tensorflow

    tensorflow().config.experimental.enable_op_determinism()
