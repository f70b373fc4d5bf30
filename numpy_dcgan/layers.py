"""Layers with Keras's names, arguments and weight layouts, in NumPy. Each gradient is derived by hand in chapter 06.

A layer is built with the shape of its input, is called like a function, and keeps what its gradient needs until the
next call. `backward` takes the loss's gradient with respect to the output and returns the one with respect to the
input; on the way it leaves the gradients of the weights in `gradients`. A frozen layer (`trainable = False`) computes
none of its own and passes the gradient on all the same.
"""

from collections.abc import Callable, Sequence

import numpy as np

from numpy_dcgan import convolution, initializers


def pair(value: int | tuple) -> tuple[int, int]:
    """A kernel size or stride for both axes."""
    return (value, value) if isinstance(value, int) else tuple(value)


class Layer:
    """What all layers share. Weights are NumPy arrays, changed in place by the optimizers."""

    def __init__(self, dtype: str = "float32"):
        self.name = type(self).__name__.lower()
        self.dtype = np.dtype(dtype)
        self.trainable = True
        self.built = False
        self.learned, self.tracked = [], []  # weights that gradients change; weights that they do not
        self.gradients = []  # of the learned ones, in their order

    def build(self, input_shape: tuple) -> None:
        """Make the weights for inputs of the shape (None, ...)."""
        self.built = True

    def output_shape(self, input_shape: tuple) -> tuple:
        """The shape, (None, ...), of the output."""
        return input_shape

    def __call__(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """Apply the layer to a batch [N, ...]; returns [N, ...] in the layer's dtype."""
        x = np.asarray(x, self.dtype)
        if not self.built:
            self.build((None, *x.shape[1:]))
        return self.forward(x, training)

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        """The output for a batch."""
        raise NotImplementedError

    def backward(self, dy: np.ndarray, weights: bool = True, inputs: bool = True) -> np.ndarray | None:
        """The gradient with respect to the input of the last call, from the one with respect to its output.

        With weights=False the weights' gradients are left out, with inputs=False the returned one is (None instead).
        """
        raise NotImplementedError

    @property
    def weights(self) -> list[np.ndarray]:
        """All weights, in Keras's order."""
        return self.learned + self.tracked

    @property
    def trainable_weights(self) -> list[np.ndarray]:
        """Those that training changes: none in a frozen layer."""
        return self.learned if self.trainable else []

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, in Keras's order and layouts."""
        return [weight.copy() for weight in self.weights]

    def set_weights(self, values: Sequence[np.ndarray]) -> None:
        """Take weights over, from Keras's get_weights as well; ValueError if their shapes differ."""
        theirs, ours = [np.shape(value) for value in values], [weight.shape for weight in self.weights]
        if theirs != ours:
            raise ValueError(f"{self.name}: weights of shapes {theirs} do not fit {ours}")
        for weight, value in zip(self.weights, values, strict=True):
            weight[...] = value


class Dense(Layer):
    """y = x W + b for x [N, F]; W is [F, units]."""

    def __init__(self, units: int, kernel_initializer: str | Callable = "glorot_uniform", dtype: str = "float32"):
        super().__init__(dtype)
        self.units, self.kernel_initializer = units, initializers.get(kernel_initializer)

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.kernel_initializer((input_shape[-1], self.units), self.dtype)
        self.bias = np.zeros(self.units, self.dtype)
        self.learned = [self.kernel, self.bias]
        self.built = True

    def output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.units)

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.x = x
        return x @ self.kernel + self.bias

    def backward(self, dy: np.ndarray, weights: bool = True, inputs: bool = True) -> np.ndarray | None:
        if weights and self.trainable:
            self.gradients = [self.x.T @ dy, column_sums(dy)]
        return dy @ self.kernel.T if inputs else None


