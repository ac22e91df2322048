"""A fitted package as plain Python over one row: equal to the package's own code, or left to it and why."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.svm import LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from nbprod.api.outlining import analysis_of
from nbprod.codegen.runtime import rows as rowtools
from nbprod.codegen.runtime.observing import records_of
from nbprod.codegen.runtime.pipeline import Pipeline
from nbprod.codegen.runtime.rows import bound, can_be_asked, last_of, module_of
from nbprod.notebook import read_text
from nbprod.plan import Choice, make_plan
from nbprod.replay.runner.compiler import compiling, trees
from nbprod.replay.runner.compiler.compiling import compiled, proven
from nbprod.replay.runner.compiler.model import UncompiledError
from nbprod.replay.runner.compiler.models import model_text
from nbprod.replay.runner.compiler.nodes import Lost
from nbprod.replay.runner.compiler.tracing import Traced, traced
from nbprod.replay.runner.compiler.writing import Writer, module_text, written
from tests.test_cases import FILES, exported, planned, read_case, run_notebook

LEFT = {
    "cells_written_row_by_row": 3,
    "components_of_a_matrix": 2,
    "encoders_and_columns": 2,
    "frames_named_by_columns_kept_before": 0,
    "functions_that_learn_handed_on": 1,
    "groups_with_a_name": 1,
    "inner_join_leaves_rows_out_of_training": 1,
    "joined_by_index": 1,
    "lookup_table": 1,
    "names_that_serving_forms_have": 1,
    "ranks_and_powers": 4,
    "rows_on_the_right_of_a_join": 2,
    "scaler_on_learned_columns": 1,
    "tables_taken_apart_by_a_flag": 1,
}
"""Features of the golden cases that are left to the package's own code; all others are compiled."""

WITHOUT_PARTNER = {"inner_join_leaves_rows_out_of_training", "lookup_in_a_second_file", "lookup_of_counts_by_key"}
"""Cases with rows that a lookup table has no row for: the package tells of them."""


def features_of(trace: Traced) -> tuple[Any, list[str]]:
    """The module of the features that are compiled, with their names."""
    kept = [(name, each) for name, each in zip(trace.names, trace.cells, strict=True) if not isinstance(each, Lost)]
    writer = Writer(dir(rowtools))
    names = [name for name, _ in kept]
    return module_of(module_text(writer, [each for _, each in kept], names, fields=trace.fields)), names


def assert_rows(module: Any, names: list[str], trace: Traced, matrix: Any, records: list[dict[str, Any]]) -> int:
    """Each row equal to the bit, or raised: gives how many raised."""
    frame = pd.DataFrame(matrix.toarray() if hasattr(matrix, "tocsr") else matrix)
    places = [place for place, name in enumerate(trace.names) if name in names]
    raised = 0
    for row, record in enumerate(records):
        try:
            made = module.features(record)
        except Exception:  # noqa: BLE001 - the package tells what is wrong with it
            raised += 1
            continue
        for name, value, expected in zip(names, made, frame.iloc[row, places].tolist(), strict=True):
            if value is None or value != value:
                assert pd.isna(expected), (row, name, value, expected)
            else:
                assert value == expected, (row, name, value, expected)
    return raised


FAR = {
    "integer": lambda values: [values[0] * 1000 + 7, -values[0] - 1, 0, 300],
    "number": lambda values: [values[0] * 1000.0 + 0.5, -abs(values[0]) - 1.0, 0.0, None],
    "text": lambda values: [f"{values[0]} never seen", values[0].upper(), " ", None],
    "boolean": lambda values: [not values[0]],
    "datetime": lambda _: [
        "2019-02-28T23:59:59",
        "2016-02-29",
        "not a date",
        "1650-01-01",
        "2019-02-28T10:00:00Z",
        None,
    ],
}
"""Values that training did not have, by the kind of the column."""


def assert_rows_far_from_training(module: Any, names: list[str], trace: Traced, features: Any, raw: Any) -> None:
    """Rows with a value that training did not have: equal to the bit, or raised, and that where the package raises."""
    is_whole = len(names) == len(trace.names)
    kinds = dict(zip(features.schema_.labels, features.schema_.kinds, strict=True))
    nullable = {column["name"] for column in features.observed_["columns"] if column["nullable"]}
    for label in features.required_columns():
        known = raw[label].dropna().tolist()
        for at, value in enumerate(FAR.get(kinds[label], lambda _: [])(known) if known else []):
            if value is None and label not in nullable:
                continue
            row = raw.iloc[[at]].astype({label: object})
            row.isetitem(row.columns.get_loc(label), pd.Series([value], index=row.index, dtype=object))
            record = records_of(row)[0]
            try:
                matrix = features.model_input(row)
            except Exception:  # noqa: BLE001 - what the package refuses is refused
                if is_whole:
                    with pytest.raises(Exception):  # noqa: B017, PT011 - in whatever words
                        module.features(record)
            else:
                assert_rows(module, names, trace, matrix, [record])


def features_after(text: str, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, rows: Any = None) -> Any:
    """The fitted features of a notebook that reads `rows`, and the rows."""
    features, raw = exported_after(text, name, folder, monkeypatch, rows)
    features.fit_rows(raw)
    return features, raw


