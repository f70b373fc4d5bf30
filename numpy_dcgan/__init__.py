"""Keras in miniature, in NumPy alone: layers, a loss and an optimizer with gradients derived by hand (chapter 06)."""

from numpy_dcgan import initializers, layers, losses, optimizers
from numpy_dcgan.models import Sequential

__all__ = ["Sequential", "initializers", "layers", "losses", "optimizers"]
