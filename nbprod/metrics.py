"""`nbprod.metric("auc", 0.91)`: a number that a run records, kept in the notebook's own output."""

from __future__ import annotations

import math
from typing import TypeVar

MIME = "application/vnd.nbprod.metric+json"
N = TypeVar("N")


def metric(name: str, value: N) -> N:
    """Record a metric of the run, and give `value` back; outside of a notebook it does nothing.

    `value` is a number (Python's, NumPy's, or anything that `float` takes and that is no text). It is shown as
    `auc = 0.91`, and stands in the cell's output, where `nbprod run` and any other tool find it under the type
    `application/vnd.nbprod.metric+json`. A name that is recorded twice counts as recorded last. Raises TypeError for a
    value that is no number, and ValueError for an empty name.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError("a metric has a name, such as nbprod.metric('auc', 0.91)")
    if isinstance(value, (str, bytes, bool)):
        raise TypeError(f"the metric {name!r} is a number, and {value!r} is none")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(f"the metric {name!r} is a number, and a {type(value).__name__} is none") from None
    told = number if math.isfinite(number) else None
    try:
        from IPython import get_ipython
        from IPython.display import publish_display_data
    except ImportError:
        return value
    if get_ipython() is not None:
        shown = {MIME: {"name": name, "value": told}, "text/plain": f"{name} = {number:.6g}"}
        publish_display_data(shown)  # type: ignore[no-untyped-call]
    return value
