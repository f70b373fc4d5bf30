"""How good are the images? Distances between feature statistics of generated and of held-out images.

Every figure names its extractor and the number of samples: neither is comparable with another.
"""

import json
import sys
from functools import cache
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from dcgan_tf import datasets, models, weights
from dcgan_tf.errors import UserError
from dcgan_tf.gan import generate, latents


class Extractor:
    """A classifier whose activations images are compared by.

    Calling it with images [N, H, W, C], uint8 or float in [-1, 1], returns (features float64 [N, F], probabilities
    float64 [N, K]).
    """

    def __init__(self, name, classifier):
        self.name = name
        outputs = [classifier.get_layer("features").output, classifier.outputs[0]]
        self._model = keras.Model(classifier.inputs[0], outputs)

    def __call__(self, images, batch_size=500):
        features, logits = [], []
        for i in range(0, len(images), batch_size):
            batch = images[i : i + batch_size]
            batch = datasets.normalise(batch) if batch.dtype == np.uint8 else batch
            for pieces, output in zip((features, logits), self._model(batch, training=False), strict=True):
                pieces.append(keras.ops.convert_to_numpy(output).astype(np.float64))
        return np.concatenate(features), softmax(np.concatenate(logits))


@cache
def extractor(name):
    """Load an extractor by name: "mnist", the digit classifier of weights/mnist_classifier.npz."""
    if name != "mnist":
        raise UserError(f"no extractor named {name!r}: there is 'mnist'")
    classifier = models.mnist_classifier()
    weights.load(classifier, weights.FOLDER / "mnist_classifier.npz")
    return Extractor(name, classifier)


def softmax(logits):
    """Probabilities of logits [N, K]."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def statistics(features):
    """The mean [F] and the covariance [F, F] of features [N, F]."""
    return features.mean(0), np.cov(features, rowvar=False)


def frechet_distance(first, second):
    """The Fréchet distance of two Gaussians, each (mean, covariance) (Heusel et al. 2017, eq. 6).

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). The root's trace is taken from the symmetric matrix
    C1^(1/2) C2 C1^(1/2), which has the same eigenvalues and, unlike C1 C2, a stable real root.
    """
    (mean_1, cov_1), (mean_2, cov_2) = first, second
    values, vectors = np.linalg.eigh(cov_1)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ cov_2 @ root)
    trace = np.trace(cov_1) + np.trace(cov_2) - 2 * np.sqrt(np.maximum(product, 0)).sum()
    return float(((mean_1 - mean_2) ** 2).sum() + trace)


def inception_score(probabilities):
    """exp E[KL(p(y|x) || p(y))] of class probabilities [N, K]: 1 (worst) to K (Salimans et al. 2016, section 4)."""
    p = np.maximum(probabilities, 1e-16)
    return float(np.exp((p * (np.log(p) - np.log(p.mean(0)))).sum(1).mean()))


def class_shares(probabilities):
    """The share of each class among the most probable ones: float64 [K], summing to 1."""
    return np.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]) / len(probabilities)


@cache
def reference(dataset, extractor_name):
    """Feature statistics and class shares of a dataset's test split, which training never sees."""
    features, probabilities = extractor(extractor_name)(datasets.load(dataset, "test"))
    return statistics(features), class_shares(probabilities)


def evaluate(generator, dataset="mnist", extractor_name="mnist", count=10_000, seed=0, progress=True):
    """Judge a generator against a dataset's test split.

    Args:
        generator: a Keras model, latents to images in [-1, 1].
        count: how many samples to draw; the FID grows as it falls below some thousands.

    Returns:
        A dict: extractor, samples, fid, inception_score, class_shares (a list), class_distance (the total variation
        distance from the test split's shares, 0 to 1) and confidence (the mean probability of the predicted class).
    """
    judge = extractor(extractor_name)
    draws = latents(count, generator.input_shape[-1], seed)
    features, probabilities = [], []
    bar = tqdm(total=count, desc="Judging", unit="image", disable=not progress, leave=False, file=sys.stdout)
    for i in range(0, count, 500):
        bar.update(len(draws[i : i + 500]))
        for pieces, piece in zip(
            (features, probabilities), judge(generate(generator, draws[i : i + 500])), strict=True
        ):
            pieces.append(piece)
    bar.close()
    probabilities = np.concatenate(probabilities)
    real_statistics, real_shares = reference(dataset, extractor_name)
    shares = class_shares(probabilities)
    return {
        "extractor": extractor_name,
        "samples": count,
        "fid": frechet_distance(statistics(np.concatenate(features)), real_statistics),
        "inception_score": inception_score(probabilities),
        "class_shares": shares.tolist(),
        "class_distance": float(np.abs(shares - real_shares).sum() / 2),
        "confidence": float(probabilities.max(1).mean()),
    }


def save(scores, gan, run):
    """Keep the scores in RUN/metrics.json, with the step that they were taken at."""
    beside = Path(run) / "metrics.partial"
    beside.write_text(json.dumps({"step": int(gan.step), **scores}, indent=2) + "\n")
    beside.replace(Path(run) / "metrics.json")


def report(scores):
    """The scores of `evaluate` as lines to print, with a bar for each class."""
    lines = [
        f"Judged by the {scores['extractor']!r} classifier on {scores['samples']:,} samples against the test split:",
        f"  FID {scores['fid']:.1f} (0 is perfect)   inception score {scores['inception_score']:.2f}"
        f" (at most {len(scores['class_shares'])})   mean confidence {scores['confidence']:.1%}",
        f"  classes, {scores['class_distance']:.1%} away from the real shares:",
    ]
    for label, share in enumerate(scores["class_shares"]):
        lines.append(f"    {label}  {share:6.1%}  {'█' * round(100 * share)}")
    return "\n".join(lines)
