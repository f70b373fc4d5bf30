"""How good are the images? Distances between generated and held-out images, and how varied both are.

Every score is printed with its extractor and its number of samples: scores with another of either are not comparable.
"""

import hashlib
from collections.abc import Sequence

import keras
import numpy as np

from dcgan_tf import datasets, sampling
from dcgan_tf.datasets import to_uint8
from dcgan_tf.errors import UserError, unknown
from dcgan_tf.metrics.extractors import Extractor, Features, extractor
from dcgan_tf.metrics.formulas import (
    class_shares,
    frechet_distance,
    inception_score,
    kernel_distance,
    nearest,
    pair_similarity,
    precision_recall_density_coverage,
    scales,
    statistics,
)
from dcgan_tf.presets import METRICS
from dcgan_tf.runtime import files
from dcgan_tf.runtime.progress import bar

NEIGHBOURS = 500  # images of each kind whose nearest training image is looked for
MOST = 5_000  # images of each kind whose neighbourhoods are drawn: the table of distances grows with the square


def reference(images: np.ndarray, judge: Extractor) -> Features:
    """The Features of real images, from the cache folder where they have been taken before."""
    description = repr((images.shape, judge.version)).encode()
    key = hashlib.sha256(images.tobytes() + description).hexdigest()[:16]
    path = files.cache() / "features" / f"{judge.name}-{key}.npz"
    if arrays := files.load_arrays(path):
        return Features(arrays["features"], arrays.get("probabilities"))
    features = judge(images, progress=judge.name == "inception")
    try:
        files.save_arrays(path, **{name: value for name, value in features._asdict().items() if value is not None})
    except OSError as error:
        print(f"Not kept for the next time: {path} cannot be written ({error.strerror})")
    return features


def compare(
    fake: np.ndarray,
    real: np.ndarray,
    judge: Extractor,
    metrics: Sequence[str] = METRICS,
    training: np.ndarray | None = None,
    mirrored: bool = False,
    real_features: Features | None = None,
    progress: bool = False,
    asked: np.ndarray | None = None,
) -> dict:
    """Judge images against held-out real ones.

    Args:
        fake, real: [N, H, W, C] and [M, H, W, C], uint8 or float in [-1, 1].
        judge: an Extractor.
        metrics: some of METRICS. "is" is left out where the judge has no classes, "neighbours" without `training`.
        training: the images trained on, uint8, for the nearest neighbours.
        mirrored: the generator was trained on their mirror images too.
        real_features: the Features of `real`, where they are at hand.
        asked: the label that each of the images was asked for; with a judge that has as many classes, "is" also gives
            the share of each that it recognises.

    Returns:
        A dict: extractor, description, samples, held_out, and the scores (`report` says what they mean).

    Raises:
        UserError: a metric that does not exist.
    """
    if strange := [name for name in metrics if name not in METRICS]:
        raise UserError(unknown("metric", strange[0], METRICS))
    scores = {"extractor": judge.name, "description": judge.description, "samples": len(fake), "held_out": len(real)}
    if set(metrics) & {"fid", "kid", "is", "coverage"}:
        generated, expected = judge(fake, progress), real_features or judge(real, progress)
    if "fid" in metrics:
        scores["fid"] = frechet_distance(statistics(generated.features), statistics(expected.features))
    if "kid" in metrics:
        scores["kid"], scores["kid_error"] = kernel_distance(generated.features, expected.features)
    if "is" in metrics:
        scores["classes"] = judge.classes
    if "is" in metrics and judge.classes:
        shares, real_shares = class_shares(generated.probabilities), class_shares(expected.probabilities)
        scores |= {
            "inception_score": inception_score(generated.probabilities),
            "class_shares": shares.tolist(),
            "class_distance": float(np.abs(shares - real_shares).sum() / 2),
            "confidence": float(generated.probabilities.max(1).mean()),
        }
        if asked is not None and len(shares) == len(np.unique(asked)):
            seen = generated.probabilities.argmax(1)
            scores["as_asked"] = [float(np.mean(seen[asked == label] == label)) for label in range(len(shares))]
    if "diversity" in metrics:
        scores["scales"] = len(scales(min(real.shape[1:3])))
        scores["pair_similarity"], scores["real_pair_similarity"] = pair_similarity(fake), pair_similarity(real)
    if "coverage" in metrics:
        some = [_some(features, MOST) for features in (expected.features, generated.features)]
        scores["neighbourhoods_of"] = len(some[1]), len(some[0])
        scores |= precision_recall_density_coverage(*some)
    if "neighbours" in metrics and training is not None:
        for name, images in (("to_training", fake), ("held_out_to_training", real)):
            scores[name] = float(np.median(nearest(_some(images, NEIGHBOURS), training, 1, mirrored)[1]))
    return scores


