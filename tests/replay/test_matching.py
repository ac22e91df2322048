"""Which raw row each captured row came from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nbprod.replay.runner.matching import match_rows
from nbprod.replay.runner.matrix import matrix_of

ROWS = np.array([[1.0, 2.0], [3.0, 4.0], [3.0, 4.0], [5.0, 6.0]])


@pytest.mark.parametrize(
    "captured, positions",
    [
        pytest.param([3, 0], [3, 0], id="in another order"),
        pytest.param([1, 2], [1, 2], id="equal rows, one each"),
        pytest.param([0, 0, 3, 0], [0, 0, 3, 0], id="a row that training repeats"),
        pytest.param([1, 1, 1], [1, 2, 2], id="an equal pair that training repeats"),
    ],
)
@pytest.mark.parametrize("moved", [pytest.param(0.0, id="exactly"), pytest.param(1e-9, id="within tolerance")])
def test_by_value(captured: list[int], positions: list[int], moved: float) -> None:
    block = matrix_of(ROWS[captured] + moved)
    found = match_rows(block, matrix_of(ROWS), pd.RangeIndex(4), None, np.full(2, 1e-8))

    assert found.by == "value"
    assert [ROWS[at].tolist() for at in found.positions] == ROWS[captured].tolist()
    assert sorted(set(found.positions)) == sorted(set(positions))
    assert found.comparison.equal


def test_a_row_that_is_not_there_is_not_found() -> None:
    block = matrix_of(np.array([[1.0, 2.0], [3.0, 5.0]]))
    found = match_rows(block, matrix_of(ROWS), pd.RangeIndex(4), None, np.zeros(2))

    assert found.positions.tolist() == [0, -1]
    assert found.comparison.unequal.tolist() == [False, True]
