"""The GAN: two networks, two optimizers, a moving average of the generator, and the training step."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcgan_tf import augment, losses, models
from dcgan_tf.presets import Preset, get
from dcgan_tf.runtime import devices, distribution
from dcgan_tf.runtime.fast_layers import FusedAdam, accelerate, architecture, plain
from dcgan_tf.sampling import generate, inputs


class GAN:
    """A generator and a discriminator, with all that training them needs.

    It is not a `keras.Model`: a GAN has two losses and two optimizers, which `compile` and `fit` do not know, and here
    the step is what you came to read. Networks that you pass in keep their layers; those of `from_preset` have quicker
    ones (runtime/fast_layers.py), with the same results.

    Args:
        generator: a built Keras model, latents [n, latent_dim] to images [n, H, W, C] in [-1, 1]. One that is told
            labels takes [n, latent_dim + classes]: the one-hot label beside the latent.
        discriminator: a built Keras model, images to logits [n, 1], or [n, classes]: an image's own label picks one.
        preset: the hyperparameters; keywords override its fields (`GAN(g, d, classes=10, beta_1=0.0)`).
        seed: of all that training draws at random: latents, flips, augmentation, the order of the images. The networks'
            first weights have seeds of their own, set when they are built.
        xla: compile the training step with XLA.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        preset: Preset | None = None,
        seed: int = 0,
        xla: bool = False,
        **overrides: Any,
    ):
        self.preset = replace(preset or Preset(), **overrides)
        self.seed, self.xla = seed, xla
        self.strategy = tf.distribute.get_strategy()  # the one in whose scope the GAN is made
        self.classes = self.preset.classes
        self.latent_dim = generator.input_shape[-1] - self.classes
        if discriminator.output_shape[-1] != max(1, self.classes):
            raise ValueError(
                f"with {self.classes} classes the discriminator has to give {max(1, self.classes)} logits, "
                f"not {discriminator.output_shape[-1]}"
            )
        self.loss = losses.of(self.preset)
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self.generator, self.discriminator, self.average = generator, discriminator, plain(generator)
        generator.classes = self.average.classes = self.classes  # for sampling.inputs
        self.generator_optimizer = self._optimizer(generator, self.preset.generator_learning_rate)
        self.discriminator_optimizer = self._optimizer(discriminator, self.preset.discriminator_learning_rate)
        self.architectures = {"generator": architecture(self.average), "discriminator": _architecture(discriminator)}
        step = type(self).train_step

        def on_all_replicas(real, *schedule, **labels):
            results = self.strategy.run(step, (self, real, *schedule), labels)
            return {name: self.strategy.reduce("MEAN", value, axis=None) for name, value in results.items()}

        on_all_replicas.__doc__ = step.__doc__
        # From here on gan.train_step is the method below, compiled and run on every device.
        self.train_step = tf.function(on_all_replicas, jit_compile=self.xla or None)
        self._draw = tf.function(self.average, reduce_retracing=True)

    @classmethod
    def from_preset(cls, preset: str | Preset, precision: str = "auto", seed: int = 0, xla: bool = False) -> "GAN":
        """Build the networks of a preset (its name or a Preset) and the GAN around them.

        `precision` is a Keras dtype policy, or "auto": the one that suits this machine. Weights and optimizers are
        float32 under each. `seed` decides the initial weights, the dropout masks and the latents.
        """
        preset = get(preset) if isinstance(preset, str) else preset
        return cls(*_networks(preset.recipe(), devices.precision(precision)[0], seed), preset, seed, xla)

    def train_step(
        self,
        real: tf.Tensor,
        train_generator: bool = True,
        train_discriminator: bool = True,
        labels: tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        """Train both networks, or one of them, on one batch.

        Args:
            real: float32 images [n, H, W, C] in [-1, 1]; as many fakes are made.
            train_generator, train_discriminator: Python bools; the step is compiled once for each pair of them.
            labels: of the reals, integers [n], for networks that know some; the fakes are asked for the same ones.

        Returns:
            Scalars: g_loss, d_loss = d_loss_real + d_loss_fake, and the means d_real of D(x) and d_fake of D(G(z)):
            probabilities, or a critic's scores.
        """
        if self.classes and labels is None:
            raise ValueError(f"these networks know {self.classes} labels: give those of the images")
        z, discriminator = self.latents(tf.shape(real)[0]), self.discriminator
        if labels is not None:
            one_hot = tf.one_hot(labels, self.classes)
            z, discriminator = tf.concat([z, one_hot], 1), partial(_logit_of, self.discriminator, one_hot)
        real = self._augmented(self._flipped(real), 2)
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = self._augmented(tf.cast(self.generator(z, training=True), real.dtype), 3)
            real_logits = discriminator(real, training=True)
            fake_logits = discriminator(fake, training=True)
            g_loss = self.loss.generator(fake_logits, real_logits)
            d_losses = self.loss.discriminator(real_logits, fake_logits)  # on reals, on fakes
            d_total = sum(d_losses) + self._penalties(discriminator, real, fake)
        if train_generator:
            self._update(self.generator, self.generator_optimizer, g_tape, g_loss)
        if train_discriminator:
            self._update(self.discriminator, self.discriminator_optimizer, d_tape, d_total)
            self._clip(self.discriminator.trainable_variables)
        self.step.assign_add(1)
        if train_generator:
            self._update_average()
        return self._results(g_loss, d_losses, self.loss.opinion(real_logits, fake_logits))

    def _update(self, network, optimizer, tape, loss):
        """One step of an optimizer. Several devices add their gradients up, so each takes its part of the loss; in
        float16 the optimizer has the loss scaled, and divides the gradients by as much.
        """
        scale = optimizer.scale_loss(tf.constant(1.0 / self.strategy.num_replicas_in_sync))
        variables = network.trainable_variables
        optimizer.apply(tape.gradient(loss, variables, output_gradients=scale), variables)

    def _results(self, g_loss, d_losses, opinion):
        """What `train_step` returns."""
        parts = {"d_loss_real": d_losses[0], "d_loss_fake": d_losses[1], "d_real": opinion[0], "d_fake": opinion[1]}
        return {"g_loss": g_loss, "d_loss": sum(d_losses), **parts}

    def _penalties(self, discriminator, real, fake):
        """The R1, R2 and gradient penalties of the preset, a scalar; 0 where it has none."""
        preset, total = self.preset, 0.0
        if preset.r1_weight:
            total += losses.slope_penalty(discriminator, real, preset.r1_weight, preset.r1_every, self.step)
        if preset.r2_weight:
            fixed = tf.stop_gradient(fake)  # the generator is not to learn from the penalty
            total += losses.slope_penalty(discriminator, fixed, preset.r2_weight, preset.r1_every, self.step)
        if preset.gradient_penalty:
            total += losses.gradient_penalty(discriminator, real, fake, preset.gradient_penalty, self._key(5))
        return total

    def _clip(self, variables):
        """Keep every weight of a critic in [-clip, clip], after its step (Arjovsky et al. 2017, algorithm 1)."""
        if limit := self.preset.clip:
            for variable in variables:
                variable.assign(tf.clip_by_value(tf.convert_to_tensor(variable), -limit, limit))

    def _flipped(self, images):
        return augment.flip(images, self._key(1)) if self.preset.flip else images

    def _augmented(self, images, purpose):
        policy = self.preset.augment
        return augment.diff_augment(images, policy, self._key(purpose)) if policy else images

    def latents(self, count: int | tf.Tensor) -> tf.Tensor:
        """The latents of this step, N(0, 1), float32 [count, latent_dim]: a function of the seed and the step."""
        return tf.random.stateless_normal([count, self.latent_dim], self._key())

    def _key(self, purpose=0):
        """The seed of a random draw: a function of the GAN's seed and the step, one for each purpose and device."""
        key = tf.stack([tf.constant(self.seed, tf.int64), self.step])
        key = tf.random.fold_in(key, purpose) if purpose else key
        return tf.random.fold_in(key, distribution.replica()) if distribution.replicas() > 1 else key

    def _update_average(self):
        """Move the average towards the generator; with a smaller decay early on, to forget the untrained weights."""
        step = tf.cast(self.step // self.preset.critic_steps, tf.float32)  # of the generator
        decay = tf.minimum(self.preset.average_decay, (1.0 + step) / (10.0 + step))
        for mean, weight in zip(self.average.weights, self.generator.weights, strict=True):
            mean.assign(decay * mean + (1.0 - decay) * tf.cast(weight, mean.dtype))

    def generate(self, count: int, seed: int = 0, label: int | Sequence[int] | None = None) -> np.ndarray:
        """Images of the moving-average generator, float32 [count, H, W, C] in [-1, 1]; a seed gives the same images.

        `label`, for networks that know some: one for all images, or one for each; None takes all labels in turn.
        """
        return generate(self._draw, inputs(self.average, count, seed, label))

    @property
    def policy(self) -> str:
        """The name of the Keras dtype policy that the generator computes in."""
        hidden = (layer for layer in self.generator.layers if not isinstance(layer, keras.layers.InputLayer))
        return next(hidden).dtype_policy.name

    def set_learning_rates(self, factor: float) -> None:
        """Set both learning rates to `factor` times the preset's."""
        self.generator_optimizer.learning_rate = factor * self.preset.generator_learning_rate
        self.discriminator_optimizer.learning_rate = factor * self.preset.discriminator_learning_rate

    def update_schedule(self) -> tuple:
        """Which networks the next step updates, as arguments of `train_step`: () for both, else one bool for each."""
        every = self.preset.critic_steps
        return () if every == 1 else (int(self.step.numpy()) % every == every - 1, True)

    def is_finite(self) -> bool:
        """Are all weights, averages and optimizer states finite numbers?"""
        networks = self.generator, self.discriminator, self.average
        parts = *networks, self.generator_optimizer, self.discriminator_optimizer
        variables = [variable for part in parts for variable in part.variables]
        floats = [tf.convert_to_tensor(v) for v in variables if tf.as_dtype(v.dtype).is_floating]
        return all(bool(tf.reduce_all(tf.math.is_finite(value))) for value in floats)

    def _optimizer(self, network, learning_rate):
        if self.preset.optimizer == "rmsprop":
            optimizer = keras.optimizers.RMSprop(learning_rate)
        else:
            optimizer = FusedAdam(learning_rate, beta_1=self.preset.beta_1, beta_2=self.preset.beta_2)
        if any(layer.compute_dtype == "float16" for layer in _layers(network)):  # small gradients would vanish
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(network.trainable_variables)  # before a checkpoint is restored, or its state is lost
        return optimizer


def _layers(network):
    """The layers of a network, and those of the networks within it."""
    for layer in network.layers:
        yield from _layers(layer) if isinstance(layer, keras.Model) else (layer,)


def _logit_of(discriminator, one_hot, images, training):
    """Of the logits that a discriminator gives for each label, the one of each image's own: [n, 1]."""
    return tf.reduce_sum(discriminator(images, training=training) * one_hot, 1, keepdims=True)


def _networks(recipe, policy, seed):
    """A generator and a discriminator of a recipe, of the fast layers."""
    return [accelerate(models.build(role, recipe, policy, seed)) for role in ("generator", "discriminator")]


def _architecture(network):
    """A network without its weights as JSON, in plain Keras layers; None for a model that cannot be serialised."""
    try:
        return architecture(plain(network))
    except (NotImplementedError, ValueError):
        return None
