"""Whether a pipeline answers after it was saved as it did before."""

from __future__ import annotations

import numpy as np
import pytest

from nbprod.codegen.runtime.pipeline import _same_answers

ONE = np.array([1.0, np.nan, -3.5])


@pytest.mark.parametrize(
    "now, before, same",
    [
        pytest.param(ONE, ONE, True, id="the same, a gap included"),
        pytest.param(ONE * (1 + 1e-15), ONE, True, id="added up in another order"),
        pytest.param(ONE * (1 + 1e-6), ONE, False, id="another number"),
        pytest.param(ONE[:2], ONE, False, id="fewer rows"),
        pytest.param(np.array(["a", "b"]), np.array(["a", "b"]), True, id="the same classes"),
        pytest.param(np.array(["a", "a"]), np.array(["a", "b"]), False, id="another class"),
        pytest.param(np.array([1, 2]), np.array([1, 3]), False, id="another whole number"),
    ],
)
def test_answers_are_compared(now: np.ndarray, before: np.ndarray, same: bool) -> None:
    assert _same_answers(now, before) is same
