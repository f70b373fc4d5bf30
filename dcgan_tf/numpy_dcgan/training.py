"""The game of generator and discriminator, one step at a time."""

from collections.abc import Callable
from copy import deepcopy

import numpy as np

from dcgan_tf.numpy_dcgan import losses
from dcgan_tf.numpy_dcgan.models import Sequential
from dcgan_tf.numpy_dcgan.optimizers import SGD, Adam


class GAN:
    """Two Sequential networks, two optimizers and a training step.

    Args:
        generator: from [N, latents] to images [N, H, W, C] in [-1, 1].
        discriminator: from images to logits [N, 1].
        generator_optimizer, discriminator_optimizer: with an `apply`.
        real_label: below 1 for one-sided label smoothing (Salimans et al. 2016, section 3.4).
        average_decay: of the moving average of the generator that `generate` draws with; 0 is the generator itself.
    """

    def __init__(
        self,
        generator: Sequential,
        discriminator: Sequential,
        generator_optimizer: Adam | SGD,
        discriminator_optimizer: Adam | SGD,
        real_label: float = 1.0,
        average_decay: float = 0.0,
    ):
        if not (generator.input_shape and discriminator.input_shape):
            raise ValueError(
                "build both networks first: generator.build((None, latents)), discriminator.build((None, H, W, C))"
            )
        self.generator, self.discriminator = generator, discriminator
        self.generator_optimizer, self.discriminator_optimizer = generator_optimizer, discriminator_optimizer
        self.real_label = real_label
        self.average_decay = average_decay
        self.average = deepcopy(generator) if average_decay else generator

    def train_step(self, real: np.ndarray, noise: np.ndarray) -> dict[str, float]:
        """One step of the discriminator and one of the generator, on the same fakes; returns their losses.

        Args:
            real: [N, H, W, C] in [-1, 1].
            noise: [N, latents].
        """
        critic = self.discriminator
        fake = self.generator(noise, training=True)

        loss_real, gradient = losses.binary_crossentropy(critic(real, training=True), self.real_label)
        critic.backward(gradient, inputs=False)
        of_real = critic.gradients
        logits = critic(fake, training=True)
        loss_fake, gradient = losses.binary_crossentropy(logits, 0.0)
        critic.backward(gradient, inputs=False)
        total = [one + other for one, other in zip(of_real, critic.gradients, strict=True)]

        # the generator's gradient comes through the discriminator as it was when it judged these fakes
        loss, gradient = losses.binary_crossentropy(logits, 1.0)
        self.generator.backward(critic.backward(gradient, weights=False), inputs=False)

        self.discriminator_optimizer.apply(total, critic.trainable_weights)
        self.generator_optimizer.apply(self.generator.gradients, self.generator.trainable_weights)
        if self.average_decay:
            self._update_average()
        return {"g_loss": loss, "d_loss_real": loss_real, "d_loss_fake": loss_fake}

    def _update_average(self):
        for mean, weight in zip(self.average.weights, self.generator.weights, strict=True):
            mean += (1 - self.average_decay) * (weight - mean)

    def train(
        self, images: np.ndarray, steps: int, batch_size: int, seed: int = 0, each: Callable | None = None
    ) -> list[dict[str, float]]:
        """Take `steps` steps on uint8 images [M, H, W, C]; returns the losses of all.

        `each`, if given, is called after every step with its number (from 1) and its losses.
        """
        random = np.random.default_rng(seed)
        latents = self.generator.input_shape[-1]
        history = []
        for step in range(1, steps + 1):
            real = images[random.integers(len(images), size=batch_size)].astype(np.float32) / 127.5 - 1
            history.append(self.train_step(real, random.standard_normal((batch_size, latents), np.float32)))
            if each:
                each(step, history[-1])
        return history

    def generate(self, noise: np.ndarray) -> np.ndarray:
        """Images in [-1, 1] from latents [N, latents]."""
        return self.average(noise)