def exported_after(text: str, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, rows: Any = None) -> Any:
    """The features of a notebook that reads `rows`, and the rows as pandas reads them by itself."""
    monkeypatch.chdir(folder)
    (ROWS if rows is None else rows).to_csv("data.csv", index=False)
    notebook = read_text(text, str(folder / "nb.py"))
    plan = make_plan(notebook, analysis_of(notebook), Choice(suggested=True))
    return exported(plan, notebook, f"row_{name}", folder / "packages", monkeypatch), pd.read_csv("data.csv")


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_features_of_a_golden_case(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    case = read_case(path)
    notebook, plan = planned(case, tmp_path)
    features = exported(plan, notebook, f"row_{path.stem}", tmp_path / "packages", monkeypatch)
    _, names = run_notebook(notebook, plan)
    raw = pd.read_csv("data.csv") if plan.raw.reader == "pandas.read_csv" else eval(plan.raw.call, names)
    features.fit_rows(raw)

    trace = traced(features)

    left = len(trace.names) if trace.stopped else sum(isinstance(each, Lost) for each in trace.cells)
    assert left == LEFT.get(path.stem, 0), trace.stopped or trace.cells
    if trace.stopped or left == len(trace.names):
        return
    module, compiled_names = features_of(trace)
    raised = assert_rows(module, compiled_names, trace, features.model_input(raw), records_of(raw))
    assert bool(raised) == (path.stem in WITHOUT_PARTNER)
    assert_rows_far_from_training(module, compiled_names, trace, features, raw)


HEAD = """# %%
import re
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import LabelEncoder, MinMaxScaler, OneHotEncoder
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import Binarizer, KBinsDiscretizer
from sklearn.preprocessing import MaxAbsScaler, OrdinalEncoder, PolynomialFeatures, RobustScaler, StandardScaler
df = pd.read_csv("data.csv")
# %%
"""
TAIL = """
# %%
model = LinearRegression()
model.fit(df[["x"]].fillna(0), df["y"])
"""
ROWS = pd.DataFrame(
    {
        "f": [1.5, None, -2.0, 0.0, 7.25, 3.5, None, 9.0],
        "g": [0.5, 2.0, 4.0, 8.0, 16.0, 0.25, 1.0, 3.0],
        "i": [1, 2, 3, 0, -5, 7, 4, 2],
        "t": ["a b", None, "B-c", "a b", "", "x1", "Äß", "B-c"],
        "u": ["one", "two", "two", "one", "three", "one", "two", "one"],
        "b": [True, False, True, True, False, False, True, False],
        "y": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
        "d": [
            "2023-01-31",
            "2024-02-29",
            "2023-12-31",
            "2024-01-01",
            "2023-06-30",
            "2023-04-01",
            "2021-10-03",
            "2020-12-28",
        ],
        "e": [
            "31/01/1990",
            "1/2/1985",
            "15/07/2001",
            "28/2/1999",
            "9/9/1970",
            "30/04/1962",
            "07/12/2010",
            "25/12/1988",
        ],
        "s": [f"2023-03-{day:02} {hour:02}:15:{day:02}" for day, hour in zip(range(5, 13), range(16, 24), strict=True)],
    }
)
EXPRESSIONS = [
    "df['f'] * 2 + df['g'] - 1", "df['g'] / df['i']", "df['i'] // 2 + df['i'] % 3", "df['g'] ** 2 - df['i'] ** 2",
    "df['g'] ** 0.5", "df['g'] ** 1.7", "-df['f'].abs()", "df['f'].fillna(df['g'])",
    "df['f'].fillna(df['f'].median())", "df['f'].isna().astype(int)", "(df['f'] > 1).astype(int)",
    "((df['f'] > 1) & ~(df['i'] == 2) | df['b']).astype(int)", "df['f'].clip(-1, 5)",
    "df['g'].clip(lower=df['g'].quantile(0.2))", "df['g'].round(1)", "df['g'].between(1, 4) * 1",
    "df['f'].where(df['g'] > 1, 0)", "df['f'].mask(df['g'] > 1)", "np.where(df['f'] > 0, df['f'], df['g'])",
    "np.select([df['f'] > 5, df['i'] > 2], [1, 2], default=3)", "np.log1p(df['g'])",
    "np.sqrt(df['g']) + np.exp(-df['g'])", "np.maximum(df['f'], df['g'])", "np.minimum(df['i'], 2)",
    "df[['f', 'g']].sum(axis=1)", "df[['f', 'g']].mean(axis=1)", "df[['f', 'g', 'i']].max(axis=1)",
    "df[['i', 'g']].min(axis=1)", "df['u'].map({'one': 1, 'two': 2})",
    "df['u'].replace({'one': 1, 'two': 2, 'three': 3})", "df['i'].replace([2, 3], 9)",
    "df.replace({'u': {'one': 1, 'two': 2, 'three': 3}, 'i': {2: 9}})[['u', 'i']].sum(axis=1)",
    "df['u'].replace('two', np.nan).map({'one': 1, 'three': 3}).fillna(9)",
    "df['t'].replace({'a b': np.nan, '': 'x'}).isna() * 1", "df.replace('one', np.nan)['u'].fillna('x').str.len()",
    "df['i'].replace(to_replace=2, value=np.nan)", "df['g'].replace(to_replace=[0.5, 2.0], value=[1.5, 3.0])",
    "df.replace({'u': {'one': 1}})['g'] + df.replace(to_replace={'g': {0.5: 3.0}})['g']",
    "df['u'].isin(['one', 'x']) * 1", "df['t'].str.len()", "df['t'].fillna('').str.lower().str.contains('b') * 1",
    "df['t'].str.startswith('B') == True", "df['u'].str[0].map({'o': 1, 't': 2})",
    "df['u'].str.replace('o', '0').str.count('0')", "df['u'].str.upper().eq('ONE') * 1",
    "df['u'].str.extract('(t.)', expand=False).isna() * 1", "df['u'].str.split('w').str[0].str.len()",
    "df['t'].str.split().str.len()", "df['u'].str.split().str.len()", "df['u'].str.split('w', n=1).str.len() + 1",
    "df['u'].apply(len)", "df['u'].apply(lambda v: 1 if v == 'one' else 0)",
    "df['f'].apply(lambda v: v * 2 if v > 0 else -1)",
    "df.apply(lambda r: r['f'] + r['i'] if r['u'] == 'one' else r['g'], axis=1)", "df['i'].astype(str).str.len()",
    "(df['u'] + '-' + df['u']).str.len()", "pd.cut(df['g'], [0, 1, 4, 20], labels=False)",
    "pd.cut(df['g'], [0, 1, 4, 20], labels=[5, 6, 7]).astype(int)",
    "pd.cut(df['f'], [-5, 0, 5, 10], labels=['l', 'm', 'h']).eq('m') * 1", "pd.qcut(df['g'], 3, labels=False)",
    "df['u'].map(df['u'].value_counts())", "df['u'].map(df.groupby('u')['g'].mean())",
    "df.groupby('u')['g'].transform('mean')", "df['u'].astype('category').cat.codes", "pd.factorize(df['u'])[0]",
    "LabelEncoder().fit_transform(df['u'])", "(df['g'] - df['g'].mean()) / df['g'].std()",
    "StandardScaler().fit_transform(df[['g']])[:, 0]", "MinMaxScaler().fit_transform(df[['g', 'i']])[:, 1]",
    "MinMaxScaler(clip=True).fit_transform(df[['g']])[:, 0]",
    "StandardScaler(with_mean=False).fit_transform(df[['g']])[:, 0]",
    "StandardScaler(with_std=False).fit_transform(df[['g']])[:, 0]", "RobustScaler().fit_transform(df[['g']])[:, 0]",
    "MaxAbsScaler().fit_transform(df[['g', 'f']])[:, 1]",
    "SimpleImputer(strategy='median').fit_transform(df[['f']])[:, 0]",
    "SimpleImputer(add_indicator=True).fit_transform(df[['g', 'f', 'i']])[:, 3]",
    "SimpleImputer(add_indicator=True).fit_transform(df[['g', 'f', 'i']])[:, 1]",
    "StandardScaler().fit_transform(SimpleImputer(add_indicator=True).fit_transform(df[['f', 'g']]))[:, 2]",
    "MissingIndicator().fit_transform(df[['g', 'f', 'i']])[:, 0] * 2",
    "MissingIndicator(features='all').fit_transform(df[['g', 'f']])[:, 0] + 1",
    "OneHotEncoder(sparse_output=False).fit_transform(df[['u']])[:, 1]",
    "KMeans(3, n_init=2, random_state=0).fit_predict(df[['g', 'i']])",
    "MiniBatchKMeans(2, n_init=2, random_state=0).fit_predict(MinMaxScaler().fit_transform(df[['g', 'i']])) * 1.5",
    "OrdinalEncoder().fit_transform(df[['u']])[:, 0]", "PolynomialFeatures(2).fit_transform(df[['g', 'i']])[:, 4]",
    "pd.get_dummies(df['u'])['two'] * 1", "df['b'] * df['g']",
    *(f"pd.to_datetime(df['d']).dt.{each} * 1" for each in (
        "year", "month", "day", "quarter", "dayofweek", "weekday", "day_of_year", "days_in_month", "is_month_start",
        "is_month_end", "is_quarter_start", "is_quarter_end", "is_year_start", "is_year_end",
    )),
    *(f"pd.to_datetime(df['s']).dt.{each} * 1000" for each in ("hour", "minute", "second")),
    "pd.to_datetime(df['d']).dt.day_name().map({'Monday': 1, 'Sunday': 2, 'Thursday': 3, 'Saturday': 4}).fillna(0)",
    "pd.to_datetime(df['d']).dt.month_name().str.len()", "pd.to_datetime(df['d']).dt.isocalendar().week.astype(int)",
    "(pd.to_datetime(df['d']) - pd.to_datetime(df['e'], format='%d/%m/%Y')).dt.days / 365.25",
    "2025 - pd.to_datetime(df['e'], dayfirst=True).dt.year",
    "(pd.Timestamp('2025-01-01') - pd.to_datetime(df['d'])).dt.days",
    "(pd.to_datetime(df['s']) - pd.to_datetime(df['d'])).dt.total_seconds()",
    "(pd.to_datetime(df['s']) - pd.Timestamp('2020-01-01')) / np.timedelta64(1, 'D')",
    "(pd.to_datetime(df['s']) + pd.Timedelta(hours=2)).dt.hour", "(pd.to_datetime(df['d']) >= '2023-07-01') * 1",
    "(pd.to_datetime(df['d']) > pd.to_datetime('2023-07-01')).astype(int)",
    "(pd.to_datetime(df['s']) - pd.to_datetime(df['s']).dt.normalize()).dt.seconds",
    "(pd.to_datetime(df['d']) - pd.to_datetime(df['d']).min()).dt.days",
    "pd.to_datetime(df['d'], errors='coerce').dt.year", "pd.to_datetime(df['d']).dt.strftime('%Y%m').astype(int)",
    "pd.to_datetime(df['d']).apply(lambda d: d.year * 12 + d.month)",
    "df['i'].astype(str).astype(int) + 1", "df['i'].astype(str).astype('int32')", "np.array(df['g']) * 2",
    "np.asarray(df[['g', 'i']])[:, 1]", "np.array(StandardScaler().fit_transform(np.array(df[['g']])))[:, 0]",
    *(f"{each}.fit_transform(np.log(df[['g']]))[:, 0]" for each in (
        "StandardScaler()", "MinMaxScaler()", "RobustScaler()", "MaxAbsScaler()", "SimpleImputer()",
        "PolynomialFeatures(2, include_bias=False)",
    )),
]  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_operation(expression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{HEAD}df['x'] = {expression}{TAIL}"
    features, raw = features_after(text, f"at_{EXPRESSIONS.index(expression)}", tmp_path, monkeypatch)

    trace = traced(features)

    assert trace.stopped is None
    assert [each for each in trace.cells if isinstance(each, Lost)] == []
    module, names = features_of(trace)
    raised = assert_rows(module, names, trace, features.model_input(raw), records_of(raw))
    assert raised == RAISING.get(expression, 0)
    assert_rows_far_from_training(module, names, trace, features, raw)


RAISING = {"df['g'] / df['i']": 1}
"""Expressions with rows that are left to the package: a division by zero."""

LEFT_ALONE = [
    "df['i'].astype('int8')",
    "df['i'].astype('int8') * 2",
    "df['u'].astype('category').cat.codes * 100",
    "df['g'].astype('float32') * 3",
    "df['i'].round(-1)",
    "df[['g']].rank()['g']",
    "df[['g', 'i']].cummax()['g']",
    "df['u'].str.split().str.join('-').str.len()",
    "MissingIndicator().fit_transform(np.sqrt(df[['g', 'f']]))[:, 0]",
    "SimpleImputer(strategy='most_frequent', add_indicator=True).fit_transform(df[['t']])[:, 1].astype(int)",
    "df['u'].str.split('w').str[:1].str.len()",
    "df[['f', 'g']].sum(axis=1, skipna=False)",
    "df[['g']].interpolate()['g']",
    "pd.to_datetime(df['d'], utc=True).dt.year",
    "pd.to_datetime(df['d']).apply(lambda d: d.quarter)",
    "pd.to_datetime(df['d'].str[:4], format='%Y').dt.year",
    "DictVectorizer(sparse=False).fit_transform(df[['t']].to_dict('records'))[:, 0]",
    "DictVectorizer(sparse=False).fit_transform(df[['u']].assign(**{'u=one': df['g']}).to_dict('records'))[:, 0]",
]


@pytest.mark.parametrize("expression", LEFT_ALONE)
def test_an_operation_that_is_left_to_the_package(
    expression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{HEAD}df['x'] = {expression}{TAIL}"
    features, _ = features_after(text, f"left_{LEFT_ALONE.index(expression)}", tmp_path, monkeypatch)

    trace = traced(features)

    lost = [name for name, each in zip(trace.names, trace.cells, strict=True) if isinstance(each, Lost)]
    assert lost == ["x"]


IMPORTED = "import statsmodels.api as sm\n"
STATEMENTS = [
    *(
        pytest.param(f"{IMPORTED}df['x'] = sm.add_constant({expression}", 0, id=name)
        for name, expression in (
            ("a column of ones of a table", "df[['g']])['const'] + df['g']"),
            ("a column of ones of a column", "df['g'], prepend=False)['const']"),
            ("a column of ones of an array", "df[['g', 'i']].values)[:, 0]"),
            ("a column of ones beside another", "df[['g']].assign(one=1)).sum(axis=1)"),
        )
    ),
    pytest.param("df[['x']] = df[['g']].where(df[['g']] < 1000, 1000.0)", 0, id="where of a table"),
    pytest.param("df[['x']] = df[['g']].mask(df[['g']] > 2, 0.0)", 0, id="mask of a table"),
    pytest.param("df['x'] = np.clip(df['g'], a_max=10, a_min=1)", 0, id="bounds by name"),
    pytest.param("df = pd.DataFrame.copy(df)\ndf['x'] = pd.Series.copy(df['g']) * 2", 0, id="a method by its class"),
    pytest.param("df['x'] = df['u'].map({'one': 1, 'two': 2, 'three': 3}).astype(str).str.len()", 0,
                 id="a map to text"),
    pytest.param("df['x'] = df['u'].str.slice(1).str.len() + df['u'].str.slice(0, stop=2).str.len()", 0,
                 id="slices"),
    pytest.param("df['x'] = df[['g', 'i']].isin({'g': [0.5, 2.0]})['g'] * 1", 0, id="isin by column"),
    pytest.param("NAN = -1\nMOST = 3\nCLASSES = [2]\ndf['x'] = df['g'].where(df['g'] > 1) + MOST + CLASSES[0]", 0,
                 id="constants that are called like the module's own"),
    pytest.param("classes = {'one': 1}\ndef features(v):\n    return classes.get(v, 0)\n"
                 "df['x'] = df['u'].apply(features)", 0, id="a function that is called like the module's own"),
    pytest.param("k = 3\ndf['x'] = df['g'].apply(lambda v, k=k: v * k)", 0, id="a default"),
    pytest.param("S = 2\ndf['x'] = df['g'].apply(lambda v: sum(S * w for w in [v]))", 0,
                 id="a name within a generator"),
    pytest.param("df['x'] = df.apply(lambda r: r.get('g', 0) + r['i'], axis=1)", 0, id="get of a row"),
    pytest.param("df['x'] = df['f']\ndf['x'].fillna(0.5, inplace=True)\ndf['x'] = df['x'].fillna(-1.5)", 0,
                 id="in place in a column of a table"),
    pytest.param("df['x'] = df['f']\ntaken = df['x']\ndf['x'] = df['g']\ntaken.fillna(0.5, inplace=True)", 0,
                 id="in place in a column that the table has no more"),
    pytest.param("df['x'] = pd.to_numeric(df['g'].astype(str).replace('16.0', ' '), errors='coerce')", 0,
                 id="numbers in texts, of which one is none"),
    pytest.param("df['x'] = pd.to_numeric(df['u'].map({'one': '1.5', 'two': '-20', 'three': '0.10'}))", 0,
                 id="numbers in texts"),
    pytest.param("M = KBinsDiscretizer(3, encode='ordinal', strategy='quantile').fit_transform(df[['g', 'i']])\n"
                 "df['x'] = M[:, 0] + 10 * M[:, 1]", 0, id="bins by their numbers"),
    pytest.param("M = KBinsDiscretizer(3, encode='onehot-dense', strategy='uniform').fit_transform(df[['g']])\n"
                 "df['x'] = M[:, 0] + 10 * M[:, 1] + 100 * M[:, 2]", 0, id="a column for each bin"),
    pytest.param("df['x'] = Binarizer(threshold=2).fit_transform(df[['g', 'i']])[:, 0]", 0, id="above a threshold"),
    pytest.param("def filled(row):\n    f = row.iloc[0]\n    return row.iloc[1] * 2 if pd.isnull(f) else f\n"
                 "df['x'] = df[['f', 'i']].apply(filled, axis=1)", 0, id="values of a row by their places"),
    pytest.param("def added(row):\n    f, i = row\n    return f + i\n"
                 "df['x'] = df[['g', 'i']].apply(added, axis=1)", 0, id="a row taken apart"),
    pytest.param("M = SimpleImputer(missing_values=2, strategy='mean').fit_transform(df[['g', 'i']])\n"
                 "df['x'] = M[:, 0] + 100 * M[:, 1]", 0, id="a number that stands for what is missing"),
    pytest.param("rows = df[['u', 'g', 'i', 'b']].to_dict(orient='records')\n"
                 "M = DictVectorizer(sparse=False).fit_transform(rows)\n"
                 "df['x'] = M[:, 0] + 2 * M[:, 1] + 4 * M[:, 2] + 100 * M[:, 3] + 1000 * M[:, 5]", 0,
                 id="records of texts and numbers"),
    pytest.param("v = DictVectorizer(sparse=False).fit(df[['u', 'f']].to_dict('records'))\n"
                 "df['x'] = v.transform(df[['u', 'f', 'g']].to_dict('records'))[:, 1]", 0,
                 id="records with fields that are not known"),
]  # fmt: skip


@pytest.mark.parametrize("statements, raising", STATEMENTS)
def test_statements(
    statements: str, raising: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id.replace(" ", "_").replace("'", "")
    features, raw = features_after(f"{HEAD}{statements}{TAIL}", name, tmp_path, monkeypatch)

    trace = traced(features)

    assert trace.stopped is None
    assert [each for each in trace.cells if isinstance(each, Lost)] == []
    module, names = features_of(trace)
    assert assert_rows(module, names, trace, features.model_input(raw), records_of(raw)) == raising
    assert_rows_far_from_training(module, names, trace, features, raw)


@pytest.mark.parametrize(
    "reading",
    [
        pytest.param("iris = load_iris()\ndf = pd.DataFrame(iris.data, columns=iris.feature_names)\n"
                     "df['target'] = iris.target\nX, y = df.drop(columns='target'), df['target']", id="arrays"),
        pytest.param("X, y = load_iris(return_X_y=True)", id="a pair"),
        pytest.param("X, y = load_iris(return_X_y=True, as_frame=True)", id="a pair of tables"),
        pytest.param("iris = load_iris(as_frame=True)\nX, y = iris.data, iris.target", id="tables"),
    ],
)  # fmt: skip
def test_tables_of_scikit_learn(
    reading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    head = "# %%\nimport pandas as pd\nfrom sklearn.datasets import load_iris\nfrom sklearn.svm import SVC\n"
    notebook = read_text(f"{head}{reading}\n# %%\nSVC().fit(X, y)\n", str(tmp_path / "nb.py"))
    plan = make_plan(notebook, analysis_of(notebook), Choice(suggested=True))
    name = f"iris_{request.node.callspec.id.replace(' ', '_')}"
    features = exported(plan, notebook, name, tmp_path / "packages", monkeypatch)
    raw = load_iris(as_frame=True).frame
    features.fit_rows(raw)

    trace = traced(features)

    assert trace.stopped is None
    module, names = features_of(trace)
    assert len(names) == 4
    assert assert_rows(module, names, trace, features.model_input(raw), records_of(raw)) == 0


def test_what_is_not_ordinary_is_left_to_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{HEAD}df['x'] = df['f'].fillna(0) + df['i'] / df['g'] + df['u'].map({{'one': 1}}).fillna(0){TAIL}"
    features, _ = features_after(text, "odd", tmp_path, monkeypatch)
    module, _ = features_of(traced(features))
    good = {"f": 1.5, "i": 3, "g": 2.0, "u": "one"}

    assert module.features(good) == (4.0,)
    for ordinary in ({"f": None}, {"f": 2}, {"f": float("nan")}, {"i": 3.0}, {"u": "new"}, {"g": -0.5}):
        module.features(good | ordinary)
    for odd in (
        {"f": "1.5"}, {"f": True}, {"f": float("inf")}, {"f": 1e300}, {"i": None}, {"i": 2.5}, {"i": 2**40},
        {"i": True}, {"g": None}, {"g": float("nan")}, {"g": 0.0}, {"u": None}, {"u": 1}, {"u": ["one"]}, {"f": [1.0]},
    ):  # fmt: skip
        with pytest.raises((rowtools.OddRowError, ZeroDivisionError)):
            module.features(good | odd)
    with pytest.raises(KeyError):
        module.features({name: value for name, value in good.items() if name != "g"})


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"i": []}, id="a list in place of a whole number"),
        pytest.param({"i": "3"}, id="a text in place of a whole number"),
        pytest.param({"f": {}}, id="a record in place of a number"),
        pytest.param({"u": 1}, id="a number in place of a text"),
    ],
)
def test_a_field_that_no_feature_is_made_of_is_looked_at_where_the_package_does(
    odd: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = "for c in X:\n    if X[c].nunique() < 8:\n        X = X.drop(columns=c)\n"
    kept = f"X = df.drop(columns=['y', 't', 'd', 'e', 's'])\n{few}"
    text = f"{HEAD}{kept}model = LinearRegression()\nmodel.fit(X, df['y'])\n"
    features, raw = features_after(text, f"unread_{next(iter(odd))}", tmp_path, monkeypatch)
    module, _ = features_of(traced(features))
    good = records_of(raw)[0]

    assert set(odd) <= {str(label) for label in features.required_columns()}
    assert module.features(good) == (0.5,)
    with pytest.raises(rowtools.OddRowError):
        module.features(good | odd)
    with pytest.raises(KeyError):
        module.features({name: value for name, value in good.items() if name not in odd})


NAMES = [
    "a b",
    "a_b",
    "A b",
    "class",
    "record",
    "NAN",
    "number",
    "{0}",
    "x\ny",
    "²",
    "ﬁ",
    "fi",
    "Größe",
    "1st",
    "#",
    "'\"\\",
]


def test_names_and_texts_of_any_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = pd.DataFrame({name: np.arange(4) + place * 10.5 for place, name in enumerate(NAMES)})
    raw["t"], raw["y"] = [*NAMES[7:9], "}", "{MAP}"], [1.0, 2.0, 3.0, 4.0]
    text = HEAD + "".join(f"df[{name!r}] = df[{name!r}] * 2 + 1\n" for name in NAMES)
    text += f"df['t'] = df['t'].map({dict(zip(raw['t'], range(4), strict=True))!r}) + (df['t'] == '{{0}}')\n"
    text += f"# %%\nmodel = LinearRegression()\nmodel.fit(df[{[*NAMES, 't']!r}], df['y'])\n"
    features, raw = features_after(text, "names", tmp_path, monkeypatch, raw)

    trace = traced(features)
    module, names = features_of(trace)

    assert len(names) == len(NAMES) + 1
    assert assert_rows(module, names, trace, features.model_input(raw), records_of(raw)) == 0


def table(seed: int, rows: int) -> Any:
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(rows, 6))
    X[:, 1], X[:, 2] = np.round(X[:, 1]), draw.integers(0, 3, rows)
    return X


X = table(0, 300)
VALUES = X[:, 0] * 2 + np.sin(X[:, 3] * 3) + X[:, 2]
CLASSES = np.where(VALUES > 1, "yes", "no")
HALVES = np.repeat([0, 1], 150)
THREE = np.digitize(VALUES, [0, 2])

MODELS = [
    (LinearRegression(), VALUES), (Lasso(alpha=0.01), VALUES), (LinearSVR(), VALUES),
    (DecisionTreeRegressor(random_state=0), VALUES), (RandomForestRegressor(5, random_state=0), VALUES),
    (ExtraTreesRegressor(5, max_depth=4, random_state=0), VALUES), (GradientBoostingRegressor(n_estimators=9), VALUES),
    (HistGradientBoostingRegressor(max_iter=9), VALUES), (LogisticRegression(), CLASSES), (LogisticRegression(), THREE),
    (SGDClassifier(random_state=0), THREE), (RidgeClassifier(), CLASSES), (LinearDiscriminantAnalysis(), CLASSES),
    (DecisionTreeClassifier(max_depth=4), THREE), (RandomForestClassifier(5, random_state=0), CLASSES),
    (RandomForestClassifier(5, random_state=0), THREE), (GradientBoostingClassifier(n_estimators=9), CLASSES),
    (GradientBoostingClassifier(n_estimators=9), THREE), (HistGradientBoostingClassifier(max_iter=9), THREE),
    (HistGradientBoostingClassifier(max_iter=9), CLASSES), (GradientBoostingClassifier(n_estimators=2), HALVES),
]  # fmt: skip


MODEL_NAMES = [f"{type(m).__name__}-{len(set(y[:50]))}" for m, y in MODELS]


FORMS = pytest.mark.parametrize(
    "most",
    [{}, {"MOST_INLINE": 0}, {"MOST_NODES": 20}],
    ids=["in one function", "in functions", "large ones in tables"],
)


def module_of_model(model: Any, most: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """The text of a fitted model, and a module that answers with it."""
    for name, value in most.items():
        monkeypatch.setattr(trees, name, value)
    made = model_text(model, X.shape[1])
    lines = [*(f"{name} = {written(value)}" for name, value in made.constants.items()), *made.functions]
    lines += ["def predict(row):", f"    {', '.join(made.fields)}, = row"]
    lines += [*(f"    {each}" for each in made.statements), f"    return {made.answer}"]
    if made.chances:
        lines += ["def probabilities(row):", f"    {', '.join(made.fields)}, = row"]
        lines += [*(f"    {each}" for each in made.statements), f"    {made.scores} = {made.scores}"]
        lines += [f"    return {made.chances}"]
    return made, module_of("\n".join(lines), made.tables)


@FORMS
@pytest.mark.parametrize("model, y", MODELS, ids=MODEL_NAMES)
def test_a_model_answers_as_its_estimator(
    model: Any, y: Any, most: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    model.fit(X, y)
    made, module = module_of_model(model, most, monkeypatch)
    rows = np.vstack([X, table(1, 300) * 3, np.round(table(2, 100)), _at_thresholds(model)])

    answers = model.predict(rows).tolist()

    for row, expected in zip(rows.tolist(), answers, strict=True):
        answer = module.predict(row)
        is_exact = made.exact or not isinstance(expected, float)
        assert answer == (expected if is_exact else pytest.approx(expected, rel=1e-12, abs=1e-13))


def on_the_edge(model: Any, rows: Any) -> Any:
    """Rows of which the first two classes have the same score, or a score of zero, but for the last bits."""
    weights, first = np.atleast_2d(model.coef_), np.ravel(model.intercept_)
    weights, first = (weights[0], first[0]) if len(weights) == 1 else (weights[0] - weights[1], first[0] - first[1])
    moved = rows.copy()
    moved[:, 0] -= (rows @ weights + first) / weights[0]
    return moved


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e7])
@pytest.mark.parametrize(
    "model, y",
    [
        pytest.param(LogisticRegression(), CLASSES, id="two classes"),
        pytest.param(LogisticRegression(), np.minimum(THREE, 1) + 2 * (X[:, 1] > 1), id="several classes"),
        pytest.param(SGDClassifier(random_state=0), THREE, id="each class against the rest"),
        pytest.param(LinearDiscriminantAnalysis(), CLASSES, id="a discriminant"),
    ],
)
def test_a_row_that_rounding_decides_is_left_to_a_linear_classifier(
    model: Any, y: Any, size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.fit(X, y)
    _, module = module_of_model(model, {}, monkeypatch)
    far = table(1, 300) * size
    edge = on_the_edge(model, far)

    left = 0
    for row, expected in zip(edge.tolist(), model.predict(edge).tolist(), strict=True):
        try:
            assert module.predict(row) == expected
        except rowtools.OddRowError:
            left += 1

    assert left > 0
    assert [module.predict(row) for row in far.tolist()] == model.predict(far).tolist()


WITH_CHANCES = [(m, y) for m, y in MODELS if hasattr(m, "predict_proba")] + [
    (LogisticRegression(solver="liblinear"), CLASSES),
    (SGDClassifier(loss="log_loss", random_state=0), CLASSES), (SGDClassifier(loss="log_loss", random_state=0), THREE),
    (LinearDiscriminantAnalysis(), THREE), (DecisionTreeClassifier(min_samples_leaf=30, random_state=0), THREE),
    (GradientBoostingClassifier(n_estimators=3, loss="exponential"), CLASSES),
    (ExtraTreesClassifier(5, min_samples_leaf=20, random_state=0), THREE),
    (SGDClassifier(loss="modified_huber", random_state=0), CLASSES),
]  # fmt: skip
WITHOUT_TEXT = frozenset({"exponential", "modified_huber"})


@FORMS
@pytest.mark.parametrize(
    "model, y",
    WITH_CHANCES,
    ids=[f"{type(m).__name__}-{len(set(y[:50]))}-{getattr(m, 'loss', '')}" for m, y in WITH_CHANCES],
)
def test_the_probabilities_are_those_of_the_estimator(
    model: Any, y: Any, most: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    model.fit(X, y)
    made, module = module_of_model(model, most, monkeypatch)
    rows = np.vstack([X, table(1, 100) * 3])

    assert bool(made.chances) is (getattr(model, "loss", None) not in WITHOUT_TEXT)
    if made.chances:
        for row, expected in zip(rows.tolist(), model.predict_proba(rows).tolist(), strict=True):
            assert list(module.probabilities(row)) == pytest.approx(expected, rel=0, abs=1e-12)


def with_gaps(rows: Any, seed: int) -> Any:
    """The rows with some values missing."""
    return np.where(np.random.default_rng(seed).random(rows.shape) < 0.3, np.nan, rows)


TREES = [(model, y) for model, y in MODELS if any(part in type(model).__name__ for part in ("Tree", "Forest", "Boost"))]


@FORMS
@pytest.mark.parametrize("in_training", [True, False], ids=["in training as well", "in serving alone"])
@pytest.mark.parametrize("model, y", TREES, ids=[f"{type(m).__name__}-{len(set(y[:50]))}" for m, y in TREES])
def test_what_is_missing_goes_where_the_estimator_sends_it(
    model: Any, y: Any, in_training: bool, most: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = with_gaps(table(1, 200), 1)
    model = clone(model)
    try:
        model.fit(with_gaps(X, 0) if in_training else X, y)
        answers = model.predict(rows).tolist()
    except ValueError:  # it takes none
        model.fit(X, y)
        answers = [None] * len(rows)
    _, module = module_of_model(model, most, monkeypatch)

    for row, expected in zip(rows.tolist(), answers, strict=True):
        if expected is None and any(value != value for value in row):
            with pytest.raises(rowtools.OddRowError):
                module.predict(row)
        elif expected is not None:
            assert module.predict(row) == expected


def _at_thresholds(model: Any) -> Any:
    """Rows whose values lie at thresholds of trees and beside them, where 32 and 64 bits part."""
    trees = [each.tree_ for each in np.ravel(getattr(model, "estimators_", model)) if hasattr(each, "tree_")]
    found = [np.zeros(X.shape[1])]
    for tree in trees:
        for feature, threshold in list(zip(tree.feature, tree.threshold, strict=True))[:20]:
            for value in (threshold, np.nextafter(threshold, 9), np.float32(threshold), np.nextafter(threshold, -9)):
                row = np.zeros(X.shape[1])
                row[max(feature, 0)] = value
                found.append(row)
    return np.array(found)


@pytest.mark.parametrize(
    "model, reason",
    [
        pytest.param(KNeighborsClassifier().fit(X, CLASSES), "KNeighborsClassifier itself is asked", id="others"),
        pytest.param(
            GradientBoostingRegressor(init=LinearRegression(), n_estimators=2).fit(X, VALUES),
            "boosting that begins with another model",
            id="boosting",
        ),
        pytest.param(LinearRegression().fit(X, np.c_[VALUES, VALUES]), "several targets", id="several targets"),
        pytest.param(LinearRegression().fit(X[:, :2], VALUES), "of 2 features, not 6", id="other features"),
    ],
)
def test_a_model_that_is_asked_as_it_is(model: Any, reason: str) -> None:
    with pytest.raises(UncompiledError, match=reason):
        model_text(model, X.shape[1])


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """The fitted features of a notebook, with a model that is trained on them."""

    def pipeline(model: Any) -> Any:
        text = HEAD + "df['f'] = df['f'].fillna(0)\nX = df[['f', 'g', 'i']]\nLinearRegression().fit(X, df['y'])\n"
        features, raw = features_after(text, "pipeline", tmp_path, monkeypatch)
        matrix, labels = features.model_input(raw), features.labels(raw)
        return Pipeline(features, model.fit(matrix, labels), folder=tmp_path)

    return pipeline


def test_a_pipeline_is_compiled_and_proven_row_by_row(pipeline: Callable[[Any], Any]) -> None:
    made = pipeline(make_pipeline(StandardScaler(), PolynomialFeatures(2), MinMaxScaler(), LinearRegression()))
    raw = pd.read_csv("data.csv")
    matrix = made.features.model_input(raw)
    answers = made.model.predict(matrix).tolist()

    found = compiled(made)
    module = module_of(found.text)
    proof = proven(module, found.features, records_of(raw), matrix, answers)

    assert (found.features, found.lost, found.model) == (["f", "g", "i"], {}, None)
    assert (proof.rows, proof.odd, proof.wrong, proof.holds) == (8, 0, None, True)
    unasked = proven(module, found.features, [{} for _ in range(8)], matrix, answers)
    assert (unasked.odd, unasked.raised, unasked.holds) == (8, "KeyError 'f'", False)
    assert proof.max_error < 1e-12
    off = proven(module, found.features, records_of(raw), matrix, [answer + 1e-6 for answer in answers])
    assert off.wrong is not None
    assert off.wrong[:2] == (0, "(prediction)")
    other = proven(
        module, found.features, records_of(raw), matrix.assign(g=matrix["g"].where(matrix["i"] != 0, 1)), answers
    )
    assert other.wrong == (3, "g", 8.0, 1.0)


@pytest.mark.parametrize("most", [400, 2], ids=["as branches", "in tables"])
@pytest.mark.parametrize("behind", [[], [StandardScaler()]], ids=["alone", "behind a step"])
def test_trees_are_compiled_and_proven_row_by_row(
    behind: list[Any], most: int, pipeline: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "MOST_NODES", most)
    made = pipeline(make_pipeline(*behind, RandomForestClassifier(3, random_state=0)))
    raw = pd.read_csv("data.csv")
    matrix = made.features.model_input(raw)
    answers, chances = made.model.predict(matrix).tolist(), made.model.predict_proba(matrix).tolist()

    found = compiled(made)
    module = module_of(found.text, json.loads(json.dumps(found.tables)))
    proof = proven(module, found.features, records_of(raw), matrix, answers, chances)

    assert ("walk(" in found.text) is (most == 2)
    assert (proof.rows, proof.odd, proof.wrong) == (8, 0, None)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(make_pipeline(StandardScaler(), KNeighborsClassifier(1)), id="behind a step"),
        pytest.param(GridSearchCV(KNeighborsRegressor(), {"n_neighbors": [1, 2]}, cv=2), id="that a search found"),
        pytest.param(GaussianNB(), id="alone"),
    ],
)
def test_a_model_without_a_text_is_asked_for_what_is_compiled(model: Any, pipeline: Callable[[Any], Any]) -> None:
    made = pipeline(model)
    raw = pd.read_csv("data.csv")
    matrix = made.features.model_input(raw)

    found = compiled(made)
    module = bound(module_of(found.text), made.model, None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chances = made.model.predict_proba(matrix).tolist() if hasattr(made.model, "predict_proba") else None
        proof = proven(module, found.features, records_of(raw), matrix, made.model.predict(matrix).tolist(), chances)

    assert hasattr(module, "probabilities") is (chances is not None)
    assert found.model == f"{type(last_of(model)).__name__} itself is asked"
    assert (module.asked, proof.rows, proof.odd, proof.wrong) == (True, 8, 0, None)


def test_a_module_that_can_not_be_read_is_said(pipeline: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    made = pipeline(LinearRegression())
    monkeypatch.setattr(compiling, "module_text", lambda *_: "def scaled(v, by=rate):\n    return v * by\n")

    found = compiled(made)

    assert (found.text, found.features) == ("", [])
    assert found.lost["g"].reason == "NameError: name 'rate' is not defined"


def test_an_answer_is_turned_back(pipeline: Callable[[Any], Any]) -> None:
    made = pipeline(LinearRegression())
    own = type(made.features)
    made.features.__class__ = type("Features", (own,), {"answer": np.expm1, "__module__": own.__module__})
    raw = pd.read_csv("data.csv")
    matrix = made.features.model_input(raw)

    found = compiled(made)
    module = bound(module_of(found.text), made.model, np.expm1)
    proof = proven(module, found.features, records_of(raw), matrix, np.expm1(made.model.predict(matrix)).tolist())

    assert not hasattr(module_of(found.text), "predict")
    assert (module.asked, proof.odd, proof.wrong) == (False, 0, None)


@pytest.mark.parametrize(
    "model, width, is_asked",
    [
        pytest.param(KNeighborsClassifier().fit(X, CLASSES), 6, True, id="an estimator"),
        pytest.param(KNeighborsClassifier().fit(pd.DataFrame(X).add_prefix("x"), CLASSES), 6, True, id="with names"),
        pytest.param(KNeighborsClassifier().fit(X, CLASSES), 5, False, id="of other features"),
        pytest.param(VotingClassifier([("a", GaussianNB())]).fit(X, CLASSES), 6, True, id="that holds nameless ones"),
        pytest.param(VotingClassifier([("a", GaussianNB())]).fit(pd.DataFrame(X).add_prefix("x"), CLASSES), 6, False,
                     id="that holds ones with names"),
        pytest.param(SimpleNamespace(predict=len, n_features_in_=6), 6, False, id="of another library"),
    ],
)  # fmt: skip
def test_what_can_be_asked_with_an_array(model: Any, width: int, is_asked: bool) -> None:
    assert can_be_asked(model, width) is is_asked
