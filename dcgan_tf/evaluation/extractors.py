"""The networks that judge images: each turns images into features, and into class probabilities where it has classes.

A distance between features depends on the network as much as on the images, so each carries its name, and every
figure taken with it is printed beside that name.
"""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from dcgan_tf import data, weights
from dcgan_tf.data.download import download
from dcgan_tf.errors import UserError, unknown
from dcgan_tf.evaluation import classifiers
from dcgan_tf.evaluation.efficientnet import efficientnet_lite1
from dcgan_tf.names import EXTRACTORS
from dcgan_tf.runtime import files
from dcgan_tf.runtime.progress import bar

# Keras's InceptionV3 with its ImageNet weights. Not the 2015 graph that published FIDs are taken with.
INCEPTION_URL = (
    "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/"
    "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
)
INCEPTION_SHA256 = "00c9ea4e4762f716ac4d300d6d9c2935639cc5e4d139b5790d765dcbeea539d0"

SIDE = 128  # pixels that images are enlarged to for EfficientNet-Lite1, which was trained at 240


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
            batch = data.on_white(data.to_uint8(batch)) if batch.shape[-1] == 4 else batch
            batch = data.normalise(batch) if batch.dtype == np.uint8 else tf.cast(batch, tf.float32)
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
def extractor(name: str, inception_weights: Path | None = None) -> Extractor:
    """Load an extractor by name.

    Args:
        name: "imagenet", EfficientNet-Lite1 trained on ImageNet; "mnist", a digit classifier; "anime", a classifier of
            the anime labels, whose classes are the 39 hair styles; "hair-color", the same one, whose classes are the 16
            colours of the hair; "random", an untrained network with fixed weights,
            kept to show what such a judge does not see (benchmarks/judges.py); "inception", Keras's InceptionV3.
        inception_weights: a local .h5 file of InceptionV3's weights with its top, in place of the download.

    Raises:
        UserError: no such name, or weights that cannot be had.
    """
    if name not in EXTRACTORS:
        raise UserError(unknown("extractor", name, EXTRACTORS))
    return _inception(inception_weights) if name == "inception" else _LOADERS[name]()


def _mnist():
    network, version = _classifier(classifiers.mnist_classifier(), "mnist_classifier.npz")

    def compute(images):
        return network(images, training=False)

    return Extractor("mnist", "a digit classifier", compute, version, "digits", shape=(28, 28, 1))


def _anime(name="anime", head="hair", classes="hair styles"):
    network, version = _classifier(classifiers.anime_classifier(), "anime_classifier.npz")
    heads = classifiers.ANIME_HEADS
    first = sum(heads[before] for before in list(heads)[: list(heads).index(head)])

    def compute(images):
        features, logits = network(images, training=False)
        return features, logits[:, first : first + heads[head]]

    return Extractor(name, "a classifier of the anime labels", compute, version, classes, shape=(64, 64, 3))


def _imagenet():
    network = efficientnet_lite1()
    version = _load(network, "efficientnet_lite1.npz")

    @tf.function(reduce_retracing=True)
    def compute(images):
        return network(tf.image.resize(images, (SIDE, SIDE), antialias=True), training=False), None

    return Extractor("imagenet", "EfficientNet-Lite1 trained on ImageNet", compute, version)


def _classifier(model, file):
    version = _load(model, file)
    return keras.Model(model.inputs[0], [model.get_layer("features").output, model.outputs[0]]), version


def _load(model, file):
    """Set a model's weights from a file; returns the sha256 of it."""
    weights.load(model, weights.FOLDER / file)
    return hashlib.sha256((weights.FOLDER / file).read_bytes()).hexdigest()


def _random():
    """Four strided convolutions and a projection to 64 features, He-initialised by NumPy's generator with seed 0.

    Naeem et al. 2020 (section 3.3) argue for such embeddings where the images are unlike ImageNet's. The features are
    standardised over 512 images of coloured noise whose spectrum falls as natural images' does, so that they have the
    same meaning for every set.
    """
    rng = np.random.default_rng(0)
    shapes = [(4, 4, 3, 32), (4, 4, 32, 64), (4, 4, 64, 128), (4, 4, 128, 128), (4 * 4 * 128, 64)]
    kernels = [(rng.standard_normal(s) * np.sqrt(2 / np.prod(s[:-1]))).astype(np.float32) for s in shapes]

    @tf.function(reduce_retracing=True)
    def embed(images):
        x = tf.image.resize(images, (64, 64), antialias=True)
        for kernel in kernels[:-1]:
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, 2, "SAME"))
        return tf.reshape(x, (-1, len(kernels[-1]))) @ kernels[-1]

    noise = embed(_natural_noise(512, rng))
    mean, deviation = tf.math.reduce_mean(noise, 0), tf.math.reduce_std(noise, 0)
    description = "an untrained network with fixed weights"
    return Extractor("random", description, lambda images: ((embed(images) - mean) / deviation, None), "1")


def _natural_noise(count, rng):
    """Images of noise with the amplitude spectrum 1/f (Field 1987): float32 [count, 64, 64, 3] in [-1, 1]."""
    frequency = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)[None])
    frequency[0, 0] = 1 / 64
    spectrum = np.fft.rfft2(rng.standard_normal((count, 3, 64, 64))) / frequency
    noise = np.fft.irfft2(spectrum).transpose(0, 2, 3, 1)
    return np.tanh(noise / noise.std()).astype(np.float32)


def _inception(file=None):
    """InceptionV3 (Szegedy et al. 2015) on images resized to 299x299 with antialiasing: 2,048 features."""
    if file is not None and not Path(file).is_file():
        raise UserError(f"no file {file}: give InceptionV3's weights, its last layer too, as from Keras (.h5)")
    if file is None:
        try:
            file = download(INCEPTION_URL, files.cache() / "inception_v3.h5", INCEPTION_SHA256)
        except UserError as error:
            raise UserError(
                "InceptionV3's weights could not be downloaded: give them as a file (--inception-weights), or judge by "
                f"--extractor imagenet ({error})"
            ) from None
    network = keras.applications.InceptionV3(weights=None, classifier_activation=None)
    try:
        network.load_weights(file)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0][:120]
        raise UserError(f"{file} cannot be read as InceptionV3's weights with its top: {reason}") from None
    both = keras.Model(network.inputs[0], [network.get_layer("avg_pool").output, network.outputs[0]])

    @tf.function(reduce_retracing=True)
    def compute(images):
        return both(tf.image.resize(images, (299, 299), antialias=True), training=False)

    description = "Keras's InceptionV3, not the 2015 graph of published FIDs"
    version = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return Extractor("inception", description, compute, version, "ImageNet classes", batch_size=32)


_LOADERS = {
    "imagenet": _imagenet,
    "mnist": _mnist,
    "anime": _anime,
    "hair-color": functools.partial(_anime, "hair-color", "hair_color", "hair colours"),
    "random": _random,
}
