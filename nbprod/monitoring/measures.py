"""How far two distributions over the same bins are apart, from their counts.

Each function takes counts of two samples, the bins along the last axis, and gives one number for each of the leading
axes. The definitions are those of TensorFlow Data Validation where it has them
(https://www.tensorflow.org/tfx/data_validation/anomalies: `infinity_norm`, `jensen_shannon_divergence`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Measure = Callable[[Any, Any], Any]
LEAST_SHARE = 1e-4


def shares(counts: Any) -> NDArray[np.float64]:
    """Counts as shares of their sum, along the last axis; all zero where nothing was counted."""
    counts = np.asarray(counts, dtype=np.float64)
    total = counts.sum(axis=-1, keepdims=True)
    divided: NDArray[np.float64] = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    return divided


def l_infinity(first: Any, second: Any) -> Any:
    """The largest difference of a single share, max |p - q|, in 0 to 1 (TFDV's `infinity_norm`).

    >>> float(l_infinity([50, 50], [75, 25]))
    0.25
    """
    return np.abs(shares(first) - shares(second)).max(axis=-1)


def kolmogorov_smirnov(first: Any, second: Any) -> Any:
    """The largest difference of a cumulative share, max |P - Q|, in 0 to 1; the bins must be in order.

    The two-sample statistic of Smirnov (1939), on binned values: at most that of the values themselves.

    >>> float(kolmogorov_smirnov([10, 10, 0], [0, 10, 10]))
    0.5
    """
    return np.abs(np.cumsum(shares(first) - shares(second), axis=-1)).max(axis=-1)


def jensen_shannon(first: Any, second: Any) -> Any:
    """The Jensen-Shannon divergence in bits, in 0 to 1: (KL(p|m) + KL(q|m)) / 2 with m = (p + q) / 2.

    Lin (1991), Divergence measures based on the Shannon entropy; with logarithms to base 2, as TFDV takes them.

    >>> float(jensen_shannon([1, 0], [0, 1]))
    1.0
    """
    p, q = shares(first), shares(second)
    middle = (p + q) / 2
    divergence = (_against(p, middle) + _against(q, middle)) / 2
    return np.maximum(divergence, 0.0)


def psi(first: Any, second: Any) -> Any:
    """The population stability index, sum (q - p) ln(q / p), with shares of at least 0.0001; 0 and above.

    Siddiqi (2006), Credit Risk Scorecards. It grows with the number of bins, and has no threshold of its own here.
    """
    p, q = (np.maximum(shares(each), LEAST_SHARE) for each in (first, second))
    return ((q - p) * np.log(q / p)).sum(axis=-1)


def _against(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """The Kullback-Leibler divergence of p from q, in bits; what p does not have adds nothing."""
    ratio = np.divide(p, q, out=np.ones_like(p), where=p > 0)
    divergence: NDArray[np.float64] = (p * np.log2(ratio)).sum(axis=-1)
    return divergence


ORDERED: dict[str, Measure] = {
    "ks": kolmogorov_smirnov,
    "l_infinity": l_infinity,
    "jensen_shannon": jensen_shannon,
}
"""The measures that decide for numbers and dates."""

UNORDERED: dict[str, Measure] = {"l_infinity": l_infinity, "jensen_shannon": jensen_shannon}
"""The measures that decide for categories."""
