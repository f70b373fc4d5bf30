"""Layers and an optimizer of Keras's, made quicker and ready for several devices; the results are the same.

`accelerate` swaps them into a network, `plain` swaps them out again. Keras 3 writes batch normalisation and Adam as a
dozen small operations each, every one of which reads and writes whole arrays. TensorFlow has one operation for either.
In bfloat16 on processors the gradient of a convolution's kernel is slow where the maps are small, and the gradient of
its bias is inaccurate where it sums over many places: both are computed in another way. Where none of this applies
(other ranks, frozen layers, several devices, GPUs), Keras's own code runs.
"""

import inspect
import json
from typing import Any

import keras
import tensorflow as tf

from dcgan_tf.errors import UserError
from dcgan_tf.runtime import devices, distribution

SMALL = 7  # side of the maps up to which a kernel's gradient was quicker as a convolution, on a Xeon with AMX


@keras.saving.register_keras_serializable("dcgan_tf")
class FastConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, channels last."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return _finish(self, self.convolution_op(inputs, self.kernel))

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        if not _is_slow(self, inputs, self.strides[0]):
            return super().convolution_op(inputs, kernel)
        stride = self.strides[0]

        @tf.custom_gradient
        def convolve(images, kernel):
            def gradients(upstream):
                to_images = tf.nn.conv2d_transpose(upstream, kernel, tf.shape(images), stride, "SAME")
                return to_images, _kernel_gradient(images, upstream, kernel, stride)

            return tf.nn.conv2d(images, kernel, stride, "SAME"), gradients

        return convolve(inputs, tf.cast(kernel, inputs.dtype))


@keras.saving.register_keras_serializable("dcgan_tf")
class FastConv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, channels last."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return _finish(self, self.convolution_op(inputs, self.kernel))

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        if not _is_slow(self, inputs) or self.output_padding is not None:
            options = {"output_padding": self.output_padding, "dilation_rate": self.dilation_rate}
            return keras.ops.conv_transpose(inputs, kernel, self.strides, self.padding, **options)
        stride = self.strides[0]

        @tf.custom_gradient
        def convolve(inputs, kernel):
            def gradients(upstream):
                to_inputs = tf.nn.conv2d(upstream, kernel, stride, "SAME")
                return to_inputs, _kernel_gradient(upstream, inputs, kernel, stride)

            count, height, width, _ = tf.unstack(tf.shape(inputs))
            shape = [count, height * stride, width * stride, self.filters]
            return tf.nn.conv2d_transpose(inputs, kernel, shape, stride, "SAME"), gradients

        return convolve(inputs, tf.cast(kernel, inputs.dtype))


@keras.saving.register_keras_serializable("dcgan_tf")
def tanh(maps: tf.Tensor) -> tf.Tensor:
    """tanh in float32, whatever the dtype of its input: a generator's last activation."""
    return tf.tanh(tf.cast(maps, tf.float32))


def _finish(layer, outputs):
    """A convolution's bias and activation."""
    if layer.use_bias:
        outputs = _add_bias(outputs, tf.cast(layer.bias, outputs.dtype))
    return layer.activation(outputs)


@tf.custom_gradient
def _add_bias(outputs, bias):
    """`tf.nn.bias_add`, whose own gradient in bfloat16 adds up one by one and stops growing at 256 times an addend."""
    return tf.nn.bias_add(outputs, bias), lambda upstream: (upstream, tf.reduce_sum(upstream, [0, 1, 2]))


def _is_slow(layer, maps, stride=1):
    """Is Keras's gradient of a layer's kernel slow, from these maps to maps of 1/stride of their side?"""
    plain = layer.padding == "same" and set(layer.dilation_rate) == {1} and len(set(layer.strides)) == 1
    square = maps.shape[1] is not None and maps.shape[1] == maps.shape[2] and len(set(layer.kernel_size)) == 1
    return (
        plain
        and square
        and maps.shape[1] % stride == 0
        and maps.shape[1] // stride <= SMALL
        and getattr(layer, "groups", 1) == 1
        and layer.data_format == "channels_last"
        and layer.compute_dtype == "bfloat16"
        and not devices.gpus()
    )


