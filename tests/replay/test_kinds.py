"""What counts as the same kind of column when two matrices are compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nbprod.replay.runner.compare import compare, tolerance
from nbprod.replay.runner.matrix import matrix_of, with_whole_numbers

SAME = [
    pytest.param([None, "a"], [0], id="text, and all of it missing in the row"),
    pytest.param([np.nan, "a"], [0], id="a gap in a column of objects"),
    pytest.param([1.5, None], [1], id="a number in a column of objects, missing in the row"),
]


@pytest.mark.parametrize("whole, rows", SAME)
def test_a_missing_object_alone_has_the_kind_of_its_column(whole: list[object], rows: list[int]) -> None:
    frame = pd.DataFrame({"x": pd.Series(whole, dtype=object)})
    reference = matrix_of(frame).take(rows)
    alone = matrix_of(pd.DataFrame({"x": pd.Series([None], dtype=object)}))

    assert compare(reference, alone, tolerance(reference)).equal


DIFFERENT = [
    pytest.param(["a"], [1.0], id="text and a number"),
    pytest.param(["a"], [True], id="text and a boolean"),
    pytest.param([pd.Timestamp("2024-01-01")], ["2024-01-01"], id="a date and its text"),
]


@pytest.mark.parametrize("one, other", DIFFERENT)
def test_values_of_other_kinds_are_told_apart(one: list[object], other: list[object]) -> None:
    left, right = matrix_of(pd.DataFrame({"x": one})), matrix_of(pd.DataFrame({"x": other}))

    assert compare(left, right, tolerance(left)).structure


AS_TRAINED = [
    pytest.param([1.0, np.nan, 0.0], [1, 0], "int", id="whole numbers beside a row with a gap"),
    pytest.param([np.nan], [1, 0], "int", id="a row with a gap alone"),
    pytest.param([1.5, np.nan], [1, 0], "float", id="a fraction beside a row with a gap"),
    pytest.param([1.0, 0.0], [1, 0], "float", id="floats that no gap has made"),
    pytest.param([1.0, np.nan], [1.0, 0.0], "float", id="floats in training as well"),
]


@pytest.mark.parametrize("made, trained, kind", AS_TRAINED)
def test_a_gap_in_another_row_leaves_whole_numbers_whole(made: list[float], trained: list[float], kind: str) -> None:
    frame, training = pd.DataFrame({"x": made}), pd.DataFrame({"x": trained})

    assert with_whole_numbers(matrix_of(frame), matrix_of(training)).columns[0].kind == kind
    assert with_whole_numbers(matrix_of(frame.to_numpy()), matrix_of(training.to_numpy())).columns[0].kind == kind
