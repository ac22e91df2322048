"""What chance does: the thresholds are exceeded as often as they are meant to be, and no oftener."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbprod.monitoring.measures import ORDERED
from nbprod.monitoring.noise import drift_noise, range_noise, share_noise, unseen_noise

TRIALS = 2000
ALPHA = 0.02


def often(found: Any, most: Any) -> float:
    return float(np.mean(np.asarray(found) > most))


@pytest.mark.parametrize("rows, n", [(300, 50), (1000, 1000), (5000, 300)])
def test_drift_of_the_same_population_exceeds_it_as_often_as_meant(rows: int, n: int) -> None:
    random = np.random.default_rng(1)
    population = random.dirichlet(np.ones(15))
    exceeded = dict.fromkeys(ORDERED, 0)
    for then, now in zip(random.multinomial(rows, population, 60), random.multinomial(n, population, 60), strict=True):
        noise = drift_noise(tuple(then.tolist()), n, ORDERED, ALPHA)
        for name, measure in ORDERED.items():
            exceeded[name] += float(measure(then, now)) > noise[name]
    assert max(exceeded.values()) <= 6, exceeded


def test_fewer_rows_make_more_noise_and_a_smaller_chance_a_higher_threshold() -> None:
    counts = (100,) * 10
    by_size = [drift_noise(counts, n, ORDERED, ALPHA)["jensen_shannon"] for n in (50, 200, 1000)]
    by_chance = [drift_noise(counts, 200, ORDERED, alpha)["ks"] for alpha in (0.05, 0.01, 0.001)]
    assert by_size == sorted(by_size, reverse=True)
    assert by_chance == sorted(by_chance)
    assert drift_noise(counts, 200, ORDERED, ALPHA) == drift_noise(counts, 200, ORDERED, ALPHA)


@pytest.mark.parametrize("share", [0.0, 0.002, 0.2, 0.9])
def test_a_share_of_the_same_population_exceeds_it_seldom(share: float) -> None:
    random = np.random.default_rng(2)
    then, now = random.binomial(800, share, TRIALS), random.binomial(400, share, TRIALS)
    found = [k / 400 - e / 800 > share_noise(int(e), 800, 400, ALPHA) for e, k in zip(then, now, strict=True)]
    assert np.mean(found) <= 1.7 * ALPHA


def test_what_lies_beyond_the_extremes_of_training_exceeds_it_seldom() -> None:
    random = np.random.default_rng(3)
    training, served = random.normal(size=(TRIALS, 200)), random.normal(size=(TRIALS, 100))
    outside = (served < training.min(axis=1)[:, None]) | (served > training.max(axis=1)[:, None])
    assert often(outside.mean(axis=1), range_noise(200, 100, ALPHA)) <= 1.5 * ALPHA


def test_categories_that_training_missed_by_chance_exceed_it_seldom() -> None:
    random = np.random.default_rng(4)
    population = 1 / np.arange(1, 400)
    population /= population.sum()
    exceeded = 0
    for _ in range(500):
        then, now = random.multinomial(500, population), random.multinomial(200, population)
        share = now[then == 0].sum() / 200
        exceeded += share > unseen_noise(int((then == 1).sum()), 500, 200, ALPHA)
    assert exceeded <= 15
