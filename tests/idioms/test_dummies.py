"""One-hot columns with the columns and categories of the training rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbprod.codegen.runtime.sites import Learned

FRAME = pd.DataFrame(
    {
        "port": ["S", "C", None, "Q", "S"],
        "sex": ["m", "f", "f", "m", "m"],
        "class": [3, 1, 2, 3, 1],
        "fare": [7.5, np.nan, 8.0, 9.25, 7.5],
        "alone": [True, False, True, True, False],
        "size": pd.Categorical(["b", "a", None, "b", "a"], categories=["b", "a", "z"]),
        "left": pd.to_datetime(["2020-01-01", "2020-01-02", None, "2020-01-01", "2020-01-02"]),
    },
    index=[10, 11, 11, 13, 14],
)

CHANGES = [
    pytest.param(lambda d: d, {}, id="a whole frame"),
    pytest.param(lambda d: d, {"drop_first": True}, id="a whole frame without the first category"),
    pytest.param(lambda d: d[["port", "sex"]], {}, id="a frame of text alone"),
    pytest.param(lambda d: d, {"columns": ["port"]}, id="a named column"),
    pytest.param(lambda d: d, {"columns": ["sex", "class"]}, id="columns in the order of the list"),
    pytest.param(lambda d: d, {"columns": ["class"], "drop_first": True}, id="integers that are named"),
    pytest.param(lambda d: d, {"columns": ["fare"]}, id="floats that are named"),
    pytest.param(lambda d: d, {"columns": ["alone"]}, id="truth values that are named"),
    pytest.param(lambda d: d, {"columns": ["left"]}, id="dates that are named"),
    pytest.param(lambda d: d, {"columns": ["size"]}, id="categories of which one never occurs"),
    pytest.param(lambda d: d[["size", "fare"]], {"dummy_na": True}, id="categories with what is missing"),
    pytest.param(lambda d: d[["port", "fare"]], {"dummy_na": True}, id="text with what is missing"),
    pytest.param(lambda d: d, {"dummy_na": True, "drop_first": True, "columns": ["port"]}, id="missing, not the first"),
    pytest.param(lambda d: d, {"columns": ["fare"], "dummy_na": True, "dtype": float}, id="missing floats"),
    pytest.param(lambda d: d, {"columns": ["port", "sex"], "prefix": ["p", "s"]}, id="a prefix for each"),
    pytest.param(lambda d: d, {"columns": ["port", "sex"], "prefix": "x", "prefix_sep": "="}, id="one prefix"),
    pytest.param(
        lambda d: d[["port", "sex", "fare"]],
        {"prefix": {"sex": "s", "port": "p"}, "prefix_sep": {"sex": "", "port": ":"}},
        id="prefixes and separators by column",
    ),
    pytest.param(lambda d: d, {"columns": ["port"], "dtype": int}, id="integers as result"),
    pytest.param(lambda d: d, {"columns": ["port"], "dtype": "uint8"}, id="small integers as result"),
    pytest.param(lambda d: d, {"columns": ["port"], "sparse": True}, id="sparse columns"),
    pytest.param(lambda d: d, {"columns": ["port"], "sparse": True, "dummy_na": True}, id="sparse with missing"),
    pytest.param(lambda d: d["port"], {}, id="a series"),
    pytest.param(lambda d: d["port"], {"prefix": "port", "drop_first": True}, id="a series with a prefix"),
    pytest.param(lambda d: d["port"], {"dummy_na": True}, id="a series with what is missing"),
    pytest.param(lambda d: d["class"], {}, id="a series of integers"),
    pytest.param(lambda d: d["size"], {"dtype": float}, id="a series of categories"),
    pytest.param(lambda d: d["port"].astype(object), {}, id="a series of objects"),
    pytest.param(lambda d: d[["port"]].astype("string"), {}, id="text that knows NA"),
    pytest.param(lambda d: d[["port", "class"]].rename(columns={"port": 0, "class": 1}), {}, id="numbered columns"),
    pytest.param(
        lambda d: pd.concat([d[["fare"]], d[["fare", "port"]]], axis=1), {}, id="two plain columns of one name"
    ),
    pytest.param(lambda d: d[["fare", "class"]], {}, id="nothing to encode"),
]


@pytest.mark.parametrize("chosen, options", CHANGES)
def test_each_row_gets_the_columns_of_training(serving, check, chosen, options):
    check(
        FRAME,
        lambda d: pd.get_dummies(chosen(d), **options),
        lambda learned, d: serving.get_dummies(learned, "dummies", chosen(d), **options),
    )


def test_arguments_may_stand_by_position(serving, check):
    check(
        FRAME,
        lambda d: pd.get_dummies(d, None, "_", False, ["port"]),
        lambda learned, d: serving.get_dummies(learned, "dummies", d, None, "_", False, ["port"]),
    )


UNSEEN = [
    pytest.param({}, [0, 0, 0], id="zeros"),
    pytest.param({"drop_first": True}, [0, 0], id="zeros without the first category"),
    pytest.param({"dummy_na": True}, [0, 0, 0, 0], id="not taken for missing"),
]


@pytest.mark.parametrize("options, expected", UNSEEN)
def test_what_training_did_not_see_gives(serving, options, expected):
    learned = Learned()
    serving.get_dummies(learned, "dummies", FRAME[["port"]], **options)
    made = serving.get_dummies(learned.replay(), "dummies", pd.DataFrame({"port": ["new"]}), **options)
    assert made.iloc[0].astype(int).tolist() == expected


def test_a_column_of_missing_values_alone_keeps_its_columns(serving):
    learned = Learned()
    serving.get_dummies(learned, "dummies", FRAME[["port", "class"]], columns=["port", "class"], dummy_na=True)
    made = serving.get_dummies(
        learned.replay(),
        "dummies",
        pd.DataFrame({"port": [None], "class": [np.nan]}),
        columns=["port", "class"],
        dummy_na=True,
    )
    assert [column for column in made if made[column].item()] == ["port_nan", "class_nan"]


def test_what_is_learned_reads_as_lists(serving):
    learned = Learned()
    serving.get_dummies(learned, "dummies", FRAME[["port", "class", "fare"]], columns=["port", "class"])
    assert learned.values["dummies"][None] == [{"port": ["C", "Q", "S"], "class": [1, 2, 3]}]


def test_two_encoded_columns_of_one_name_are_an_error_in_fit(serving):
    twice = pd.concat([FRAME[["port"]], FRAME[["port"]]], axis=1)
    with pytest.raises(TypeError, match="two columns of one name"):
        serving.get_dummies(Learned(), "dummies", twice)


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["a", "b", "ä", "", "1", None]), st.integers(0, 3), st.floats(0, 1)), min_size=1
    ),
    drop_first=st.booleans(),
    dummy_na=st.booleans(),
)
def test_one_row_equals_the_row_of_the_batch(serving, rows, drop_first, dummy_na):
    frame = pd.DataFrame(rows, columns=["text", "number", "x"]).astype(
        {"text": "str" if pd.__version__ >= "3" else object}
    )
    options = {"columns": ["text", "number"], "drop_first": drop_first, "dummy_na": dummy_na}
    learned = Learned()
    whole = serving.get_dummies(learned, "dummies", frame, **options)
    pd.testing.assert_frame_equal(whole, pd.get_dummies(frame, **options))
    for place in range(len(frame)):
        one = serving.get_dummies(learned.replay(), "dummies", frame.iloc[[place]], **options)
        pd.testing.assert_frame_equal(one, whole.iloc[[place]])
