"""Transforms towards a normal or uniform distribution by a function: their parameters are learned.

Notebook: df["fare"], fare_lambda = stats.boxcox(df["fare"] + 1)
Fit:      transform as the notebook does; keep lambda, or the fitted transformer that scikit-learn's function uses
Serve:    transform each row with it; what Box-Cox is not defined for is missing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom

if TYPE_CHECKING:
    import numpy as np

IDIOMS = (
    Idiom("boxcox", "boxcox"),
    Idiom("yeojohnson", "yeojohnson"),
    Idiom("power_transform", "power_transform"),
    Idiom("quantile_transform", "quantile_transform"),
)


def boxcox(learned: Any, name: str, x: Any, lmbda: Any = None, alpha: Any = None, optimizer: Any = None) -> Any:
    """`scipy.stats.boxcox` with the lambda of the training rows."""
    from scipy import special, stats

    if lmbda is not None:
        return special.boxcox(np.asarray(x), lmbda)
    found = learned(name, lambda: [float_or_pair(part) for part in stats.boxcox(x, None, alpha, optimizer)[1:]])
    if learned.fitting:
        return stats.boxcox(x, None, alpha, optimizer)
    return (special.boxcox(np.asarray(x, dtype=float), found[0]), *found)


def yeojohnson(learned: Any, name: str, x: Any, lmbda: Any = None) -> Any:
    """`scipy.stats.yeojohnson` with the lambda of the training rows."""
    from scipy import stats

    if lmbda is not None:
        return stats.yeojohnson(x, lmbda)
    found = learned(name, lambda: float(stats.yeojohnson(x)[1]))
    if learned.fitting:
        return stats.yeojohnson(x)
    return stats.yeojohnson(np.asarray(x, dtype=float), found), found


def power_transform(learned: Any, name: str, X: Any, method: str = "yeo-johnson", **options: Any) -> Any:
    """`sklearn.preprocessing.power_transform` as fitted to the training rows."""
    from sklearn.preprocessing import PowerTransformer

    return learned.fit_transform(name, PowerTransformer(method=method, **options), X)


def quantile_transform(learned: Any, name: str, X: Any, axis: int = 0, **options: Any) -> Any:
    """`sklearn.preprocessing.quantile_transform` as fitted to the training rows."""
    from sklearn.preprocessing import QuantileTransformer
    from sklearn.preprocessing import quantile_transform as transform_rows

    if axis != 0:
        return transform_rows(X, axis=axis, **options)
    return learned.fit_transform(name, QuantileTransformer(**options), X)


def float_or_pair(value: Any) -> Any:
    """A number, or the two ends of an interval, as plain floats."""
    return tuple(float(part) for part in value) if isinstance(value, tuple) else float(value)
