"""How good are the images? Distances between generated and held-out images, and how varied both are.

Every figure names its extractor and the number of samples: neither is comparable with another.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from dcgan_tf import cache, checkpoint, datasets, figures
from dcgan_tf.extractors import Features, extractor
from dcgan_tf.gan import generate, latents
from dcgan_tf.presets import METRICS, check_metrics
from dcgan_tf.progress import bar

PAIRS = 1_000  # whose MS-SSIM is averaged
MOST = 5_000  # images of each kind whose neighbourhoods are drawn: the table of distances grows with the square
# The weights of the five scales (Wang et al. 2003, section 3.2), from the finest.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
SSIM_WINDOW = 11


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


def kernel_distance(first, second, groups=10):
    """KID: the squared maximum mean discrepancy under the kernel (x.y / F + 1)^3 (Bińkowski et al. 2018, section 4).

    The unbiased estimate, so it is around 0, and can fall below it, where both come from one distribution. Its standard
    error is the jackknife's, leaving out a tenth of both at a time (Efron and Tibshirani 1993, section 11.5).

    Args:
        first, second: features [N, F] and [M, F], each of at least 2 * `groups`, in an order without meaning.

    Returns:
        (distance, standard error).
    """
    if min(len(first), len(second)) < 2 * groups:
        raise ValueError(f"KID needs at least {2 * groups} images on either side, not {len(first)} and {len(second)}")
    parts = [first[i::groups] for i in range(groups)], [second[i::groups] for i in range(groups)]

    def sums(rows, columns):
        """The kernel's sum over each pair of groups [groups, groups]; an image is not paired with itself."""
        table = np.zeros((groups, groups))
        for i, x in enumerate(rows):
            for j, y in enumerate(columns):
                kernel = (x @ y.T / x.shape[1] + 1) ** 3
                table[i, j] = kernel.sum() - (np.trace(kernel) if rows is columns and i == j else 0)
        return table

    inner_1, inner_2, cross = sums(parts[0], parts[0]), sums(parts[1], parts[1]), sums(*parts)
    sizes = [np.array([len(part) for part in half]) for half in parts]

    def estimate(kept):
        n, m = (size[kept].sum() for size in sizes)
        square = np.ix_(kept, kept)
        return (
            inner_1[square].sum() / (n * (n - 1))
            + inner_2[square].sum() / (m * (m - 1))
            - 2 * cross[square].sum() / (n * m)
        )

    everything = np.arange(groups)
    without = np.array([estimate(np.delete(everything, i)) for i in everything])
    error = np.sqrt((groups - 1) / groups * ((without - without.mean()) ** 2).sum())
    return float(estimate(everything)), float(error)


def inception_score(probabilities):
    """exp E[KL(p(y|x) || p(y))] of class probabilities [N, K]: 1 (worst) to K (Salimans et al. 2016, section 4)."""
    p = np.maximum(probabilities, 1e-16)
    return float(np.exp((p * (np.log(p) - np.log(p.mean(0)))).sum(1).mean()))


def class_shares(probabilities):
    """The share of each class among the most probable ones: float64 [K], summing to 1."""
    return np.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]) / len(probabilities)


