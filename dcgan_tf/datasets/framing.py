"""One picture brought to a size: cropped or padded, enlarged or made smaller, with alpha or on white."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

COLOURS = 64  # at most so many make a small image pixel art, which is enlarged by repeating its pixels


class How(NamedTuple):
    """How images are brought to one size."""

    height: int
    width: int
    channels: int
    fit: str


class Done(NamedTuple):
    """What was done to one image."""

    enlarged: bool = False
    cut: float = 0.0  # the share of its pixels that was cut off
    padded: bool = False
    transparent: bool = False


def framed(image: Image.Image, how: How) -> tuple[np.ndarray, Done]:
    """A PIL image brought to a size, uint8 [height, width, channels], and what was done to it."""
    image = _eight_bits(image)
    transparent = image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0] < 255
    if how.channels == 4:
        image = image.convert("RGBA").convert("RGBa")  # premultiplied, or resizing would mix in hidden colours
    elif transparent:
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image.convert("RGBA"))
        image = ground.convert("RGB")
    else:
        image = image.convert("RGB")
    size = how.width, how.height
    scale = (max if how.fit == "crop" else min)(how.width / image.width, how.height / image.height)
    pixel_art = scale > 1 and image.getcolors(COLOURS) is not None
    method = Image.Resampling.NEAREST if pixel_art else Image.Resampling.LANCZOS
    if how.fit == "crop":
        cut = 1 - how.width * how.height / (image.width * image.height * scale**2)
        done = Done(scale > 1, cut if cut > 1e-3 else 0.0, False, transparent)
        image = ImageOps.fit(image, size, method)
    else:
        inside = image.resize([max(1, round(side * scale)) for side in image.size], method)
        done = Done(scale > 1, 0.0, inside.size != size, transparent)
        image = Image.new(image.mode, size, (0, 0, 0, 0) if how.channels == 4 else _edge_colour(inside))
        image.paste(inside, ((how.width - inside.width) // 2, (how.height - inside.height) // 2))
    if how.channels == 4:
        pixels = np.array(image.convert("RGBA"))
        pixels[pixels[..., 3] == 0] = (255, 255, 255, 0)
        return pixels, done
    pixels = np.asarray(image if how.channels == 3 else image.convert("L"))
    return pixels.reshape(how.height, how.width, how.channels), done


def _eight_bits(image):
    """The same image with values from 0 to 255; Pillow would clip larger ones, not scale them."""
    if image.mode.startswith("I"):  # 16 bits; 32 bits may hold values of 8
        values = np.asarray(image, np.float32).clip(0, 65535)
        values = values if image.mode == "I" and values.max() <= 255 else values / 257
        return Image.fromarray(np.rint(values).astype(np.uint8))
    if image.mode == "F":  # from 0 to 1, or from 0 to 255
        values = np.nan_to_num(np.asarray(image))
        values = values * 255 if values.max() <= 1 else values
        return Image.fromarray(np.rint(values.clip(0, 255)).astype(np.uint8))
    return image


def _edge_colour(image):
    """The most common colour of the outermost pixels of an RGB image, as a tuple."""
    pixels = np.asarray(image)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colours, counts = np.unique(edge, axis=0, return_counts=True)
    return tuple(int(value) for value in colours[counts.argmax()])