class Conv2D(Layer):
    """A convolution of images [N, H, W, C]; its kernel is [kh, kw, C, filters]."""

    def __init__(
        self, filters: int, kernel_size: int | tuple, strides: int | tuple = 1, padding: str = "valid",
        use_bias: bool = True, kernel_initializer: str | Callable = "glorot_uniform", dtype: str = "float32",
    ):  # fmt: skip
        super().__init__(dtype)
        if padding.lower() not in ("valid", "same"):
            raise ValueError(f"padding is 'valid' or 'same', not {padding!r}")
        self.filters, self.kernel_size, self.strides = filters, pair(kernel_size), pair(strides)
        self.padding = padding.lower()
        self.use_bias, self.kernel_initializer = use_bias, initializers.get(kernel_initializer)

    def kernel_shape(self, channels: int) -> tuple:
        """Keras's layout."""
        return (*self.kernel_size, channels, self.filters)

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.kernel_initializer(self.kernel_shape(input_shape[-1]), self.dtype)
        self.bias = np.zeros(self.filters, self.dtype) if self.use_bias else None
        self.learned = [self.kernel, self.bias] if self.use_bias else [self.kernel]
        self.built = True

    def placed(self, size: tuple) -> tuple[tuple, tuple]:
        """Along both axes: (outputs, zeros before the image)."""
        axes = zip(size, self.kernel_size, self.strides, strict=True)
        outputs, before, _ = zip(*(convolution.same(*axis, self.padding) for axis in axes), strict=True)
        return outputs, before

    def output_shape(self, input_shape: tuple) -> tuple:
        return (None, *self.placed(input_shape[1:3])[0], self.filters)

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.size = x.shape[1:3]
        self.outputs, self.before = self.placed(self.size)
        self.rows = convolution.windows(x, self.kernel_size, self.strides, self.before, self.outputs)
        y = self.rows @ self.kernel.reshape(-1, self.filters)
        if self.use_bias:
            y += self.bias
        return y.reshape(len(x), *self.outputs, self.filters)

    def backward(self, dy: np.ndarray, weights: bool = True, inputs: bool = True) -> np.ndarray | None:
        flat = dy.reshape(-1, self.filters)
        if weights and self.trainable:
            self.gradients = [(self.rows.T @ flat).reshape(self.kernel.shape)]
            if self.use_bias:
                self.gradients.append(column_sums(flat))
        if inputs:
            kernel = self.kernel.reshape(*self.kernel_size, -1, self.filters)
            return convolution.spread(dy, kernel, self.strides, self.before, self.size)
        return None


class Conv2DTranspose(Conv2D):
    """The transpose of a convolution: [N, h, w, C] to [N, h * stride, w * stride, filters] with padding "same".

    Its kernel is [kh, kw, filters, C].
    """

    def kernel_shape(self, channels: int) -> tuple:
        return (*self.kernel_size, self.filters, channels)

    def output_shape(self, input_shape: tuple) -> tuple:
        axes = zip(input_shape[1:3], self.kernel_size, self.strides, strict=True)
        grown = [n * s + (max(k - s, 0) if self.padding == "valid" else 0) for n, k, s in axes]
        return (None, *grown, self.filters)

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.x = x
        size = self.output_shape(x.shape)[1:3]
        _, self.before = self.placed(size)  # of the convolution that leads back from the output
        y = convolution.spread(x, self.kernel, self.strides, self.before, size)
        if self.use_bias:
            y += self.bias
        return y

    def backward(self, dy: np.ndarray, weights: bool = True, inputs: bool = True) -> np.ndarray | None:
        channels = self.x.shape[-1]
        rows = convolution.windows(dy, self.kernel_size, self.strides, self.before, self.x.shape[1:3])
        if weights and self.trainable:
            self.gradients = [(rows.T @ self.x.reshape(-1, channels)).reshape(self.kernel.shape)]
            if self.use_bias:
                self.gradients.append(column_sums(dy))
        return (rows @ self.kernel.reshape(-1, channels)).reshape(self.x.shape) if inputs else None


