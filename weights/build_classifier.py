"""Train a classifier that generated images are judged by: python -m weights.build_classifier anime|heroes

Writes weights/NAME_classifier.npz (float16) and prints its accuracy on held-out images, label by label; of labels that
the training split does not have (the units of held-out heroes) there is none. It learns all labels of a set at once,
from images moved by up to four pixels and mirrored at random. Some minutes on two CPU cores.
"""

import argparse

import keras
import numpy as np
import tensorflow as tf

from dcgan_tf import datasets, models, weights

BATCH = 64
CLASSIFIERS = {
    "anime": (models.anime_classifier, models.ANIME_HEADS, 40),
    "heroes": (models.hero_classifier, models.HERO_HEADS, 60),
}


def targets(labels, heads):
    """A structured array [n] as int32 [n, labels]."""
    return np.stack([labels[name] for name in heads], 1).astype(np.int32)


def vary(image, labels):
    """Move by up to four pixels, mirror half of the time."""
    image = tf.image.random_crop(tf.pad(image, [[4, 4], [4, 4], [0, 0]], "SYMMETRIC"), image.shape)
    return tf.image.random_flip_left_right(image), labels


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=CLASSIFIERS)
    name = parser.parse_args().name
    build, heads, epochs = CLASSIFIERS[name]

    def loss(labels, logits):
        """The sum of the labels' cross-entropies."""
        parts = tf.split(logits, list(heads.values()), axis=1)
        each = [
            tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(labels[:, i], tf.int32), part)
            for i, part in enumerate(parts)
        ]
        return tf.add_n(each)

    keras.utils.set_random_seed(0)
    images, labels = datasets.normalise(datasets.load(name)), targets(datasets.labels(name), heads)
    stream = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images), seed=0)
    stream = stream.map(vary, tf.data.AUTOTUNE, deterministic=True).batch(BATCH).prefetch(2)
    classifier = build()
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * len(images) // BATCH)
    classifier.compile(keras.optimizers.Adam(rate), loss)
    classifier.fit(stream, epochs=epochs, verbose=2)
    path = weights.FOLDER / f"{classifier.name}.npz"
    weights.save(classifier, path)
    weights.load(classifier, path)  # what is judged with: float16 weights
    logits = classifier.predict(datasets.normalise(datasets.load(name, "test")), batch_size=256, verbose=0)
    test = targets(datasets.labels(name, "test"), heads)
    for i, (label, part) in enumerate(zip(heads, tf.split(logits, list(heads.values()), axis=1), strict=True)):
        known = test[:, i] >= 0
        if known.any():
            right = np.argmax(part, 1)[known] == test[known, i]
            print(f"{label}: right for {np.mean(right):.2%} of {known.sum():,} held-out images")
    print(f"wrote {path.name}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
