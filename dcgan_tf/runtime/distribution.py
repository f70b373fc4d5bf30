"""Several devices, or several machines: tf.distribute strategies, and draws that do not depend on how many there are.

Each replica holds a copy of the networks and a part of every batch; gradients are summed over all. The random numbers
of a step are drawn for the whole batch and each replica takes the rows of its part, so that N devices train as one.
"""

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from dcgan_tf.errors import UserError, unknown
from dcgan_tf.names import STRATEGIES
from dcgan_tf.runtime import devices
from dcgan_tf.runtime.quiet import tensorflow

if TYPE_CHECKING:
    import tensorflow as tf


def strategy(name: str = "none", replicas: int | None = None) -> "tf.distribute.Strategy":
    """A tf.distribute strategy by name; a GAN made in its scope trains on all of its devices.

    Args:
        name: "none" (one device), "mirrored" (all GPUs of this machine, or logical parts of its CPU) or "multiworker"
            (the machines that the environment variable TF_CONFIG names; each runs the same command).
        replicas: for "mirrored" without a GPU: how many logical devices the CPU is to be, to try things out. It has to
            be asked for before TensorFlow has begun to work.

    Raises:
        UserError: no such strategy, no TF_CONFIG or a wrong one, fewer than two devices.
    """
    if replicas and name in STRATEGIES and name != "mirrored":
        raise UserError("--replicas is for --strategy mirrored")
    tf = tensorflow()
    if name == "none":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        kind = "GPU" if devices.gpus() else "CPU"
        if kind == "CPU" and replicas:
            cpu = tf.config.list_physical_devices("CPU")[0]
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)
        names = [device.name for device in tf.config.list_logical_devices(kind)]
        if len(names) < 2:
            split = ", or split the CPU with --replicas 2" if kind == "CPU" else ""
            raise UserError(
                f"mirrored needs at least two devices, but there is only one {kind}: leave --strategy out{split}"
            )
        return tf.distribute.MirroredStrategy(names)
    if name == "multiworker":
        check_cluster(os.environ.get("TF_CONFIG"))
        return tf.distribute.MultiWorkerMirroredStrategy()
    raise UserError(unknown("strategy", name, STRATEGIES))


def check_cluster(text: str | None) -> None:
    """Refuse a TF_CONFIG that is missing or does not say which machines there are and which of them this is."""
    example = '{"cluster": {"worker": ["host0:9000", "host1:9000"]}, "task": {"type": "worker", "index": 0}}'
    try:
        config = json.loads(text or "")
        kind, index = config["task"]["type"], config["task"]["index"]
        if not (set(config["cluster"]) <= {"chief", "worker"} and 0 <= index < len(config["cluster"][kind])):
            raise ValueError
    except (ValueError, KeyError, TypeError, IndexError):
        raise UserError(f"TF_CONFIG has to name the machines and this one among them, as in {example}") from None


def is_chief(strategy: "tf.distribute.Strategy") -> bool:
    """Is this the process that writes the run folder? Where there is only one, it is."""
    return _place(strategy)[0] == 0


def is_alone(strategy: "tf.distribute.Strategy") -> bool:
    """Is this the only process that trains?"""
    return _place(strategy)[1] == 1


def replica_slots(strategy: "tf.distribute.Strategy") -> tuple[int, int, int]:
    """(first, count, of): the replicas of this process are `count` of them from `first` on, `of` all."""
    place, machines = _place(strategy)
    here = strategy.num_replicas_in_sync // machines
    return place * here, here, strategy.num_replicas_in_sync


def _place(strategy):
    """(number of this machine, how many there are): the chief, if TF_CONFIG names one, comes before the workers."""
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None or resolver.task_type is None:
        return 0, 1
    cluster = resolver.cluster_spec().as_dict()
    chiefs = len(cluster.get("chief", ()))
    before = chiefs if resolver.task_type == "worker" else 0
    return before + resolver.task_id, chiefs + len(cluster.get("worker", ()))


def replicas() -> int:
    """How many replicas share the batch that is being worked on; 1 outside of them."""
    context = tensorflow().distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def mean(value: "tf.Tensor") -> "tf.Tensor":
    """The mean of a scalar over all replicas; outside of them, the scalar."""
    return value if replicas() == 1 else tensorflow().distribute.get_replica_context().all_reduce("MEAN", value)


def local_rows(draw: "Callable[[int | tf.Tensor], tf.Tensor]", count: "int | tf.Tensor") -> "tf.Tensor":
    """This replica's rows of what `draw(n)` gives for the whole batch; `count` is their number.

    Outside of a replica, and where there is one alone, it is all of `draw(count)`.
    """
    if replicas() == 1:
        return draw(count)
    first = tensorflow().distribute.get_replica_context().replica_id_in_sync_group * count
    return draw(count * replicas())[first : first + count]
