"""What the two networks minimise. Each loss has a `generator` and a `discriminator` side, from logits [n, 1]."""

from dataclasses import dataclass

import tensorflow as tf

from dcgan_tf import distribution
from dcgan_tf.presets import unknown


def _cross_entropy(labels, logits):
    """Mean binary cross-entropy of logits [n, 1] against one label, or one each, in [0, 1]; a float32 scalar."""
    logits = tf.cast(logits, tf.float32)
    labels = tf.broadcast_to(tf.cast(labels, tf.float32), tf.shape(logits))
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))


@dataclass(frozen=True)
class BCE:
    """The non-saturating GAN loss (Goodfellow et al. 2014, section 3), from logits.

    A `real_label` below 1 is one-sided label smoothing (Salimans et al. 2016, section 3.4). At the game's solution,
    D = 1/2 everywhere, the discriminator's two losses are log 2 each.

    With `noisy_labels` the smoothing is that of the pixel heroes project: labels of reals are drawn from [real_label,
    1], and those of fakes from [0, 1 - real_label] while the loss on fakes is under `low`, so that a discriminator
    that has won is held back and one that struggles is not.
    """

    real_label: float = 1.0
    noisy_labels: bool = False
    low: float = 0.2

    def generator(self, fake_logits):
        """-E[log D(G(z))], a scalar."""
        return _cross_entropy(1.0, fake_logits)

    def discriminator(self, real_logits, fake_logits, seed=(0, 0)):
        """(-E[log D(x)], -E[log(1 - D(G(z)))]), two scalars; their sum is the discriminator's loss.

        `seed`, int [2], decides the noise of the labels, where there is any.
        """
        plain = _cross_entropy(0.0, fake_logits)
        if not self.noisy_labels:
            return _cross_entropy(self.real_label, real_logits), plain
        noise = [
            distribution.rows(
                lambda n, side=side: tf.random.stateless_uniform([n, 1], tf.random.fold_in(seed, side)),
                tf.shape(logits)[0],
            )
            for side, logits in enumerate((real_logits, fake_logits))
        ]
        width = 1.0 - self.real_label
        noisy = _cross_entropy(width * noise[1], fake_logits)
        return _cross_entropy(1.0 - width * noise[0], real_logits), tf.where(plain < self.low, noisy, plain)


@dataclass(frozen=True)
class Wasserstein:
    """The critic's scores apart (Arjovsky et al. 2017, algorithm 1): it has to be kept Lipschitz by other means."""

    def generator(self, fake_logits):
        """-E[D(G(z))], a scalar."""
        return -tf.reduce_mean(tf.cast(fake_logits, tf.float32))

    def discriminator(self, real_logits, fake_logits, seed=None):
        """(-E[D(x)], E[D(G(z))]), two scalars; minus their sum estimates the distance of the two distributions."""
        return -tf.reduce_mean(tf.cast(real_logits, tf.float32)), tf.reduce_mean(tf.cast(fake_logits, tf.float32))


@dataclass(frozen=True)
class Hinge:
    """Scores beyond a margin count no more (Lim and Ye 2017, "Geometric GAN", eq. 5 to 7)."""

    def generator(self, fake_logits):
        """-E[D(G(z))], a scalar."""
        return -tf.reduce_mean(tf.cast(fake_logits, tf.float32))

    def discriminator(self, real_logits, fake_logits, seed=None):
        """(E[max(0, 1 - D(x))], E[max(0, 1 + D(G(z)))]), two scalars."""
        real_logits, fake_logits = tf.cast(real_logits, tf.float32), tf.cast(fake_logits, tf.float32)
        return tf.reduce_mean(tf.nn.relu(1.0 - real_logits)), tf.reduce_mean(tf.nn.relu(1.0 + fake_logits))


def of(preset):
    """The loss that a preset names."""
    losses = {
        "bce": BCE(preset.real_label, preset.noisy_labels),
        "wasserstein": Wasserstein(),
        "hinge": Hinge(),
    }
    if preset.loss not in losses:
        raise ValueError(unknown("loss", preset.loss, losses))
    return losses[preset.loss]
