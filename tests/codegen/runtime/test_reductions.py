"""Learned values of all rows from parts of them: equal to pandas' and scikit-learn's own, or refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    LabelEncoder,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    StandardScaler,
)

from nbprod.codegen.runtime import partials
from nbprod.codegen.runtime.asking import Asked, Asking, Refused, canonical, merged
from nbprod.codegen.runtime.partials import Known
from nbprod.codegen.runtime.reductions import asked


def table(rows: int = 5000) -> pd.DataFrame:
    random = np.random.default_rng(3)
    x = random.normal(1e4, 3, rows)
    x[random.random(rows) < 0.1] = np.nan
    city = pd.Series(random.choice(["Ulm", "Bonn", "Köln", "Aachen"], rows, p=[0.4, 0.3, 0.2, 0.1]), dtype="str")
    city[random.random(rows) < 0.05] = None
    return pd.DataFrame(
        {
            "x": x,
            "n": random.integers(-5, 6, rows),
            "skewed": random.lognormal(0, 2, rows) * random.choice([-1, 1], rows),
            "flag": random.random(rows) < 0.3,
            "city": city,
            "constant": 7.5,
        }
    )


def parts_of(frame: pd.DataFrame, ends: Sequence[int] = (1, 700, 701, 3000)) -> list[pd.DataFrame]:
    return [frame.iloc[start:end] for start, end in zip((0, *ends), (*ends, len(frame)), strict=True)]


def learned_of(parts: Sequence[pd.DataFrame], compute: Callable[[pd.DataFrame], Any]) -> list[Any]:
    """What each part comes to, in as many rounds as it takes."""
    known: list[Known] = []
    while True:
        values, questions = [], []
        for part in parts:
            try:
                with asked(Asking(known)):
                    values.append(compute(part))
            except Asked as question:
                questions.append(question)
        if not questions:
            return values
        assert not values
        answer = merged(
            questions[0].kind,
            questions[0].options,
            [each.partial for each in questions],
            [each.digest for each in questions],
        )
        if known and known[-1].again is not None:
            known.pop()
        known.append(answer)


def same(made: Any, expected: Any) -> None:
    match expected:
        case pd.Series():
            pd.testing.assert_series_equal(made, expected, rtol=1e-12, check_index_type=False)
        case pd.DataFrame():
            pd.testing.assert_frame_equal(made, expected, rtol=1e-12, check_index_type=False)
        case float():
            assert made == pytest.approx(expected, rel=1e-12, abs=0, nan_ok=True)
        case np.ndarray():
            np.testing.assert_array_equal(made, expected)
        case _:
            assert made == expected


EXACT = [
    pytest.param(lambda d: d["x"].count(), id="count"),
    pytest.param(lambda d: d["n"].sum(), id="a sum of whole numbers"),
    pytest.param(lambda d: d["x"].isna().sum(), id="how many are missing"),
    pytest.param(lambda d: d["x"].min(), id="min"),
    pytest.param(lambda d: d["n"].max(), id="max of whole numbers"),
    pytest.param(lambda d: d["x"].median(), id="median"),
    pytest.param(lambda d: d["n"].median(), id="median of whole numbers"),
    pytest.param(lambda d: d["skewed"].quantile(0.99), id="quantile"),
    pytest.param(lambda d: d["skewed"].quantile([0.1, 0.5, 0.997]), id="several quantiles"),
    pytest.param(lambda d: d[["x", "n"]].median(), id="medians of a table"),
    pytest.param(lambda d: d["city"].mode()[0], id="mode"),
    pytest.param(lambda d: d["n"].mode()[0], id="mode of numbers"),
    pytest.param(lambda d: d["city"].value_counts(), id="counts of values"),
    pytest.param(lambda d: d["city"].value_counts(normalize=True, dropna=False), id="shares of values"),
    pytest.param(lambda d: d["city"].value_counts().index[:2].tolist(), id="the most frequent ones"),
    pytest.param(lambda d: sorted(d["city"].dropna().unique()), id="distinct values"),
    pytest.param(lambda d: d["city"].nunique(), id="how many are distinct"),
    pytest.param(lambda d: d["city"].map(d["city"].value_counts()).max(), id="one after the other"),
    pytest.param(lambda d: d["city"].value_counts().sum(), id="a reduction of what is known"),
    pytest.param(lambda d: d["city"].value_counts()[lambda c: c > c.mean()].index.tolist(), id="a choice by counts"),
    pytest.param(lambda d: d.groupby("city")["n"].sum(), id="sums by group"),
    pytest.param(lambda d: d.groupby(["city", "flag"]).size(), id="sizes of groups of two"),
    pytest.param(lambda d: d.groupby("city")["x"].max(), id="extremes by group"),
    pytest.param(lambda d: d["constant"].std(), id="of a constant"),
    pytest.param(lambda d: pd.Categorical(d["city"]).categories.tolist(), id="categories"),
]
CLOSE = [
    pytest.param(lambda d: d["x"].sum(), id="sum"),
    pytest.param(lambda d: d["x"].mean(), id="mean"),
    pytest.param(lambda d: np.mean(d["x"]), id="mean by NumPy"),
    pytest.param(lambda d: d[["x", "n"]].mean(), id="means of a table"),
    pytest.param(lambda d: d.mean(numeric_only=True), id="means of what is a number"),
    pytest.param(lambda d: d["x"].std(), id="standard deviation"),
    pytest.param(lambda d: d["x"].var(ddof=0), id="variance"),
    pytest.param(lambda d: d["skewed"].skew(), id="skewness"),
    pytest.param(lambda d: d.groupby("city")["x"].mean(), id="means by group"),
    pytest.param(lambda d: ((d["x"] - d["x"].mean()) ** 2).mean(), id="a mean of what hangs on a mean"),
]


@pytest.mark.parametrize("compute", [*EXACT, *CLOSE])
def test_a_reduction_is_that_of_all_rows(compute: Callable[[pd.DataFrame], Any]) -> None:
    frame = table()

    for made in learned_of(parts_of(frame), compute):
        same(made, compute(frame))


@pytest.mark.parametrize("compute", EXACT)
def test_what_is_exact_is_so_to_the_bit(compute: Callable[[pd.DataFrame], Any]) -> None:
    frame = table()
    expected, made = compute(frame), learned_of(parts_of(frame), compute)[-1]

    if isinstance(expected, float):
        assert made == expected
    elif isinstance(expected, pd.Series):
        assert made.to_list() == expected.to_list()


@pytest.mark.parametrize("q", [0.0, 0.001, 0.25, 0.5, 0.99, 1.0])
def test_order_statistics_of_many_values_are_found_by_digits(q: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partials, "MOST_DISTINCT", 8)
    frame = table()
    frame.loc[5, "skewed"] = -np.inf

    for column in ("skewed", "n"):
        made = learned_of(parts_of(frame), lambda d, column=column: d[column].quantile(q))
        assert set(made) == {frame[column].quantile(q)} or np.isnan(made).all() == np.isnan(frame[column].quantile(q))


NUMBERS = ["x", "n", "constant"]
ESTIMATORS = [
    pytest.param(StandardScaler, NUMBERS, id="StandardScaler"),
    pytest.param(MinMaxScaler, NUMBERS, id="MinMaxScaler"),
    pytest.param(MaxAbsScaler, NUMBERS, id="MaxAbsScaler"),
    pytest.param(SimpleImputer, NUMBERS, id="an imputer by means"),
    pytest.param(lambda: SimpleImputer(strategy="median"), NUMBERS, id="an imputer by medians"),
    pytest.param(OrdinalEncoder, ["city", "n"], id="OrdinalEncoder"),
    pytest.param(lambda: OneHotEncoder(drop="first"), ["city", "flag"], id="OneHotEncoder"),
    pytest.param(
        lambda: ColumnTransformer(
            [
                ("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), ["x", "n"]),
                ("c", OneHotEncoder(handle_unknown="ignore"), ["city"]),
            ]
        ),
        ["x", "n", "city"],
        id="a ColumnTransformer with a pipeline",
    ),
]


@pytest.mark.parametrize("make, columns", ESTIMATORS)
def test_an_estimator_is_fitted_as_on_all_rows(make: Callable[[], Any], columns: list[str]) -> None:
    frame = table()
    whole = make().fit(frame[columns])

    def fitted(part: pd.DataFrame) -> Any:
        estimator = make()
        estimator.fit_transform(part[columns])
        return estimator

    made = learned_of(parts_of(frame), fitted)
    assert len({canonical(each) for each in made}) == 1
    dense = [each.toarray() if hasattr(each, "toarray") else each for each in (e.transform(frame[columns]) for e in (made[0], whole))]  # fmt: skip # noqa: E501
    np.testing.assert_allclose(dense[0].astype(float), dense[1].astype(float), rtol=1e-9, atol=1e-12)


def test_labels_are_encoded_as_of_all_rows() -> None:
    frame = table()
    made = learned_of(parts_of(frame), lambda d: list(LabelEncoder().fit(d["city"].fillna("?")).classes_))

    assert made[0] == list(LabelEncoder().fit(frame["city"].fillna("?")).classes_)


@pytest.mark.parametrize(
    "compute",
    [
        pytest.param(lambda d: d.groupby("city")["x"].median(), id="medians by group"),
        pytest.param(lambda d: d["x"].quantile(0.5, interpolation="nearest"), id="a quantile that is not interpolated"),
        pytest.param(lambda d: d["city"].max(), id="the last of texts"),
        pytest.param(lambda d: StandardScaler().fit(d[["x"]], sample_weight=d["n"]), id="weights"),
        pytest.param(lambda d: OneHotEncoder(min_frequency=5).fit(d[["city"]]), id="rare categories together"),
    ],
)
def test_what_does_not_merge_is_refused(compute: Callable[[pd.DataFrame], Any]) -> None:
    with pytest.raises(Refused):
        learned_of(parts_of(table()), compute)


@pytest.mark.parametrize(
    "compute",
    [
        pytest.param(len, id="how many rows there are"),
        pytest.param(lambda d: d["x"].iloc[-1], id="the last row"),
        pytest.param(lambda d: float(np.nanmedian(d["x"].to_numpy())), id="NumPy's own median"),
        pytest.param(lambda d: QuantileTransformer(n_quantiles=9).fit(d[["x"]]).quantiles_, id="another estimator"),
    ],
)
def test_what_is_not_asked_for_differs_between_parts(compute: Callable[[pd.DataFrame], Any]) -> None:
    assert len({canonical(value) for value in learned_of(parts_of(table()), compute)}) > 1


def test_pandas_is_as_it_was_afterwards() -> None:
    frame = table()
    before = (frame["x"].mean(), pd.Series.mean, pd.Categorical, StandardScaler.fit)
    learned_of(parts_of(frame), lambda d: d["x"].mean())

    assert (frame["x"].mean(), pd.Series.mean, pd.Categorical, StandardScaler.fit) == before
