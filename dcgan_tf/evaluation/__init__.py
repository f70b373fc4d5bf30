"""How good the images are: formulas (metrics), what sees the images (extractors), and the judging itself (judge)."""

from dcgan_tf.evaluation.judge import MOST, compare, draw, evaluate, reference, report, save
from dcgan_tf.evaluation.metrics import (
    GROUPS,
    LEAST,
    SCALE_WEIGHTS,
    class_shares,
    distances,
    frechet_distance,
    inception_score,
    kernel_distance,
    nearest,
    pair_similarity,
    precision_recall_density_coverage,
    scales,
    statistics,
)
from dcgan_tf.names import METRICS

__all__ = [
    "GROUPS",
    "LEAST",
    "METRICS",
    "MOST",
    "SCALE_WEIGHTS",
    "class_shares",
    "compare",
    "distances",
    "draw",
    "evaluate",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "nearest",
    "pair_similarity",
    "precision_recall_density_coverage",
    "reference",
    "report",
    "save",
    "scales",
    "statistics",
]
