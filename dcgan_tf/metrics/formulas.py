"""What the metrics are: each a formula on features or on pixels."""

import numpy as np
import tensorflow as tf

from dcgan_tf.datasets.batches import to_uint8
from dcgan_tf.errors import UserError

PAIRS = 1_000  # whose MS-SSIM is averaged
GROUPS = 10  # that KID's standard error is taken from
LEAST = 2 * GROUPS  # images on either side that KID needs
# The weights of the five scales (Wang et al. 2003, section 3.2), from the finest.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
SSIM_WINDOW = 11


def statistics(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean [F] and the covariance [F, F] of features [N, F]."""
    return features.mean(0), np.cov(features, rowvar=False)


def frechet_distance(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]) -> float:
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


def kernel_distance(first: np.ndarray, second: np.ndarray, groups: int = GROUPS) -> tuple[float, float]:
    """KID: the squared maximum mean discrepancy under the kernel (x.y / F + 1)^3 (Bińkowski et al. 2018, section 4).

    The unbiased estimate, so it is around 0, and can fall below it, where both come from one distribution. Its standard
    error is the jackknife's, leaving out a tenth of both at a time (Efron and Tibshirani 1993, section 11.5). Both are
    shuffled by a fixed seed first: samples that take their labels in turn would give groups of one label each.

    Args:
        first, second: features [N, F] and [M, F], each of at least 2 * `groups`.

    Returns:
        (distance, standard error).
    """
    if min(len(first), len(second)) < 2 * groups:
        raise UserError(f"KID needs at least {2 * groups} images on either side, not {len(first)} and {len(second)}")
    rng = np.random.default_rng(0)
    parts = [np.array_split(features[rng.permutation(len(features))], groups) for features in (first, second)]

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


def inception_score(probabilities: np.ndarray) -> float:
    """exp E[KL(p(y|x) || p(y))] of class probabilities [N, K]: 1 (worst) to K (Salimans et al. 2016, section 4)."""
    p = np.maximum(probabilities, 1e-16)
    return float(np.exp((p * (np.log(p) - np.log(p.mean(0)))).sum(1).mean()))


def class_shares(probabilities: np.ndarray) -> np.ndarray:
    """The share of each class among the most probable ones: float64 [K], summing to 1."""
    return np.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]) / len(probabilities)


def scales(size: int) -> tuple[float, ...]:
    """The weights of the scales that images of this side allow: five at 176 pixels, three at 64, two at 28.

    A scale halves the image before; each must hold SSIM's window. The weights are renormalised to a sum of 1.
    """
    count = sum(size // 2**i >= SSIM_WINDOW for i in range(len(SCALE_WEIGHTS)))
    if not count:
        raise UserError(f"MS-SSIM needs images of at least {SSIM_WINDOW} pixels a side, not {size}")
    return tuple(np.array(SCALE_WEIGHTS[:count]) / sum(SCALE_WEIGHTS[:count]))


def pair_similarity(images: np.ndarray, pairs: int | None = None, seed: int = 0) -> float:
    """The mean MS-SSIM of random pairs of different images (Odena et al. 2017, section 4.2): 1 where all are equal.

    Args:
        images: [N, H, W, C], uint8 or float in [-1, 1]; N at least 2.
        pairs: how many are drawn; by default PAIRS, above 64x64 fewer (at least 100), so that it takes no longer.
    """
    images = to_uint8(images)
    pairs = pairs or min(PAIRS, max(100, PAIRS * 64 * 64 // (images.shape[1] * images.shape[2])))
    if len(images) < 2:
        raise UserError("pairs need at least two images")
    rng = np.random.default_rng(seed)
    one = rng.integers(0, len(images), pairs)
    other = (one + rng.integers(1, len(images), pairs)) % len(images)
    weights = scales(min(images.shape[1:3]))
    similarities = [
        tf.image.ssim_multiscale(images[one[i : i + 100]], images[other[i : i + 100]], 255, weights, SSIM_WINDOW)
        for i in range(0, pairs, 100)
    ]
    return float(np.mean(np.concatenate(similarities)))


def distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Euclidean distances between the rows of [N, F] and [M, F]: float64 [N, M]."""
    squares = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T
    return np.sqrt(np.maximum(squares, 0))


def precision_recall_density_coverage(real: np.ndarray, fake: np.ndarray, k: int = 5) -> dict[str, float]:
    """Precision and density: do the fakes look real? Recall and coverage: are all kinds of reals made?

    Around each image lies a ball that reaches to its k-th nearest neighbour of its own kind. Precision is the share of
    fakes within any real's ball, recall the share of reals within any fake's (Kynkäänniemi et al. 2019, eq. 2). Density
    counts the real balls that a fake lies in, over k; coverage is the share of reals whose ball holds a fake (Naeem et
    al. 2020, eq. 3 and 4). All but density lie between 0 and 1; density can exceed 1.

    Args:
        real, fake: features [N, F] and [M, F], each of more than k.
    """
    if min(len(real), len(fake)) <= k:
        raise UserError(f"neighbourhoods of {k} need more than {k} images on either side")
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


def nearest(
    queries: np.ndarray, images: np.ndarray, count: int = 1, mirrored: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The images nearest to each query, in pixels: (indices [N, count], root mean square differences [N, count]).

    Args:
        queries, images: [N, H, W, C] and [M, H, W, C], uint8 or float in [-1, 1]. Differences are from 0 to 255.
        count: how many for each.
        mirrored: compare with the images' mirror images too.
    """
    queries = to_uint8(queries).reshape(len(queries), -1).astype(np.float32)
    rows, gaps = np.empty((len(queries), 0), int), np.empty((len(queries), 0), np.float32)
    at_once = max(1, 25_000_000 // queries.shape[1])  # of the images, which may be a file larger than memory
    for first in range(0, len(images), at_once):
        part = to_uint8(images[first : first + at_once])
        near = distances(queries, part.reshape(len(part), -1).astype(np.float32))
        if mirrored:
            near = np.minimum(near, distances(queries, part[:, :, ::-1].reshape(len(part), -1).astype(np.float32)))
        gaps = np.concatenate([gaps, near], 1)
        rows = np.concatenate([rows, np.broadcast_to(first + np.arange(len(part)), near.shape)], 1)
        order = np.argsort(gaps, 1, kind="stable")[:, :count]
        gaps, rows = np.take_along_axis(gaps, order, 1), np.take_along_axis(rows, order, 1)
    return rows, _root_mean_square(queries, to_uint8(images[rows]), mirrored)


def _root_mean_square(queries, images, mirrored):
    """The differences of queries [N, F] to images [N, count, H, W, C]; single precision was enough to find these."""

    def difference(found):
        return (((found.reshape(*found.shape[:2], -1) - queries[:, None].astype(np.float64)) ** 2).mean(-1)) ** 0.5

    return np.minimum(difference(images), difference(images[..., ::-1, :])) if mirrored else difference(images)
