"""Deep convolutional GANs in TensorFlow and Keras 3: a small package to be read, and the notebooks that teach it.

The names below are imported when they are first used, so that a wrong argument on the command line is answered before
TensorFlow has started.
"""

import importlib

__version__ = "0.9.0"

_HOMES = {  # where each public name is found: a module under its own name, a class or a function in one
    **{name: name for name in ("augment", "datasets", "errors", "losses", "metrics", "models", "presets", "released")},
    "sampling": "sampling",
    "callbacks": "training.callbacks",
    "checkpoint": "training.checkpoint",
    "run_folder": "training.run_folder",
    "extractors": "metrics.extractors",
    "figures": "pictures.figures",
    "gif": "pictures.gif",
    "devices": "runtime.devices",
    "distribution": "runtime.distribution",
    "GAN": "gan:GAN",
    "Failure": "errors:Failure",
    "UserError": "errors:UserError",
    "History": "training.history:History",
    "train": "training.train:train",
    "export": "exporting:export",
    "load_discriminator": "released:load_discriminator",
    "load_generator": "released:load_generator",
    "sample": "released:sample",
    "stored": "runtime.files:stored",
}
_WITHOUT_TENSORFLOW = "datasets errors presets run_folder gif devices distribution UserError Failure stored".split()
__all__ = list(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _WITHOUT_TENSORFLOW:
        from dcgan_tf.runtime.quiet import tensorflow

        tensorflow()
    module, _, attribute = _HOMES[name].partition(":")
    found = importlib.import_module(f"{__name__}.{module}")
    return getattr(found, attribute) if attribute else found


def __dir__():
    return sorted([*_HOMES, "__version__"])
