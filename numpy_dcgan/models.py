"""Sequential: layers one after the other."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np


class Sequential:
    """A stack of layers, with Keras's methods."""

    def __init__(self, layers: Iterable, name: str = "sequential"):
        self.layers, self.name = list(layers), name
        self.input_shape = None

    def build(self, input_shape: tuple) -> None:
        """Make all weights for inputs of the shape (None, ...)."""
        self.input_shape = tuple(input_shape)
        for layer, shape in zip(self.layers, self.shapes(), strict=True):
            layer.build(shape)

    def shapes(self) -> list[tuple]:
        """The shape of each layer's input."""
        shape, shapes = self.input_shape, []
        for layer in self.layers:
            shapes.append(shape)
            shape = layer.output_shape(shape)
        return shapes

    def __call__(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """Apply all layers to a batch [N, ...]; the first one makes the weights, unless `build` has."""
        self.input_shape = self.input_shape or (None, *x.shape[1:])
        for layer in self.layers:
            x = layer(x, training)
        return x

    def backward(self, dy: np.ndarray, weights: bool = True, inputs: bool = True) -> np.ndarray | None:
        """The gradient with respect to the input of the last call; leaves those of the weights in the layers."""
        for layer in reversed(self.layers):
            dy = layer.backward(dy, weights, inputs or layer is not self.layers[0])
        return dy

    @property
    def weights(self) -> list[np.ndarray]:
        """All weights, in Keras's order."""
        return [weight for layer in self.layers for weight in layer.weights]

    @property
    def trainable_weights(self) -> list[np.ndarray]:
        """Those of the layers that are not frozen."""
        return [weight for layer in self.layers for weight in layer.trainable_weights]

    @property
    def gradients(self) -> list[np.ndarray]:
        """Those of the trainable weights, in their order, as the last `backward` left them."""
        return [gradient for layer in self.layers if layer.trainable for gradient in layer.gradients]

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, as Keras's get_weights returns them."""
        return [weight.copy() for weight in self.weights]

    def set_weights(self, values: Sequence[np.ndarray]) -> None:
        """Take all weights over, from a Keras model with the same layers as well."""
        if len(values) != len(self.weights):
            raise ValueError(f"{self.name} has {len(self.weights)} weights, not {len(values)}")
        values = iter(values)
        for layer in self.layers:
            layer.set_weights([next(values) for _ in layer.weights])

    def save(self, path: str | Path) -> None:
        """Write all weights to an .npz file, whole or not at all."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
        try:
            with partial.open("wb") as file:
                np.savez(file, *self.weights)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def load(self, path: str | Path) -> None:
        """Read the weights that `save` wrote; nothing is unpickled. ValueError if the file holds anything else."""
        try:
            with np.load(path, allow_pickle=False) as saved:
                values = [saved[f"arr_{i}"] for i in range(len(saved.files))]
        except OSError:
            raise
        except Exception as error:  # a dozen kinds, for what is no .npz or is damaged
            raise ValueError(f"{path} does not hold weights as `save` writes them ({error})") from error
        self.set_weights(values)

    def summary(self) -> None:
        """Print the layers, the shapes of their outputs and the number of their parameters."""
        print(f"{self.name}: input {self.input_shape}")
        for layer, shape in zip(self.layers, self.shapes(), strict=True):
            print(f"  {layer.name:20}{layer.output_shape(shape)!s:22}{size(layer.weights):>10,}")
        print(f"  {size(self.weights):,} parameters, {size(self.trainable_weights):,} of them trainable")


def size(weights: Iterable[np.ndarray]) -> int:
    """The number of values in all of them."""
    return sum(weight.size for weight in weights)
