"""A table of rows together is that of the pieces put together, or it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbprod.codegen.runtime.agreeing import Agreement, agreement

BACK = slice(None, None, -1)


def columns(*values: Any) -> pd.DataFrame:
    return pd.DataFrame({f"c{at}": each for at, each in enumerate(values)})


@pytest.mark.parametrize(
    "pieces, whole, order, expected",
    [
        pytest.param([[1, 2], [3]], [3, 2, 1], BACK, Agreement.ORDER, id="in reverse"),
        pytest.param([[1, 2], [3]], [1, 2, 3], BACK, Agreement.ROWS, id="in another order"),
        pytest.param([[1, 2], [3]], [3, 1, 2], None, Agreement.ROWS, id="in an order that is not told"),
        pytest.param([[1, 2], [3]], [3, 2], BACK, Agreement.NO, id="a row less"),
        pytest.param([[1, 2], [3]], [3, 2, 2], BACK, Agreement.NO, id="another row"),
        pytest.param([[1, 2], [2.5]], [2.5, 2, 1], BACK, Agreement.ORDER, id="whole numbers that become decimals"),
        pytest.param([[1, 2], [np.nan]], [np.nan, 2, 1], BACK, Agreement.ORDER, id="a gap"),
        pytest.param([[0.1 + 0.2], [3.0]], [3.0, 0.3], BACK, Agreement.ORDER, id="other last digits"),
        pytest.param([[0.3], [3.0]], [3.0, 0.3001], BACK, Agreement.NO, id="other digits"),
        pytest.param([["a"], ["b", None]], [None, "b", "a"], BACK, Agreement.ORDER, id="text"),
        pytest.param([[[1], {2}], ["x"]], ["x", {2}, [1]], BACK, Agreement.ORDER, id="values without a hash"),
        pytest.param([[], []], [], BACK, Agreement.ORDER, id="no rows"),
    ],
)  # fmt: skip
def test_rows_agree(pieces: list[Any], whole: Any, order: slice | None, expected: Agreement) -> None:
    assert agreement([columns(each) for each in pieces], columns(whole), order) is expected


def test_each_row_stands_as_many_times() -> None:
    pieces = [columns([1, 2], ["a", "b"]), columns([2], ["a"])]

    assert agreement(pieces, columns([1, 2, 2] * 2, ["a", "a", "b"] * 2), None, 2) is Agreement.ROWS
    assert agreement(pieces, columns([1, 2, 2] * 2, ["a", "b", "b"] * 2), None, 2) is Agreement.NO


def test_other_columns_are_another_table() -> None:
    assert agreement([pd.DataFrame({"a": [1]})], pd.DataFrame({"b": [1]}), BACK) is Agreement.NO
