"""Scaling by a function instead of a fitted scaler: the statistics of each column are learned.

Notebook: X = scale(X); df["z"] = stats.zscore(df["fare"])
Fit:      scale as the notebook does; keep the centre and the width of each column
Serve:    the same arithmetic with those numbers, in the same order of operations
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom

if TYPE_CHECKING:
    import numpy as np

IDIOMS = (
    Idiom("scale", "scale"),
    Idiom("minmax_scale", "minmax_scale"),
    Idiom("robust_scale", "robust_scale"),
    Idiom("maxabs_scale", "maxabs_scale"),
    Idiom("zscore", "zscore"),
    Idiom("normalize-columns", "normalize_columns"),
)


def scale(
    learned: Any, name: str, X: Any, axis: int = 0, with_mean: bool = True, with_std: bool = True, **options: Any
) -> Any:
    """`sklearn.preprocessing.scale` with the means and deviations of the training rows."""
    from sklearn import preprocessing

    def statistics() -> dict[str, Any]:
        x = floats(X)
        found: dict[str, Any] = {"mean": [], "deviation": None, "rest": None}
        deviation = np.nanstd(x, axis=0)
        if with_mean:
            found["mean"].append(np.nanmean(x, axis=0).tolist())
            x = x - np.nanmean(x, axis=0)
            if not np.allclose(np.nanmean(x, axis=0), 0):  # as scale does where the mean's precision doesn't suffice
                found["mean"].append(np.nanmean(x, axis=0).tolist())
                x = x - np.nanmean(x, axis=0)
        if with_std:
            least = 10 * np.finfo(x.dtype).eps if x.ndim > 1 else np.nextafter(0, 1)
            deviation = np.where(deviation < least, 1.0, deviation)
            found["deviation"] = deviation.tolist()
            x = x / deviation.astype(x.dtype)
            if with_mean and not np.allclose(np.nanmean(x, axis=0), 0):
                found["rest"] = np.nanmean(x, axis=0).tolist()
        return found

    if axis != 0:
        return preprocessing.scale(X, axis=axis, with_mean=with_mean, with_std=with_std, **options)
    found = learned(name, statistics)
    if learned.fitting:
        return preprocessing.scale(X, with_mean=with_mean, with_std=with_std, **options)
    x = floats(X)
    for mean in found["mean"]:
        x = x - np.asarray(mean, x.dtype)
    if found["deviation"] is not None:
        x = x / np.asarray(found["deviation"], x.dtype)
    return x if found["rest"] is None else x - np.asarray(found["rest"], x.dtype)


def normalize_columns(learned: Any, name: str, X: Any, norm: str = "l2", axis: int = 0, **options: Any) -> Any:
    """`sklearn.preprocessing.normalize(axis=0)` with the norms of the columns of the training rows."""
    from sklearn import preprocessing

    def norms() -> Any:
        x = np.asarray(X, dtype=float)
        found = {"l1": np.abs(x).sum(axis=0), "max": np.abs(x).max(axis=0)}.get(norm)
        found = np.sqrt(np.einsum("ij,ij->j", x, x)) if found is None else found
        return np.where(found == 0, 1.0, found).tolist()

    learnt = learned(name, norms)
    if learned.fitting:
        return preprocessing.normalize(X, norm=norm, axis=axis, **options)
    return np.asarray(X, dtype=float) / np.asarray(learnt)


def minmax_scale(learned: Any, name: str, X: Any, feature_range: Any = (0, 1), axis: int = 0, **options: Any) -> Any:
    """`sklearn.preprocessing.minmax_scale` with the least and greatest values of the training rows."""
    from sklearn import preprocessing

    def factors() -> dict[str, Any]:
        scaler = preprocessing.MinMaxScaler(feature_range=feature_range).fit(as_table(floats(X)))
        return {"factor": scaler.scale_.tolist(), "shift": scaler.min_.tolist()}

    if axis != 0:
        return preprocessing.minmax_scale(X, feature_range, axis=axis, **options)
    found = learned(name, factors)
    if learned.fitting:
        return preprocessing.minmax_scale(X, feature_range, **options)
    x = floats(X)
    made = as_table(x) * np.asarray(found["factor"], x.dtype)
    return (made + np.asarray(found["shift"], x.dtype)).reshape(x.shape)


def robust_scale(
    learned: Any,
    name: str,
    X: Any,
    axis: int = 0,
    with_centering: bool = True,
    with_scaling: bool = True,
    quantile_range: Any = (25.0, 75.0),
    unit_variance: bool = False,
    **options: Any,
) -> Any:
    """`sklearn.preprocessing.robust_scale` with the medians and ranges of the training rows."""
    from sklearn import preprocessing

    chosen: dict[str, Any] = {
        "with_centering": with_centering,
        "with_scaling": with_scaling,
        "quantile_range": quantile_range,
        "unit_variance": unit_variance,
    }

    def statistics() -> dict[str, Any]:
        scaler = preprocessing.RobustScaler(**chosen).fit(as_table(floats(X)))
        return {
            "centre": scaler.center_.tolist() if with_centering else None,
            "width": scaler.scale_.tolist() if with_scaling else None,
        }

    if axis != 0:
        return preprocessing.robust_scale(X, axis=axis, **chosen, **options)
    found = learned(name, statistics)
    if learned.fitting:
        return preprocessing.robust_scale(X, **chosen, **options)
    x = floats(X)
    made = as_table(x)
    if found["centre"] is not None:
        made = made - np.asarray(found["centre"], x.dtype)
    if found["width"] is not None:
        made = made / np.asarray(found["width"], x.dtype)
    return made.reshape(x.shape)


def maxabs_scale(learned: Any, name: str, X: Any, axis: int = 0, **options: Any) -> Any:
    """`sklearn.preprocessing.maxabs_scale` with the greatest absolute values of the training rows."""
    from sklearn import preprocessing

    if axis != 0:
        return preprocessing.maxabs_scale(X, axis=axis, **options)
    widths = learned(name, lambda: preprocessing.MaxAbsScaler().fit(as_table(floats(X))).scale_.tolist())
    if learned.fitting:
        return preprocessing.maxabs_scale(X, **options)
    x = floats(X)
    return (as_table(x) / np.asarray(widths, x.dtype)).reshape(x.shape)


def zscore(learned: Any, name: str, a: Any, axis: Any = 0, ddof: int = 0, nan_policy: str = "propagate") -> Any:
    """`scipy.stats.zscore` with the mean and deviation of the training rows."""
    from scipy import stats

    def statistics() -> dict[str, Any]:
        x = floats(a)
        omit = nan_policy == "omit"
        mean = (np.nanmean if omit else np.mean)(x, axis=axis)
        deviation = np.sqrt((np.nanvar if omit else np.var)(x, axis=axis, ddof=ddof))
        constant = deviation <= np.abs(np.finfo(x.dtype).eps * mean)
        # An older SciPy gives a series for a series, a newer one an array.
        labelled = hasattr(stats.zscore(a, axis=axis, ddof=ddof, nan_policy=nan_policy), "iloc")
        deviation = np.where(constant, np.nan, deviation)
        return {"mean": mean.tolist(), "deviation": deviation.tolist(), "labelled": labelled}

    if axis not in (0, None):
        return stats.zscore(a, axis=axis, ddof=ddof, nan_policy=nan_policy)
    found = learned(name, statistics)
    if learned.fitting:
        return stats.zscore(a, axis=axis, ddof=ddof, nan_policy=nan_policy)
    x = a if found["labelled"] else floats(a)
    dtype = floats(a).dtype
    return (x - np.asarray(found["mean"], dtype)) / np.asarray(found["deviation"], dtype)


def floats(values: Any) -> np.ndarray[Any, Any]:
    """Values as an array of floats, as precise as they are."""
    if hasattr(values, "tocsr"):
        raise TypeError("a sparse matrix is scaled row by row only by a fitted scaler, such as MaxAbsScaler")
    array = np.asarray(values)
    return array if array.dtype.kind == "f" else np.asarray(values, dtype=float)


def as_table(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """One column as a table of one column."""
    return values.reshape(-1, 1) if values.ndim == 1 else values
