"""The GAN: two networks, two optimizers, a moving average of the generator, and the training step."""

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from dcgan_tf import augment, models, presets
from dcgan_tf.errors import UserError
from dcgan_tf.losses import BCE


class GAN:
    """A generator and a discriminator, with all that training them needs.

    Args:
        generator: a built Keras model, latents [n, latent_dim] to images [n, H, W, C] in [-1, 1].
        discriminator: a built Keras model, images to logits [n, 1].
        preset: the hyperparameters; keywords override its fields (`GAN(g, d, generator_learning_rate=1e-4)`).
        seed: of the latents drawn in training. The networks' own seeds are drawn when they are built.
    """

    def __init__(self, generator, discriminator, preset=None, seed=0, **overrides):
        self.generator, self.discriminator = generator, discriminator
        self.preset = replace(preset or presets.Preset(), **overrides)
        self.seed = seed
        self.latent_dim = generator.input_shape[-1]
        self.loss = BCE(self.preset.real_label)
        self.generator_optimizer = self._adam(generator, self.preset.generator_learning_rate)
        self.discriminator_optimizer = self._adam(discriminator, self.preset.discriminator_learning_rate)
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self.average = _in_float32(generator)

    @classmethod
    def from_preset(cls, preset, precision="float32", seed=0):
        """Build the networks of a preset (its name or a Preset) and the GAN around them.

        `precision` is a Keras dtype policy; weights and optimizers are float32 under each. `seed` decides the initial
        weights, the dropout masks and the latents.
        """
        preset = presets.get(preset) if isinstance(preset, str) else preset
        keras.utils.set_random_seed(seed)
        generator = models.build("generator", preset.recipe(), precision)
        discriminator = models.build("discriminator", preset.recipe(), precision)
        return cls(generator, discriminator, preset, seed)

    def _adam(self, network, learning_rate):
        optimizer = keras.optimizers.Adam(learning_rate, beta_1=self.preset.beta_1, beta_2=self.preset.beta_2)
        if network.layers[0].compute_dtype == "float16":  # small gradients would vanish
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(network.trainable_variables)  # before a checkpoint is restored, or its state is lost
        return optimizer

    @tf.function
    def train_step(self, real):
        """Train both networks on one batch.

        Args:
            real: float32 images [n, H, W, C] in [-1, 1]; as many fakes are made.

        Returns:
            Scalars: g_loss, d_loss = d_loss_real + d_loss_fake, and the mean probabilities d_real = D(x) and
            d_fake = D(G(z)).
        """
        latents = self.latents(tf.shape(real)[0])
        if self.preset.flip:
            real = augment.flip(real, self._key(1))
        real = self._augmented(real, 2)
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = self._augmented(self.generator(latents, training=True), 3)
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            g_loss = self.loss.generator(fake_logits)
            d_loss_real, d_loss_fake = self.loss.discriminator(real_logits, fake_logits)
            d_loss = d_loss_real + d_loss_fake
            # The optimizers scale the loss in float16; in other precisions it stays as it is.
            scaled_g_loss = self.generator_optimizer.scale_loss(g_loss)
            scaled_d_loss = self.discriminator_optimizer.scale_loss(d_loss + self._r1_penalty(real))
        g_variables, d_variables = self.generator.trainable_variables, self.discriminator.trainable_variables
        self.generator_optimizer.apply(g_tape.gradient(scaled_g_loss, g_variables), g_variables)
        self.discriminator_optimizer.apply(d_tape.gradient(scaled_d_loss, d_variables), d_variables)
        self.step.assign_add(1)
        self._update_average()
        return {
            "g_loss": g_loss,
            "d_loss": d_loss,
            "d_loss_real": d_loss_real,
            "d_loss_fake": d_loss_fake,
            "d_real": tf.reduce_mean(tf.sigmoid(real_logits)),
            "d_fake": tf.reduce_mean(tf.sigmoid(fake_logits)),
        }

    def _r1_penalty(self, real):
        """weight / 2 * E[|grad_x D(x)|^2] over the reals, a scalar (Mescheder et al. 2018, eq. 9).

        It keeps the discriminator smooth around the data, which damps the oscillations of chapter 00. Taken every few
        steps and multiplied by as many, it costs little and does the same.
        """
        weight, every = self.preset.r1_weight, self.preset.r1_every
        if not weight:
            return 0.0

        def penalty():
            with tf.GradientTape() as tape:
                tape.watch(real)
                logits = self.discriminator(real, training=True)
            slope = tape.gradient(logits, real)
            return every * weight / 2 * tf.reduce_mean(tf.reduce_sum(tf.square(slope), [1, 2, 3]))

        return tf.cond(self.step % every == 0, penalty, lambda: 0.0)

    def latents(self, count):
        """The latents of this step, N(0, 1), float32 [count, latent_dim]: a function of the seed and the step."""
        return tf.random.stateless_normal([count, self.latent_dim], self._key())

    def _key(self, purpose=0):
        """The seed of a random draw: a function of the GAN's seed and the step, one for each purpose."""
        key = tf.stack([tf.constant(self.seed, tf.int64), self.step])
        return tf.random.fold_in(key, purpose) if purpose else key

    def _augmented(self, images, purpose):
        policy = self.preset.augment
        return augment.diff_augment(images, policy, self._key(purpose)) if policy else images

    def _update_average(self):
        """Move the average towards the generator; early on by more, so that it forgets the untrained weights."""
        step = tf.cast(self.step, tf.float32)
        decay = tf.minimum(self.preset.average_decay, (1.0 + step) / (10.0 + step))
        for mean, weight in zip(self.average.weights, self.generator.weights, strict=True):
            mean.assign(decay * mean + (1.0 - decay) * tf.cast(weight, mean.dtype))

    def set_learning_rates(self, factor):
        """Set both learning rates to `factor` times the preset's."""
        self.generator_optimizer.learning_rate = factor * self.preset.generator_learning_rate
        self.discriminator_optimizer.learning_rate = factor * self.preset.discriminator_learning_rate

    def generate(self, count, seed=0):
        """Images of the moving-average generator, float32 [count, H, W, C] in [-1, 1]; a seed gives the same images."""
        return generate(self.average, latents(count, self.latent_dim, seed))


