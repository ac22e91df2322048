"""How a fitted version answers one row: without pandas, or through its own code, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbprod import versions


def one_row(folder: Path) -> dict[str, Any] | None:
    """What the fit of a version says of its compiled form; None for a version that is not fitted, or was without one.

    `compiled` of `features` are made without pandas, the others are `left` with the reason and the line of features.py.
    `rows` of `of_rows`, and `edges`, were held against the package's own code. `written` says whether there is such a
    form, `model` why the model itself is asked with what it makes, `differs` how it parted from the package's own code.
    """
    # None where it is not fitted, or damaged, which loading tells.
    told = (versions.read_object(folder / "state" / "fitted.json") or {}).get("one_row")
    return told if isinstance(told, dict) else None


def one_row_text(told: dict[str, Any]) -> str:
    """The same in one line."""
    if told["left"]:
        first, *_ = told["left"]
        place = f"line {first['line']} of features.py: " if first["line"] else ""
        count = f"{told['compiled']} of {told['features']} features are compiled"
        return f"with pandas: {count}, {first['name']} is not ({place}{first['reason']})"
    if told["differs"]:
        return f"with pandas: the compiled form does not answer as features.py does ({told['differs']})"
    if not told["written"]:
        return f"with pandas: {told['model']}"
    asked = f" ({told['model']})" if told["model"] else ""
    made = f"without pandas{asked}, equal on {told['rows']:,} rows and {told['edges']:,} edge cases"
    left = told["of_rows"] - told["rows"]
    return f"{made}; with pandas for the other {left:,}" if left else made
