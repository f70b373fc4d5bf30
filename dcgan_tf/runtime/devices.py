"""What machine this is, and the arithmetic that suits it."""

import os
import platform
from functools import cache
from pathlib import Path

from dcgan_tf.errors import UserError, unknown
from dcgan_tf.runtime import quiet

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")


@cache
def gpus() -> list[tuple]:
    """The GPUs that TensorFlow sees, as a list of (name, compute capability as (major, minor) or None)."""
    tf = quiet.tensorflow()
    listed = []
    for device in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(device)
        listed.append((details.get("device_name", "GPU"), details.get("compute_capability")))
    return listed


def cpu_flags(cpuinfo: str | Path = "/proc/cpuinfo") -> set[str]:
    """The processor's feature flags as a set; empty where the system does not tell (macOS, Windows)."""
    file = Path(cpuinfo)
    for line in file.read_text().splitlines() if file.exists() else ():
        if line.startswith("flags"):
            return set(line.split(":", 1)[1].split())
    return set()


def precision(
    requested: str = "auto", available: list[tuple] | None = None, flags: set[str] | None = None
) -> tuple[str, str]:
    """Choose a Keras dtype policy for this machine.

    Returns:
        (policy, reason): the name of a Keras dtype policy, and why, in a few words.

    bfloat16 pays where the hardware multiplies it: compute capability 8.0 and up, AMX, AVX512-BF16. On other
    processors it is emulated and slower than float32. GPUs below 8.0 know float16 alone, which has not been measured
    with the R1 penalty: it is not chosen by itself.
    """
    if requested not in PRECISIONS:
        raise UserError(unknown("precision", requested, PRECISIONS))
    if requested != "auto":
        return requested, "as asked for"
    available = gpus() if available is None else available
    if available:
        name, capability = available[0]
        if capability and tuple(capability) >= (8, 0):
            return "mixed_bfloat16", f"{name}, compute capability {capability[0]}.{capability[1]}"
        return "float32", f"{name} has no bfloat16 arithmetic"
    flags = cpu_flags() if flags is None else flags
    for flag, name in (("amx_bf16", "AMX"), ("avx512_bf16", "AVX512-BF16")):
        if flag in flags:
            return "mixed_bfloat16", f"the CPU has {name}"
    return "float32", "the CPU has no bfloat16 arithmetic"


def describe() -> str:
    """The machine in one line, to stand beside a figure: processor, cores, GPUs."""
    flags = cpu_flags()
    extras = [name for flag, name in (("amx_bf16", "AMX"), ("avx512_bf16", "AVX512-BF16")) if flag in flags]
    text = f"{cores()} CPU cores, {platform.machine()}" + "".join(f", {name}" for name in extras[:1])
    return text + "; " + (", ".join(name for name, _ in gpus()) or "no GPU")


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def deterministic() -> None:
    """Make TensorFlow repeat itself to the bit on a GPU too, at some cost in speed; on a CPU it does so anyway."""
    quiet.tensorflow().config.experimental.enable_op_determinism()
