"""What is told of an exception that ended a run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from nbprod.backends.failures import cell_failed
from nbprod.model.notebook import Cell, Notebook

FITS = """
All the 5 fits failed.
It is very likely that your model is misconfigured.

Below are more details about the failures:
Traceback (most recent call last):
  File "validation.py", line 850, in _fit_and_score
sklearn.utils._param_validation.InvalidParameterError: The 'random_state' parameter must be an int. Got '42' instead.
"""


@pytest.mark.parametrize(
    "value, told",
    [
        pytest.param("no entry", "cell 0 raised ValueError: no entry", id="one line"),
        pytest.param("", "cell 0 raised ValueError", id="no words"),
        pytest.param("\n first \nsecond\n", "cell 0 raised ValueError: first", id="more words, and no exception"),
        pytest.param(
            FITS,
            "cell 0 raised ValueError: All the 5 fits failed. "
            "(InvalidParameterError: The 'random_state' parameter must be an int. Got '42' instead.)",
            id="an exception that is quoted at the end",
        ),
    ],
)
def test_an_exception_is_told_with_the_one_that_it_quotes(value: str, told: str) -> None:
    notebook = Notebook("a.ipynb", "ipynb", (Cell(0, "c0", "x", "x"),))
    failure = SimpleNamespace(kind="cell", source="x", name="ValueError", value=value, traceback="")

    assert cell_failed(notebook, 0, failure, Path("done.ipynb")).message == told
