"""Which sizes of images the networks can make: a stem of a few pixels, doubled again and again."""

from dcgan_tf.errors import UserError

MOST_DOUBLINGS = 7
SHORTEST, LONGEST = 3, 7  # of the shorter side of the stem


def stem(size: int | tuple[int, int]) -> tuple[tuple[int, int], int]:
    """((height, width) of the stem, how often it is doubled) for images of a size: one number, or (height, width).

    Both sides are doubled equally often, at least twice, from a stem whose shorter side is 3 to 7.

    Raises:
        UserError: a size that does not fit, with the nearest two that do.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if fits := _stem(height, width):
        return fits
    near = {
        (near_height, near_width)
        for step in (2**doublings for doublings in range(2, MOST_DOUBLINGS + 1))
        for near_height in (height // step * step, height // step * step + step)
        for near_width in (width // step * step, width // step * step + step)
        if _stem(near_height, near_width) and (height != width or near_height == near_width)
    }
    near |= {(12, 12), (896, 896)}  # the smallest and the largest square
    nearest = sorted(near, key=lambda sides: (abs(sides[0] - height) + abs(sides[1] - width), sides))[:2]
    raise UserError(
        f"the networks cannot make images of {height}x{width} (height x width): each side must be a small "
        f"number (the smaller one {SHORTEST} to {LONGEST}), doubled the same number of times. Sizes that fit: "
        + " and ".join(f"{high}x{wide}" for high, wide in sorted(nearest))
    )


def _stem(height, width):
    """What `stem` returns, or None for a size that does not fit."""
    for doublings in range(MOST_DOUBLINGS, 1, -1):
        factor = 2**doublings
        if height % factor == width % factor == 0 and SHORTEST <= min(height, width) // factor <= LONGEST:
            return (height // factor, width // factor), doublings
    return None
