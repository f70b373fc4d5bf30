"""What the two networks minimise: a `generator` and a `discriminator` loss from logits [n, 1], and the penalties."""

from dataclasses import dataclass

import keras
import tensorflow as tf

from dcgan_tf.errors import unknown
from dcgan_tf.presets import Preset

_mean = tf.reduce_mean


def _float(logits):
    return tf.cast(logits, tf.float32)


def _cross_entropy(label, logits):
    """Mean binary cross-entropy of logits [n, 1] against one label in [0, 1]; a float32 scalar."""
    logits = _float(logits)
    return _mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.fill(tf.shape(logits), label), logits))


@dataclass(frozen=True)
class BCE:
    """The non-saturating GAN loss (Goodfellow et al. 2014, section 3), from logits.

    A `real_label` below 1 is one-sided label smoothing (Salimans et al. 2016, section 3.4). At the game's solution,
    D = 1/2 everywhere, the discriminator's two losses are log 2 each.
    """

    real_label: float = 1.0

    probabilities = True  # is the sigmoid of a logit the probability that an image is real?

    def opinion(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The mean probability of "real" given to reals, and to fakes: two scalars from 0 to 1."""
        return _mean(tf.sigmoid(_float(real_logits))), _mean(tf.sigmoid(_float(fake_logits)))

    def generator(self, fake_logits: tf.Tensor, real_logits: tf.Tensor | None = None) -> tf.Tensor:
        """-E[log D(G(z))], a scalar."""
        return _cross_entropy(1.0, fake_logits)

    def discriminator(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(-E[log D(x)], -E[log(1 - D(G(z)))]), two scalars; their sum is the discriminator's loss."""
        return _cross_entropy(self.real_label, real_logits), _cross_entropy(0.0, fake_logits)


@dataclass(frozen=True)
class Relativistic:
    """Pairs of a real and a fake: which of the two looks more real?

    Huang et al. 2024, "R3GAN", section 2.1, after Jolicoeur-Martineau 2019.
    A logit means nothing by itself, only the difference between the two of a pair does. Each fake is compared with a
    real image, wherever in the data that lies, so the generator cannot settle in one part of it. Without R1 and R2 this
    loss need not converge.
    """

    probabilities = True

    def opinion(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The mean probability of being the real one of its pair, for reals and for fakes: two scalars with sum 1."""
        right = _mean(tf.sigmoid(_float(real_logits) - _float(fake_logits)))
        return right, 1.0 - right

    def generator(self, fake_logits: tf.Tensor, real_logits: tf.Tensor) -> tf.Tensor:
        """E[softplus(D(x) - D(G(z)))], a scalar: log 2 where the two cannot be told apart."""
        return _mean(tf.nn.softplus(_float(real_logits) - _float(fake_logits)))

    def discriminator(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """E[softplus(D(G(z)) - D(x))] as two halves: reals and fakes have no losses of their own here."""
        half = _mean(tf.nn.softplus(_float(fake_logits) - _float(real_logits))) / 2
        return half, half


@dataclass(frozen=True)
class Wasserstein:
    """The discriminator is a critic that pushes real and fake scores apart (Arjovsky et al. 2017, algorithm 1).

    The loss alone does not keep the critic Lipschitz: clip its weights, or use the gradient penalty.
    """

    probabilities = False

    def opinion(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The mean scores of reals and of fakes, two scalars."""
        return _mean(_float(real_logits)), _mean(_float(fake_logits))

    def generator(self, fake_logits: tf.Tensor, real_logits: tf.Tensor | None = None) -> tf.Tensor:
        """-E[D(G(z))], a scalar."""
        return -_mean(_float(fake_logits))

    def discriminator(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(-E[D(x)], E[D(G(z))]), two scalars; minus their sum estimates the distance of the two distributions."""
        return -_mean(_float(real_logits)), _mean(_float(fake_logits))


def of(preset: Preset) -> BCE | Relativistic | Wasserstein:
    """The loss that a preset names."""
    losses = {"bce": BCE(preset.real_label), "relativistic": Relativistic(), "wasserstein": Wasserstein()}
    if preset.loss not in losses:
        raise ValueError(unknown("loss", preset.loss, losses))
    return losses[preset.loss]


def slope_penalty(
    discriminator: keras.Model, images: tf.Tensor, weight: float, every: int, step: tf.Variable
) -> tf.Tensor:
    """weight / 2 * E[|grad_x D(x)|^2] over images, a scalar: R1 over reals, R2 over fakes (Mescheder et al. 2018,
    eq. 9 and 10).

    It keeps the discriminator smooth around the images, which damps the oscillations of chapter 00. Taken only
    every `every` steps and multiplied by `every`, it costs little and does the same (Karras et al. 2020, appendix B).
    """

    def penalty():
        return every * weight / 2 * tf.reduce_mean(tf.reduce_sum(tf.square(_slope(discriminator, images)), [1, 2, 3]))

    return tf.cond(step % every == 0, penalty, lambda: 0.0)


def gradient_penalty(
    discriminator: keras.Model, real: tf.Tensor, fake: tf.Tensor, weight: float, seed: tf.Tensor
) -> tf.Tensor:
    """weight * E[(|grad D| - 1)^2] between reals and fakes, a scalar (Gulrajani et al. 2017, eq. 3).

    `seed`, int [2], draws the point between each real and its fake.
    """
    mix = tf.random.stateless_uniform([tf.shape(real)[0], 1, 1, 1], seed)
    slope = _slope(discriminator, mix * real + (1.0 - mix) * tf.stop_gradient(fake))
    length = tf.sqrt(tf.reduce_sum(tf.square(slope), [1, 2, 3]) + 1e-12)  # the root's slope at 0 is infinite
    return weight * tf.reduce_mean(tf.square(length - 1.0))


def _slope(discriminator, images):
    """The gradient of each logit with respect to its image, like `images`."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminator(images, training=True)
    return tape.gradient(logits, images)
