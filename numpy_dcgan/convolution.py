"""Both convolutions, each as one matrix product over windows. Images are [N, H, W, C], as in Keras.

A convolution takes windows of its input, `stride` apart, and multiplies each with the kernel:

    y = windows(x) · K

Its transpose, which is also its gradient with respect to the input, adds each input value times the kernel into the
output, `stride` apart. Seen from the output, the values that reach one block of stride x stride pixels come from one
small window of the input, ceil(kernel / stride) wide, so that it is a product over windows as well, and no two values
are ever added into the same place.
"""

import math

import numpy as np


def same(size: int, kernel: int, stride: int, padding: str) -> tuple[int, int, int]:
    """Where a convolution's windows stand along one axis, as Keras has it: (outputs, zeros before, zeros after)."""
    if padding == "valid":
        return (size - kernel) // stride + 1, 0, 0
    outputs = math.ceil(size / stride)
    zeros = max((outputs - 1) * stride + kernel - size, 0)
    return outputs, zeros // 2, zeros - zeros // 2


def windows(x: np.ndarray, kernel: tuple, stride: tuple, before: tuple, outputs: tuple) -> np.ndarray:
    """The windows of images as the rows of a matrix [N * rows * columns, kernel_h * kernel_w * C].

    Args:
        x: [N, H, W, C].
        kernel, stride, before, outputs: (h, w) each: size and spacing of the windows, zeros before the image, count.
    """
    n, height, width, channels = x.shape
    (kh, kw), (sh, sw), (top, left), (rows, columns) = kernel, stride, before, outputs
    if (kh, kw, sh, sw, top, left) == (1, 1, 1, 1, 0, 0) and (rows, columns) == (height, width):
        return x.reshape(-1, channels)
    tall, wide = (rows - 1) * sh + kh, (columns - 1) * sw + kw
    padded = x
    if top or left or tall > height or wide > width:
        padded = np.zeros((n, tall, wide, channels), x.dtype)
        down, right = min(height, tall - top), min(width, wide - left)
        padded[:, top : top + down, left : left + right] = x[:, :down, :right]
    padded = np.ascontiguousarray(padded)
    image, line, pixel, value = padded.strides
    view = np.lib.stride_tricks.as_strided(
        padded, (n, rows, columns, kh, kw * channels), (image, sh * line, sw * pixel, line, value), writeable=False
    )
    return view.reshape(n * rows * columns, kh * kw * channels)


def spread(x: np.ndarray, kernel: np.ndarray, stride: tuple, before: tuple, size: tuple) -> np.ndarray:
    """The transposed convolution: [N, h, w, in] to [N, *size, out].

    Args:
        x: [N, h, w, in].
        kernel: [kh, kw, out, in], the layout of Keras's Conv2DTranspose, and of a Conv2D seen from its output.
        stride: (h, w).
        before: (h, w): how many of the first values are cut off, the zeros of the convolution that this transposes.
        size: (h, w) of the result.
    """
    n, h, w, channels = x.shape
    (sh, sw), out = stride, kernel.shape[2]
    reach = (math.ceil(kernel.shape[0] / sh), math.ceil(kernel.shape[1] / sw))  # inputs that reach one block, each way
    blocks = [math.ceil((cut + length) / step) for cut, length, step in zip(before, size, stride, strict=True)]

    # The kernel cut into parts of stride x stride numbers, one for each input that reaches a block, those for the
    # earliest input first (chapter 06 draws it in one dimension); zeros fill up a kernel that is no multiple.
    taps = np.zeros((reach[0] * sh, reach[1] * sw, out, channels), kernel.dtype)
    taps[: kernel.shape[0], : kernel.shape[1]] = kernel
    taps = taps.reshape(reach[0], sh, reach[1], sw, out, channels)[::-1, :, ::-1]
    taps = taps.transpose(0, 2, 5, 1, 3, 4).reshape(reach[0] * reach[1] * channels, sh * sw * out)

    rows = windows(x, reach, (1, 1), (reach[0] - 1, reach[1] - 1), blocks)
    places = (rows @ taps).reshape(n, *blocks, sh, sw, out)
    result = np.empty((n, *size, out), x.dtype)
    for row in range(sh):
        for column in range(sw):
            first, top = phase(row, before[0], sh)
            start, left = phase(column, before[1], sw)
            target = result[:, top::sh, left::sw]
            target[...] = places[:, first : first + target.shape[1], start : start + target.shape[2], row, column]
    return result


def phase(place: int, cut: int, stride: int) -> tuple[int, int]:
    """The first block whose value at `place` is not cut off, and where that value stands in the result."""
    block = max(0, math.ceil((cut - place) / stride))
    return block, block * stride + place - cut
