"""Progressive growing: from small images to large ones, with the layers that have learned carried over.

Karras et al. 2017 ("Progressive Growing of GANs", section 2) fade new layers in; here, as in the pixel heroes project,
they are trained alone at first, while the old ones are frozen, and then all together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Stage:
    """A stretch of a run: images of one size, trained from step `first` + 1 on, perhaps with the old layers frozen."""

    first: int
    size: int
    frozen: bool = False


def stages(sizes: Sequence[int], shares: Sequence[float], frozen: float, steps: int) -> tuple[Stage, ...]:
    """The stages of a run of so many steps.

    Args:
        sizes: of the images, each twice the one before.
        shares: of the steps, one for each size; they sum to 1.
        frozen: the share of each size's steps, but for the first size, in which only the new layers learn.
        steps: of the whole run, at least 2 for each size.
    """
    ends = np.rint(np.cumsum([0, *shares]) * steps).astype(int)
    plan = []
    for size, first, last in zip(sizes, ends[:-1], ends[1:], strict=True):
        thawed = int(first) + round(frozen * (last - first))
        if plan and thawed > first:
            plan.append(Stage(int(first), size, frozen=True))
        if not plan or last > thawed:
            plan.append(Stage(thawed if plan else int(first), size))
    return tuple(plan)


def stage_of(stages: Sequence[Stage], step: int) -> Stage:
    """The stage in which step number `step` (the first is 1) is taken."""
    return [stage for stage in stages if stage.first < max(step, 1)][-1]


def carry(old: "keras.Model", new: "keras.Model") -> list[str]:
    """Copy the weights of every layer of `old` into the layer of `new` with its name; returns those names.

    The layers next to the image are named for their size, so they are the ones that do not carry over.
    """
    there = {layer.name: layer for layer in new.layers}
    names = [layer.name for layer in old.layers if layer.name in there]
    for layer in old.layers:
        if layer.name in there:
            there[layer.name].set_weights(layer.get_weights())
    return names


def freeze(network: "keras.Model", names: Sequence[str]) -> None:
    """Freeze the named layers of a network. A frozen batch norm uses its moving statistics, in training as well."""
    for layer in network.layers:
        layer.trainable = layer.name not in names


def shrink(images: np.ndarray, size: int) -> np.ndarray:
    """uint8 images [N, H, W, C] made smaller by averaging blocks of pixels; H is a multiple of `size`."""
    factor = images.shape[1] // size
    if factor == 1:
        return images
    blocks = images.reshape(len(images), size, factor, size, factor, images.shape[-1])
    return np.rint(blocks.mean((2, 4), dtype=np.float32)).astype(np.uint8)


def enlarge(images: np.ndarray, size: int) -> np.ndarray:
    """Images [N, H, W, C] made larger by repeating pixels; `size` is a multiple of H."""
    factor = size // images.shape[1]
    return images.repeat(factor, 1).repeat(factor, 2)
