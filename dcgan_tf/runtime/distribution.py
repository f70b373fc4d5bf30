"""Several devices, or several machines, by tf.distribute.

Each replica holds a copy of the networks, takes its part of every batch and draws its own latents; gradients are summed
over all of them.
"""

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from dcgan_tf.errors import UserError, unknown
from dcgan_tf.runtime import devices
from dcgan_tf.runtime.quiet import tensorflow

if TYPE_CHECKING:
    import tensorflow as tf

STRATEGIES = ("none", "mirrored", "multiworker")


def strategy(name: str = "none") -> "tf.distribute.Strategy":
    """A tf.distribute strategy by name; a GAN made in its scope trains on all of its devices.

    Args:
        name: "none" (one device), "mirrored" (all GPUs of this machine; without one, its logical CPUs) or "multiworker"
            (the machines that the environment variable TF_CONFIG names; each runs the same command).

    Raises:
        UserError: no such strategy, no TF_CONFIG or a wrong one, fewer than two devices.
    """
    tf = tensorflow()
    if name == "none":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        kind = "GPU" if devices.gpus() else "CPU"
        names = [device.name for device in tf.config.list_logical_devices(kind)]
        if len(names) < 2:
            raise UserError(f"mirrored needs at least two devices, but there is only one {kind}: leave --strategy out")
        return tf.distribute.MirroredStrategy(names)
    if name == "multiworker":
        _check_cluster(os.environ.get("TF_CONFIG"))
        return tf.distribute.MultiWorkerMirroredStrategy()
    raise UserError(unknown("strategy", name, STRATEGIES))


def _check_cluster(text):
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
    return strategy.extended.should_checkpoint


def is_alone(strategy: "tf.distribute.Strategy") -> bool:
    """Is this the only process that trains?"""
    return not isinstance(strategy, tensorflow().distribute.MultiWorkerMirroredStrategy)


def replicas() -> int:
    """How many replicas share the batch that is being worked on; 1 outside of them."""
    context = tensorflow().distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def replica() -> "tf.Tensor":
    """The number of the replica that is at work, from 0."""
    return tensorflow().distribute.get_replica_context().replica_id_in_sync_group


def shared(
    strategy: "tf.distribute.Strategy", batch_size: int, batches: "Callable[[], tf.data.Dataset]"
) -> "tf.distribute.DistributedDataset":
    """Batches of which each replica gets its part; their size is a multiple of the number of replicas."""
    of = strategy.num_replicas_in_sync

    def part(context):
        if of == 1:
            return batches()
        size = batch_size // context.num_input_pipelines  # of this machine's part
        first = context.input_pipeline_id * size

        def rows(*element):
            tensors = tuple(tensor[first : first + size] for tensor in element)
            return tensors if len(tensors) > 1 else tensors[0]

        return batches().map(rows).unbatch().batch(batch_size // of, drop_remainder=True)

    return strategy.distribute_datasets_from_function(part)
