"""What the two networks minimise."""

from dataclasses import dataclass

import tensorflow as tf


def _cross_entropy(label, logits):
    """Mean binary cross-entropy of logits [n, 1] against one label in [0, 1]; a float32 scalar."""
    logits = tf.cast(logits, tf.float32)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.fill(tf.shape(logits), label), logits))


@dataclass(frozen=True)
class BCE:
    """The non-saturating GAN loss (Goodfellow et al. 2014, section 3), from logits.

    A `real_label` below 1 is one-sided label smoothing (Salimans et al. 2016, section 3.4). At the game's solution,
    D = 1/2 everywhere, the discriminator's two losses are log 2 each.
    """

    real_label: float = 1.0

    def generator(self, fake_logits):
        """-E[log D(G(z))], a scalar."""
        return _cross_entropy(1.0, fake_logits)

    def discriminator(self, real_logits, fake_logits):
        """(-E[log D(x)], -E[log(1 - D(G(z)))]), two scalars; their sum is the discriminator's loss."""
        return _cross_entropy(self.real_label, real_logits), _cross_entropy(0.0, fake_logits)