def _kernel_gradient(large, small, kernel, stride):
    """The gradient of a convolution's kernel [k, k, in, out], as a convolution itself.

    It sums products over images and places. With the images as channels that is a convolution of the larger maps
    [n, H, W, in] by the smaller ones [n, H / stride, W / stride, out], whose places lie `stride` apart.
    """
    side, width = kernel.shape[0], small.shape[1]
    span = (width - 1) * stride + side
    margin = max(span - large.shape[1], 0)
    padded = tf.pad(large, [[0, 0], *2 * [[margin // 2, margin - margin // 2]], [0, 0]])[:, :span, :span]
    gradient = tf.nn.conv2d(
        tf.transpose(padded, [3, 1, 2, 0]), tf.transpose(small, [1, 2, 0, 3]), 1, "VALID", dilations=stride
    )
    return tf.transpose(gradient, [1, 2, 0, 3])


@keras.saving.register_keras_serializable("dcgan_tf")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over the last axis of [n, features] or [n, H, W, features].

    On several devices the statistics are those of the whole batch.
    """

    def __init__(self, *arguments: Any, synchronized: bool = True, **options: Any):
        super().__init__(*arguments, synchronized=synchronized, **options)

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None) -> tf.Tensor:
        last_axis = self.axis in (-1, len(inputs.shape) - 1)
        fits = training and self.trainable and mask is None and len(inputs.shape) in (2, 4)
        fits = fits and last_axis and self.center and self.scale
        if not fits or distribution.replicas() > 1:
            return super().call(inputs, training=training, mask=mask)
        flat = len(inputs.shape) == 2
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs[:, None, None] if flat else inputs,
            scale=tf.cast(self.gamma, tf.float32),
            offset=tf.cast(self.beta, tf.float32),
            mean=tf.constant([]),
            variance=tf.constant([]),
            epsilon=self.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.size(inputs) / inputs.shape[-1], tf.float32)
        variance *= (count - 1.0) / count  # the operation gives the unbiased one, Keras keeps the biased one
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))
        return outputs[:, 0, 0] if flat else outputs


@keras.saving.register_keras_serializable("dcgan_tf")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` (Kingma and Ba 2015, algorithm 1), each variable read and written once a step."""

    def update_step(self, gradient: tf.Tensor, variable: keras.Variable, learning_rate: tf.Tensor) -> None:
        several = self._distribution_strategy.num_replicas_in_sync > 1
        if several or self.amsgrad or isinstance(gradient, tf.IndexedSlices):
            return super().update_step(gradient, variable, learning_rate)
        index = self._get_variable_index(variable)
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=tf.pow(tf.cast(self.beta_1, dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, dtype), step),
            lr=tf.cast(learning_rate, dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, dtype),
        )


def _handle(variable):
    """The resource handle of a Keras variable, or of a TensorFlow one."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle


_FAST = {
    keras.layers.Conv2D: FastConv2D,
    keras.layers.Conv2DTranspose: FastConv2DTranspose,
    keras.layers.BatchNormalization: FusedBatchNormalization,
}
_PLAIN = {fast: plain for plain, fast in _FAST.items()}


def accelerate(model: keras.Model) -> keras.Model:
    """A copy of a model with this module's layers in place of Keras's, which have the same weights and results.

    Where the last layer ends in tanh, images are float32, whatever the policy.
    """

    def convert(layer):
        if isinstance(layer, keras.Model):
            return _converted(layer, convert)
        config = layer.get_config()
        if config.get("activation") == "tanh":
            config["activation"] = tanh
        if type(layer) is keras.layers.BatchNormalization:
            config["synchronized"] = True
        return _FAST.get(type(layer), type(layer)).from_config(config)

    return _converted(model, convert)


def plain(model: keras.Model) -> keras.Model:
    """A copy of a model that computes in float32, of Keras's own layers.

    It can be saved and loaded again without this package, on every backend of Keras's.
    """

    def convert(layer):
        if isinstance(layer, keras.Model):
            return _converted(layer, convert)
        config = {**layer.get_config(), "dtype": "float32"}
        if getattr(layer, "activation", None) is tanh:
            config["activation"] = "tanh"
        if isinstance(layer, keras.layers.BatchNormalization):
            config["synchronized"] = False  # TensorFlow's alone, and only for training on several devices
        return _PLAIN.get(type(layer), type(layer)).from_config(config)

    return _converted(model, convert)


def architecture(model: keras.Model) -> str:
    """A model without its weights, as Keras's JSON; its options at their defaults are left out.

    So an older Keras, which does not know the newest options, can build it too.
    """
    return json.dumps(_lean(json.loads(model.to_json())))


def _lean(config):
    if isinstance(config, list):
        return [_lean(part) for part in config]
    if not isinstance(config, dict):
        return config
    config = {name: _lean(value) for name, value in config.items()}
    if config.get("module") in ("keras.layers", "keras.initializers"):
        layer = getattr(getattr(keras, config["module"].removeprefix("keras.")), config["class_name"])
        defaults = {name: one.default for name, one in inspect.signature(layer.__init__).parameters.items()}
        same = [name for name, value in config["config"].items() if _is_same(value, defaults.get(name, _lean))]
        config["config"] = {name: value for name, value in config["config"].items() if name not in same}
    return config


def _is_same(value, default):
    return type(value) is type(default) and value == default


def _converted(model, convert):
    try:
        copy = keras.models.clone_model(model, clone_function=convert)
    except ValueError as error:
        raise UserError(
            f"{model.name!r} cannot be copied ({str(error).strip().splitlines()[0]}): build it as a Sequential or "
            "Functional Keras model, of layers that can be saved"
        ) from None
    copy.set_weights(model.get_weights())
    return copy