class BatchNormalization(Layer):
    """Over all but the last axis: x to gamma (x - mean) / sqrt(variance + epsilon) + beta (Ioffe and Szegedy 2015).

    In training with the batch's own mean and variance, which the moving ones follow; else, and always when frozen,
    with the moving ones, as Keras has it.
    """

    def __init__(self, momentum: float = 0.99, epsilon: float = 1e-3, dtype: str = "float32"):
        super().__init__(dtype)
        self.momentum, self.epsilon = momentum, epsilon

    def build(self, input_shape: tuple) -> None:
        shape = (input_shape[-1],)
        self.gamma, self.beta = np.ones(shape, self.dtype), np.zeros(shape, self.dtype)
        self.moving_mean, self.moving_variance = np.zeros(shape, self.dtype), np.ones(shape, self.dtype)
        self.learned, self.tracked = [self.gamma, self.beta], [self.moving_mean, self.moving_variance]
        self.built = True

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        flat = x.reshape(-1, x.shape[-1])
        self.of_batch = training and self.trainable
        if self.of_batch:
            mean = column_sums(flat) / len(flat)
            normal = flat - mean
            variance = column_dots(normal, normal) / len(flat)
            for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving *= self.momentum
                moving += (1 - self.momentum) * value
        else:
            normal, variance = flat - self.moving_mean, self.moving_variance
        self.scale = 1 / np.sqrt(variance + self.dtype.type(self.epsilon))
        normal *= self.scale
        self.normal = normal
        y = normal * self.gamma
        y += self.beta
        return y.reshape(x.shape)

    def backward(self, dy: np.ndarray, weights: bool = True, inputs: bool = True) -> np.ndarray | None:
        flat = dy.reshape(-1, dy.shape[-1])
        d_gamma, d_beta = column_dots(flat, self.normal), column_sums(flat)
        if weights and self.trainable:
            self.gradients = [d_gamma, d_beta]
        if not inputs:
            return None
        if self.of_batch:  # the batch's mean and variance depend on x as well
            dx = self.normal * (-d_gamma / len(flat))
            dx += flat
            dx -= d_beta / len(flat)
            dx *= self.gamma * self.scale
        else:
            dx = flat * (self.gamma * self.scale)
        return dx.reshape(dy.shape)


class Dropout(Layer):
    """In training, each value is zero with probability `rate`; the others are divided by 1 - rate."""

    def __init__(self, rate: float, seed: int | None = None, dtype: str = "float32"):
        super().__init__(dtype)
        self.rate, self.random = rate, np.random.default_rng(seed)

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.mask = None
        if not training or self.rate == 0:
            return x
        self.mask = self.kept(x.shape)
        return x * self.mask

    def kept(self, shape: tuple) -> np.ndarray:
        """What each value is multiplied with: 0 or 1 / (1 - rate)."""
        # random() >= rate, but with 16-bit integers: 0.6 of the time, and the rate is right to 1 / 65,536
        draws = self.random.integers(0, 2**16, shape, np.uint16)
        return (draws >= round(self.rate * 2**16)) * self.dtype.type(1 / (1 - self.rate))

    def backward(self, dy: np.ndarray, weights: bool = True, inputs: bool = True) -> np.ndarray | None:
        return dy if self.mask is None else dy * self.mask


class LeakyReLU(Layer):
    """x where it is positive, negative_slope * x elsewhere; 0 <= negative_slope <= 1."""

    def __init__(self, negative_slope: float = 0.3, dtype: str = "float32"):
        super().__init__(dtype)
        self.negative_slope = self.dtype.type(negative_slope)

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.x = x
        y = self.negative_slope * x
        return np.maximum(x, y, out=y)

    def backward(self, dy: np.ndarray, weights: bool = True, inputs: bool = True) -> np.ndarray | None:
        # dy * np.where(x >= 0, 1, negative_slope) in 0.7 of the time: plus or minus (1 - slope) / 2, by the sign of x,
        # and (1 + slope) / 2 added, gives 1 or negative_slope
        dx = np.copysign((1 - self.negative_slope) / 2, self.x)
        dx += (1 + self.negative_slope) / 2
        dx *= dy
        return dx


class Tanh(Layer):
    """tanh x, in (-1, 1)."""

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy: np.ndarray, weights: bool = True, inputs: bool = True) -> np.ndarray | None:
        return dy * (1 - self.y**2)


class Reshape(Layer):
    """[N, ...] to [N, *target_shape]."""

    def __init__(self, target_shape: tuple, dtype: str = "float32"):
        super().__init__(dtype)
        self.target_shape = tuple(target_shape)

    def output_shape(self, input_shape: tuple) -> tuple:
        return (None, *self.target_shape)

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.shape = x.shape
        return x.reshape(len(x), *self.target_shape)

    def backward(self, dy: np.ndarray, weights: bool = True, inputs: bool = True) -> np.ndarray | None:
        return dy.reshape(self.shape)


class Flatten(Reshape):
    """[N, ...] to [N, F]."""

    def __init__(self, dtype: str = "float32"):
        super().__init__((-1,), dtype)

    def output_shape(self, input_shape: tuple) -> tuple:
        return (None, int(np.prod(input_shape[1:])))


def column_sums(x: np.ndarray) -> np.ndarray:
    """The sums over all but the last axis, as one matrix product."""
    flat = x.reshape(-1, x.shape[-1])
    return np.ones(len(flat), x.dtype) @ flat


def column_dots(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The sums of x * y over the rows of two matrices."""
    return np.einsum("nc,nc->c", x, y)