def scales(size):
    """The weights of the scales that images of this side allow: five at 176 pixels, three at 64, two at 28.

    A scale halves the image before; each must hold SSIM's window. The weights are renormalised to a sum of 1.
    """
    count = sum(size // 2**i >= SSIM_WINDOW for i in range(len(SCALE_WEIGHTS)))
    if not count:
        raise ValueError(f"MS-SSIM needs images of at least {SSIM_WINDOW} pixels a side, not {size}")
    return tuple(np.array(SCALE_WEIGHTS[:count]) / sum(SCALE_WEIGHTS[:count]))


def pair_similarity(images, pairs=PAIRS, seed=0):
    """The mean MS-SSIM of random pairs of different images (Odena et al. 2017, section 4.2): 1 where all are equal.

    Args:
        images: [N, H, W, C], uint8 or float in [-1, 1]; N at least 2.
        pairs: how many are drawn.
    """
    images = figures.to_uint8(images)
    if len(images) < 2:
        raise ValueError("pairs need at least two images")
    rng = np.random.default_rng(seed)
    one = rng.integers(0, len(images), pairs)
    other = (one + rng.integers(1, len(images), pairs)) % len(images)
    weights = scales(min(images.shape[1:3]))
    found = [
        tf.image.ssim_multiscale(images[one[i : i + 100]], images[other[i : i + 100]], 255, weights, SSIM_WINDOW)
        for i in range(0, pairs, 100)
    ]
    return float(np.nanmean(np.concatenate(found)))


def distances(first, second):
    """Euclidean distances between the rows of [N, F] and [M, F]: float64 [N, M]."""
    squares = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T
    return np.sqrt(np.maximum(squares, 0))


def precision_recall_density_coverage(real, fake, k=5):
    """How much of the fakes is real, and how much of the reals is made.

    Around each image lies a ball that reaches to its k-th nearest neighbour of its own kind. Precision is the share of
    fakes within any real's ball, recall the share of reals within any fake's (Kynkäänniemi et al. 2019, eq. 2). Density
    counts the real balls that a fake lies in, over k; coverage is the share of reals whose ball holds a fake (Naeem et
    al. 2020, eq. 3 and 4). All but density lie between 0 and 1; density can exceed 1.

    Args:
        real, fake: features [N, F] and [M, F], each of more than k.
    """
    if min(len(real), len(fake)) <= k:
        raise ValueError(f"neighbourhoods of {k} need more than {k} images on either side")
    real_radius = np.partition(distances(real, real), k, axis=1)[:, k]  # the 0th is the image itself
    fake_radius = np.partition(distances(fake, fake), k, axis=1)[:, k]
    between = distances(real, fake)
    in_real_ball, in_fake_ball = between < real_radius[:, None], between < fake_radius[None]
    return {
        "precision": float(in_real_ball.any(0).mean()),
        "recall": float(in_fake_ball.any(1).mean()),
        "density": float(in_real_ball.sum(0).mean() / k),
        "coverage": float(in_real_ball.any(1).mean()),
    }


def nearest(queries, images, count=1):
    """The images nearest to each query, in pixels: (indices [N, count], root mean square differences [N, count]).

    Args:
        queries, images: [N, H, W, C] and [M, H, W, C], uint8 or float in [-1, 1]. Differences are from 0 to 255.
    """
    queries = figures.to_uint8(queries).reshape(len(queries), -1).astype(np.float32)
    found, far = np.empty((len(queries), 0), int), np.empty((len(queries), 0), np.float32)
    for first in range(0, len(images), 2_000):  # which may be a file larger than memory
        part = figures.to_uint8(images[first : first + 2_000])
        near = distances(queries, part.reshape(len(part), -1).astype(np.float32))
        far = np.concatenate([far, near], 1)
        found = np.concatenate([found, np.broadcast_to(first + np.arange(len(part)), near.shape)], 1)
        order = np.argsort(far, 1, kind="stable")[:, :count]
        far, found = np.take_along_axis(far, order, 1), np.take_along_axis(found, order, 1)
    exact = figures.to_uint8(images[found]).reshape(*found.shape, -1) - queries[:, None].astype(np.float64)
    return found, np.sqrt((exact**2).mean(-1))  # single precision was enough to find them


def reference(images, judge):
    """The Features of real images, from the cache folder where they have been taken before."""
    told = repr((images.shape, judge.version)).encode()
    key = hashlib.sha256(images.tobytes() + told).hexdigest()[:16]
    path = cache.folder() / "features" / f"{judge.name}-{key}.npz"
    if arrays := cache.load(path):
        return Features(arrays["features"], arrays.get("probabilities"))
    found = judge(images, progress=judge.name == "inception")
    cache.save(path, **{name: value for name, value in found._asdict().items() if value is not None})
    return found


def compare(fake, real, judge, metrics=METRICS, training=None, real_features=None, progress=False):
    """Judge images against held-out real ones.

    Args:
        fake, real: [N, H, W, C] and [M, H, W, C], uint8 or float in [-1, 1].
        judge: an Extractor.
        metrics: some of METRICS. "is" is left out where the judge has no classes, "neighbours" without `training`.
        training: the images trained on, uint8, for the nearest neighbours.
        real_features: the Features of `real`, where they are at hand.

    Returns:
        A dict: extractor, description, samples, held_out, and the scores (`report` says what they mean).

    Raises:
        UserError: a metric that does not exist.
    """
    check_metrics(metrics)
    scores = {"extractor": judge.name, "description": judge.description, "samples": len(fake), "held_out": len(real)}
    if set(metrics) & {"fid", "kid", "is", "coverage"}:
        found, expected = judge(fake, progress), real_features or judge(real, progress)
    if "fid" in metrics:
        scores["fid"] = frechet_distance(statistics(found.features), statistics(expected.features))
    if "kid" in metrics:
        scores["kid"], scores["kid_error"] = kernel_distance(found.features, expected.features)
    if "is" in metrics:
        scores["classes"] = judge.classes
    if "is" in metrics and judge.classes:
        shares, real_shares = class_shares(found.probabilities), class_shares(expected.probabilities)
        scores |= {
            "inception_score": inception_score(found.probabilities),
            "class_shares": shares.tolist(),
            "class_distance": float(np.abs(shares - real_shares).sum() / 2),
            "confidence": float(found.probabilities.max(1).mean()),
        }
    if "diversity" in metrics:
        scores["scales"] = len(scales(min(real.shape[1:3])))
        scores["pair_similarity"], scores["real_pair_similarity"] = pair_similarity(fake), pair_similarity(real)
    if "coverage" in metrics:
        scores |= precision_recall_density_coverage(expected.features[:MOST], found.features[:MOST])
    if "neighbours" in metrics and training is not None:
        scores["to_training"] = float(np.median(nearest(fake[:500], training)[1]))
        scores["held_out_to_training"] = float(np.median(nearest(real[:500], training)[1]))
    return scores


def evaluate(
    generator,
    dataset,
    judge,
    count=10_000,
    seed=0,
    progress=True,
    metrics=("fid", "is"),
    training=None,
):
    """Judge a generator against held-out images.

    Args:
        generator: a Keras model, latents to images in [-1, 1].
        dataset: the name of a set, whose test split is taken, or held-out images, uint8.
        judge: an Extractor, or the name of one.
        count: how many samples to draw; the FID grows as it falls below some thousands.
        seed: of the samples.
        metrics: some of METRICS; "neighbours" needs the images trained on: `training`, uint8.

    Returns:
        What `compare` returns.
    """
    held_out = datasets.load(dataset, "test") if isinstance(dataset, str) else dataset
    judge = extractor(judge) if isinstance(judge, str) else judge
    fake = draw(generator, count, seed, progress)
    return compare(fake, held_out, judge, metrics, training, reference(held_out, judge), progress)


def draw(generator, count, seed=0, progress=True):
    """Images of a generator, uint8 [count, H, W, C]."""
    draws = latents(count, generator.input_shape[-1], seed)
    shown = bar(total=count, desc="Drawing", unit="image", disable=not progress, leave=False)
    images = []
    for i in range(0, count, 250):
        images.append(figures.to_uint8(generate(generator, draws[i : i + 250])))
        shown.update(len(images[-1]))
    shown.close()
    return np.concatenate(images)


def save(scores, run):
    """Keep the scores of a run's generator in RUN/metrics.json, with the step of the checkpoint that it came from."""
    beside = Path(run) / "metrics.partial"
    step = checkpoint.step_of(checkpoint.chosen(run))
    beside.write_text(json.dumps({"step": step, **scores}, indent=2) + "\n")
    beside.replace(Path(run) / "metrics.json")


def report(scores):
    """Scores as lines to print, each with what it means."""
    lines = [
        f"{scores['samples']:,} samples against {scores['held_out']:,} held-out images, judged by "
        f"{scores['extractor']!r}, {scores['description']}:"
    ]

    def line(name, value, meaning):
        lines.append(f"  {name:22} {value:18} {meaning}")

    if "fid" in scores:
        line("FID", f"{scores['fid']:.1f}", "0 is perfect; too high on few images")
    if "kid" in scores:
        line("KID", f"{scores['kid']:.4f} ± {scores['kid_error']:.4f}", "0 is perfect; fair on few images")
    if "inception_score" in scores:
        most = len(scores["class_shares"])
        line("inception score", f"{scores['inception_score']:.2f}", f"{most} is clear and varied, 1 is not")
        line("mean confidence", f"{scores['confidence']:.1%}", "how sure the judge is of each image")
        line("classes missed", f"{scores['class_distance']:.1%}", f"{scores['classes']}: 0 % has the real shares")
    elif "classes" in scores:
        lines.append(f"  {'inception score':22} left out: this judge has no classes")
    if "pair_similarity" in scores:
        found = f"{scores['pair_similarity']:.3f}, real {scores['real_pair_similarity']:.3f}"
        line(f"MS-SSIM, {scores['scales']} scales", found, "of random pairs; above the real ones': less varied")
    if "coverage" in scores:
        line(
            "precision, recall", f"{scores['precision']:.2f}, {scores['recall']:.2f}", "1 is best: real-looking, varied"
        )
        line(
            "density, coverage", f"{scores['density']:.2f}, {scores['coverage']:.2f}", "the same, sturdier to outliers"
        )
    if "to_training" in scores:
        found = f"{scores['to_training']:.1f}, real {scores['held_out_to_training']:.1f}"
        line("nearest training image", found, "far below the held-out ones': memorised")
    if len(scores.get("class_shares", ())) == 10:
        for label, share in enumerate(scores["class_shares"]):
            lines.append(f"    {label}  {share:6.1%}  {'█' * round(100 * share)}")
    return "\n".join(lines)
