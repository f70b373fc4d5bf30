"""The networks that judge images: each turns images into features, and into class probabilities where it has classes.

A distance between features depends on the network as much as on the images, so each carries its name, and every
figure taken with it is printed beside that name.
"""

import functools
import hashlib
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from dcgan_tf import datasets, released
from dcgan_tf.errors import UserError, unknown
from dcgan_tf.presets import EXTRACTORS
from dcgan_tf.runtime.progress import bar

SIDE = 128  # pixels that images are enlarged to for EfficientNet-Lite1, which was trained at 240
HEADS = {"hair_color": 16, "hair": 39, "background": 8}  # of the anime classifier: its logits, side by side


class Features(NamedTuple):
    """What an extractor makes of N images."""

    features: np.ndarray  # float64 [N, F]
    probabilities: np.ndarray | None  # float64 [N, K], None where the extractor has no classes


class Extractor:
    """A network that images are compared by: `extractor(images)` returns Features.

    `name` says which, `description` what it is, `version` changes with its weights; `classes` names what its
    probabilities are about, or is None. `shape` is the one image shape (H, W, C) that it takes; None: any.
    """

    def __init__(
        self,
        name: str,
        description: str,
        compute: Callable[[tf.Tensor], tuple],
        version: str,
        classes: str | None = None,
        batch_size: int = 250,
        shape: tuple[int, int, int] | None = None,
    ):
        self.name, self.description, self.version, self.classes = name, description, version, classes
        self._compute, self._batch_size, self._shape = compute, batch_size, shape

    def __call__(self, images: np.ndarray, progress: bool = False) -> Features:
        """Judge images [N, H, W, C], uint8 or float in [-1, 1]; those with alpha are judged on white.

        Raises:
            UserError: images of another shape than this judge takes.
        """
        if self._shape and tuple(images.shape[1:]) != self._shape:
            takes, given = ("x".join(map(str, shape)) for shape in (self._shape, images.shape[1:]))
            raise UserError(f"{self.name!r} judges images of {takes}, not of {given}: take --extractor imagenet")
        grey = self._shape is not None and self._shape[-1] == 1
        features, logits = [], []
        starts = range(0, len(images), self._batch_size)
        options = {"desc": f"Judging by {self.name!r}", "unit": "batch", "leave": False, "disable": not progress}
        for i in bar(starts, **options):
            batch = images[i : i + self._batch_size]
            batch = datasets.on_white(datasets.to_uint8(batch)) if batch.shape[-1] == 4 else batch
            batch = datasets.normalise(batch) if batch.dtype == np.uint8 else tf.cast(batch, tf.float32)
            batch = tf.image.grayscale_to_rgb(batch) if not grey and batch.shape[-1] == 1 else batch
            for pieces, output in zip((features, logits), self._compute(batch), strict=True):
                pieces.append(None if output is None else output.numpy().astype(np.float64))
        probabilities = softmax(np.concatenate(logits)) if self.classes else None
        return Features(np.concatenate(features), probabilities)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits [N, K]."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


@functools.cache
def extractor(name: str) -> Extractor:
    """Load an extractor by name.

    "imagenet" is EfficientNet-Lite1 trained on ImageNet; "mnist" a digit classifier; "anime" a classifier of the anime
    labels, whose classes are the 39 hair styles; "hair-color" the same one, whose classes are the 16 colours of the
    hair; "inception" Keras's InceptionV3, whose weights Keras downloads when they are first used.

    Raises:
        UserError: no such name, or weights that cannot be had.
    """
    if name not in EXTRACTORS:
        raise UserError(unknown("extractor", name, EXTRACTORS))
    return _LOADERS[name]()


def _mnist():
    network, version = _classifier("mnist_classifier")

    def compute(images):
        return network(images, training=False)

    return Extractor("mnist", "a digit classifier", compute, version, "digits", shape=(28, 28, 1))


def _anime(name, head, classes):
    network, version = _classifier("anime_classifier")
    first = sum(HEADS[before] for before in list(HEADS)[: list(HEADS).index(head)])

    def compute(images):
        features, logits = network(images, training=False)
        return features, logits[:, first : first + HEADS[head]]

    return Extractor(name, "a classifier of the anime labels", compute, version, classes, shape=(64, 64, 3))


def _imagenet():
    network, version = _network("efficientnet_lite1")

    @tf.function(reduce_retracing=True)
    def compute(images):
        return network(tf.image.resize(images, (SIDE, SIDE), antialias=True), training=False), None

    return Extractor("imagenet", "EfficientNet-Lite1 trained on ImageNet", compute, version)


def _classifier(name):
    """A classifier whose outputs are its layer "features" and its logits; and its version."""
    model, version = _network(name)
    return keras.Model(model.inputs[0], [model.get_layer("features").output, model.outputs[0]]), version


def _network(name):
    """A network of weights/, which weights/build_*.py has made, and the sha256 of its file."""
    path = released.file(name)
    return released.load(path), hashlib.sha256(path.read_bytes()).hexdigest()


def _inception():
    """InceptionV3 (Szegedy et al. 2015) on images resized to 299x299 with antialiasing: 2,048 features."""
    try:
        network = keras.applications.InceptionV3(classifier_activation=None)
    except Exception as error:  # what urllib, the checksum or h5py raise
        reason = str(error).strip().splitlines()[-1][:120]
        raise UserError(f"InceptionV3's weights could not be had: judge by --extractor imagenet ({reason})") from None
    both = keras.Model(network.inputs[0], [network.get_layer("avg_pool").output, network.outputs[0]])

    @tf.function(reduce_retracing=True)
    def compute(images):
        return both(tf.image.resize(images, (299, 299), antialias=True), training=False)

    description = "Keras's InceptionV3, not the 2015 graph of published FIDs"
    return Extractor("inception", description, compute, keras.__version__, "ImageNet classes", batch_size=32)


_LOADERS = {
    "imagenet": _imagenet,
    "mnist": _mnist,
    "anime": functools.partial(_anime, "anime", "hair", "hair styles"),
    "hair-color": functools.partial(_anime, "hair-color", "hair_color", "hair colours"),
    "inception": _inception,
}
