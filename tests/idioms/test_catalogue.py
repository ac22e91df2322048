"""Notebook patterns as people write them: each row alone, and in any company, gets what the whole table gave it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import preprocessing

ROWS = 60


def table() -> pd.DataFrame:
    """Sixty rows with numbers, gaps, categories, text and dates."""
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "age": np.where(rng.random(ROWS) < 0.2, np.nan, rng.integers(1, 80, ROWS).astype(float)),
            "fare": np.round(rng.lognormal(3, 1, ROWS), 2),
            "sibsp": rng.integers(0, 4, ROWS),
            "emb": rng.choice(np.array(["S", "C", "Q"], dtype=object), ROWS, p=[0.6, 0.3, 0.1]),
            "ticket": rng.choice(np.array(["A1", "A2", "B7", "C9", "D3"], dtype=object), ROWS),
            "text": rng.choice(np.array(["good movie", "bad film", "good bad ugly", "the film"], dtype=object), ROWS),
            "day": rng.choice(np.array(["13/02/2020", "01/03/2020", "30/07/2021", "02/12/2019"], dtype=object), ROWS),
        }
    ).assign(
        emb=lambda d: d["emb"].mask(d.index.isin([3, 11])),
        day=lambda d: d["day"].mask(d.index == 0, "13/02/2020"),
    )


Notebook = Callable[[pd.DataFrame], Any]
Form = Callable[[SimpleNamespace, Any, pd.DataFrame], Any]

PATTERNS = [
    pytest.param(
        lambda d: pd.qcut(d["fare"], 4, labels=False),
        lambda s, learned, d: s.qcut(learned, "n", d["fare"], 4, labels=False),
        id="quantile bins as numbers",
    ),
    pytest.param(
        lambda d: pd.qcut(d["fare"], [0, 0.5, 1], labels=["low", "high"]),
        lambda s, learned, d: s.qcut(learned, "n", d["fare"], [0, 0.5, 1], labels=["low", "high"]),
        id="quantile bins with names",
    ),
    pytest.param(
        lambda d: pd.cut(d["fare"], 4, labels=False),
        lambda s, learned, d: s.cut(learned, "n", d["fare"], 4, labels=False),
        id="equal bins as numbers",
    ),
    pytest.param(
        lambda d: pd.cut(d["age"], 3, labels=["a", "b", "c"]),
        lambda s, learned, d: s.cut(learned, "n", d["age"], 3, labels=["a", "b", "c"]),
        id="equal bins with names and gaps",
    ),
    pytest.param(
        lambda d: d["emb"].astype("category").cat.codes,
        lambda s, learned, d: s.category_codes(learned, "n", d["emb"].astype("category")),
        id="category codes",
    ),
    pytest.param(
        lambda d: pd.Categorical(d["emb"]).codes,
        lambda s, learned, d: s.codes_of_categorical(learned, "n", pd.Categorical(d["emb"])),
        id="codes of a Categorical",
    ),
    pytest.param(
        lambda d: d[["age", "fare", "emb"]].dropna(axis=1),
        lambda s, learned, d: s.dropna_columns(learned, "n", d[["age", "fare", "emb"]], axis=1),
        id="columns without gaps",
    ),
    pytest.param(
        lambda d: preprocessing.normalize(d[["fare", "sibsp"]], axis=0),
        lambda s, learned, d: s.normalize_columns(learned, "n", d[["fare", "sibsp"]], axis=0),
        id="columns of one length",
    ),
    pytest.param(
        lambda d: preprocessing.normalize(d[["fare", "sibsp"]], norm="max", axis=0),
        lambda s, learned, d: s.normalize_columns(learned, "n", d[["fare", "sibsp"]], norm="max", axis=0),
        id="columns whose greatest is one",
    ),
    pytest.param(
        lambda d: d[["ticket", "text"]].apply(preprocessing.LabelEncoder().fit_transform),
        lambda s, learned, d: s.apply_fit_transform(
            learned, "n", d[["ticket", "text"]], preprocessing.LabelEncoder().fit_transform
        ),
        id="an encoder for each column",
    ),
    pytest.param(
        lambda d: pd.factorize(d["ticket"])[0],
        lambda s, learned, d: s.factorize(learned, "n", d["ticket"])[0],
        id="codes in order of appearance",
    ),
    pytest.param(
        lambda d: d["fare"].rank(pct=True),
        lambda s, learned, d: s.rank(learned, "n", d["fare"], pct=True),
        id="ranks as shares",
    ),
    pytest.param(
        lambda d: d["age"].rank(method="min", ascending=False),
        lambda s, learned, d: s.rank(learned, "n", d["age"], method="min", ascending=False),
        id="ranks from the top, with gaps",
    ),
    pytest.param(
        lambda d: d.groupby("ticket")["fare"].transform("mean"),
        lambda s, learned, d: s.group_transform(learned, "n", d.groupby("ticket")["fare"], "mean"),
        id="the mean of a group",
    ),
    pytest.param(
        lambda d: d.groupby("ticket")["age"].transform("median"),
        lambda s, learned, d: s.group_transform(learned, "n", d.groupby("ticket")["age"], "median"),
        id="the median of a group with gaps",
    ),
    pytest.param(
        lambda d: d.groupby(["ticket", "sibsp"])["fare"].transform("max"),
        lambda s, learned, d: s.group_transform(learned, "n", d.groupby(["ticket", "sibsp"])["fare"], "max"),
        id="the maximum of a group by two columns",
    ),
    pytest.param(
        lambda d: d.groupby("emb")["fare"].transform("std"),
        lambda s, learned, d: s.group_transform(learned, "n", d.groupby("emb")["fare"], "std"),
        id="a group whose name is missing",
    ),
    pytest.param(
        lambda d: d.duplicated(["ticket", "emb"], keep=False),
        lambda s, learned, d: s.duplicated(learned, "n", d, ["ticket", "emb"], keep=False),
        id="whether a row occurs more than once",
    ),
    pytest.param(
        lambda d: d["text"].str.get_dummies(" "),
        lambda s, learned, d: s.str_get_dummies(learned, "n", d["text"], " "),
        id="a column for each word",
    ),
    pytest.param(
        lambda d: d["text"].str.split(" ", expand=True),
        lambda s, learned, d: s.str_split(learned, "n", d["text"], " ", expand=True),
        id="as many columns as the longest text has parts",
    ),
    pytest.param(
        lambda d: preprocessing.scale(d["fare"]),
        lambda s, learned, d: s.scale(learned, "n", d["fare"]),
        id="scale",
    ),
    pytest.param(
        lambda d: preprocessing.minmax_scale(d[["fare", "sibsp"]]),
        lambda s, learned, d: s.minmax_scale(learned, "n", d[["fare", "sibsp"]]),
        id="minmax_scale of two columns",
    ),
    pytest.param(
        lambda d: preprocessing.robust_scale(d[["fare"]]),
        lambda s, learned, d: s.robust_scale(learned, "n", d[["fare"]]),
        id="robust_scale",
    ),
    pytest.param(
        lambda d: stats.zscore(d["fare"]), lambda s, learned, d: s.zscore(learned, "n", d["fare"]), id="zscore"
    ),
    pytest.param(
        lambda d: stats.boxcox(d["fare"] + 1)[0],
        lambda s, learned, d: s.boxcox(learned, "n", d["fare"] + 1)[0],
        id="the values of boxcox",
    ),
    pytest.param(
        lambda d: pd.to_datetime(d["day"]).dt.month,
        lambda s, learned, d: s.to_datetime(learned, "n", d["day"]).dt.month,
        id="dates whose format the first one gives away",
    ),
    pytest.param(
        lambda d: pd.get_dummies(d[["emb", "ticket", "fare"]], drop_first=True),
        lambda s, learned, d: s.get_dummies(learned, "n", d[["emb", "ticket", "fare"]], drop_first=True),
        id="dummies without the first",
    ),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("notebook, form", PATTERNS)
def test_each_row_gets_what_the_table_gave_it(
    serving: SimpleNamespace, check: Callable[..., Any], notebook: Notebook, form: Form
) -> None:
    check(table(), notebook, lambda learned, frame: form(serving, learned, frame))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("notebook, form", PATTERNS)
def test_the_notebooks_own_text_on_one_row_would_not_do(
    serving: SimpleNamespace, notebook: Notebook, form: Form
) -> None:
    """Without a serving form some row differs or raises: otherwise the pattern would need none."""
    frame = table()
    whole = notebook(frame.copy())
    for place in range(len(frame)):
        try:
            one = notebook(frame.iloc[[place]].copy())
        except Exception:  # noqa: BLE001 - whatever pandas raises on one row
            return
        expected = whole.iloc[[place]] if hasattr(whole, "iloc") else whole[[place]]
        same_shape = np.shape(one) == np.shape(expected)
        if (
            not same_shape
            or pd.DataFrame(one).astype(str).to_numpy().tolist()
            != pd.DataFrame(expected).astype(str).to_numpy().tolist()
        ):
            return
    pytest.fail("every row alone equals the table's")
