"""What training needs beside matrix and labels: validation sets, weights computed of the labels, settings."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nbprod.analysis import analyse
from nbprod.api import export_notebook
from nbprod.notebook import read_text
from nbprod.plan import Choice, make_plan

HEAD = """# %%
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier as Trees
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.preprocessing import StandardScaler
df = pd.read_csv("data.csv")
X_train, X_test, y_train, y_test = train_test_split(df[["a", "b"]], df["y"], random_state=0)
# %%
"""

HANDED = [
    pytest.param("m = Trees()\nm.fit(X_train, y_train)", (), id="nothing"),
    pytest.param(
        "m = Trees()\nm.fit(X_train[:9], y_train[:9], X_val=X_test, y_val=y_test)",
        ("X_test", "y_test"),
        id="a validation set",
    ),
    pytest.param(
        "w = (y_train == 0).mean()\nm = Trees(class_weight={0: 1, 1: w})\nm.fit(X_train[:9], y_train[:9])",
        ("y_train",),
        id="a weight computed of the labels",
    ),
    pytest.param(
        "w = (y_train == 0).mean()\nm = Trees(class_weight={0: 1, 1: w})\nm.fit(X_train, y_train)",
        (),
        id="a weight of the labels that training has",
    ),
    pytest.param(
        "s = StandardScaler()\nA = s.fit_transform(X_train)\nX_test = s.transform(X_test)\nm = Trees()\n"
        "m.fit(A, y_train, X_val=X_test, y_val=y_test)",
        ("X_test", "s", "y_test"),
        id="a validation set that is prepared alike",
    ),
    pytest.param("given = {'max_iter': 9}\nm = Trees(**given)\nm.fit(X_train, y_train)", (), id="settings unpacked"),
    pytest.param(
        "g = GridSearchCV(LogisticRegression(), {'C': [1, 2]})\ng.fit(X_train, y_train)\n"
        "m = LogisticRegression(**g.best_params_)\nm.fit(X_train, y_train)",
        (),
        id="settings that a search found",
    ),
]


@pytest.mark.parametrize("text, names", HANDED)
def test_what_is_handed_over(text: str, names: tuple[str, ...]) -> None:
    notebook = read_text(f"{HEAD}{text}\n", "nb.py")
    plan = make_plan(notebook, analyse(notebook, {"data.csv": ("a", "b", "y")}), Choice("m"))
    assert plan.refusals == ()
    assert plan.handed_over == names


def test_a_package_trains_with_what_is_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"a": random.normal(size=90), "b": random.normal(size=90)})
    rows["y"] = (rows["a"] + random.normal(size=90) > 0).astype(int)
    rows.to_csv(tmp_path / "data.csv", index=False)
    text = """
settings = {"max_iter": 30, "random_state": 0}
scaler = StandardScaler()
A = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)
weights = {0: 1.0, 1: (y_train == 0).sum() / (y_train == 1).sum()}
m = Trees(**settings, class_weight=weights, early_stopping=True)
m.fit(A[:60], y_train[:60], X_val=X_test, y_val=y_test)
shares = m.predict_proba(X_test)[:, 1]
"""
    (tmp_path / "handed.py").write_text(HEAD + text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "pipelines"))
    assert export_notebook("handed.py", name="handed", auto=True)["status"] == "written"
    importlib.invalidate_caches()
    pipeline = importlib.import_module("handed").train(rows)
    names: dict[str, object] = {}
    exec(HEAD + text, names)

    matrix = pipeline.features.model_input(rows.loc[names["y_test"].index])  # type: ignore[attr-defined]
    assert np.array_equal(pipeline.model.predict_proba(matrix)[:, 1], names["shares"])
    assert pipeline.features.handed_over() == {}
    assert pipeline.model.validation_score_.shape == (pipeline.model.n_iter_ + 1,)


TRAINED = [
    pytest.param(
        """
best_score, best = 0, None
for C in (0.001, 1.0, 1000.0):
    one = LogisticRegression(C=C, class_weight="balanced")
    one.fit(X_train, y_train)
    print(C, one.score(X_test, y_test))
    if one.score(X_test, y_test) > best_score:
        best_score, best = one.score(X_test, y_test), one
shares = best.predict_proba(X_test)[:, 1]
""",
        id="the best of several",
    ),
    pytest.param(
        """
ratio = (y_train == 0).sum() / (y_train == 1).sum()
y_train = y_train.map({0: "no", 1: "yes"})
def weighted(model, rows, answers):
    model.fit(rows, answers, sample_weight=answers.map({"no": 1.0, "yes": ratio}))
m = LogisticRegression(class_weight={"no": 1.0, "yes": ratio})
weighted(m, X_train, y_train)
shares = m.predict_proba(X_test)[:, 1]
""",
        id="a function with weights computed before",
    ),
]


@pytest.mark.parametrize("text", TRAINED)
def test_a_package_trains_what_the_notebook_trains(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    rows = pd.DataFrame({"a": random.normal(size=90), "b": random.normal(size=90)})
    rows["y"] = (rows["a"] * rows["b"] + random.normal(size=90) > 0).astype(int)
    rows.to_csv(tmp_path / "data.csv", index=False)
    rows = pd.read_csv(tmp_path / "data.csv")
    name = f"alone_{len(text)}"
    (tmp_path / f"{name}.py").write_text(HEAD + text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "pipelines"))
    assert export_notebook(f"{name}.py", name=name, auto=True)["status"] == "written"
    importlib.invalidate_caches()
    pipeline = importlib.import_module(name).train(rows)
    names: dict[str, object] = {}
    exec(HEAD + text, names)

    matrix = pipeline.features.model_input(rows.loc[names["y_test"].index])  # type: ignore[attr-defined]
    assert np.array_equal(pipeline.model.predict_proba(matrix)[:, 1], names["shares"])


def test_a_model_that_is_fitted_again_forgets_what_it_was_fitted_on_before() -> None:
    text = "m = Trees()\nm = m.fit(X_test, y_test)\nm = m.fit(X_train, y_train)"
    notebook = read_text(f"{HEAD}{text}\n", "nb.py")
    plan = make_plan(notebook, analyse(notebook, {"data.csv": ("a", "b", "y")}), Choice("m"))
    assert plan.refusals == ()
    assert [step.code for step in plan.model.steps] == ["m = Trees()", "m = m.fit(X_train, y_train)"]
