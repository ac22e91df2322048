"""Roles proposed for untagged cells, with and without the dataflow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbprod.analysis.roles import steps_of_cells, suggest
from nbprod.model.notebook import Role, Suggestion
from nbprod.model.program import Edge
from nbprod.notebook import read, read_text

ROOT = Path(__file__).parent.parent.parent.parent


def suggested(*sources: str, flow: tuple[tuple[int, int], ...] | None = None, tag: str = "") -> dict[int, Suggestion]:
    cells = [{"cell_type": "code", "source": source, "metadata": {}} for source in sources]
    if tag:
        cells[0]["metadata"] = {"tags": [tag]}
    notebook = read_text(json.dumps({"cells": cells, "nbformat": 4}), "a.ipynb")
    edges = None if flow is None else tuple(Edge(source, target, ("df",)) for source, target in flow)
    return {one.cell: one for one in suggest(notebook, steps_of_cells(notebook.cells), edges)}


@pytest.mark.parametrize(
    "source, role, reason",
    [
        pytest.param("df = pd.read_csv('a.csv')", Role.DATA, "reads raw rows: `pd.read_csv('a.csv')`", id="reading"),
        pytest.param("df['c'] = df.a / 2", Role.FEATURES, "makes a column: `df['c'] = df.a / 2`", id="a new column"),
        pytest.param("df = df.dropna()", Role.FEATURES, "cleans rows or columns: `df.dropna()`", id="cleaning"),
        pytest.param(
            "model.fit(X_train, y_train)", Role.TRAIN, "fits an estimator: `model.fit(X_train, y_train)`", id="fit"
        ),
        pytest.param(
            "m = SVC()\nm.fit(X)\nm.predict(X)", Role.TRAIN, "; also does `evaluate`", id="fit with a prediction"
        ),
        pytest.param("f1_score(y, p)", Role.EVALUATE, "measures predictions: `f1_score(y, p)`", id="a metric"),
        pytest.param("p = m.predict(X)", Role.EVALUATE, "predicts: `m.predict(X)`", id="a prediction"),
        pytest.param("df.hist()", Role.EXPLORE, "draws a plot: `df.hist()`", id="a plot"),
        pytest.param("df.head()\ndf = pd.read_csv('a')", Role.DATA, "reads raw rows", id="reading with a look"),
    ],
)
def test_role_and_reason(source: str, role: Role, reason: str) -> None:
    one = suggested(source)[0]
    assert one.role is role
    assert reason in one.reason
    assert 0.5 <= one.confidence < 1


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("import pandas as pd\nfrom sklearn.svm import SVC", id="imports"),
        pytest.param("SEED = 42\nCOLS = ['a', 'b']", id="constants"),
        pytest.param("def clean(df):\n    return df.dropna()", id="a helper"),
        pytest.param("class T(TransformerMixin):\n    def fit(self, X): return self", id="a class"),
        pytest.param("import os\ntry:\n    import lightgbm\nexcept ImportError:\n    pass", id="a guarded import"),
        pytest.param("'''notes'''", id="text"),
        pytest.param("", id="nothing"),
        pytest.param("%matplotlib inline\n!pip install x", id="magics"),
        pytest.param("x = = 1", id="a fault"),
    ],
)
def test_none_for_cells_that_only_import_or_define(source: str) -> None:
    assert suggested(source, "m.fit(X, y)", flow=((0, 1),)).keys() == {1}


def test_none_for_tagged_cells() -> None:
    assert 0 not in suggested("df = pd.read_csv('a')", tag="explore")


def test_cells_on_the_way_to_fit_gain_and_others_lose() -> None:
    sources = ("df['a'] = df.b + 1", "df['c'] = df.b + 2", "df['d'] = df.b + 3", "m.fit(X, y)", "print(df)")
    before, after = suggested(*sources), suggested(*sources, flow=((0, 3), (1, 4)))
    assert after[0].confidence > before[0].confidence
    assert after[0].reason.endswith("; it reaches the training in cell 3")
    assert after[1].confidence < before[1].confidence
    assert (after[2].role, "nothing uses the result" in after[2].reason) == (Role.EXPLORE, True)


def test_a_plot_that_feeds_nothing_is_explore_for_sure() -> None:
    sources = ("df.hist()", "m.fit(X, y)")
    assert suggested(*sources, flow=())[0].confidence > suggested(*sources)[0].confidence


def test_a_cell_that_no_rule_knows_is_features_where_it_feeds_fit() -> None:
    one = suggested("X = prepare(rows)", "m.fit(X, y)", flow=((0, 1),))[0]
    assert (one.role, one.reason) == (Role.FEATURES, "its values reach the training in cell 1")


def test_a_tagged_training_cell_counts_as_training() -> None:
    found = suggested("run(X)", "X = prepare(rows)", flow=((1, 0),), tag="train")
    assert found[1].role is Role.FEATURES


def test_a_mixed_cell_is_less_certain() -> None:
    pure, mixed = suggested("m.fit(X, y)")[0], suggested("df['a'] = df.b + 1\nm.fit(X, y)\nm.score(X, y)")[0]
    assert mixed.role is Role.TRAIN
    assert mixed.confidence < pure.confidence
    assert mixed.reason.endswith("; also does `evaluate` and `features`")


@pytest.mark.parametrize("name", ["titanic", "housing"])
def test_an_example_is_seen_as_a_whole(name: str) -> None:
    """Data comes first, then features; training follows them, and evaluation it."""
    notebook = read(ROOT / "examples" / name / f"{name}.ipynb")
    found = suggest(notebook, steps_of_cells(notebook.cells))
    order = [one.role for one in found if one.role is not Role.EXPLORE]
    assert order[0] is Role.DATA
    assert order.count(Role.DATA) == 1
    first = {role: order.index(role) for role in (Role.DATA, Role.FEATURES, Role.TRAIN, Role.EVALUATE)}
    assert first[Role.DATA] < first[Role.FEATURES] < min(first[Role.TRAIN], first[Role.EVALUATE])
    silent = set(range(len(notebook.cells))) - {one.cell for one in found}
    assert all(notebook.cells[index].source.startswith(("import", "SEED", "RANDOM", "TEST_SIZE")) for index in silent)
