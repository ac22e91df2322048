"""Which raw rows the notebook held out, found by what it gave its model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from nbprod.replay.runner.held_out import held_out_rows, sets_held_out
from nbprod.replay.runner.matrix import matrix_of
from nbprod.replay.runner.subject import Call, Captures

ROWS = pd.DataFrame(
    {"x": [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 5.0], "y": ["no", "yes", "no", "yes", "no", "no", "yes", "no"]},
    index=list("abcdefgh"),
)


class Subject:
    """A package whose features are the column `x` and whose labels are the column `y`, in place of an exported one."""

    together = False

    def __init__(self, fit: Call, predicts: list[Call], raw: pd.DataFrame = ROWS) -> None:
        self.captures = Captures((raw,), None, fit, tuple(predicts))
        self.raw = raw
        self.served = self

    def serve(self, frame: pd.DataFrame) -> Any:
        if frame["x"].isna().any():
            raise ValueError("x is missing")
        return matrix_of(frame[["x"]].to_numpy())

    def labels(self, frame: pd.DataFrame) -> Any:
        return frame["y"].map({"no": 0, "yes": 1})


def call(rows: str, form: str = "array", *, labelled: bool = True, method: str = "fit") -> Call:
    """A call that was given these rows, by letter, in one of the forms that a matrix has."""
    frame = ROWS.loc[list(rows)]
    labels = frame["y"].map({"no": 0, "yes": 1}).to_numpy() if labelled else None
    kept = {
        "frame": frame[["x"]],
        "array": frame[["x"]].to_numpy(),
        "sparse": csr_matrix(frame[["x"]].to_numpy()),
        "renumbered": frame[["x"]].reset_index(drop=True),
    }
    return Call(0, 1, method, kept[form], labels, None, None)


def predicted(rows: str, form: str = "array", *, labelled: bool = False) -> Call:
    return call(rows, form, labelled=labelled, method="score" if labelled else "predict")


@pytest.mark.parametrize("form", ["frame", "array", "sparse", "renumbered"])
@pytest.mark.parametrize(
    "trained, asked, expected",
    [
        pytest.param("acegh", "bdf", "bdf", id="equal features with other labels"),
        pytest.param("bdfgh", "eca", "eca", id="in another order"),
        pytest.param("bbbdfgh", "ace", "ace", id="training repeats rows"),
    ],
)
def test_rows_with_equal_features_are_told_apart_by_their_labels(
    trained: str, asked: str, expected: str, form: str
) -> None:
    found = ROWS.iloc[held_out_rows(Subject(call(trained, form), [predicted(asked, form)]))]  # type: ignore[arg-type]
    # e and f are equal in everything: either stands for the other.
    assert "".join(found.index).replace("f", "e") == expected.replace("f", "e")


@pytest.mark.parametrize(
    "predicts, expected",
    [
        pytest.param([predicted("bd"), predicted("h")], "h", id="the last prediction"),
        pytest.param([predicted("bd"), predicted("aceg")], "bd", id="none of what it was trained on"),
        pytest.param([predicted("bd"), predicted("bbdd")], "bd", id="no row more than once"),
        pytest.param([predicted("bd", labelled=True)], "bd", id="scored with labels"),
        pytest.param([predicted("acegbdfh")], None, id="everything"),
        pytest.param([], None, id="nothing predicted"),
    ],
)
def test_the_rows_are_those_of(predicts: list[Call], expected: str | None) -> None:
    found = held_out_rows(Subject(call("aceg"), predicts))  # type: ignore[arg-type]
    assert (None if found is None else "".join(ROWS.index[found])) == expected


def test_labels_that_the_package_makes_otherwise_leave_the_features_to_decide() -> None:
    fit = call("aceg")
    other = Call(0, 1, "fit", fit.X, np.array([0.5, 1.5, 2.5, 3.5]), None, None)
    found = held_out_rows(Subject(other, [predicted("bdh")]))  # type: ignore[arg-type]
    assert ROWS["x"].iloc[found].tolist() == [1.0, 2.0, 5.0]


def test_rows_that_can_not_be_served_are_passed_over() -> None:
    raw = pd.concat([ROWS, pd.DataFrame({"x": [np.nan], "y": ["no"]}, index=["z"])])
    found = held_out_rows(Subject(call("aceg"), [predicted("bdh")], raw))  # type: ignore[arg-type]
    assert "".join(raw.index[found]) == "bdh"


def test_each_set_that_was_held_out_is_found_once() -> None:
    calls = [predicted(rows, labelled=True) for rows in ("bd", "eca", "bd", "gh", "hg")]
    sets = sets_held_out(Subject(call("f"), calls))  # type: ignore[arg-type]
    assert ["".join(sorted(ROWS.iloc[at].index)).replace("f", "e") for at in sets] == ["gh", "bd", "ace"]
