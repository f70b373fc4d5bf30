"""Deep convolutional GANs in TensorFlow and Keras 3: a small package to be read, and the notebooks that teach it.

The names below are imported when they are first used, so that a wrong argument on the command line is answered before
TensorFlow has started, and the chapter that needs NumPy alone never starts it.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.9.0"

if TYPE_CHECKING:  # for editors and type checkers, which do not run __getattr__
    from dcgan_tf import data as datasets
    from dcgan_tf import errors as errors
    from dcgan_tf import evaluation as metrics
    from dcgan_tf import gan as gan
    from dcgan_tf import labels as labels
    from dcgan_tf import latent as latent
    from dcgan_tf import losses as losses
    from dcgan_tf import models as models
    from dcgan_tf import numpy_dcgan as numpy_dcgan
    from dcgan_tf import presets as presets
    from dcgan_tf import sampling as sampling
    from dcgan_tf import trainer as trainer
    from dcgan_tf import weights as weights
    from dcgan_tf.data import diffaugment as augment
    from dcgan_tf.errors import Failure as Failure
    from dcgan_tf.errors import UserError as UserError
    from dcgan_tf.evaluation import extractors as extractors
    from dcgan_tf.exporting import export as export
    from dcgan_tf.gan import GAN as GAN
    from dcgan_tf.pictures import figures as figures
    from dcgan_tf.pictures import gif as gif
    from dcgan_tf.runtime import devices as devices
    from dcgan_tf.runtime import distribution as distribution
    from dcgan_tf.runtime.files import stored as stored
    from dcgan_tf.sampling import load_discriminator as load_discriminator
    from dcgan_tf.sampling import load_generator as load_generator
    from dcgan_tf.sampling import sample as sample
    from dcgan_tf.trainer import train as train
    from dcgan_tf.training import callbacks as callbacks
    from dcgan_tf.training import checkpoint as checkpoint
    from dcgan_tf.training.history import History as History

_MODULES = {
    "augment": "data.diffaugment",
    "callbacks": "training.callbacks",
    "checkpoint": "training.checkpoint",
    "datasets": "data",
    "devices": "runtime.devices",
    "distribution": "runtime.distribution",
    "errors": "errors",
    "extractors": "evaluation.extractors",
    "figures": "pictures.figures",
    "gan": "gan",
    "gif": "pictures.gif",
    "labels": "labels",
    "latent": "latent",
    "losses": "losses",
    "metrics": "evaluation",
    "models": "models",
    "numpy_dcgan": "numpy_dcgan",
    "presets": "presets",
    "sampling": "sampling",
    "trainer": "trainer",
    "weights": "weights",
}
_NAMES = {
    "Failure": "errors",
    "GAN": "gan",
    "History": "training.history",
    "UserError": "errors",
    "export": "exporting",
    "load_discriminator": "sampling",
    "load_generator": "sampling",
    "sample": "sampling",
    "stored": "runtime.files",
    "train": "trainer",
}
_WITHOUT_TENSORFLOW = """
    data errors labels latent numpy_dcgan pictures.gif presets runtime.devices runtime.distribution runtime.files
    weights
""".split()
__all__ = [*_MODULES, *_NAMES]


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _MODULES.get(name) or _NAMES[name]
    if home not in _WITHOUT_TENSORFLOW:
        from dcgan_tf.runtime.quiet import tensorflow

        tensorflow()
    module = importlib.import_module(f"{__name__}.{home}")
    return getattr(module, name) if name in _NAMES else module


def __dir__():
    return sorted([*__all__, "__version__"])
