"""Integer codes for categories: the order of the categories is learned.

Notebook: df["port"] = df["port"].astype("category").cat.codes; pd.Categorical(df["port"]).codes;
          codes, uniques = pd.factorize(df["port"])
Fit:      encode as the notebook does; keep the categories in the order that the training rows give them
Serve:    the position of each value among them; -1 for what training did not see and for what is missing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom
from nbprod.idioms.learned_values import listed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

IDIOMS = (
    Idiom("cat-codes", "category_codes", method=True, drop_attributes=1),
    Idiom("categorical-codes", "codes_of_categorical", method=True),
    Idiom("factorize", "factorize"),
    Idiom("series-factorize", "factorize", method=True),
)


def category_codes(learned: Any, name: str, values: pd.Series) -> pd.Series:
    """`values.cat.codes` with the categories of the training rows."""
    categories = learned(name, lambda: listed(values.cat.categories))
    if learned.fitting:
        return values.cat.codes
    return pd.Series(pd.Categorical(values, categories=categories).codes, index=values.index)


def codes_of_categorical(learned: Any, name: str, values: pd.Categorical) -> Any:
    """`pd.Categorical(…).codes` with the categories of the training rows."""
    categories = learned(name, lambda: listed(values.categories))
    return values.codes if learned.fitting else pd.Categorical(values, categories=categories).codes


def factorize(
    learned: Any, name: str, values: Any, sort: bool = False, use_na_sentinel: bool = True, **options: Any
) -> tuple[Any, Any]:
    """`pd.factorize` with the uniques of the training rows."""
    codes, uniques = pd.factorize(values, sort=sort, use_na_sentinel=use_na_sentinel, **options)
    uniques = learned(name, lambda: uniques)
    if learned.fitting:
        return codes, uniques
    known = pd.Index(uniques)
    asked = pd.Index(values)
    codes = known.get_indexer(asked)
    places = np.flatnonzero(known.isna())
    missing = asked.isna()
    codes[missing] = -1 if use_na_sentinel or not len(places) else places[0]
    return codes, uniques
