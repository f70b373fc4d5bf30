"""A training step as TensorFlow's DCGAN tutorial writes it, to be compared with: two tapes, float32, Keras's Adam."""

import keras
import tensorflow as tf


class Plain:
    """A pair of Keras networks, and the step that trains them; not compiled."""

    def __init__(self, generator, discriminator, batch_size, learning_rate=2e-4, beta_1=0.5):
        self.networks, self.batch_size = (generator, discriminator), batch_size
        self.optimizers = [keras.optimizers.Adam(learning_rate, beta_1) for _ in range(2)]
        self.loss = keras.losses.BinaryCrossentropy(from_logits=True)
        for optimizer, network in zip(self.optimizers, self.networks, strict=True):
            optimizer.build(network.trainable_variables)

    def step(self, real):
        """Train both on a batch of images; returns the generator's loss and the discriminator's."""
        generator, discriminator = self.networks
        noise = tf.random.normal([self.batch_size, generator.input_shape[-1]])
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = generator(noise, training=True)
            of_real, of_fake = discriminator(real, training=True), discriminator(fake, training=True)
            g_loss = self.loss(tf.ones_like(of_fake), of_fake)
            d_loss = self.loss(tf.ones_like(of_real), of_real) + self.loss(tf.zeros_like(of_fake), of_fake)
        for network, tape, loss, optimizer in zip(
            self.networks, (g_tape, d_tape), (g_loss, d_loss), self.optimizers, strict=True
        ):
            optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return g_loss, d_loss
