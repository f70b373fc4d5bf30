"""The classifiers whose features judge generated images; weights/build_*.py trained them."""

import keras
from keras import layers

# The labels of the anime faces, and how many classes each has.
ANIME_HEADS = {"hair_color": 16, "hair": 39, "background": 8}


def mnist_classifier() -> keras.Sequential:
    """A digit classifier to judge generated digits by: images [n, 28, 28, 1] in [-1, 1] to logits [n, 10].

    The layer named "features" ([n, 64], after ReLU) gives the space in which the FID is taken. Its weights are
    trained by weights/build_mnist_classifier.py.
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


def anime_classifier() -> keras.Sequential:
    """A classifier to judge generated anime faces by: images [n, 64, 64, 3] in [-1, 1] to logits [n, 63].

    The logits are those of 16 hair colours, 39 hair styles and 8 backgrounds, side by side (`ANIME_HEADS`). The layer
    named "features" ([n, 64], standardised over the training set) gives the space in which distances are taken. Its
    weights are trained by weights/build_anime_classifier.py.
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
            layers.Dense(sum(ANIME_HEADS.values()), name="logits"),
        ],
        name="anime_classifier",
    )
