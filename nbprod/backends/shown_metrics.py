"""Metrics in the outputs of an executed notebook: those of `nbprod.metric`, and those of scikit-learn's own report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nbprod.metrics import MIME
from nbprod.notebook.outputs import NUMBER

# The report of sklearn.metrics.classification_report: a head, a row for each class, and rows of averages behind them.
HEAD = re.compile(r"^ *precision +recall +f1-score +support *$", re.MULTILINE)
COLUMNS = ("precision", "recall", "f1-score")
AVERAGE = re.compile(
    rf"^ *(macro avg|micro avg|weighted avg|samples avg) +({NUMBER}) +({NUMBER}) +({NUMBER}) +\d+", re.MULTILINE
)
ACCURACY = re.compile(rf"^ *accuracy +({NUMBER}) +\d+ *$", re.MULTILINE)


def shown_metrics(document: Any) -> dict[str, float]:
    """Metrics by name, as the last cell that shows them has them. A report's averages go by `macro avg.f1-score`."""
    printed: dict[str, float] = {}
    recorded: dict[str, float] = {}
    for cell in document.cells:
        for output in cell.get("outputs", ()):
            data: Mapping[str, Any] = output.get("data") or {}
            told = data.get(MIME)
            if isinstance(told, Mapping) and isinstance(told.get("value"), int | float):
                recorded[str(told["name"])] = float(told["value"])
            printed.update(_of_report(str(output.get("text") or data.get("text/plain") or "")))
    return printed | recorded


def _of_report(text: str) -> dict[str, float]:
    if "f1-score" not in text or not HEAD.search(text):
        return {}
    found = {}
    for name, *numbers in AVERAGE.findall(text):
        found.update({f"{name}.{what}": float(one) for what, one in zip(COLUMNS, numbers, strict=True)})
    accuracy = ACCURACY.search(text)
    return found | ({} if accuracy is None else {"accuracy": float(accuracy[1])})
