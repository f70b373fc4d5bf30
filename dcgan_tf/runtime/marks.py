"""What this package has written, and how it is known: a run by its config.json, a picture by a mark inside it.

So a run is never taken for a folder of images to train on, nor another folder for a run.
"""

import json
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dcgan_tf.errors import UserError

SOFTWARE = "dcgan_tf"  # in the metadata of each picture: a PNG's "Software", a GIF's comment
RUN = (  # what a run folder holds
    *("config.json", "history.csv", "samples", "checkpoints", "best", "losses.png", "training.gif", "tensorboard"),
    *("metrics.json", "neighbours.png"),
)


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
    except OSError:
        return False


def config(run: Path) -> dict | None:
    """What config.json in a run folder holds, or None if there is none.

    Raises:
        UserError: it is not one that `train` has written.
    """
    path = run / "config.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not {"recipe", "seed", "images"} <= set(found):
            raise ValueError
        return found
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError):
        raise UserError(f"{path} is damaged, or was not written by `train`: give another run folder") from None


def is_run(folder: Path) -> bool:
    """Is it a run folder, by its config.json?"""
    try:
        return config(folder) is not None
    except (UserError, OSError):
        return False
