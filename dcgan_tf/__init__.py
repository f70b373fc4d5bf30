"""Deep convolutional GANs in TensorFlow and Keras 3: a small package to be read, and the notebooks that teach it.

The names below are loaded when they are first used, so that a wrong argument on the command line is answered before
TensorFlow has started.
"""

import importlib

_WITHOUT_TENSORFLOW = (
    "balance",
    "datasets",
    "devices",
    "errors",
    "gif",
    "latent",
    "numpy_dcgan",
    "presets",
    "progressive",
    "teams",
    "weights",
)
_MODULES = (
    *_WITHOUT_TENSORFLOW,
    "augment",
    "checkpoint",
    "export",
    "extractors",
    "figures",
    "gan",
    "losses",
    "metrics",
    "models",
)
_NAMES = {
    "GAN": "gan",
    "History": "history",
    "UserError": "errors",
    "load_discriminator": "gan",
    "load_generator": "gan",
    "train": "training",
}
__all__ = [*_MODULES, *_NAMES]


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _NAMES.get(name, name)
    if module not in _WITHOUT_TENSORFLOW:
        from dcgan_tf.quiet import tensorflow

        tensorflow()
    module = importlib.import_module(f"{__name__}.{module}")
    return getattr(module, name) if name in _NAMES else module


def __dir__():
    return sorted(__all__)
