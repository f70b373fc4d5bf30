"""The mark in each picture that this package has drawn, so that none is taken for a picture to train on."""

from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

SOFTWARE = "dcgan_tf"  # a PNG's "Software", a GIF's comment


def png_info() -> PngInfo:
    """The mark of a PNG file, for Pillow's `save(pnginfo=...)`."""
    info = PngInfo()
    info.add_text("Software", SOFTWARE)
    return info


def is_drawn(image: Image.Image) -> bool:
    """Has this package drawn an image that has been opened?"""
    return image.info.get("Software") == SOFTWARE or image.info.get("comment") == SOFTWARE.encode()


def is_drawn_file(path: Path) -> bool:
    """Has this package drawn the image in a file?"""
    try:
        with Image.open(path, formats=("PNG", "GIF")) as image:
            return is_drawn(image)
    except Exception:  # what Pillow stumbles over is not ours
        return False
