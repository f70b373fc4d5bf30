"""Train the digit classifier that generated digits are judged by: python -m weights.build_mnist_classifier

Writes weights/mnist_classifier.npz (float16) and prints its accuracy on the 10,000 test digits. About 3 minutes on two
CPU cores.
"""

import keras
import numpy as np
from keras import layers

from dcgan_tf import datasets, released

EPOCHS, BATCH = 8, 128


def mnist_classifier():
    """Images [n, 28, 28, 1] in [-1, 1] to logits [n, 10].

    The layer named "features" ([n, 64], after ReLU) gives the space in which the FID is taken.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Dropout(0.25),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(64, activation="relu", name="features"),
            layers.Dropout(0.5),
            layers.Dense(10, name="logits"),
        ],
        name="mnist_classifier",
    )


def main():
    keras.utils.set_random_seed(0)
    images, labels = datasets.load("mnist"), datasets.labels("mnist")
    test = datasets.normalise(datasets.load("mnist", "test")), datasets.labels("mnist", "test")
    classifier = mnist_classifier()
    rate = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * len(images) // BATCH)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    classifier.fit(datasets.normalise(images), labels, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    path = released.file(classifier.name)
    released.save(classifier, path)
    logits = released.load(path).predict(test[0], batch_size=500, verbose=0)  # what is judged with: float16 weights
    accuracy = np.mean(logits.argmax(1) == test[1])
    print(f"wrote {path.name}, {path.stat().st_size:,} bytes; test accuracy {accuracy:.2%}")


if __name__ == "__main__":
    main()
