"""Learned values as text: they are learned and kept by the runtime of a package, and told from its files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import LabelEncoder, StandardScaler

from nbprod.api.learned_text import LENGTH, learned_text
from nbprod.codegen.runtime.sites import Learned

TOKEN = "ghp_" + "a1B2" * 9


def _encoders(*columns: Any) -> Callable[[Learned], None]:
    """A loop that fits one encoder for each column."""

    def learn(learned: Learned) -> None:
        for column in columns:
            learned.fit("site", LabelEncoder(), ["a", "b"], key=column)

    return learn


def _values(**values: Any) -> Callable[[Learned], None]:
    """A loop that learns one value for each key."""

    def learn(learned: Learned) -> None:
        for key, value in values.items():
            learned("site", lambda value=value: value, key=key)

    return learn


def _each(*values: Any) -> Callable[[Learned], None]:
    """A line that learns one value after the other."""

    def learn(learned: Learned) -> None:
        for value in values:
            learned("site", lambda value=value: value)

    return learn


@pytest.mark.parametrize(
    "learn, expected",
    [
        pytest.param(_each(28.0), "28.0", id="a number"),
        pytest.param(_each(28.123456789), "28.1235", id="a long number"),
        pytest.param(_each(np.float64(1.5)), "1.5", id="a number of numpy"),
        pytest.param(_each("S"), "'S'", id="a text"),
        pytest.param(_each(["a", "b"]), "['a', 'b']", id="a list"),
        pytest.param(_each({"b": 1, "a": 2}), "{'b': 1, 'a': 2}", id="a dict in its own order"),
        pytest.param(
            _each({"values": {"m": 28.0, "f": 31.5}, "dtype": np.dtype(float)}),
            "{'m': 28.0, 'f': 31.5}",
            id="what groups have",
        ),
        pytest.param(_each((1, 2)), "(1, 2)", id="a tuple"),
        pytest.param(_each(list(range(100))), f"[{', '.join(map(str, range(20)))}, … (100)]", id="a long list"),
        pytest.param(_each(pd.Timestamp("2024-01-02")), "2024-01-02T00:00:00.000000", id="a moment"),
        pytest.param(_each(1.5, 2.5), "1.5; 2.5", id="a line that ran twice"),
        pytest.param(_encoders("Gender"), "Gender: fitted LabelEncoder", id="a loop over one column"),
        pytest.param(
            _encoders("Gender", "Married"), "fitted LabelEncoder for Gender, Married", id="a loop over columns"
        ),
        pytest.param(_encoders("Married", "Gender"), "fitted LabelEncoder for Married, Gender", id="in another order"),
        pytest.param(
            _encoders(*(f"a long column {number}" for number in range(9))),
            "fitted LabelEncoder for a long column 0, a long column 1, a long column 2, a long column 3, … (9)",
            id="a loop over many columns",
        ),
        pytest.param(_encoders(3, 4), "fitted LabelEncoder for 3, 4", id="a loop over numbers"),
        pytest.param(_encoders(("b", 1), ("a", 2)), "fitted LabelEncoder for (b, 1), (a, 2)", id="a loop over pairs"),
        pytest.param(_values(age=28.0, fare=14.4542), "age: 28.0; fare: 14.4542", id="a value for each column"),
        pytest.param(_values(fare=[1, 2], age=[3, 4]), "fare: [1, 2]; age: [3, 4]", id="a list for each column"),
        pytest.param(
            lambda learned: learned.fit("site", StandardScaler(), [[1.0], [2.0]]),
            "fitted StandardScaler",
            id="an estimator",
        ),
        pytest.param(_each("x " * 35 + TOKEN), "'" + "x " * 35 + "***'", id="a secret where the text would be cut"),
        pytest.param(_each("-----BEGIN PRIVATE KEY-----" + "a1B2" * 99), "'***", id="a secret longer than is shown"),
    ],
)
def test_what_was_learned_is_told_as_a_person_would(
    learn: Callable[[Learned], None], expected: str, tmp_path: Path
) -> None:
    learned = Learned()
    learn(learned)
    learned.save(tmp_path)
    tree = json.loads((tmp_path / "learned.json").read_text("utf-8"))["site"]
    told = learned_text("site", tree, tmp_path)
    assert told == expected or (len(expected) > LENGTH and told == expected[: LENGTH - 1] + "…")


def test_what_has_a_name_of_a_secret_is_not_told(tmp_path: Path) -> None:
    assert learned_text("api_key", "plain", tmp_path) == "***"
