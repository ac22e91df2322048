"""Any rows cut into any parts: what is learned of them is what pandas gives of all, or it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import LabelEncoder, OrdinalEncoder, StandardScaler

from nbprod.codegen.runtime import surveying
from nbprod.codegen.runtime.surveying import FitError
from tests.codegen.runtime.test_reductions import drawn, learned_of

Change = Callable[[pd.DataFrame], pd.DataFrame]

ROW_WISE: dict[str, Change] = {
    "all rows": lambda d: d,
    "rows without gaps": lambda d: d.dropna(),
    "rows by a comparison": lambda d: d[d["x"] > 0],
    "sorted rows": lambda d: d.sort_values(["n", "x"], kind="stable"),
    "other labels": lambda d: d.reset_index(drop=True),
    "half of a number": lambda d: d.assign(x=d["x"] / 2),
}
ACROSS: dict[str, Change] = {
    "first rows": lambda d: d.head(4),
    "last rows": lambda d: d.iloc[-3:],
    "every other row": lambda d: d[::2],
    "rows by their numbers": lambda d: d[d.index % 3 == 0],
    "rows without duplicates": lambda d: d.drop_duplicates("n"),
    "rows that are duplicates": lambda d: d[d.duplicated(["n", "c"])],
    "the row before": lambda d: d.assign(x=d["x"].shift(), c=d["c"].shift()),
    "filled from the row before": lambda d: d.assign(x=d["x"].ffill(), c=d["c"].bfill()),
    "ranks": lambda d: d.assign(n=d["n"].rank(method="dense")),
    "running sums": lambda d: d.assign(n=d["n"].cumsum()),
    "the greatest": lambda d: d.nlargest(3, "n"),
    "a sample": lambda d: d.sample(frac=0.5, random_state=1),
    "rows by NumPy's mean": lambda d: d[d["n"] > d["n"].to_numpy().mean()],
}
LEARNED: dict[str, Callable[[pd.DataFrame], Any]] = {
    "how many rows": len,
    "how many are distinct": lambda d: len(set(d["c"].dropna())),
    "the first one": lambda d: d["c"].iloc[0],
    "NumPy's greatest": lambda d: float(d["n"].to_numpy().max()),
    "count": lambda d: int(d["x"].count()),
    "sum": lambda d: float(d["n"].sum()),
    "mean": lambda d: float(d["x"].mean()),
    "deviation": lambda d: float(d["x"].std()),
    "least": lambda d: float(d["x"].min()),
    "median": lambda d: float(d["x"].median()),
    "quantile": lambda d: float(d["x"].quantile(0.3)),
    "mode": lambda d: d["c"].mode().tolist(),
    "distinct": lambda d: d["c"].unique().tolist(),
    "distinct categories": lambda d: d["k"].unique().tolist(),
    "how often": lambda d: list(d["c"].value_counts(dropna=False).items()),
    "how often a category": lambda d: list(d["k"].value_counts().items()),
    "categories": lambda d: pd.Categorical(d["c"]).categories.tolist(),
    "sizes of groups": lambda d: list(d.groupby("c", sort=False).size().items()),
    "means of groups": lambda d: list(d.groupby(["k", "b"], observed=True)["x"].mean().items()),
    "sums of numbered groups": lambda d: d.groupby("c", as_index=False)["n"].sum().to_numpy().tolist(),
    "the greatest by category": lambda d: d.groupby("k", observed=False)["x"].max().tolist(),
    "classes": lambda d: LabelEncoder().fit(d["c"].fillna("?")).classes_.tolist(),
    "categories of several": lambda d: [each.tolist() for each in OrdinalEncoder().fit(d[["c", "k"]]).categories_],
    "scale": lambda d: StandardScaler().fit(d[["x", "n"]]).scale_.tolist(),
    "share of the most frequent": lambda d: float((d["c"] == d["c"].mode()[0]).mean()),
}


@st.composite
def tables(draw: st.DrawFn) -> list[pd.DataFrame]:
    """Parts of a table of few distinct values, with gaps; of each column the values may come sorted."""
    rows = draw(st.integers(2, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = random.choice([-1.5, 0.0, 0.1, 0.2, 3.0, np.nan], rows)
    made = pd.DataFrame(
        {
            "x": x,
            "n": random.integers(-2, 4, rows),
            "c": pd.Series(random.choice(["a", "b", "ä", None], rows, p=[0.5, 0.2, 0.2, 0.1]), dtype="str"),
            "k": pd.Categorical(random.choice(["s", "m"], rows), categories=["s", "m", "l"]),
            "b": random.random(rows) < 0.5,
        }
    )
    by = draw(st.sampled_from([None, *made.columns]))
    made = made if by is None else made.sort_values(by, kind="stable", ignore_index=True)
    ends = sorted(draw(st.sets(st.integers(1, rows), max_size=4)) - {rows})
    return [made.iloc[start:end] for start, end in zip([0, *ends], [*ends, rows], strict=True)]


def alike(made: Any, expected: Any) -> bool:
    if isinstance(expected, (list, tuple)):
        return len(made) == len(expected) and all(alike(*each) for each in zip(made, expected, strict=True))
    if isinstance(expected, float):
        return bool(np.isclose(made, expected, rtol=1e-9, atol=1e-12, equal_nan=True))
    return bool(made == expected) or (made != made and expected != expected)


@pytest.mark.parametrize("spread", [3, 20_000], ids=["few rows of all", "all rows"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=tables(), change=st.sampled_from([*ROW_WISE, *ACROSS]), name=st.sampled_from([*LEARNED]), split=st.booleans()
)
def test_it_is_that_of_all_rows_or_refused(
    spread: int, parts: list[pd.DataFrame], change: str, name: str, split: bool
) -> None:
    def compute(frame: pd.DataFrame) -> Any:
        return LEARNED[name]({**ROW_WISE, **ACROSS}[change](frame))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(surveying, "SPREAD", spread)
        try:
            made = learned_of(parts, compute, behind_a_split=split)
        except FitError:
            return

    whole = pd.concat(parts, ignore_index=True)
    assert alike(made, compute(drawn(whole) if split else whole))


IN_ORDER = {"distinct", "distinct categories", "sizes of groups"}
NO_REDUCTIONS = {
    *("how many rows", "how many are distinct", "the first one", "NumPy's greatest"),
    "sums of numbered groups",
}


@pytest.mark.parametrize("change", ROW_WISE)
@pytest.mark.parametrize("name", [name for name in LEARNED if name not in NO_REDUCTIONS])
def test_what_is_row_by_row_is_not_refused(name: str, change: str) -> None:
    def compute(frame: pd.DataFrame) -> Any:
        return LEARNED[name](ROW_WISE[change](frame))

    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "x": random.choice([-1.5, 0.1, 0.2, 3.0, np.nan], 200),
            "n": random.integers(-2, 4, 200),
            "c": pd.Series(random.choice(["a", "b", "ä"], 200, p=[0.6, 0.3, 0.1]), dtype="str"),
            "k": pd.Categorical(random.choice(["s", "m"], 200), categories=["s", "m", "l"]),
            "b": random.random(200) < 0.5,
        }
    )
    parts = [frame.iloc[start:end] for start, end in ((0, 1), (1, 90), (90, 91), (91, 200))]

    if change == "sorted rows" and name in IN_ORDER:
        with pytest.raises(FitError, match="order"):
            learned_of(parts, compute)
        return
    assert alike(learned_of(parts, compute), compute(frame))
    if name not in IN_ORDER and change == "all rows":
        assert alike(learned_of(parts, compute, behind_a_split=True), compute(drawn(frame)))
