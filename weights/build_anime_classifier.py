"""Train the classifier that generated anime faces are judged by: python -m weights.build_anime_classifier

Writes weights/anime_classifier.npz (float16) and prints its accuracy on held-out images, label by label. It learns all
labels at once, from images moved by up to four pixels and mirrored at random. Some minutes on two CPU cores.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dcgan_tf import datasets, released
from dcgan_tf.metrics.extractors import HEADS

BATCH, EPOCHS = 64, 40


def anime_classifier():
    """Images [n, 64, 64, 3] in [-1, 1] to logits [n, 63]: those of all HEADS, side by side.

    The layer named "features" ([n, 64], standardised over the training set) gives the space in which distances are
    taken.
    """
    return keras.Sequential(
        [
            keras.Input((64, 64, 3)),
            layers.Conv2D(24, 4, strides=2, padding="same", activation="relu"),
            layers.Conv2D(48, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Conv2D(96, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(128, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(64, activation="relu"),
            layers.BatchNormalization(center=False, scale=False, name="features"),
            layers.Dense(sum(HEADS.values()), name="logits"),
        ],
        name="anime_classifier",
    )


def targets(labels):
    """A structured array [n] as int32 [n, labels]."""
    return np.stack([labels[name] for name in HEADS], 1).astype(np.int32)


def vary(image, labels):
    """Move by up to four pixels, mirror half of the time."""
    image = tf.image.random_crop(tf.pad(image, [[4, 4], [4, 4], [0, 0]], "SYMMETRIC"), image.shape)
    return tf.image.random_flip_left_right(image), labels


def loss(labels, logits):
    """The sum of the labels' cross-entropies."""
    parts = tf.split(logits, list(HEADS.values()), axis=1)
    each = [
        tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(labels[:, i], tf.int32), part)
        for i, part in enumerate(parts)
    ]
    return tf.add_n(each)


def main():
    keras.utils.set_random_seed(0)
    images, labels = datasets.normalise(datasets.load("anime")), targets(datasets.labels("anime"))
    stream = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images), seed=0)
    stream = stream.map(vary, tf.data.AUTOTUNE, deterministic=True).batch(BATCH).prefetch(2)
    classifier = anime_classifier()
    rate = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * len(images) // BATCH)
    classifier.compile(keras.optimizers.Adam(rate), loss)
    classifier.fit(stream, epochs=EPOCHS, verbose=2)
    path = released.file(classifier.name)
    released.save(classifier, path)
    classifier = released.load(path)  # what is judged with: float16 weights
    logits = classifier.predict(datasets.normalise(datasets.load("anime", "test")), batch_size=256, verbose=0)
    test = targets(datasets.labels("anime", "test"))
    for i, (label, part) in enumerate(zip(HEADS, tf.split(logits, list(HEADS.values()), axis=1), strict=True)):
        print(f"{label}: right for {np.mean(np.argmax(part, 1) == test[:, i]):.2%} of the held-out images")
    print(f"wrote {path.name}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
