"""Hints that numbers came in another unit."""

from __future__ import annotations

from typing import Any

import pytest

from nbprod.monitoring.units import unit_hint


def column(mean: float, edges: tuple[float, float] = (0.0, 9.0)) -> dict[str, Any]:
    return {"counts": [4, 6], "below": 0, "above": 0, "total": 10 * mean, "edges": list(edges)}


@pytest.mark.parametrize(
    "then, now, said",
    [
        pytest.param(2.0, 2004.0, "1,002 times that of training: another unit (such as grams", id="a thousand times"),
        pytest.param(2004.0, 2.0, "1/1,002 of that of training: another unit (such as grams", id="a thousandth"),
        pytest.param(70.0, 154.3, "2.2 times that of training: another unit (kilograms and pounds", id="pounds"),
        pytest.param(-3.0, -10_800.0, "3,600 times that of training: another unit (hours", id="below zero"),
    ],
)
def test_a_known_multiple_is_named(then: float, now: float, said: str) -> None:
    edges = (-9.0, -1.0) if then < 0 else (0.0, 9.0)

    assert said in str(unit_hint(column(then, edges), column(now, edges)))


@pytest.mark.parametrize(
    "then, now",
    [
        pytest.param(column(2.0), column(3.0), id="no known multiple"),
        pytest.param(column(2.0), column(-2000.0), id="another sign"),
        pytest.param(column(2.0, (-1.0, 5.0)), column(2000.0), id="numbers of both signs"),
        pytest.param(column(0.0), column(5.0), id="nothing in training"),
        pytest.param(column(2.0), {**column(2000.0), "total": None}, id="a sum that is not known"),
        pytest.param(column(2.0), {**column(0.0), "counts": [0, 0]}, id="no row"),
    ],
)
def test_nothing_is_said_without_a_reason(then: Any, now: Any) -> None:
    assert unit_hint(then, now) is None
