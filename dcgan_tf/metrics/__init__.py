"""How good the images are: the formulas, what sees the images (extractors), and the judging itself."""

from dcgan_tf.metrics.extractors import Extractor, Features, extractor
from dcgan_tf.metrics.formulas import (
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
from dcgan_tf.metrics.judge import MOST, compare, draw, evaluate, reference, report
from dcgan_tf.presets import METRICS
