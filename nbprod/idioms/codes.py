"""Integer codes for categories: the order of the categories is learned.

Notebook: df["port"] = df["port"].astype("category").cat.codes; codes, uniques = pd.factorize(df["port"])
Fit:      keep the categories in the order that the training rows give them
Serve:    the position of each value among them; -1 for what training did not see and for what is missing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom

if TYPE_CHECKING:
    import pandas as pd

IDIOMS = (
    Idiom("cat-codes", "category_codes", method=True, drop_attributes=1),
    Idiom("factorize", "factorize"),
)


def category_codes(learned: Any, name: str, values: pd.Series) -> pd.Series:
    """`values.cat.codes` with the categories of the training rows."""
    categories = learned(name, lambda: values.cat.categories)
    return pd.Series(pd.Categorical(values, categories=categories).codes, index=values.index)


def factorize(learned: Any, name: str, values: Any, **options: Any) -> tuple[Any, Any]:
    """`pd.factorize` with the uniques of the training rows."""
    uniques = learned(name, lambda: pd.Index(pd.factorize(values, **options)[1]))
    return uniques.get_indexer(values), uniques
