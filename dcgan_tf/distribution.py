"""Several devices, or several machines: tf.distribute strategies, and draws that do not depend on how many there are.

Each replica holds a copy of the networks and a part of every batch; gradients are summed over all. The random numbers
of a step are drawn for the whole batch and each replica takes the rows of its part, so that N devices train as one.
"""

import json
import os

from dcgan_tf import devices
from dcgan_tf.errors import UserError
from dcgan_tf.presets import STRATEGIES, unknown
from dcgan_tf.quiet import tensorflow


def strategy(name="none", replicas=None):
    """A tf.distribute strategy by name; a GAN made in its scope trains on all of its devices.

    Args:
        name: "none" (one device), "mirrored" (all GPUs of this machine, or logical parts of its CPU) or "multiworker"
            (the machines that the environment variable TF_CONFIG names; each runs the same command).
        replicas: for "mirrored" without a GPU: how many logical devices the CPU is to be, to try things out. It has to
            be asked for before TensorFlow has begun to work.

    Raises:
        UserError: no such strategy, no TF_CONFIG or a wrong one, fewer than two devices.
    """
    tf = tensorflow()
    if name == "none":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        kind = "GPU" if devices.gpus() else "CPU"
        if kind == "CPU" and replicas:
            cpu = tf.config.list_physical_devices("CPU")[0]
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)
        found = [device.name for device in tf.config.list_logical_devices(kind)]
        if len(found) < 2:
            raise UserError(
                f"one {kind} is all there is, with nothing to mirror on: leave --strategy out, or give --replicas"
            )
        return tf.distribute.MirroredStrategy(found)
    if name == "multiworker":
        check_cluster(os.environ.get("TF_CONFIG"))
        return tf.distribute.MultiWorkerMirroredStrategy()
    raise UserError(unknown("strategy", name, STRATEGIES))


def check_cluster(text):
    """Refuse a TF_CONFIG that is missing or does not say which machines there are and which of them this is."""
    example = '{"cluster": {"worker": ["host0:9000", "host1:9000"]}, "task": {"type": "worker", "index": 0}}'
    try:
        told = json.loads(text or "")
        workers, index = told["cluster"]["worker"], told["task"]["index"]
        workers[index]
    except (ValueError, KeyError, TypeError, IndexError):
        raise UserError(f"TF_CONFIG has to name the machines and this one among them, as in {example}") from None


def is_chief(strategy):
    """Is this the process that writes the run folder? Where there is only one, it is."""
    resolver = getattr(strategy, "cluster_resolver", None)
    return resolver is None or resolver.task_type in (None, "chief") or resolver.task_id == 0


def share(strategy):
    """(first, count, of): the replicas of this process are `count` of them from `first` on, `of` all."""
    tf = tensorflow()
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        workers = len(strategy.cluster_resolver.cluster_spec().as_dict()["worker"])
        here = strategy.num_replicas_in_sync // workers
        return strategy.cluster_resolver.task_id * here, here, strategy.num_replicas_in_sync
    return 0, strategy.num_replicas_in_sync, strategy.num_replicas_in_sync


def replicas():
    """How many replicas share the batch that is being worked on; 1 outside of them."""
    context = tensorflow().distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def rows(draw, count):
    """This replica's rows of what `draw(rows)` gives for the whole batch; `count` is their number.

    Outside of a replica, and where there is one alone, it is all of `draw(count)`.
    """
    if replicas() == 1:
        return draw(count)
    first = tensorflow().distribute.get_replica_context().replica_id_in_sync_group * count
    return draw(count * replicas())[first : first + count]
