"""A second table joined to the rows by a key: the table is learned, and each row is looked up in it.

Notebook: sales = sales.merge(stores, on="store", how="left")
          sales = pd.merge(sales, stores, on="store")
          sales = sales.join(stores.set_index("store"), on="store")
Fit:      join as the notebook does; keep the table, in which each key may stand once
Serve:    look up the row's key; a row that has no row in the table keeps its place, with gaps in the table's columns,
          also where the notebook's inner join left such rows out of the training
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom

if TYPE_CHECKING:
    import pandas as pd

IDIOMS = (Idiom("merge", "merge_lookup"), Idiom("join", "join_lookup"))


def merge_lookup(
    learned: Any,
    name: str,
    rows: pd.DataFrame,
    table: Any,
    how: str = "inner",
    on: Any = None,
    left_on: Any = None,
    right_on: Any = None,
    left_index: bool = False,
    right_index: bool = False,
    *args: Any,
    first: bool = False,
    **options: Any,
) -> pd.DataFrame:
    """`rows.merge(table(), …)` with the table of the training; `first` says that the table is the left one.

    A table that is learned already, of other data than the rows, is given as it is.
    """
    found = learned(name, table) if callable(table) else table
    left, right = (found, rows) if first else (rows, found)
    named = {"on": on, "left_on": left_on, "right_on": right_on, "left_index": left_index, "right_index": right_index}
    options.update((("sort", "suffixes")[place], value) for place, value in enumerate(args))
    if learned.fitting:
        shared = [column for column in left.columns if column in right.columns]
        keys = [
            keys_of(side, None if by_index else by or on or shared)
            for side, by, by_index in ((left, left_on, left_index), (right, right_on, right_index))
        ]
        alone = hold_to_lookup(name, *(keys[::-1] if first else keys), own=not callable(table))
        learned.without_partner[name] = alone & (how != "inner")
        return left.merge(right, how=how, **named, **options)
    options.update(sort=False, indicator="without_partner")
    made = left.merge(right, how="right" if first else "left", **named, **options)
    alone = made.pop("without_partner") == ("right_only" if first else "left_only")
    learned.without_partner[name] = alone.to_numpy()
    return made


def join_lookup(
    learned: Any,
    name: str,
    rows: pd.DataFrame,
    table: Any,
    on: Any = None,
    how: str = "left",
    *args: Any,
    **options: Any,
) -> pd.DataFrame:
    """`rows.join(table(), …)` with the table of the training, by the index of that table."""
    found = learned(name, table) if callable(table) else table
    options.update((("lsuffix", "rsuffix", "sort")[place], value) for place, value in enumerate(args))
    keys = keys_of(rows, on)
    if learned.fitting:
        alone = hold_to_lookup(name, keys, keys_of(found, None), own=not callable(table))
        learned.without_partner[name] = alone & (how != "inner")
        return rows.join(found, on=on, how=how, **options)
    options["sort"] = False
    learned.without_partner[name] = ~keys.isin(keys_of(found, None))
    return rows.join(found, on=on, how="left", **options)


def keys_of(table: pd.DataFrame, columns: Any) -> pd.Index:
    """The key of each row: its index, one column or several."""
    if columns is None:
        return table.index
    columns = [columns] if not isinstance(columns, (list, tuple)) else list(columns)
    return pd.Index(table[columns[0]]) if len(columns) == 1 else pd.MultiIndex.from_frame(table[columns])


def hold_to_lookup(name: str, keys: pd.Index, known: pd.Index, *, own: bool) -> Any:
    """Which rows have no row in the table, as a mask.

    Raises ValueError where the table has a key of theirs several times, or is the other half of the rows' records;
    what was learned of another table may be of each row's `own`, as the history of a customer is.
    """
    repeated = known[known.duplicated()]
    repeated = repeated[repeated.isin(keys)]
    if len(repeated):
        raise ValueError(
            f"the lookup table {name!r} has several rows for {repeated.tolist()[0]!r}, and a row that is served "
            "gets one: drop the duplicates, or aggregate the table by its key, before the join"
        )
    if not own and len(keys) > 1 and keys.is_unique and known.isin(keys).all():
        raise ValueError(
            f"each row has a row of its own in {name!r}, where a new row will have none: "
            "join the two tables right after they are read, so that the joined rows are the raw rows"
        )
    return ~keys.isin(known)