def _some(rows, most):
    """At most so many rows, drawn by a fixed seed: a set may come in an order that has a meaning, as MNIST's does."""
    if len(rows) <= most:
        return rows
    return rows[np.sort(np.random.default_rng(0).permutation(len(rows))[:most])]


def evaluate(
    generator: keras.Model,
    dataset: str | np.ndarray,
    judge: str | Extractor,
    count: int = 10_000,
    seed: int = 0,
    progress: bool = True,
    metrics: Sequence[str] = ("fid", "is"),
    training: np.ndarray | None = None,
    mirrored: bool = False,
) -> dict:
    """Judge a generator against held-out images.

    Args:
        generator: a Keras model, latents to images in [-1, 1].
        dataset: the name of a set, whose test split is taken, or held-out images, uint8.
        judge: an Extractor, or the name of one.
        count: how many samples to draw; with fewer than some thousands the FID comes out too high.
        seed: of the samples.
        metrics: some of METRICS; "neighbours" needs the images trained on: `training`, uint8.
        training, mirrored: as in `compare`.

    Returns:
        What `compare` returns.
    """
    held_out = datasets.load(dataset, "test") if isinstance(dataset, str) else dataset
    judge = extractor(judge) if isinstance(judge, str) else judge
    fake, classes = draw(generator, count, seed, progress), sampling.classes(generator)
    asked = sampling.asked(None, count, classes) if classes else None
    return compare(fake, held_out, judge, metrics, training, mirrored, reference(held_out, judge), progress, asked)


def draw(
    generator: keras.Model,
    count: int,
    seed: int = 0,
    progress: bool = True,
    label: int | Sequence[int] | None = None,
) -> np.ndarray:
    """Images of a generator, uint8 [count, H, W, C]; `label` as in `sampling.inputs`."""
    draws = sampling.inputs(generator, count, seed, label)
    shown = bar(total=count, desc="Drawing", unit="image", disable=not progress, leave=False)
    images = []
    for i in range(0, count, 250):
        images.append(to_uint8(sampling.generate(generator, draws[i : i + 250])))
        shown.update(len(images[-1]))
    shown.close()
    return np.concatenate(images)


# The score that a line of a report needs | its name | its value | what it means
REPORT = """
fid|FID|{fid:.1f}|0 is perfect; too high on few images
kid|KID|{kid:.4f} ± {kid_error:.4f}|0 is perfect; unbiased on few images
inception_score|inception score|{inception_score:.2f}|from 1 (unclear, or all alike) to {most}
confidence|mean confidence|{confidence:.1%}|how sure the judge is of each image
class_distance|class shares off by|{class_distance:.1%}|{classes}; 0% is as among real ones
pair_similarity|MS-SSIM, {scales} scales|{pair_similarity:.3f}, real {real_pair_similarity:.3f}|higher: less varied
precision|precision, recall|{precision:.2f}, {recall:.2f}|1 is best: real-looking, varied{of}
density|density, coverage|{density:.2f}, {coverage:.2f}|the same, less sensitive to outliers; density may pass 1
to_training|nearest training image|{to_training:.1f}, real {held_out_to_training:.1f}|far below real would be memorising
asked|recognised as asked|{asked:.1%}, worst {worst:.1%}|of the images of each class, by the judge
"""


def report(scores: dict) -> str:
    """Scores as lines to print, each with what it means."""
    shares, asked = scores.get("class_shares", ()), scores.get("as_asked", ())
    facts = {**scores, "most": len(shares), "of": ""}
    if asked:
        facts |= {"asked": np.mean(asked), "worst": min(asked)}
    if (some := scores.get("neighbourhoods_of")) and some != (scores["samples"], scores["held_out"]):
        facts["of"] = " (of {:,} and {:,}, drawn at random)".format(*some)
    lines = [
        "{samples:,} samples against {held_out:,} held-out images, judged by {extractor!r}, {description}:".format(
            **facts
        )
    ]
    for line in REPORT.strip().splitlines():
        needed, *columns = (column.strip() for column in line.split("|"))
        if needed in facts:
            lines.append("  {:22} {:18} {}".format(*(column.format(**facts) for column in columns)))
    if len(shares) == 10:
        lines.append("  share of the samples that the judge takes for each digit:")
        lines += [f"    {digit}  {share:6.1%}  {'#' * round(100 * share)}" for digit, share in enumerate(shares)]
    return "\n".join(lines)