def _in_float32(model):
    """A copy of a model that computes in float32."""

    def convert(layer):
        return layer.__class__.from_config({**layer.get_config(), "dtype": "float32"})

    copy = keras.models.clone_model(model, clone_function=convert)
    copy.set_weights(model.get_weights())
    return copy


def latents(count, dim, seed=0):
    """Latents to look at: N(0, 1), float32 [count, dim]; the first rows are the same for every count."""
    return np.random.default_rng(seed).standard_normal((count, dim), np.float32)


def generate(generator, latents, batch_size=500):
    """The images of many latents, a batch at a time: float32 [n, H, W, C] in [-1, 1]."""
    pieces = [
        keras.ops.convert_to_numpy(generator(latents[i : i + batch_size], training=False))
        for i in range(0, len(latents), batch_size)
    ]
    return np.concatenate(pieces)


def load_generator(run_or_name):
    """The moving-average generator of a run folder or a released weight file, as a Keras model in float32.

    Of a run it is the one of the best checkpoint by KID, where that was followed, else of the newest.

    Raises:
        UserError: neither a run folder nor a released name.
    """
    from dcgan_tf import checkpoint, weights

    if (Path(run_or_name) / "config.json").exists():
        recipe = json.loads((Path(run_or_name) / "config.json").read_text())["recipe"]
        generator = models.build("generator", recipe)
        checkpoint.restore_average(Path(run_or_name), generator)
        return generator
    if str(run_or_name) in weights.released():
        generator = models.build("generator", presets.get(run_or_name).recipe())
        weights.load(generator, weights.FOLDER / f"{run_or_name}.npz")
        return generator
    raise UserError(presets.unknown("run folder or released generator", run_or_name, weights.released()))
