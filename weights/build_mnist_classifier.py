"""Train the digit classifier that generated digits are judged by: python -m weights.build_mnist_classifier

Writes weights/mnist_classifier.npz (float16) and prints its accuracy on the 10,000 test digits. About 3 minutes on two
CPU cores.
"""

import keras

from dcgan_tf import datasets, weights
from dcgan_tf.evaluation import classifiers

EPOCHS, BATCH = 8, 128


def main():
    keras.utils.set_random_seed(0)
    images, labels = datasets.load("mnist"), datasets.labels("mnist")
    test = datasets.normalise(datasets.load("mnist", "test")), datasets.labels("mnist", "test")
    classifier = classifiers.mnist_classifier()
    rate = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * len(images) // BATCH)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    classifier.fit(datasets.normalise(images), labels, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    path = weights.FOLDER / "mnist_classifier.npz"
    weights.save(classifier, path)
    weights.load(classifier, path)  # what is judged with: float16 weights
    accuracy = classifier.evaluate(*test, batch_size=500, verbose=0)[1]
    print(f"wrote {path.name}, {path.stat().st_size:,} bytes; test accuracy {accuracy:.2%}")


if __name__ == "__main__":
    main()
