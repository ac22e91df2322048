"""Metrics in the outputs of an executed notebook."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nbformat import v4
from sklearn.metrics import classification_report

from nbprod.backends.shown_metrics import shown_metrics
from nbprod.metrics import MIME

ACTUAL, PREDICTED = [0, 0, 1, 1, 1, 0, 1], [0, 1, 1, 1, 0, 0, 1]


def shown(*outputs: Any) -> dict[str, float]:
    return shown_metrics(v4.new_notebook(cells=[v4.new_code_cell("", outputs=[one]) for one in outputs]))


def stream(text: str) -> Any:
    return v4.new_output("stream", text=text)


def recorded(name: str, value: float | None) -> Any:
    return v4.new_output("display_data", data={MIME: {"name": name, "value": value}, "text/plain": "x"})


def test_the_last_metric_of_a_name_counts_and_one_that_is_no_number_does_not() -> None:
    assert shown(recorded("auc", 0.5), recorded("auc", 0.75), recorded("loss", None)) == {"auc": 0.75}


@pytest.mark.parametrize("options", [{}, {"digits": 4}, {"target_names": ["left and gone", "stayed"]}])
def test_a_report_of_scikit_learn_is_read_as_it_prints_it(options: dict[str, Any]) -> None:
    text = classification_report(ACTUAL, PREDICTED, **options)
    whole: Any = classification_report(ACTUAL, PREDICTED, output_dict=True)
    found = shown(stream("the report:\n" + text + "\nend"))
    digits = options.get("digits", 2)
    expected = {
        f"{name}.{what}": round(whole[name][what], digits)
        for name in ("macro avg", "weighted avg")
        for what in ("precision", "recall", "f1-score")
    }
    assert found == pytest.approx({**expected, "accuracy": round(whole["accuracy"], digits)})


def test_a_report_without_accuracy_has_micro_averages() -> None:
    text = classification_report(np.array([[1, 0], [1, 1]]), np.array([[1, 1], [0, 1]]), zero_division=0)
    found = shown(stream(text))
    assert "accuracy" not in found
    assert {name.partition(".")[0] for name in found} == {"micro avg", "macro avg", "weighted avg", "samples avg"}


@pytest.mark.parametrize("text", ["accuracy 0.9 10", "f1-score is a word", "   accuracy      0.90      10\n"])
def test_other_text_is_no_report(text: str) -> None:
    assert shown(stream(text)) == {}


def test_what_the_notebook_records_itself_counts_more_than_what_it_prints() -> None:
    assert shown(recorded("accuracy", 0.123), stream(classification_report(ACTUAL, PREDICTED)))["accuracy"] == 0.123
