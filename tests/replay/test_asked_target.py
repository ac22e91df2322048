"""A raw column that requests need and that says what the labels say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbprod.replay.runner.asked_target import check_target
from nbprod.replay.runner.outcome import Outcome

RAW = pd.DataFrame({"age": [20, 31, 44, 52, 27, 38], "left": ["no", "yes", "no", "no", "yes", "yes"]})
LABELS = np.array([0, 1, 0, 0, 1, 1])


def failed_of(labels: Any, positions: list[int], needed: list[str]) -> list[str]:
    """The names of the checks that fail, of rows found at these positions."""
    features = SimpleNamespace(target_columns=(), required_columns=lambda: needed)
    subject: Any = SimpleNamespace(served=SimpleNamespace(features=features), together=False, raw=RAW)
    match = SimpleNamespace(positions=np.array(positions))
    trained: Any = SimpleNamespace(call=SimpleNamespace(y=labels), match=match)
    outcome = Outcome()
    check_target(subject, trained, np.arange(len(RAW)), outcome)
    return [name for name, passed, _ in outcome.checks if not passed]


@pytest.mark.parametrize(
    "labels, positions, needed, found",
    [
        pytest.param(LABELS, [0, 1, 2, 3, 4, 5], ["age", "left"], True, id="each row has one"),
        pytest.param(np.column_stack([RAW["age"] * 3, LABELS]), list(range(6)), ["left"], True, id="two targets"),
        pytest.param(
            pd.DataFrame({"left": RAW["left"], "far": LABELS}), list(range(6)), ["left"], True, id="a table of targets"
        ),
        pytest.param([*LABELS, 1, 0], [0, 1, 2, 3, 4, 5, -1, -1], ["left"], True, id="rows that training made up"),
        pytest.param(LABELS, [0, 1, 2, 3, 4, 5], ["age"], False, id="a request that does not need it"),
        pytest.param([1, 0], [-1, -1], ["left"], False, id="no row is found again"),
    ],
)
def test_a_request_that_needs_what_labels_say(
    labels: Any, positions: list[int], needed: list[str], found: bool
) -> None:
    assert failed_of(labels, positions, needed) == (["what a request needs"] if found else [])
