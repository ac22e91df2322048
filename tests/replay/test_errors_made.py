"""Errors of each kind of a model, or why they can't be counted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nbprod.replay.runner.errors_made import errors_made

TWO = np.array(["no", "yes"])


def side(classes: Any, truth: list[Any], said: list[Any]) -> Any:
    return SimpleNamespace(
        model=SimpleNamespace(classes_=classes), truth=np.array(truth), answers=lambda _method: np.array(said)
    )


@pytest.mark.parametrize(
    "classes, truth, said, told",
    [
        pytest.param(
            TWO, ["yes", "yes", "yes", "no", "no"], ["yes", "no", "no", "yes", "no"],
            {"of": "yes", "rows": 5, "positives": 3, "missed": 2, "false_alarm": 1}, id="both kinds",
        ),
        pytest.param(
            np.array([0, 1]), [[1], [0]], [1, 0],
            {"of": "1", "rows": 2, "positives": 1, "missed": 0, "false_alarm": 0}, id="labels as a column",
        ),
        pytest.param(
            np.array([False, True]), [True, False], [False, False],
            {"of": "True", "rows": 2, "positives": 1, "missed": 1, "false_alarm": 0}, id="truth values",
        ),
        pytest.param(
            np.array([0, 1, 2]), [1, 0], [1, 0],
            {"reason": "the model does not decide between two classes"}, id="three classes",
        ),
        pytest.param(
            None, [1.5], [1.0], {"reason": "the model does not decide between two classes"}, id="a number",
        ),
        pytest.param(
            TWO, ["yes", "perhaps"], ["yes", "no"],
            {"reason": "some true labels are no classes of the model"}, id="labels that it does not know",
        ),
        pytest.param(
            TWO, ["yes", "no"], [["yes", "no"], ["no", "no"]],
            {"reason": "the predictions are not one for each row"}, id="several answers to a row",
        ),
    ],
)  # fmt: skip
def test_errors_are_counted_by_kind(classes: Any, truth: list[Any], said: list[Any], told: dict[str, Any]) -> None:
    assert errors_made(side(classes, truth, said)) == told
