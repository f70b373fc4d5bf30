"""Sequential: layers one after the other."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from dcgan_tf.runtime import files


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

    @property
    def output_shape(self) -> tuple:
        """The shape, (None, ...), of what comes out."""
        return self.layers[-1].output_shape(self.shapes()[-1])

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
        with files.atomic(path) as partial, partial.open("wb") as file:
            np.savez(file, *self.weights)

    def load(self, path: str | Path) -> None:
        """Read the weights that `save` wrote; nothing is unpickled."""
        with np.load(path, allow_pickle=False) as saved:
            self.set_weights([saved[f"arr_{i}"] for i in range(len(saved.files))])

    def count_params(self) -> int:
        """The number of values in all weights."""
        return sum(weight.size for weight in self.weights)

    def summary(self) -> None:
        """Print the layers, the shapes of their outputs and the number of their parameters."""
        print(f"{self.name}: input {self.input_shape}")
        for layer, shape in zip(self.layers, self.shapes(), strict=True):
            frozen = "" if layer.trainable or not layer.weights else "   frozen"
            print(f"  {layer.name:20}{layer.output_shape(shape)!s:22}{layer.count_params():>10,}{frozen}")
        trained = sum(weight.size for weight in self.trainable_weights)
        print(f"  {self.count_params():,} parameters, {trained:,} of them trainable")
