"""Keras in miniature, in NumPy alone: layers, losses and optimizers with gradients derived by hand (chapter 06)."""

from dcgan_tf.numpy_dcgan import initializers, layers, losses, optimizers
from dcgan_tf.numpy_dcgan.models import Sequential
from dcgan_tf.numpy_dcgan.training import GAN

__all__ = ["GAN", "Sequential", "initializers", "layers", "losses", "optimizers"]
