"""How kernels begin. Each is called with a shape and a dtype, as Keras's are."""

from collections.abc import Callable

import numpy as np


def fans(shape: tuple) -> tuple[int, int]:
    """How many values (a sum takes, a value goes into), as Keras counts them from a kernel's shape."""
    field = int(np.prod(shape[:-2]))
    return field * shape[-2], field * shape[-1]


class GlorotUniform:
    """U(-limit, limit) with limit = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16)."""

    def __init__(self, seed: int | None = None):
        self.random = np.random.default_rng(seed)

    def __call__(self, shape: tuple, dtype: str = "float32") -> np.ndarray:
        limit = np.sqrt(6 / sum(fans(shape)))
        return self.random.uniform(-limit, limit, shape).astype(dtype)


class HeNormal:
    """N(0, sqrt(2 / fan_in)) (He et al. 2015, eq. 10). Keras cuts the tails off; this does not."""

    def __init__(self, seed: int | None = None):
        self.random = np.random.default_rng(seed)

    def __call__(self, shape: tuple, dtype: str = "float32") -> np.ndarray:
        return self.random.normal(0, np.sqrt(2 / fans(shape)[0]), shape).astype(dtype)


NAMES = {"glorot_uniform": GlorotUniform, "he_normal": HeNormal}


def get(initializer: str | Callable) -> Callable:
    """An initializer by its Keras name, or the one that was given."""
    return NAMES[initializer]() if isinstance(initializer, str) else initializer
