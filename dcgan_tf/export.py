"""Generators for elsewhere: a Keras file, a TensorFlow SavedModel or ONNX."""

import logging
import shutil
import warnings
from contextlib import contextmanager
from pathlib import Path

import keras

from dcgan_tf import layers
from dcgan_tf.errors import UserError


def export(generator, path):
    """Write a generator, float32 latents [n, latent_dim] to images [n, H, W, C] in [-1, 1]; returns the path.

    None of the three needs this package to be loaded again.

    Args:
        generator: a Keras model.
        path: what ends in .keras becomes a Keras file, in .onnx an ONNX graph (with tf2onnx and onnx installed), what
            ends in neither a folder with a SavedModel. It appears whole or not at all.

    Raises:
        UserError: tf2onnx is not installed; the folder is there and holds something else.
    """
    path = Path(path)
    folder = path.suffix not in (".keras", ".onnx")
    if path.is_dir() and not (folder and (path / "saved_model.pb").exists()):
        raise UserError(f"{path} is a folder that holds something else: give another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"partial_{path.name}")
    shutil.rmtree(beside, ignore_errors=True)  # of an export that was cut off
    model = plain(generator)
    if path.suffix == ".keras":
        model.save(beside)
    elif path.suffix == ".onnx":
        try:
            import tf2onnx  # noqa: F401
        except ImportError:
            raise UserError("ONNX is written by tf2onnx: pip install tf2onnx onnx") from None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # Keras's, of NumPy names that it looks for
            model.export(beside, format="onnx", verbose=False)
    else:
        with _quiet("tensorflow"):  # it tells where it has written to, which is not yet the place
            model.export(beside, verbose=False)
        if path.is_dir():
            shutil.rmtree(path)
    beside.replace(path)
    return path


@contextmanager
def _quiet(logger):
    """Keep what is no warning from a logger."""
    logger = logging.getLogger(logger)
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def plain(generator):
    """The same network of Keras's own layers: what is written must not need this package to be read."""

    def swap(layer):
        config = layer.get_config()
        if getattr(layer, "activation", None) is layers.tanh:
            config["activation"] = "tanh"
        return getattr(keras.layers, type(layer).__name__).from_config(config)

    model = keras.models.clone_model(generator, clone_function=swap)
    model.set_weights(generator.get_weights())
    model(keras.ops.zeros((1, *model.input_shape[1:])))  # ONNX wants a model that has been called
    return model
