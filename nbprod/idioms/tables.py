"""Tables put one below the other: in serving the rows at hand stand for the whole.

Notebook: full = pd.concat([train, test]); full = train.append(test)
Fit:      the whole table; keep its columns, their order and their kinds
Serve:    the rows at hand with those columns in those kinds; a column that they lack is missing in them
"""

from __future__ import annotations

from typing import Any

from nbprod.idiom import Idiom

IDIOMS = (Idiom("concat", "together"),)


def together(learned: Any, name: str, make: Any, rows: Any) -> Any:
    """What `make` puts together in fit; later on `rows`, as they would come out of that."""
    whole: Any = make() if learned.fitting else None
    like = learned(name, lambda: whole.iloc[:0].reset_index(drop=True))
    return in_kinds_of(rows, like) if whole is None else whole


def in_kinds_of(rows: Any, like: Any) -> Any:
    """The rows (a frame or a series) with the columns of `like`, each in its kind where the values allow it."""
    if like.ndim == 1:
        return in_kind(rows, like.dtype).rename(like.name)
    made = rows.reindex(columns=like.columns)
    for column, kind in like.dtypes.items():
        made[column] = in_kind(made[column], kind)
    return made


def in_kind(values: Any, kind: Any) -> Any:
    """A column in another kind; as it is where whole numbers or truth values are wanted and some are missing."""
    if values.dtype == kind or (getattr(kind, "kind", "O") in "iub" and values.isna().any()):
        return values
    return values.astype(kind)
