"""The words that the command line accepts: known here, so that a wrong one is answered before TensorFlow starts."""

from collections.abc import Iterable

from dcgan_tf.errors import UserError, unknown

STRATEGIES = ("none", "mirrored", "multiworker")  # explained in runtime/distribution.py
METRICS = ("fid", "kid", "is", "diversity", "coverage", "neighbours")  # explained in evaluation/metrics.py
# Explained in evaluation/extractors.py.
EXTRACTORS = ("imagenet", "mnist", "anime", "hair-color", "random", "inception")


def check_metrics(names: Iterable[str]) -> None:
    """Raise a UserError for a metric that does not exist."""
    for name in names:
        if name not in METRICS:
            raise UserError(unknown("metric", name, METRICS))
