"""Lookups in a second table: each row's columns by its key, whatever stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbprod.codegen.runtime.sites import Learned

SALES = pd.DataFrame({"store": [3, 1, 3, 2, 1], "day": ["a", "b", "a", "a", "b"], "units": [5, 2, 4, 9, 1]})
STORES = pd.DataFrame({"store": [1, 2, 3, 4], "area": [10, 20, 30, 40], "units": [0, 1, 2, 3]})
BY_TWO = pd.DataFrame({"shop": [1, 2, 3, 3], "day": ["b", "a", "a", "b"], "promo": [True, False, True, False]})


@pytest.mark.parametrize(
    "table, options",
    [
        pytest.param(STORES, {"on": "store"}, id="by one column"),
        pytest.param(STORES, {"on": "store", "how": "left", "suffixes": ("", "_of_store")}, id="suffixes"),
        pytest.param(BY_TWO, {"left_on": ["store", "day"], "right_on": ["shop", "day"]}, id="by two columns"),
        pytest.param(STORES.set_index("store"), {"left_on": "store", "right_index": True}, id="by the table's index"),
        pytest.param(STORES.drop(columns="units"), {}, id="by what both have"),
        pytest.param(STORES.iloc[::-1], {"on": ["store"]}, id="by a list of one"),
    ],
)
def test_merge(table: pd.DataFrame, options: dict[str, Any], serving: SimpleNamespace) -> None:
    learned, replay = Learned(), serving.merge_lookup
    expected = SALES.merge(table, **options)
    pd.testing.assert_frame_equal(replay(learned, "table", SALES, lambda: table, **options), expected)

    for rows in ([0, 1, 2, 3, 4], [4, 0], [2], []):
        made = replay(learned.replay(), "table", SALES.iloc[rows], lambda: None, **options)
        same = made.reset_index(drop=True), expected.iloc[rows].reset_index(drop=True)
        pd.testing.assert_frame_equal(*same, check_dtype=bool(rows))


def test_rows_on_the_right(serving: SimpleNamespace) -> None:
    learned = Learned()
    made = serving.merge_lookup(learned, "table", SALES, lambda: STORES, on="store", first=True)
    pd.testing.assert_frame_equal(made, STORES.merge(SALES, on="store"))

    served = serving.merge_lookup(learned.replay(), "table", SALES, lambda: None, on="store", first=True)
    pd.testing.assert_frame_equal(served, STORES.merge(SALES, on="store", how="right"))


def test_join(serving: SimpleNamespace) -> None:
    table = STORES.set_index("store")[["area"]]
    learned = Learned()
    made = serving.join_lookup(learned, "table", SALES, lambda: table, on="store")
    pd.testing.assert_frame_equal(made, SALES.join(table, on="store"))

    served = serving.join_lookup(learned.replay(), "table", SALES.iloc[[3]], lambda: None, on="store")
    pd.testing.assert_frame_equal(served, made.iloc[[3]])


@pytest.mark.parametrize("how", ["left", "inner"])
def test_a_row_without_partner_stays_with_gaps(how: str, serving: SimpleNamespace) -> None:
    learned = Learned()
    serving.merge_lookup(learned, "table", SALES, lambda: STORES, how, "store")
    cursor = learned.replay()
    made = serving.merge_lookup(cursor, "table", SALES.assign(store=[3, 9, 3, 2, 9]), lambda: None, how, "store")

    assert made["area"].tolist()[::2] == [30, 30, pytest.approx(np.nan, nan_ok=True)]
    assert cursor.without_partner["table"].tolist() == [False, True, False, False, True]


@pytest.mark.parametrize("how, shares", [("left", {"table": 0.4}), ("inner", {"table": 0.0})])
def test_training_rows_without_partner(how: str, shares: dict[str, float], serving: SimpleNamespace) -> None:
    learned = Learned()
    made = serving.merge_lookup(learned, "table", SALES, lambda: STORES[STORES["store"] > 1], how=how, on="store")

    assert len(made) == (5 if how == "left" else 3)
    assert learned.shares_without_partner() == shares


def merged(serving: SimpleNamespace, table: pd.DataFrame, rows: pd.DataFrame) -> None:
    serving.merge_lookup(Learned(), "stores", rows, lambda: table, on="store")


def joined(serving: SimpleNamespace, table: pd.DataFrame, rows: pd.DataFrame) -> None:
    serving.join_lookup(Learned(), "stores", rows, lambda: table.set_index("store")[["area"]], on="store")


@pytest.mark.parametrize("call", [merged, joined])
def test_keys_that_repeat_are_refused(call: Callable[..., None], serving: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match=r"the lookup table 'stores' has several rows for 3, .*drop the duplicates"):
        call(serving, pd.concat([STORES, STORES.iloc[[2]]]), SALES)


@pytest.mark.parametrize("call", [merged, joined])
def test_a_table_of_the_rows_own_data_is_refused(call: Callable[..., None], serving: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="each row has a row of its own in 'stores', where a new row will have none"):
        call(serving, STORES.iloc[:3], SALES.drop_duplicates("store"))


def test_a_key_that_no_row_has_may_repeat(serving: SimpleNamespace) -> None:
    table = pd.concat([STORES, STORES.iloc[[3]]])
    merged(serving, table, SALES)


def test_a_learned_table_is_given_as_it_is_and_may_be_of_each_rows_own(serving: SimpleNamespace) -> None:
    learned, rows = Learned(), SALES.drop_duplicates("store")
    made = serving.merge_lookup(learned, "counts", rows, STORES.iloc[:3], on="store", how="left")
    joined = serving.join_lookup(learned, "joined", rows, STORES.iloc[:2].set_index("store")[["area"]], on="store")

    assert learned.values == {}
    assert learned.shares_without_partner() == {"counts": 0.0, "joined": pytest.approx(1 / 3)}
    assert len(made) == len(joined) == 3


def test_one_row_for_each_key_is_a_lookup_where_the_table_knows_more(serving: SimpleNamespace) -> None:
    merged(serving, STORES, SALES.drop_duplicates("store"))
