"""Whether a pipeline answers after it was saved as it did before."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline

from nbprod.codegen.runtime.pipeline import _same_answers

ONE = np.array([1.0, np.nan, -3.5])


PARALLEL = make_pipeline(RandomForestRegressor(n_jobs=-1))
ALONE = make_pipeline(RandomForestRegressor())


@pytest.mark.parametrize(
    "model, now, same",
    [
        pytest.param(ALONE, ONE, True, id="the same, a gap included"),
        pytest.param(ALONE, ONE * (1 + 1e-15), False, id="another rounding"),
        pytest.param(PARALLEL, ONE * (1 + 1e-15), True, id="added up in another order"),
        pytest.param(PARALLEL, ONE * (1 + 1e-6), False, id="another number, in parallel"),
        pytest.param(PARALLEL, ONE[:2], False, id="fewer rows"),
        pytest.param(object(), ONE * 2, False, id="a model without settings"),
    ],
)
def test_numbers(model: object, now: np.ndarray, same: bool) -> None:
    assert _same_answers(model, now, ONE) is same


@pytest.mark.parametrize("model", [ALONE, PARALLEL])
def test_classes(model: object) -> None:
    classes = np.array(["a", "b"])
    assert _same_answers(model, classes, classes.copy())
    assert not _same_answers(model, classes, np.array(["a", "a"]))
