"""Generators for use elsewhere: a Keras file, a TensorFlow SavedModel or ONNX."""

import logging
import warnings
from contextlib import contextmanager
from pathlib import Path

import keras

from dcgan_tf import released, sampling
from dcgan_tf.errors import UserError
from dcgan_tf.runtime import fast_layers, files


def export(source: str | Path | keras.Model, path: str | Path) -> Path:
    """Write a generator, float32 latents [n, latent_dim] to images [n, H, W, C] in [-1, 1]; returns the path.

    One that knows labels takes two inputs: `latents` and `label`, int32 [n]. None of the three formats needs this
    package to be loaded again.

    Args:
        source: the name of a released generator, a run folder, or a Keras model.
        path: a name ending in .keras gives a Keras file, in .onnx an ONNX graph (with tf2onnx and onnx installed), any
            other a folder with a SavedModel.

    Raises:
        UserError: no such generator; tf2onnx is not installed; something else stands at `path`.
    """
    path = Path(path)
    if path.suffix == ".onnx":
        try:
            import tf2onnx  # noqa: F401
        except ImportError:
            raise UserError("ONNX is written by tf2onnx: pip install tf2onnx onnx") from None
    generator = released.load_generator(source) if isinstance(source, str | Path) else source
    model = _with_label_apart(fast_layers.plain(generator), sampling.classes(generator))
    zeros = [keras.ops.zeros((1, *one.shape[1:]), one.dtype) for one in model.inputs]
    model(zeros if len(zeros) > 1 else zeros[0])  # ONNX wants a model that has been called
    with files.atomic(path) as partial:
        if path.suffix == ".keras":
            model.save(partial)
        elif path.suffix == ".onnx":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # Keras's, of NumPy names that it looks for
                model.export(partial, format="onnx", verbose=False)
        else:
            with _quiet("tensorflow"):  # it logs the temporary path
                model.export(partial, verbose=False)
    return path


def _with_label_apart(generator, classes):
    """A generator whose input has a one-hot label beside the latent as one of two inputs; others are returned as is."""
    if not classes:
        return generator
    latents = keras.Input((generator.input_shape[-1] - classes,), name="latents")
    label = keras.Input((), dtype="int32", name="label")
    one_hot = keras.layers.CategoryEncoding(classes, output_mode="one_hot")(keras.layers.Reshape((1,))(label))
    both = keras.layers.Concatenate()([latents, one_hot])
    return keras.Model([latents, label], generator(both), name=generator.name)


@contextmanager
def _quiet(logger):
    """Let a logger pass on warnings and errors only."""
    logger = logging.getLogger(logger)
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
