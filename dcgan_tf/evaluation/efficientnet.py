"""EfficientNet-Lite1, which has learned to tell the 1,000 classes of ImageNet apart, as features to judge images by."""

import keras
from keras import layers

# (repeats, kernel, stride, expansion, maps) of each group of blocks: Tan and Le 2019 ("EfficientNet"), table 1. Lite1
# repeats all groups but the first and the last 1.1 times as often, rounded up, and has ReLU6 in place of swish and no
# squeeze-and-excitation.
GROUPS = (
    (1, 3, 1, 1, 16),
    (3, 3, 2, 6, 24),
    (3, 5, 2, 6, 40),
    (4, 3, 2, 6, 80),
    (4, 5, 1, 6, 112),
    (5, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def efficientnet_lite1() -> keras.Model:
    """The network up to its last block: images [n, H, W, 3] in [-1, 1] to features [n, 320], averaged over places.

    The convolution and the classifier behind that block are left out. Every batch norm is folded into the convolution
    before it, which has a bias in its place. At each place of ImageNet's pictures a feature has a mean of 0 and a
    standard deviation of 1. The weights are made by weights/build_efficientnet.py.
    """
    images = keras.Input((None, None, 3))
    maps = _relu6(layers.Conv2D(32, 3, 2, "same")(images))
    for repeats, kernel, stride, expansion, filters in GROUPS:
        for repeat in range(repeats):
            maps = _block(maps, kernel, 1 if repeat else stride, expansion, filters)
    return keras.Model(images, layers.GlobalAveragePooling2D()(maps), name="efficientnet_lite1")


def _block(inputs, kernel, stride, expansion, filters):
    """An inverted bottleneck (Sandler et al. 2018, "MobileNetV2", figure 3): widen, filter map by map, narrow, add."""
    maps = inputs
    if expansion > 1:
        maps = _relu6(layers.Conv2D(expansion * inputs.shape[-1], 1)(maps))
    maps = _relu6(layers.DepthwiseConv2D(kernel, stride, "same")(maps))
    maps = layers.Conv2D(filters, 1)(maps)
    return layers.Add()([inputs, maps]) if inputs.shape == maps.shape else maps


def _relu6(maps):
    return layers.ReLU(6.0)(maps)
