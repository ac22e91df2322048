"""The names under which a notebook keeps what it measured of its model."""

from __future__ import annotations

import pytest

from nbprod.api.outlining import analysis_of
from nbprod.plan.evaluated import measured_names
from tests.plan.test_stages import PREPARE, READ, TRAIN, notebook_of

MEASURING = "from sklearn.metrics import accuracy_score, classification_report\np = model.predict(X)\n"


@pytest.mark.parametrize(
    "cell, names",
    [
        pytest.param(MEASURING + "accuracy = accuracy_score(y, p)", ("accuracy",), id="a metric"),
        pytest.param("score = model.score(X, y)", ("score",), id="a score of the model"),
        pytest.param(MEASURING + "report = classification_report(y, p, output_dict=True)", ("report",), id="a report"),
        pytest.param(MEASURING + "error = 1 - accuracy_score(y, p)", ("error",), id="what is made of a metric"),
        pytest.param(MEASURING + "found = {'accuracy': accuracy_score(y, p)}", ("found",), id="a dict of metrics"),
        pytest.param("threshold = 0.5\nrows = len(X)\nlabel = 'test'", (), id="constants and counts are none"),
    ],
)
def test_names_of_what_was_measured(cell: str, names: tuple[str, ...]) -> None:
    notebook = notebook_of(READ, PREPARE, TRAIN, (cell, "evaluate"))
    assert measured_names(notebook, analysis_of(notebook)) == names


def test_what_another_cell_measures_is_no_metric_of_the_run() -> None:
    notebook = notebook_of(READ, PREPARE, TRAIN, ("score = model.score(X, y)", "explore"))
    assert measured_names(notebook, analysis_of(notebook)) == ()
