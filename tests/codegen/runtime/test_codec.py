"""Learned values as files: what is read is what was written, to the bit."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbprod.codegen.runtime import codec

VALUES = [
    pytest.param(None, id="nothing"),
    pytest.param(True, id="a truth value"),
    pytest.param(-0.0, id="minus zero"),
    pytest.param(float("nan"), id="not a number"),
    pytest.param(float("-inf"), id="minus infinity"),
    pytest.param(2**70, id="a long integer"),
    pytest.param("Ümlaut \ud800", id="text with a lone surrogate"),
    pytest.param(b"\x00\xff", id="bytes"),
    pytest.param((1, [2, {"a": 3}]), id="nested containers"),
    pytest.param({1: "a", (2, "b"): 0.5, None: [], False: 1.5}, id="a dict with keys of all kinds"),
    pytest.param({"b", "a"}, id="a set"),
    pytest.param(np.float32(0.1), id="a NumPy scalar"),
    pytest.param(np.arange(200, dtype="int16").reshape(20, 10), id="a large array"),
    pytest.param(np.array(["a", None, 1.5], dtype=object), id="an array of objects"),
    pytest.param(np.array(["2020-01-01", "NaT"], dtype="datetime64[ns]"), id="an array of dates"),
    pytest.param(pd.Series([1.5, np.nan], index=["a", "b"], name="x"), id="a series"),
    pytest.param(pd.Series(["a", None], dtype="string"), id="text that knows NA"),
    pytest.param(pd.Series([1, None], dtype="Int64"), id="integers that know NA"),
    pytest.param(pd.Series(pd.Categorical(["a", None], ["b", "a"], ordered=True)), id="ordered categories"),
    pytest.param(pd.Series(pd.to_datetime(["2020-01-01"]).tz_localize("Europe/Zurich")), id="dates with a zone"),
    pytest.param(pd.Series([True, False]).groupby([0, 1]).mean(), id="a table by group"),
    pytest.param(pd.DataFrame([[1, "a"]], columns=["x", "x"]), id="a frame with a doubled name"),
    pytest.param(pd.Index([3, 1]), id="an index"),
    pytest.param(pd.RangeIndex(2, 8, 3), id="a range"),
    pytest.param(pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", None]), id="an index of pairs"),
    pytest.param(pd.IntervalIndex.from_breaks([0.0, 0.5, 1.0]), id="intervals"),
    pytest.param(pd.Timestamp("2020-02-01 10:00", tz="UTC"), id="a time"),
    pytest.param(pd.Timedelta("1 days"), id="a duration"),
    pytest.param(pd.NaT, id="no time"),
    pytest.param(pd.NA, id="NA"),
    pytest.param(datetime.date(2020, 1, 2), id="a date"),
    pytest.param(Decimal("1.10"), id="a decimal"),
    pytest.param(np.dtype("float32"), id="a dtype"),
    pytest.param(pd.CategoricalDtype(["b", "a"]), id="a category dtype"),
]


@pytest.mark.parametrize("value", VALUES)
def test_what_is_read_is_what_was_written(value: Any, tmp_path: Path) -> None:
    codec.dump(value, tmp_path, "value")

    assert_same(codec.load(tmp_path, "value"), value)


@pytest.mark.parametrize("value", VALUES)
def test_the_same_value_gives_the_same_bytes(value: Any, tmp_path: Path) -> None:
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        codec.dump(value, tmp_path / folder, "value")

    files = [{path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()} for folder in ("one", "other")]
    assert files[0] == files[1]


@pytest.mark.parametrize(
    "value", [pytest.param(lambda: 1, id="a function"), pytest.param([object()], id="an object in a list")]
)
def test_what_cannot_be_kept_is_an_error(value: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        codec.dump(value, tmp_path, "value")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(value=plain)
def test_any_plain_value(value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("codec")
    codec.dump(value, folder, "value")

    assert_same(codec.load(folder, "value"), value)


def assert_same(made: Any, expected: Any) -> None:
    assert type(made) is type(expected)
    match expected:
        case pd.DataFrame():
            pd.testing.assert_frame_equal(made, expected, check_exact=True)
        case pd.Series():
            pd.testing.assert_series_equal(made, expected, check_exact=True)
        case pd.Index():
            pd.testing.assert_index_equal(made, expected, exact=True)
        case np.ndarray():
            assert made.dtype == expected.dtype
            assert made.shape == expected.shape
            assert [repr(one) for one in made.ravel().tolist()] == [repr(one) for one in expected.ravel().tolist()]
        case dict():
            assert [type(key) for key in made] == [type(key) for key in expected]
            for key, value in expected.items():
                assert_same(made[key], value)
        case list() | tuple():
            assert len(made) == len(expected)
            for one, other in zip(made, expected, strict=True):
                assert_same(one, other)
        case _:
            assert repr(made) == repr(expected) or made == expected
