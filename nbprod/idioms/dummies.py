"""One-hot columns: the encoded columns and their categories are learned.

Notebook: df = pd.get_dummies(df, columns=["port"], drop_first=True)
Fit:      encode the training rows as the notebook does; keep the categories of each column that it encoded
Serve:    encode with those categories, so that one row has all the columns; a category that training did not see
          gives zeros, also in the column for what is missing (`dummy_na`)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom
from nbprod.idioms.learned_values import listed

if TYPE_CHECKING:
    import pandas as pd

IDIOMS = (Idiom("get_dummies", "get_dummies"),)


def get_dummies(
    learned: Any,
    name: str,
    data: Any,
    prefix: Any = None,
    prefix_sep: Any = "_",
    dummy_na: bool = False,
    columns: Any = None,
    sparse: bool = False,
    drop_first: bool = False,
    dtype: Any = None,
) -> pd.DataFrame:
    """`pd.get_dummies` with the columns and categories of the training rows."""
    encode: dict[str, Any] = {"dummy_na": dummy_na, "sparse": sparse, "drop_first": drop_first, "dtype": dtype}
    if not isinstance(data, pd.DataFrame):
        categories = learned(name, lambda: categories_of(data))
        if learned.fitting:
            made = pd.get_dummies(data, prefix=prefix, prefix_sep=prefix_sep, **encode)
        else:
            made = dummies_of(data, categories, prefix=prefix, prefix_sep=prefix_sep, **encode)
        made.columns = pd.Index(learned(f"{name}_columns", lambda: listed(made.columns)))
        return made

    def categories_by_column() -> dict[Any, Any]:
        encoded = data[columns] if columns is not None else data.select_dtypes(["object", "string", "category"])
        if not encoded.columns.is_unique:
            raise TypeError(f"get_dummies encodes two columns of one name: {encoded.columns.tolist()}")
        return {column: categories_of(encoded[column]) for column in encoded}

    by_column = learned(name, categories_by_column)
    if learned.fitting:
        whole = pd.get_dummies(data, prefix=prefix, prefix_sep=prefix_sep, columns=columns, **encode)
        learned(f"{name}_columns", lambda: listed(whole.columns))
        return whole
    blocks = [data.drop(columns=list(by_column))] if len(by_column) < data.shape[1] else []
    for place, (column, categories) in enumerate(by_column.items()):
        before, between = (
            part[column] if isinstance(part, dict) else part if isinstance(part, str) else list(part)[place]
            for part in (list(by_column) if prefix is None else prefix, prefix_sep)
        )
        blocks.append(dummies_of(data[column], categories, prefix=before, prefix_sep=between, **encode))
    whole = pd.concat(blocks, axis=1) if blocks else data.copy()
    whole.columns = pd.Index(learned(f"{name}_columns", lambda: whole.columns))
    return whole


def categories_of(values: Any) -> Any:
    """The categories of values in the order in which pandas encodes them."""
    return listed(pd.Categorical(values).categories)


def dummies_of(values: Any, categories: Any, dummy_na: bool = False, **options: Any) -> pd.DataFrame:
    """`pd.get_dummies` of one column with given categories."""
    fixed = pd.Series(pd.Categorical(values, categories=categories), index=getattr(values, "index", None))
    made = pd.get_dummies(fixed, dummy_na=dummy_na, **options)
    if dummy_na and made.shape[1]:
        missing = pd.Series(pd.isna(values), index=made.index)
        made.isetitem(made.shape[1] - 1, missing.astype(made.dtypes.iloc[-1]))
    return made
