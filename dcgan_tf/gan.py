"""The GAN: two networks, two optimizers, a moving average of the generator, and the training step."""

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from dcgan_tf import augment, distribution, losses, models, presets, progressive
from dcgan_tf.balance import Controller
from dcgan_tf.errors import UserError
from dcgan_tf.layers import Adam


class GAN:
    """A generator and a discriminator, with all that training them needs.

    Args:
        generator: a built Keras model, latents [n, latent_dim] to images [n, H, W, C] in [-1, 1].
        discriminator: a built Keras model, images to logits [n, 1].
        preset: the hyperparameters; keywords override its fields (`GAN(g, d, generator_learning_rate=1e-4)`).
        seed: of the latents drawn in training. The networks' own seeds are drawn when they are built.
        xla: compile the training step with XLA.
    """

    def __init__(self, generator, discriminator, preset=None, seed=0, xla=False, **overrides):
        self.preset = replace(preset or presets.Preset(), **overrides)
        self.seed, self.xla = seed, xla
        self.strategy = tf.distribute.get_strategy()  # the one in whose scope the GAN is made
        self.latent_dim = generator.input_shape[-1]
        self.loss = losses.of(self.preset)
        rates = self.preset.generator_learning_rate, self.preset.discriminator_learning_rate
        self.controller = Controller(*rates) if self.preset.balance else None
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self.stage = None  # of progressive growing: set by `enter`
        self._adopt(generator, discriminator, _in_float32(generator))

    @classmethod
    def from_preset(cls, preset, precision="float32", seed=0, xla=False):
        """Build the networks of a preset (its name or a Preset) and the GAN around them.

        `precision` is a Keras dtype policy; weights and optimizers are float32 under each. `seed` decides the initial
        weights, the dropout masks and the latents.
        """
        preset = presets.get(preset) if isinstance(preset, str) else preset
        keras.utils.set_random_seed(seed)
        recipe = preset.recipe(preset.sizes[0] if preset.sizes else None)
        generator = models.build("generator", recipe, precision)
        discriminator = models.build("discriminator", recipe, precision)
        return cls(generator, discriminator, preset, seed, xla)

    def _adopt(self, generator, discriminator, average):
        """Take networks over, with fresh optimizers and a training step of their own."""
        self.generator, self.discriminator, self.average = generator, discriminator, average
        self.generator_optimizer = self._optimizer(generator, self.preset.generator_learning_rate)
        self.discriminator_optimizer = self._optimizer(discriminator, self.preset.discriminator_learning_rate)
        step = self._on_all_replicas(type(self).train_step.__get__(self))
        self.train_step = tf.function(step, jit_compile=self.xla or None)  # compiled anew, for these networks
        self._draw = tf.function(average)

    def _on_all_replicas(self, step):
        """A function that takes a step on every device of the strategy, each with its part of the batch."""

        def whole(real, *turns):
            results = self.strategy.run(step, (real, *turns))
            return {name: self.strategy.reduce("MEAN", value, axis=None) for name, value in results.items()}

        return whole

    def enter(self, stage):
        """Begin a stage of progressive growing: networks of its size, the trained layers carried over, or thawed.

        The optimizers begin anew with each stage, on the variables that learn in it: their memory of the smaller
        game, or of layers that were frozen, would mislead them.
        """
        with self.strategy.scope():
            self._enter(stage)

    def _enter(self, stage):
        networks = self.generator, self.discriminator, self.average
        if stage.size != self.generator.output_shape[1]:
            keras.utils.set_random_seed(self.seed + stage.size)  # the same new layers, however often a run is resumed
            policy, recipe = self.generator.layers[0].dtype_policy.name, self.preset.recipe(stage.size)
            generator = models.build("generator", recipe, policy)
            discriminator = models.build("discriminator", recipe, policy)
            grown = generator, discriminator, _in_float32(generator)
            self._carried = [progressive.carry(old, new) for old, new in zip(networks, grown, strict=True)]
            networks = grown
        for network, names in zip(networks[:2], self._carried if stage.frozen else ([], []), strict=False):
            progressive.freeze(network, names)
        self.stage = stage
        self._adopt(*networks)

    def _optimizer(self, network, learning_rate):
        if self.preset.optimizer == "rmsprop":
            optimizer = keras.optimizers.RMSprop(learning_rate)
        else:
            optimizer = Adam(learning_rate, beta_1=self.preset.beta_1, beta_2=self.preset.beta_2)
        if network.layers[0].compute_dtype == "float16":  # small gradients would vanish
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(network.trainable_variables)  # before a checkpoint is restored, or its state is lost
        return optimizer

    def train_step(self, real, train_generator=True, train_discriminator=True):
        """Train both networks, or one of them, on one batch.

        Args:
            real: float32 images [n, H, W, C] in [-1, 1]; as many fakes are made.
            train_generator, train_discriminator: Python bools; the step is compiled once for each pair of them.

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
            d_loss_real, d_loss_fake = self.loss.discriminator(real_logits, fake_logits, self._key(4))
            d_loss = d_loss_real + d_loss_fake
            penalty = self._r1_penalty(real) + self._gradient_penalty(real, fake)
            # The optimizers scale the loss in float16; in other precisions it stays as it is.
            share = 1.0 / self.strategy.num_replicas_in_sync  # gradients are summed over the devices
            scaled_g_loss = self.generator_optimizer.scale_loss(g_loss * share)
            scaled_d_loss = self.discriminator_optimizer.scale_loss((d_loss + penalty) * share)
        g_variables, d_variables = self.generator.trainable_variables, self.discriminator.trainable_variables
        if train_generator:
            self.generator_optimizer.apply(g_tape.gradient(scaled_g_loss, g_variables), g_variables)
        if train_discriminator:
            self.discriminator_optimizer.apply(d_tape.gradient(scaled_d_loss, d_variables), d_variables)
            self._clip(d_variables)
        self.step.assign_add(1)
        if train_generator:
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

    def _gradient_penalty(self, real, fake):
        """weight * E[(|grad D| - 1)^2] between reals and fakes, a scalar (Gulrajani et al. 2017, eq. 3)."""
        if not self.preset.gradient_penalty:
            return 0.0
        key = self._key(5)
        share = distribution.rows(lambda n: tf.random.stateless_uniform([n, 1, 1, 1], key), tf.shape(real)[0])
        between = share * real + (1.0 - share) * tf.stop_gradient(fake)
        with tf.GradientTape() as tape:
            tape.watch(between)
            logits = self.discriminator(between, training=True)
        slope = tape.gradient(logits, between)
        length = tf.sqrt(tf.reduce_sum(tf.square(slope), [1, 2, 3]) + 1e-12)  # the root's slope at 0 is infinite
        return self.preset.gradient_penalty * tf.reduce_mean(tf.square(length - 1.0))

    def _clip(self, variables):
        """Keep every weight of a critic in [-clip, clip], after its step (Arjovsky et al. 2017, algorithm 1)."""
        if limit := self.preset.clip:
            for variable in variables:
                variable.assign(tf.clip_by_value(tf.convert_to_tensor(variable), -limit, limit))

    def latents(self, count):
        """The latents of this step, N(0, 1), float32 [count, latent_dim]: a function of the seed and the step."""
        key = self._key()
        return distribution.rows(lambda n: tf.random.stateless_normal([n, self.latent_dim], key), count)

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
        """Set both learning rates to `factor` times the controller's, or the preset's where there is none."""
        rates = self.controller or self.preset
        self.generator_optimizer.learning_rate = factor * rates.generator_learning_rate
        self.discriminator_optimizer.learning_rate = factor * rates.discriminator_learning_rate

    def turns(self):
        """Who learns at the coming step: () for both, else (generator, discriminator), as `train_step` takes them."""
        every = self.preset.critic_steps
        if not self.controller and every == 1:
            return ()
        step = int(self.step.numpy())
        return self.controller.turns(step) if self.controller else (step % every == every - 1, True)

    def generate(self, count, seed=0):
        """Images of the moving-average generator, float32 [count, H, W, C] in [-1, 1]; a seed gives the same images."""
        return generate(self._draw, latents(count, self.latent_dim, seed))


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
    """The images of many latents, a batch at a time: float32 [n, H, W, C] in [-1, 1].

    `generator` is a Keras model, or a `tf.function` of one.
    """
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
    return _load("generator", run_or_name)


def load_discriminator(run_or_name):
    """Its opponent of the same step: images [n, H, W, C] in [-1, 1] to logits [n, 1], as a Keras model in float32.

    Raises:
        UserError: neither a run folder nor a released name whose discriminator was released too.
    """
    return _load("discriminator", run_or_name)


def _load(role, run_or_name):
    from dcgan_tf import checkpoint, weights

    if (Path(run_or_name) / "config.json").exists():
        recipe = json.loads((Path(run_or_name) / "config.json").read_text())["recipe"]
        folder = checkpoint.chosen(run_or_name)
        if stage := checkpoint.plan(folder)["stage"]:
            recipe["size"] = stage["size"]
        network = models.build(role, recipe)
        checkpoint.restore_network(folder, role, network)
        return network
    names = weights.released(role)
    if str(run_or_name) in names:
        network = models.build(role, presets.get(run_or_name).recipe())
        weights.load(network, weights.file(run_or_name, role))
        return network
    raise UserError(presets.unknown(f"run folder or released {role}", run_or_name, names))
