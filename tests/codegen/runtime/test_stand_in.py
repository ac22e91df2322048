"""What stands in for the target of rows that are served: a value of training, where no feature changes with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import LabelEncoder

from nbprod.codegen.runtime.learned import Learned, LearnedTransformer

ROWS = pd.DataFrame({"a": np.arange(60.0), "kind": ["x", "y", "z"] * 20, "price": np.arange(60) % 7})


def features(prepare: Callable[[Any, Learned], tuple[Any, Any]], target: str) -> LearnedTransformer:
    made = type("Features", (LearnedTransformer,), {"prepare": staticmethod(prepare), "target_columns": (target,)})
    return made().fit(ROWS)  # type: ignore[no-any-return]


def encoded(df: Any, learned: Learned) -> tuple[Any, Any]:
    encoder = LabelEncoder()
    learned.fit("encoder", encoder, df["kind"])
    df["kind"] = encoder.transform(df["kind"])
    return df[["a", "price"]], df["kind"]


def whole_numbers(df: Any, learned: Learned) -> tuple[Any, Any]:
    df = df.astype({"price": "int8", "a": int})
    return df[["a"]], df["price"]


def without_some(df: Any, learned: Learned) -> tuple[Any, Any]:
    """Training drops the rows of a kind, which its encoder then does not know."""
    if learned.fitting:
        df = df[df["kind"] != "y"]
    return encoded(df, learned)


@pytest.mark.parametrize(
    "prepare, target",
    [
        pytest.param(encoded, "kind", id="an encoded target"),
        pytest.param(without_some, "kind", id="a target of which training drops a value"),
        pytest.param(whole_numbers, "price", id="a target made whole"),
    ],
)
def test_rows_without_a_target_are_served(prepare: Any, target: str, tmp_path: Path) -> None:
    fitted = features(prepare, target)
    fitted.save(tmp_path)
    loaded = type(fitted).load(tmp_path, fitted.observed_)

    whole = fitted.transform(ROWS)
    assert (whole["a"] == ROWS["a"]).all()
    for served in (fitted, loaded):
        pd.testing.assert_frame_equal(served.transform(ROWS.drop(columns=target)), whole)
        pd.testing.assert_frame_equal(
            served.transform(ROWS.assign(**{target: ROWS[target].iloc[::-1].to_numpy()})), whole
        )


def with_itself(df: Any, learned: Learned) -> tuple[Any, Any]:
    return df[["a", "price"]], df["price"] if learned.labelled else None


def with_a_class_of_it(df: Any, learned: Learned) -> tuple[Any, Any]:
    return df[["a"]].assign(dear=df["price"] > 5), df["price"] if learned.labelled else None


def with_its_share(df: Any, learned: Learned) -> tuple[Any, Any]:
    top = learned("top", lambda: df["price"].max())
    return df[["a"]].assign(share=df["price"] / top), df["price"]


@pytest.mark.parametrize("prepare", [with_itself, with_a_class_of_it, with_its_share])
def test_a_feature_that_changes_with_the_target_gets_no_value_in_its_place(prepare: Any) -> None:
    fitted = features(prepare, "price")

    assert list(fitted.stand_in_.columns) == []
    assert not fitted.transform(ROWS.drop(columns="price")).equals(fitted.transform(ROWS))


def test_labels_are_made_of_the_target_that_rows_have() -> None:
    fitted = features(encoded, "kind")

    assert fitted.labels(ROWS).tolist() == [0, 1, 2] * 20
