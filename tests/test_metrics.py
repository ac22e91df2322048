"""`nbprod.metric`: what it shows, what it gives back, and what it refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import nbprod
from nbprod.metrics import MIME


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a notebook would be shown."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    monkeypatch.setattr("IPython.display.publish_display_data", found.append)
    return found


@pytest.mark.parametrize(
    "value, told, text",
    [
        pytest.param(0.91234567, 0.91234567, "auc = 0.912346", id="a float"),
        pytest.param(3, 3.0, "auc = 3", id="a whole number"),
        pytest.param(np.float32(0.5), 0.5, "auc = 0.5", id="a number of NumPy's"),
        pytest.param(Decimal("0.25"), 0.25, "auc = 0.25", id="what float takes"),
        pytest.param(float("nan"), None, "auc = nan", id="no number at all is shown and not recorded"),
    ],
)
def test_a_metric_is_shown_and_given_back(
    published: list[dict[str, Any]], value: Any, told: float | None, text: str
) -> None:
    assert nbprod.metric("auc", value) is value
    assert published == [{MIME: {"name": "auc", "value": told}, "text/plain": text}]


@pytest.mark.parametrize("value", ["0.9", True, [0.9], None, np.array([1.0, 2.0])])
def test_what_is_no_number_is_refused(published: list[dict[str, Any]], value: Any) -> None:
    with pytest.raises(TypeError, match="'auc' is a number"):
        nbprod.metric("auc", value)
    assert published == []


def test_a_metric_has_a_name() -> None:
    with pytest.raises(ValueError, match="has a name"):
        nbprod.metric(" ", 1)


def test_outside_of_a_notebook_it_gives_the_value_back() -> None:
    assert nbprod.metric("auc", 0.9) == 0.9
