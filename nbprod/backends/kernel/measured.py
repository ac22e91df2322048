"""Numbers of a run: what the notebook has measured, its libraries' versions, and the memory that it took."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable
from typing import Any

MOST_METRICS = 200
DEEPEST = 3
LIBRARIES = {
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "skops": "skops",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "imblearn": "imbalanced-learn",
    "category_encoders": "category_encoders",
    "statsmodels": "statsmodels",
}


def versions(left_out: Iterable[str] = ()) -> dict[str, str]:
    """Versions of Python and of the libraries that the notebook has imported, by distribution."""
    found = {"python": platform.python_version()}
    for module, distribution in LIBRARIES.items():
        version = getattr(sys.modules.get(module), "__version__", None)
        if isinstance(version, str) and module not in left_out:
            found[distribution] = version
    return found


def metrics_in(space: dict[str, Any], names: Iterable[str]) -> dict[str, float]:
    """The numbers under these names of the notebook, those of a dict as `name.key`."""
    found: dict[str, float] = {}
    for name in names:
        if name in space:
            add_metrics(found, name, space[name], 0)
    return dict(list(found.items())[:MOST_METRICS])


def add_metrics(found: dict[str, float], name: str, value: Any, depth: int) -> None:
    """Add a number, or those within a dict."""
    if isinstance(value, dict) and depth < DEEPEST:
        for key, held in value.items():
            add_metrics(found, f"{name}.{key}", held, depth + 1)
    elif is_number(value) and float(value) - float(value) == 0:
        found[name] = float(value)


def is_number(value: Any) -> bool:
    """Whether a value is a number of Python's or NumPy's, and no truth value."""
    if type(value).__module__ == "numpy":
        return getattr(value, "ndim", None) == 0 and value.dtype.kind in "fiu"
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def peak_memory() -> int | None:
    """The most memory that this process has had, in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kibibytes, but bytes on macOS (getrusage(2)).
    return int(most) if sys.platform == "darwin" else int(most) * 1024
