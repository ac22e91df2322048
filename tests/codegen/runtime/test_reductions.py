"""Learned values of all rows from parts of them: equal to pandas' and scikit-learn's own, or refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
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

from nbprod.codegen.runtime import partials, probing, surveying
from nbprod.codegen.runtime.learned import LearnedTransformer
from nbprod.codegen.runtime.reducing import learn
from nbprod.codegen.runtime.surveying import FitError, asked_of


def table(rows: int = 2000) -> pd.DataFrame:
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
            "size": pd.Categorical(random.choice(["s", "m"], rows), categories=["s", "m", "l"]),
        }
    )


def parts_of(frame: pd.DataFrame, ends: Sequence[int] = (1, 300, 301, 1200)) -> list[pd.DataFrame]:
    return [frame.iloc[start:end] for start, end in zip((0, *ends), (*ends, len(frame)), strict=True)]


def drawn(frame: pd.DataFrame) -> pd.DataFrame:
    """The training rows of a split."""
    return train_test_split(frame, test_size=0.3, random_state=0)[0]


def learned_of(
    parts: Sequence[pd.DataFrame], compute: Callable[[pd.DataFrame], Any], *, behind_a_split: bool = False
) -> Any:
    """What parts learn by an expression, in as many rounds as it takes. Raises FitError."""

    class Features(LearnedTransformer):
        @staticmethod
        def prepare(df: pd.DataFrame, learned: Any) -> tuple[Any, Any]:
            df = drawn(df) if behind_a_split else df
            learned("value", lambda: compute(df))
            return np.zeros((len(df), 1)), np.zeros(len(df))

    def each(function: Callable[[int, Any], Any]) -> list[Any]:
        return [one for at, part in enumerate(parts) for one in asked_of(function, at, part)]

    return learn(each, Features, {"steps": [STEP]}).progress.values["value"][None][0]


STEP = {
    "binding": "row", "cell": 3, "line": 1, "code": "pass",
    "sites": [{"name": "value", "cell": 3, "line": 2, "expression": "df.value()"}],
}  # fmt: skip
PLACE = "cell 3, line 2: df.value(): "


def same(made: Any, expected: Any) -> None:
    match expected:
        case pd.Series():
            pd.testing.assert_series_equal(made, expected, rtol=1e-12, check_index_type=False)
        case pd.DataFrame():
            pd.testing.assert_frame_equal(made, expected, rtol=1e-12, check_index_type=False)
        case float() | np.floating():
            assert type(made) is type(expected)
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
    pytest.param(lambda d: d["size"].mode()[0], id="mode of a category"),
    pytest.param(lambda d: d["size"].unique().tolist(), id="distinct categories"),
    pytest.param(lambda d: d["size"].nunique(), id="how many categories there are"),
    pytest.param(lambda d: type(d["city"].unique()), id="what holds distinct values"),
    pytest.param(lambda d: type(d["size"].unique()), id="what holds distinct categories"),
    pytest.param(lambda d: d["size"].value_counts().to_dict(), id="counts of a category"),
    pytest.param(lambda d: d.groupby("size", observed=True)["n"].max(), id="extremes by category"),
    pytest.param(lambda d: d["skewed"].astype("float32").min(), id="the least of 32 bits"),
    pytest.param(lambda d: d["skewed"].astype("float32").median(), id="median of 32 bits"),
    pytest.param(lambda d: d["n"].astype("Int64").sum(), id="a sum of numbers that may be missing"),
    pytest.param(lambda d: (d["x"] * 1e304).min(), id="the least beyond the squares of numbers"),
    pytest.param(lambda d: (d["x"] / d["n"]).max(), id="the greatest among infinities"),
    pytest.param(lambda d: d.sort_values("x")["x"].median(), id="median of sorted rows"),
    pytest.param(lambda d: d["city"].dropna().unique().tolist(), id="distinct values in their order"),
    pytest.param(lambda d: d.groupby("city", sort=False)["n"].sum(), id="groups in their order"),
    pytest.param(lambda _: list(LabelEncoder().fit(["no", "yes"]).classes_), id="classes that are stated"),
    pytest.param(lambda d: list(LabelEncoder().fit(d["city"].dropna().unique()).classes_), id="distinct classes"),
]
CLOSE = [
    pytest.param(lambda d: d["x"].sum(), id="sum"),
    pytest.param(lambda d: d["x"].mean(), id="mean"),
    pytest.param(lambda d: np.mean(d["x"]), id="mean by NumPy"),
    pytest.param(lambda d: d[["x", "n"]].mean(), id="means of a table"),
    pytest.param(lambda d: d.mean(numeric_only=True), id="means of what is a number"),
    pytest.param(lambda d: d.groupby("size", observed=True)["x"].mean(), id="means by category"),
    pytest.param(lambda d: d["x"].std(), id="standard deviation"),
    pytest.param(lambda d: d["x"].var(ddof=0), id="variance"),
    pytest.param(lambda d: d["skewed"].skew(), id="skewness"),
    pytest.param(lambda d: d.groupby("city")["x"].mean(), id="means by group"),
    pytest.param(lambda d: ((d["x"] - d["x"].mean()) ** 2).mean(), id="a mean of what hangs on a mean"),
]


@pytest.mark.parametrize("compute", [*EXACT, *CLOSE])
def test_a_reduction_is_that_of_all_rows(compute: Callable[[pd.DataFrame], Any]) -> None:
    frame = table()

    same(learned_of(parts_of(frame), compute), compute(frame))


@pytest.mark.parametrize("compute", EXACT)
def test_what_is_exact_is_so_to_the_bit(compute: Callable[[pd.DataFrame], Any]) -> None:
    frame = table()
    expected, made = compute(frame), learned_of(parts_of(frame), compute)

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
        made, expected = (
            learned_of(parts_of(frame), lambda d, column=column: d[column].quantile(q)),
            frame[column].quantile(q),
        )
        assert made == expected or (np.isnan(made) and np.isnan(expected))


NUMBERS = ["x", "n", "constant"]
ESTIMATORS = [
    pytest.param(StandardScaler, NUMBERS, id="StandardScaler"),
    pytest.param(MinMaxScaler, NUMBERS, id="MinMaxScaler"),
    pytest.param(MaxAbsScaler, NUMBERS, id="MaxAbsScaler"),
    pytest.param(SimpleImputer, NUMBERS, id="an imputer by means"),
    pytest.param(lambda: SimpleImputer(strategy="median"), NUMBERS, id="an imputer by medians"),
    pytest.param(lambda: SimpleImputer(strategy="constant", fill_value=-0.5), ["x"], id="an imputer by half"),
    pytest.param(lambda: SimpleImputer(strategy="constant", fill_value=-1), NUMBERS, id="an imputer by a constant"),
    pytest.param(OrdinalEncoder, ["city", "n"], id="OrdinalEncoder"),
    pytest.param(OrdinalEncoder, ["size"], id="OrdinalEncoder of a category"),
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
    dense = [each.toarray() if hasattr(each, "toarray") else each for each in (e.transform(frame[columns]) for e in (made, whole))]  # fmt: skip # noqa: E501
    np.testing.assert_allclose(dense[0].astype(float), dense[1].astype(float), rtol=1e-9, atol=1e-12)


def test_labels_are_encoded_as_of_all_rows() -> None:
    frame = table()
    made = learned_of(parts_of(frame), lambda d: list(LabelEncoder().fit(d["city"].fillna("?")).classes_))

    assert made == list(LabelEncoder().fit(frame["city"].fillna("?")).classes_)


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
    with pytest.raises(FitError, match=f"^{re.escape(PLACE)}"):
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
    with pytest.raises(FitError, match=f"^{re.escape(PLACE)}it is not learned by reductions that merge"):
        learned_of(parts_of(table()), compute)


def test_pandas_is_as_it_was_afterwards() -> None:
    frame = table()
    before = (frame["x"].mean(), pd.Series.mean, pd.Categorical, StandardScaler.fit)
    learned_of(parts_of(frame), lambda d: d["x"].mean())

    assert (frame["x"].mean(), pd.Series.mean, pd.Categorical, StandardScaler.fit) == before


CROSSING = [
    pytest.param(lambda d: d["x"].head(100).median(), id="the first rows"),
    pytest.param(lambda d: d["x"].head(1900).median(), id="more first rows than any part has"),
    pytest.param(lambda d: d["x"].iloc[:50].mean(), id="a range of rows"),
    pytest.param(lambda d: d["x"][d.index < 500].mean(), id="rows by their numbers"),
    pytest.param(lambda d: d["n"].duplicated().sum(), id="duplicates"),
    pytest.param(lambda d: d.drop_duplicates("n")["x"].mean(), id="rows without duplicates"),
    pytest.param(lambda d: d["x"].round(9).drop_duplicates().mean(), id="values without duplicates, of which few are"),
    pytest.param(lambda d: d["skewed"].rank().max(), id="ranks"),
    pytest.param(lambda d: d["n"].diff().std(), id="differences"),
    pytest.param(lambda d: d["n"].shift().max() + d["n"].shift().mean(), id="the row before"),
    pytest.param(lambda d: d["n"].cumsum().max(), id="running sums"),
    pytest.param(lambda d: d["x"].ffill().mean(), id="filled from the row before"),
    pytest.param(lambda d: d["x"].interpolate().mean(), id="filled from both sides"),
    pytest.param(lambda d: d["n"].rolling(3, center=True, min_periods=1).mean().max(), id="a window"),
    pytest.param(lambda d: d.nlargest(10, "skewed")["x"].mean(), id="the rows of the greatest"),
    pytest.param(lambda d: d.nlargest(1900, "skewed")["x"].mean(), id="more of the greatest than any part has"),
    pytest.param(lambda d: d.sort_values("skewed")["x"].iloc[-20:].mean(), id="the last of sorted rows"),
    pytest.param(lambda d: d.sample(frac=0.5, random_state=0)["x"].mean(), id="a sample"),
    pytest.param(lambda d: d.groupby("city").cumcount().max(), id="numbers within a group"),
    pytest.param(lambda d: d.groupby(pd.cut(d["skewed"], 4))["x"].mean().max(), id="groups by the range of all"),
    pytest.param(lambda d: d["x"].groupby(d["x"].rank(pct=True) > 0.5).mean(), id="groups by ranks"),
    pytest.param(lambda d: d.groupby(d["n"].shift())["x"].mean(), id="groups by the row before"),
    pytest.param(lambda d: d["x"].clip(upper=np.nanpercentile(d["x"], 90)).mean(), id="cut by NumPy's own quantile"),
    pytest.param(lambda d: d["x"].where(len(d) > 1900).mean(), id="a choice by how many there are"),
    pytest.param(lambda d: pd.Series(d["x"].to_numpy()).where(d["flag"]).mean(), id="labels that are lost"),
]


@pytest.mark.parametrize("compute", CROSSING)
def test_a_reduction_of_what_crosses_rows_is_refused(compute: Callable[[pd.DataFrame], Any]) -> None:
    with pytest.raises(FitError, match=f"^{re.escape(PLACE)}") as caught:
        learned_of(parts_of(table()), compute)

    assert "--sample N" in caught.value.hint


@pytest.mark.parametrize("compute", CROSSING)
def test_what_crosses_rows_is_found_in_few_rows_of_many(
    compute: Callable[[pd.DataFrame], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveying, "SPREAD", 100)

    test_a_reduction_of_what_crosses_rows_is_refused(compute)


@pytest.mark.parametrize(
    "compute",
    [
        pytest.param(lambda d: d["x"].head(1900).median(), id="first rows"),
        pytest.param(lambda d: d["x"][:1900].median(), id="a range"),
        pytest.param(lambda d: d["x"].where(len(d) > 19e2).mean(), id="how many there are"),
    ],
)
def test_a_number_of_rows_in_the_code_is_reached(
    compute: Callable[[pd.DataFrame], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveying, "SPREAD", 100)
    monkeypatch.setattr(probing, "MOST_REPEATED", 100)

    test_a_reduction_of_what_crosses_rows_is_refused(compute)


ALIKE = [
    pytest.param(lambda d: len(set(d["year"])), id="how many are distinct"),
    pytest.param(lambda d: len(np.unique(d["year"])), id="how many are distinct, by NumPy"),
    pytest.param(lambda d: d["year"].drop_duplicates().size, id="how many are left without duplicates"),
    pytest.param(lambda d: d["kind"].iloc[0], id="the first one"),
    pytest.param(lambda d: d["year"].is_unique, id="whether they are distinct"),
    pytest.param(lambda d: len(d) > 300, id="whether there are many"),
    pytest.param(lambda d: pd.Series(pd.factorize(d["year"])[0]).mean(), id="codes of what is met"),
    pytest.param(lambda d: d["year"].rank(method="dense").max(), id="dense ranks"),
    pytest.param(lambda d: d.groupby("kind").ngroup().max(), id="numbers of groups"),
    pytest.param(lambda d: d.groupby(pd.cut(d["year"], 2))["x"].count().max(), id="bins of the range"),
    pytest.param(lambda d: (d["year"] > d["year"].to_numpy().min()).sum(), id="what is above NumPy's own least"),
    pytest.param(lambda d: d.sort_values("x")["year"].unique().tolist(), id="what sorted rows have"),
    pytest.param(lambda d: d.sort_values("n", kind="stable")["year"].unique().tolist(), id="what mixed rows have"),
    pytest.param(lambda d: d["year"].unique().tolist(), id="what there is, in its order"),
    pytest.param(lambda d: d["year"].nunique() > 1 and d["x"].sum() > 1900, id="reductions"),
]


@pytest.mark.parametrize("spread", [10, 20_000])
@pytest.mark.parametrize("compute", ALIKE)
def test_what_parts_agree_upon_by_chance_is_not_learned(
    compute: Callable[[pd.DataFrame], Any], spread: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveying, "SPREAD", spread)
    frame = pd.DataFrame({"year": np.repeat([2020, 2021, 2022], 200), "x": 3.25, "kind": ["a"] * 400 + ["b"] * 200})
    frame["n"] = np.arange(len(frame)) % 200 * 3 + np.arange(len(frame)) // 200
    parts = [frame.iloc[start : start + 200] for start in (400, 0, 200)]
    expected = compute(pd.concat(parts, ignore_index=True))

    made = refusal = None
    try:
        made = learned_of(parts, compute)
    except FitError as error:
        refusal = str(error)

    assert refusal.startswith(PLACE) if refusal else made == expected


@pytest.mark.parametrize(
    "compute, said",
    [
        pytest.param(lambda d: d.groupby("n", as_index=False)["x"].sum(), "as_index=False", id="numbered groups"),
        pytest.param(lambda d: d.groupby("city", as_index=False).size(), "as_index", id="sizes of numbered groups"),
        pytest.param(lambda d: np.mean(d[["x", "n"]]), "axis=None", id="NumPy's mean of a table"),
        pytest.param(lambda d: np.max(d[["x", "n"]]), "axis=None", id="NumPy's greatest of a table"),
        pytest.param(lambda d: d[["x", "n"]].max(axis=None), "axis=None", id="the greatest of a table"),
        pytest.param(lambda d: d[["x", "n"]].median(axis=None), "axis=None", id="the median of a table"),
        pytest.param(lambda d: d["x"].median(skipna=False), "options", id="a median of what may be missing"),
        pytest.param(lambda d: d["x"].value_counts(bins=3), "TypeError", id="counts of bins"),
        pytest.param(
            lambda d: (d["n"] * 2**60).sum(), "beyond 64 bits", id="a sum beyond 64 bits"
        ),
        pytest.param(
            lambda d: d.assign(t=pd.Timestamp("2020") + pd.to_timedelta(d["n"], unit="D")).groupby("city")["t"].mean(),
            "holds no numbers", id="means of times by group",
        ),
        pytest.param(lambda d: d["skewed"].astype("float32").mean(), "less than 64 bits", id="a mean of 32 bits"),
        pytest.param(
            lambda d: d.astype({"skewed": "float32"}).groupby("n")["skewed"].mean(),
            "less than 64 bits",
            id="a mean of 32 bits by group",
        ),
        pytest.param(
            lambda d: SimpleImputer().fit(d[["skewed"]].astype("float32")).statistics_,
            "less than 64 bits",
            id="an imputer of 32 bits",
        ),
        pytest.param(
            lambda d: MinMaxScaler().fit(d[["skewed"]].astype("float32")).scale_,
            "less than 64 bits",
            id="a scaler of 32 bits",
        ),
        pytest.param(lambda d: d[["n"]].astype("Int64").mean(), "other kinds", id="means of what may be missing"),
        pytest.param(lambda d: d.groupby("n")["city"].sum(), "holds no numbers", id="texts put together by group"),
        pytest.param(
            lambda d: d.sort_values("x")["city"].unique()[0], "hangs on the order", id="the first of sorted rows"
        ),
        pytest.param(
            lambda d: d.sort_values("x").groupby("city", sort=False).size().index[0], "hangs on the order",
            id="the first group of sorted rows",
        ),
        pytest.param(
            lambda d: d.sort_values("x")["note"].value_counts().index[0], "hangs on the order",
            id="the first of the equally frequent among sorted rows",
        ),
    ],
)  # fmt: skip
def test_what_is_asked_in_another_way_is_refused(compute: Callable[[pd.DataFrame], Any], said: str) -> None:
    frame = table()
    frame["n"] = frame["n"].abs() + 1
    frame["note"] = [f"note {number}" for number in range(len(frame))]

    with pytest.raises(FitError, match=f"^{re.escape(PLACE)}.*{said}"):
        learned_of(parts_of(frame), compute)


def test_a_table_is_reduced_along_its_rows_as_it_is() -> None:
    frame = table()

    for name in ("sum", "max", "median"):
        made = learned_of(parts_of(frame), lambda d, name=name: getattr(d[["x", "n"]], name)(axis=1).max())
        assert made == getattr(frame[["x", "n"]], name)(axis=1).max()
