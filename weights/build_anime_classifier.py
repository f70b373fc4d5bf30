"""Train the classifier that generated anime faces are judged by: python -m weights.build_anime_classifier

Writes weights/anime_classifier.npz (float16) and prints its accuracy on the 1,024 held-out faces, label by label. It
learns hair colour, hair style and background at once from the 4,096 faces of the training split, each moved by up to
four pixels and mirrored at random. Some minutes on two CPU cores.
"""

import keras
import numpy as np
import tensorflow as tf

from dcgan_tf import datasets, models, weights

EPOCHS, BATCH = 40, 64


def heads(logits):
    """Cut logits [n, 63] into those of each label."""
    return dict(zip(models.ANIME_HEADS, tf.split(logits, list(models.ANIME_HEADS.values()), axis=1), strict=True))


def targets(labels):
    """A structured array [n] as int32 [n, 3]."""
    return np.stack([labels[name] for name in models.ANIME_HEADS], 1).astype(np.int32)


def loss(labels, logits):
    """The sum of the labels' cross-entropies."""
    each = [
        tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(labels[:, i], tf.int32), head)
        for i, head in enumerate(heads(logits).values())
    ]
    return tf.add_n(each)


def vary(image, labels):
    """Move by up to four pixels, mirror half of the time."""
    image = tf.image.random_crop(tf.pad(image, [[4, 4], [4, 4], [0, 0]], "SYMMETRIC"), image.shape)
    return tf.image.random_flip_left_right(image), labels


def main():
    keras.utils.set_random_seed(0)
    images, labels = datasets.normalise(datasets.load("anime")), targets(datasets.labels("anime"))
    test = datasets.normalise(datasets.load("anime", "test")), targets(datasets.labels("anime", "test"))
    stream = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images), seed=0)
    stream = stream.map(vary, tf.data.AUTOTUNE, deterministic=True).batch(BATCH).prefetch(2)
    classifier = models.anime_classifier()
    rate = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * len(images) // BATCH)
    classifier.compile(keras.optimizers.Adam(rate), loss)
    classifier.fit(stream, epochs=EPOCHS, validation_data=test, verbose=2)
    path = weights.FOLDER / "anime_classifier.npz"
    weights.save(classifier, path)
    weights.load(classifier, path)  # what is judged with: float16 weights
    predicted = heads(classifier.predict(test[0], batch_size=256, verbose=0))
    for i, (name, logits) in enumerate(predicted.items()):
        print(f"{name}: {np.mean(np.argmax(logits, 1) == test[1][:, i]):.2%} of the held-out faces")
    print(f"wrote {path.name}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
