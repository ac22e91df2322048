"""Distances between counts: their definitions on cases that can be worked out by hand, and their bounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp

from nbprod.monitoring.measures import jensen_shannon, kolmogorov_smirnov, l_infinity, psi


@pytest.mark.parametrize(
    "measure, first, second, expected",
    [
        pytest.param(l_infinity, [1, 1], [3, 1], 0.25, id="a quarter more in one place"),
        pytest.param(l_infinity, [2, 2, 4], [1, 1, 2], 0.0, id="half as many rows of the same shares"),
        pytest.param(kolmogorov_smirnov, [1, 1, 0], [0, 1, 1], 0.5, id="moved by one bin"),
        pytest.param(kolmogorov_smirnov, [0, 9], [9, 0], 1.0, id="apart"),
        pytest.param(jensen_shannon, [5, 0], [0, 7], 1.0, id="nothing in common is one bit"),
        pytest.param(jensen_shannon, [1, 1], [1, 0], 1.5 - 0.75 * math.log2(3), id="half of it in common"),
        pytest.param(psi, [1, 1], [3, 1], 0.25 * math.log(3), id="psi by hand"),
        pytest.param(l_infinity, [0, 0], [0, 0], 0.0, id="nothing at all"),
    ],
)
def test_a_distance_is_what_its_definition_says(measure: Any, first: Any, second: Any, expected: float) -> None:
    assert float(measure(first, second)) == pytest.approx(expected)


COUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=12).filter(
    lambda pairs: all(sum(each) for each in zip(*pairs, strict=True))
)


@given(COUNTS)
def test_distances_are_symmetric_bounded_and_those_of_scipy(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array(each) for each in zip(*pairs, strict=True))
    values = [np.repeat(np.arange(len(each)), each) for each in (first, second)]

    for measure in (l_infinity, kolmogorov_smirnov, jensen_shannon):
        assert 0 <= float(measure(first, second)) <= 1 + 1e-12
        assert float(measure(first, second)) == pytest.approx(float(measure(second, first)))
        assert float(measure(first, first)) == pytest.approx(0, abs=1e-12)
    assert float(kolmogorov_smirnov(first, second)) == pytest.approx(ks_2samp(*values, method="asymp").statistic)
    assert float(jensen_shannon(first, second)) == pytest.approx(jensenshannon(first, second, base=2) ** 2, abs=1e-9)


def test_many_samples_are_measured_at_once() -> None:
    first, second = np.array([[1, 1], [4, 0]]), np.array([[1, 1], [0, 4]])
    assert jensen_shannon(first, second).tolist() == [0.0, 1.0]
