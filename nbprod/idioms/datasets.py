"""scikit-learn's own tables: their rows are the raw rows, what their columns and classes are called is learned.

Notebook: iris = load_iris()
Fit:      the raw rows as the loader gives them; keep the names of the features, and of the classes
Serve:    the same parts made of the rows at hand; the target is missing where they have none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom

if TYPE_CHECKING:
    import numpy as np

IDIOMS = (Idiom("dataset", "dataset"),)


def dataset(learned: Any, name: str, loader: Any, rows: Any, return_X_y: bool = False, as_frame: bool = False) -> Any:
    """What scikit-learn's `loader` gives, made of raw rows; None as loader for tables that are made up."""
    from sklearn.utils import Bunch

    whole = learned(name, lambda: dataset_names(loader))
    known = {key: value for key, value in whole.items() if key != "order"}
    data = rows[[column for column in rows.columns if column != "target"]]
    target = rows["target"] if "target" in rows.columns else np.full(len(rows), np.nan)
    if not as_frame:
        data, target = np.asarray(data.to_numpy(), order=whole.get("order")), np.asarray(target)
    if return_X_y:
        return data, target
    return Bunch(data=data, target=target, frame=rows if as_frame else None, **known)


def dataset_names(loader: Any) -> dict[str, Any]:
    """The names of features and classes as the loader itself has them, and the order that its array is added up in."""
    if loader is None:
        return {}
    whole = loader()
    names = {key: whole[key] for key in ("feature_names", "target_names") if key in whole}
    data = whole.get("data")
    return {**names, "order": "C"} if isinstance(data, np.ndarray) and not np.isfortran(data) else names
