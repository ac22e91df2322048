"""Whether scores are what they say, on the rows held out, and whether the model decides at a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np

from .side_by_side import LEVEL, Side, resampled

BINS = 10
Z = 1.959963984540054  # the quantile of the normal distribution that leaves out 5 % on both sides

NO_SCORES = "the model gives no probabilities"


def calibrated(side: Side, resamples: int) -> dict[str, Any]:
    """Reliability by bins, the Brier score and the expected calibration error with its interval; else a `reason`.

    Of two classes it is about the probability of the second one, of more about that of the predicted class (C. Guo et
    al., ICML 2017). `brier` is the mean of squared errors of the probabilities, summed over the classes where there
    are more than two (G. W. Brier, Monthly Weather Review 1950;78:1-3, with half his sum for two classes, as
    scikit-learn has it).
    """
    found = _scores(side)
    if isinstance(found, str):
        return {"reason": found}
    classes, chances, truth = found
    if len(classes) == 2:
        of, scores, hits = str(classes[1]), chances[:, 1], truth == classes[1]
        brier = float(np.mean((scores - hits) ** 2))
    else:
        of, scores, hits = None, chances.max(axis=1), classes[chances.argmax(axis=1)] == truth
        brier = float(np.mean(((chances - (truth[:, None] == classes)) ** 2).sum(axis=1)))
    hits = hits.astype(np.float64)
    return {
        "rows": len(scores),
        "classes": len(classes),
        "of": of,
        "brier": brier,
        "bins": _bins(scores, hits),
        **_error(scores, hits, resamples),
    }


def decided_at(side: Side, threshold: float) -> dict[str, Any]:
    """In how many rows the model's prediction is another than its probability against the `threshold` tells.

    `between` are the highest score that it says no to and the lowest that it says yes to. Of two classes, the second
    one is predicted where its probability is at least the threshold. Else a `reason` is told.
    """
    found = _scores(side)
    if isinstance(found, str):
        return {"threshold": threshold, "reason": found}
    classes, chances, _ = found
    if len(classes) != 2:
        return {"threshold": threshold, "differing": None, "classes": len(classes)}
    scores, said = chances[:, 1], np.asarray(side.answers("predict")).ravel() == classes[1]
    return {
        "threshold": threshold,
        "rows": len(scores),
        "classes": 2,
        "differing": int(((scores >= threshold) != said).sum()),
        "between": [
            float(scores[~said].max()) if (~said).any() else None,
            float(scores[said].min()) if said.any() else None,
        ],
    }


def _scores(side: Side) -> Any:
    """The classes, the probability of each (rows by classes) and the true class of each row; in words why not."""
    classes = getattr(side.model, "classes_", None)
    if not hasattr(side.model, "predict_proba") or not isinstance(classes, np.ndarray) or classes.ndim != 1:
        return NO_SCORES
    chances = np.asarray(side.answers("predict_proba"), dtype=np.float64)
    truth = np.asarray(side.truth)
    truth = truth.ravel() if truth.ndim == 2 and truth.shape[1] == 1 else truth
    if chances.shape != (len(truth), len(classes)) or truth.ndim != 1:
        return "the probabilities are not one for each row and class"
    if not np.isin(truth, classes).all():
        return "some true labels are no classes of the model"
    return classes, chances, truth


def _places(scores: Any) -> Any:
    """The bin of each score: as many rows in each, as far as equal scores stay together."""
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, scores, side="left")


def _bins(scores: Any, hits: Any) -> list[dict[str, Any]]:
    """Number of rows, mean score and share of hits of each bin, with the Wilson interval of the share.

    L. D. Brown, T. T. Cai and A. DasGupta, Statistical Science 2001;16(2):101-133.
    """
    places = _places(scores)
    told = []
    for place in np.unique(places):
        inside = places == place
        n, share = int(inside.sum()), float(hits[inside].mean())
        middle, wide = share + Z * Z / (2 * n), Z * np.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
        low, high = (float((middle + sign * wide) / (1 + Z * Z / n)) for sign in (-1, 1))
        score = float(scores[inside].mean())
        told.append({"n": n, "score": score, "share": share, "low": min(low, share), "high": max(high, share)})
    return told


def _error(scores: Any, hits: Any, resamples: int) -> dict[str, Any]:
    """The expected calibration error: the distance of score and share, by bin, weighed by rows.

    Noise makes it larger than it is, and a resample has that noise twice. So the interval is the basic one, which
    reflects the resampled values at the error and takes that off (A. C. Davison and D. V. Hinkley, Bootstrap Methods
    and their Application (1997), section 5.2). The percentiles would never come down to a calibrated model's nothing.
    """

    def error(at: Any) -> float:
        some = scores[at]
        return float(np.abs(np.bincount(_places(some), some - hits[at])).sum() / len(some))

    whole = error(np.arange(len(scores)))
    tail = 100 * (1 - LEVEL) / 2
    least, most = np.percentile(resampled(error, len(scores), resamples), [tail, 100 - tail])
    low, high = max(0.0, 2 * whole - float(most)), min(1.0, max(0.0, 2 * whole - float(least)))
    return {"error": whole, "low": low, "high": high, "level": LEVEL}
