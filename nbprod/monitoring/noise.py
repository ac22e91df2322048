"""How far apart two samples of one and the same population are by chance: what a threshold has to leave room for.

A fixed threshold is wrong both ways: it cries wolf on few rows and sleeps on many. So chance is simulated for the very
number of rows at hand: a sample as large as training's and one as large as the served one are drawn from training's
shares, again and again. Both err, as both are samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbprod.monitoring.measures import Measure, shares

DRAWS = 10_000
AT_ONCE = 2_000
NORMAL_FROM = 20
SEED = 20_120_101


def drift_noise(baseline: tuple[int, ...], n: int, measures: Mapping[str, Measure], alpha: float) -> dict[str, float]:
    """For each measure, what it exceeds in `alpha` of all cases where `n` rows come from the same population."""
    drawn = _drawn(baseline, n, tuple(measures.items()))
    return {name: _quantile(values, alpha) for name, values in drawn.items()}


def share_noise(often: float, rows: int, n: int, alpha: float) -> float:
    """How much larger a share of `n` rows is by chance than one of `rows` rows, in `alpha` of all cases.

    `often` is how often it is expected among `rows`. One is added to it, and two to the rows (Laplace's rule of
    succession), so that what training did not have once has a chance as well.
    """
    if not n:
        return 1.0
    return _share_noise(float(often), rows, n, alpha)


def unseen_noise(singletons: int, rows: int, n: int, alpha: float) -> float:
    """The share of `n` rows, by chance, with a category that training did not have, in `alpha` of all cases.

    The share of what was never seen is about that of what was seen once (Good 1953, Turing's estimator).
    """
    return _outside_noise(singletons + 1.0, rows, n, alpha)


def range_noise(rows: int, n: int, alpha: float) -> float:
    """The share of `n` rows, by chance, outside of the range of `rows` rows, in `alpha` of all cases.

    What lies beyond both extremes of a sample follows Beta(2, rows - 1), whatever the distribution (Wilks 1941).
    """
    return _outside_noise(2.0, rows, n, alpha)


@lru_cache(maxsize=128)
def _drawn(
    baseline: tuple[int, ...], n: int, measures: tuple[tuple[str, Measure], ...]
) -> dict[str, NDArray[np.float64]]:
    """The measures of pairs of samples from the shares of the baseline, sorted."""
    random = np.random.default_rng([SEED, n, len(baseline)])
    rows, population = sum(baseline), shares(baseline)
    there = population[population > 0]
    # A normal approximation takes half the time, and is a good one where each place has some rows.
    draw = _normal if there.min() * min(rows, n) >= NORMAL_FROM else _exact
    made: dict[str, list[Any]] = {name: [] for name, _ in measures}
    for _ in range(DRAWS // AT_ONCE):
        then, now = (draw(random, size, population) for size in (rows, n))
        for name, measure in measures:
            made[name].append(measure(then, now))
    return {name: np.sort(np.concatenate(values)) for name, values in made.items()}


def _exact(random: np.random.Generator, size: int, population: NDArray[np.float64]) -> NDArray[Any]:
    drawn: NDArray[Any] = random.multinomial(size, population, size=AT_ONCE)
    return drawn


def _normal(random: np.random.Generator, size: int, population: NDArray[np.float64]) -> NDArray[Any]:
    """Shares of samples with the mean and the covariance of multinomial ones, (diag(p) - p p') / size."""
    root = np.sqrt(population)
    drawn = random.standard_normal((AT_ONCE, len(population))) * root
    moved: NDArray[Any] = (drawn - np.outer(drawn @ np.sign(population), population)) / np.sqrt(size)
    sampled: NDArray[Any] = np.maximum(population + moved, 0.0)
    return sampled


@lru_cache(maxsize=2048)
def _share_noise(often: float, rows: int, n: int, alpha: float) -> float:
    random = np.random.default_rng([SEED, rows, n])
    share = (often + 1) / (rows + 2)
    then, now = random.binomial(rows, share, DRAWS) / max(rows, 1), random.binomial(n, share, DRAWS) / n
    return max(_quantile(np.sort(now - then), alpha), 0.0)


@lru_cache(maxsize=2048)
def _outside_noise(expected: float, rows: int, n: int, alpha: float) -> float:
    if not n:
        return 1.0
    random = np.random.default_rng([SEED, rows, n])
    share = random.beta(expected, max(rows - expected + 1, 0.5), DRAWS)
    return _quantile(np.sort(random.binomial(n, share) / n), alpha)


def _quantile(values: NDArray[np.float64], alpha: float) -> float:
    """What `alpha` of sorted values exceed; the largest one where they are too few to tell."""
    return float(values[-1 - int(alpha * len(values))])
