"""The loss of a batch of logits [N, 1], with its gradient: a function of (logits, labels) that returns both."""

import numpy as np


def binary_crossentropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean binary cross-entropy of logits, and its gradient.

    softplus(x) - x t, whose derivative is sigmoid(x) - t (Goodfellow et al. 2014, eq. 1, in terms of logits).

    Args:
        logits: float [N, 1].
        labels: the target t, a number or [N, 1]: 1 for real, 0 for fake, between them for smoothed labels.
    """
    loss = np.logaddexp(0, logits) - logits * labels
    gradient = (0.5 + 0.5 * np.tanh(0.5 * logits) - labels) / logits.size
    return float(loss.mean()), gradient.astype(logits.dtype)
