"""Does a judge see what is wrong? python -m benchmarks.judges

Real images are spoiled in known ways, each at three strengths, and compared with held-out ones of the same set: the
KID in the features of every judge. A judge that sees gives each kind of damage more than the floor (the KID of sound
training images), and more the stronger it is. One row a judge and set, one column a kind of damage. The judge "random"
is an untrained network, to show what such a one does not see.
"""

import argparse

import numpy as np
import tensorflow as tf
from PIL import Image, ImageFilter

from dcgan_tf import datasets, devices, extractors, metrics
from dcgan_tf.errors import UserError

SETS = {"mnist": ("mnist",), "anime": ("anime",), "faces": (), "heroes": (), "monsters": (), "pokemon": ()}


def shuffled_pixels(images, strength, rng):
    """A share of the places trade their pixels."""
    count, height, width, channels = images.shape
    flat = images.reshape(count, height * width, channels).copy()
    for image in flat:
        places = rng.permutation(height * width)[: round(strength * height * width)]
        image[places] = image[rng.permutation(places)]
    return flat.reshape(images.shape)


def shuffled_patches(images, strength, rng):
    """The image is cut into strength x strength squares, which are laid out anew."""
    count, height, width, channels = images.shape
    high, wide = height // strength, width // strength
    cut = images.reshape(count, strength, high, strength, wide, channels).swapaxes(2, 3)
    cut = cut.reshape(count, strength**2, high, wide, channels)
    cut = np.stack([image[rng.permutation(strength**2)] for image in cut])
    return cut.reshape(count, strength, strength, high, wide, channels).swapaxes(2, 3).reshape(images.shape)


def blurred(images, strength, rng):
    """Gaussian blur of so many pixels."""
    blur = ImageFilter.GaussianBlur(strength)
    pictures = (Image.fromarray(image.squeeze()).filter(blur) for image in images)
    return np.stack([np.asarray(picture).reshape(images.shape[1:]) for picture in pictures])


def noisy(images, strength, rng):
    """Gaussian noise of so many grey levels."""
    noise = strength * rng.standard_normal(images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)


def one_repeated(images, strength, rng):
    """A share of the images is one and the same."""
    spoiled = images.copy()
    spoiled[: round(strength * len(images))] = images[-1]
    return spoiled


def few_repeated(images, strength, rng):
    """39 images, or fewer, again and again."""
    return images[rng.permutation(len(images))[:strength]][np.arange(len(images)) % strength]


def few_modes(images, strength, rng):
    """The share of the images that is darkest, again and again: whole kinds of image are missing."""
    darkest = np.argsort(images.mean((1, 2, 3)))[: round(strength * len(images))]
    return images[darkest][np.arange(len(images)) % len(darkest)]


DAMAGE = {  # strengths from weak to strong
    shuffled_pixels: (0.1, 0.3, 1.0),
    shuffled_patches: (2, 4, 7),  # 7 divides 28; 64-pixel images are cut into 8
    blurred: (1, 2, 4),
    noisy: (10, 30, 90),
    one_repeated: (0.1, 0.3, 1.0),
    few_repeated: (39, 13, 4),
    few_modes: (0.5, 0.25, 0.1),
}


def random_judge():
    """Four strided convolutions and a projection to 64 features, He-initialised by NumPy's generator with seed 0.

    Naeem et al. 2020 (section 3.3) argue for such embeddings where the images are unlike ImageNet's. The features are
    standardised over 512 images of coloured noise whose spectrum falls as natural images' does, so that they have the
    same meaning for every set.
    """
    rng = np.random.default_rng(0)
    shapes = [(4, 4, 3, 32), (4, 4, 32, 64), (4, 4, 64, 128), (4, 4, 128, 128), (4 * 4 * 128, 64)]
    kernels = [(rng.standard_normal(s) * np.sqrt(2 / np.prod(s[:-1]))).astype(np.float32) for s in shapes]

    @tf.function(reduce_retracing=True)
    def embed(images):
        x = tf.image.resize(images, (64, 64), antialias=True)
        for kernel in kernels[:-1]:
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, 2, "SAME"))
        return tf.reshape(x, (-1, len(kernels[-1]))) @ kernels[-1]

    noise = embed(natural_noise(512, rng))
    mean, deviation = tf.math.reduce_mean(noise, 0), tf.math.reduce_std(noise, 0)
    description = "an untrained network with fixed weights"
    return metrics.Extractor("random", description, lambda images: ((embed(images) - mean) / deviation, None), "1")


def natural_noise(count, rng):
    """Images of noise with the amplitude spectrum 1/f (Field 1987): float32 [count, 64, 64, 3] in [-1, 1]."""
    frequency = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)[None])
    frequency[0, 0] = 1 / 64
    spectrum = np.fft.rfft2(rng.standard_normal((count, 3, 64, 64))) / frequency
    noise = np.fft.irfft2(spectrum).transpose(0, 2, 3, 1)
    return np.tanh(noise / noise.std()).astype(np.float32)


def judged(judge, sound, held_out, rng):
    """The floor and the KIDs of all damage by one judge: (floor, error), {damage: [three]}."""
    reference = judge(held_out)

    def kid(images):
        return metrics.kernel_distance(judge(images).features, reference.features)

    floor, scores = kid(sound), {}
    for damage, strengths in DAMAGE.items():
        if damage is shuffled_patches and sound.shape[1] == 64:
            strengths = (2, 4, 8)
        scores[damage] = [kid(damage(sound, strength, rng))[0] for strength in strengths]
    return floor, scores


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=list(SETS), metavar="SET", help=f"some of {', '.join(SETS)}")
    parser.add_argument("--images", type=int, default=500, help="spoiled, at most")
    options = parser.parse_args()
    print(f"{devices.describe()}; at most {options.images} spoiled training images against the held-out ones\n")
    print("| set | judge | floor | " + " | ".join(damage.__name__.replace("_", " ") for damage in DAMAGE) + " | |")
    print("|---|---|---|" + "---|" * (len(DAMAGE) + 1))
    untrained = random_judge()
    for name in options.sets:
        try:
            images, held_out = datasets.load(name), datasets.load(name, "test")
        except UserError as error:
            print(f"| {name} | left out: {error} |")
            continue
        chosen = np.random.default_rng(0).permutation(len(images))[: options.images]
        held_out = held_out[np.random.default_rng(1).permutation(len(held_out))[: 4 * options.images]]
        for judge in (extractors.extractor("imagenet"), untrained, *map(extractors.extractor, SETS[name])):
            rng = np.random.default_rng(2)
            (floor, error), scores = judged(judge, images[np.sort(chosen)], held_out, rng)
            blind = [  # what is not seen at its strongest, or is taken for the better the worse it is
                damage.__name__.replace("_", " ")
                for damage, kids in scores.items()
                if kids[-1] < floor + 2 * error or kids != sorted(kids)
            ]
            cells = " | ".join(", ".join(f"{kid:.2f}" for kid in kids) for kids in scores.values())
            verdict = f"blind to {', '.join(blind)}" if blind else "sees all"
            print(f"| {name} | {judge.name} | {floor:.2f} ± {error:.2f} | {cells} | {verdict} |", flush=True)


if __name__ == "__main__":
    main()
