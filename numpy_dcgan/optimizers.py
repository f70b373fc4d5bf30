"""Adam with Keras's arguments. `apply` changes the weights in place."""

from collections.abc import Sequence

import numpy as np


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1 in the form of section 2's last paragraph, as Keras has it)."""

    def __init__(self, learning_rate: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7):
        self.learning_rate, self.beta_1, self.beta_2, self.epsilon = learning_rate, beta_1, beta_2, epsilon
        self.iterations = 0
        self.first, self.second = [], []

    def apply(self, gradients: Sequence[np.ndarray], weights: Sequence[np.ndarray]) -> None:
        """Take one step: two lists of arrays of the same shapes, the same weights each time."""
        if not self.iterations:
            self.first, self.second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
        self.iterations += 1
        t = self.iterations
        rate = self.learning_rate * np.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        for weight, gradient, first, second in zip(weights, gradients, self.first, self.second, strict=True):
            number = weight.dtype.type
            first += (gradient - first) * number(1 - self.beta_1)
            second += (gradient * gradient - second) * number(1 - self.beta_2)
            change = np.sqrt(second)
            change += number(self.epsilon)
            np.divide(first, change, out=change)
            change *= number(rate)
            weight -= change
