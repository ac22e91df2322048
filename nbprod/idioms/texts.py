"""Columns made of text: how many columns, and which, is learned.

Notebook: df["tags"].str.get_dummies("|"); df["name"].str.split(" ", expand=True)
Fit:      make the columns as the notebook does; keep the tags, or the number of columns
Serve:    the same columns for each row: tags that training did not see are left out, as are parts beyond the last
          column; a row with fewer parts is missing in the rest
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom
from nbprod.idioms.learned_values import listed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

IDIOMS = (
    Idiom("str-get_dummies", "str_get_dummies", method=True, drop_attributes=1),
    Idiom("str-split", "str_split", method=True, drop_attributes=1),
    Idiom("str-rsplit", "str_rsplit", method=True, drop_attributes=1),
    Idiom("str-partition", "str_partition", method=True, drop_attributes=1),
    Idiom("str-rpartition", "str_rpartition", method=True, drop_attributes=1),
)


def str_get_dummies(learned: Any, name: str, values: pd.Series, sep: str = "|", **options: Any) -> pd.DataFrame:
    """`values.str.get_dummies` with the tags of the training rows."""
    tags = learned(name, lambda: listed(values.str.get_dummies(sep, **options).columns))
    if learned.fitting:
        return values.str.get_dummies(sep, **options)
    padded = [sep + ("" if pd.isna(value) else str(value)) + sep for value in values]
    made = [[sep + tag + sep in text for tag in tags] for text in padded]
    found = np.array(made, dtype=bool).reshape(len(padded), len(tags))
    return pd.DataFrame(found, index=values.index, columns=tags).astype(options.get("dtype") or "int64")


def str_split(learned: Any, name: str, values: pd.Series, *args: Any, **options: Any) -> Any:
    """`values.str.split(expand=True)` into as many columns as the training rows need."""
    return parts_of_text(learned, name, values, values.str.split(*args, **options))


def str_rsplit(learned: Any, name: str, values: pd.Series, *args: Any, **options: Any) -> Any:
    """`values.str.rsplit(expand=True)` into as many columns as the training rows need."""
    return parts_of_text(learned, name, values, values.str.rsplit(*args, **options))


def str_partition(learned: Any, name: str, values: pd.Series, *args: Any, **options: Any) -> Any:
    """`values.str.partition` into three columns."""
    return parts_of_text(learned, name, values, values.str.partition(*args, **options))


def str_rpartition(learned: Any, name: str, values: pd.Series, *args: Any, **options: Any) -> Any:
    """`values.str.rpartition` into three columns."""
    return parts_of_text(learned, name, values, values.str.rpartition(*args, **options))


def parts_of_text(learned: Any, name: str, values: pd.Series, parts: Any) -> Any:
    """The parts of each text in as many columns as the training rows have; lists of parts stay as they are."""
    dtypes = learned(name, lambda: [str(dtype) for dtype in parts.dtypes] if isinstance(parts, pd.DataFrame) else [])
    if learned.fitting or not isinstance(parts, pd.DataFrame):
        return parts
    made = {}
    for column, dtype in enumerate(dtypes):
        if column in parts:
            made[column] = parts[column].astype(dtype)
        else:
            absent = [value if pd.isna(value) else None for value in values]
            made[column] = pd.Series(absent, index=values.index, dtype=object).astype(dtype)
    return pd.DataFrame(made, index=values.index, columns=range(len(dtypes)))
