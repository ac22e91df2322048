"""One-hot columns: the encoded columns and their categories are learned.

Notebook: df = pd.get_dummies(df, columns=["port"], drop_first=True)
Fit:      encode the training rows as the notebook does; keep the categories of each column that it encoded
Serve:    encode with those categories: a category that training did not see gives a row of zeros
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom

if TYPE_CHECKING:
    import pandas as pd

IDIOMS = (Idiom("get_dummies", "get_dummies"),)


def get_dummies(learned: Any, name: str, data: Any, *args: Any, **options: Any) -> pd.DataFrame:
    """`pd.get_dummies` with the columns and categories of the training rows."""
    names = ("prefix", "prefix_sep", "dummy_na", "columns", "sparse", "drop_first", "dtype")
    options = {**dict(zip(names, args)), **options}
    frame = data.to_frame(name="") if isinstance(data, pd.Series) else data
    if isinstance(data, pd.Series) and options.get("prefix") is None:
        options = {**options, "prefix": "", "prefix_sep": ""}

    def categories() -> dict[Any, Any]:
        columns = options.get("columns")
        if columns is None:
            columns = [] if isinstance(data, pd.Series) else frame.columns[[_is_text(frame[c].dtype) for c in frame]]
        if isinstance(data, pd.Series):
            columns = [""]
        return {column: pd.Categorical(frame[column]).categories.tolist() for column in columns}

    seen = learned(name, categories)
    fixed = frame.assign(**{c: pd.Categorical(frame[c], categories=v) for c, v in seen.items()})
    return pd.get_dummies(fixed, **{**options, "columns": list(seen)})


def _is_text(dtype: Any) -> bool:
    return dtype == object or isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(dtype)
