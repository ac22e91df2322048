"""Predictions that the notebook turns back into the target's units."""

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
from sklearn.linear_model import LinearRegression
df = pd.read_csv("data.csv")
X = df[["a"]]
# %%
"""

TURNED = [
    pytest.param(
        "m.fit(X, np.log1p(df['y']))\np = np.expm1(m.predict(X))", "np.expm1(predicted)", id="log1p and expm1"
    ),
    pytest.param("y = np.log(df.y)\nm.fit(X, y)\np = m.predict(X)\nq = np.exp(p)", "np.exp(predicted)", id="by a name"),
    pytest.param(
        "df['y'] = np.sqrt(df['y'])\nm.fit(X, df['y'])\np = np.square(m.predict(X))", "np.square(predicted)", id="roots"
    ),
    pytest.param("m.fit(X, np.log1p(df['y']))\np = m.predict(X)", None, id="the notebook leaves them as they are"),
    pytest.param("m.fit(X, df['y'])\np = np.expm1(m.predict(X))", None, id="the target was not transformed"),
    pytest.param("m.fit(X, np.log1p(df['y']))\np = np.exp(m.predict(X))", None, id="another function than its inverse"),
    pytest.param("m.fit(X, np.log1p(df['y']))\np = np.expm1(df['a'])\nm.predict(X)", None, id="of something else"),
    pytest.param(
        "other = LinearRegression().fit(X, np.log1p(df['y']))\np = np.expm1(other.predict(X))\nm.fit(X, df['y'])\n"
        "m.predict(X)",
        None,
        id="of a model that is not served",
    ),
]


@pytest.mark.parametrize("text, answer", TURNED)
def test_what_turns_predictions_back(text: str, answer: str | None) -> None:
    notebook = read_text(f"{HEAD}m = LinearRegression()\n{text}\n", "nb.py")
    assert make_plan(notebook, analyse(notebook, {"data.csv": ("a", "y")}), Choice("m")).answer == answer


def test_a_package_answers_in_the_units_of_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "y": [10.0, 90.0, 1200.0, 9000.0]})
    rows.to_csv(tmp_path / "data.csv", index=False)
    text = "m = LinearRegression()\nm.fit(X, np.log1p(df['y']))\nprint(np.expm1(m.predict(X)))\n"
    (tmp_path / "units.py").write_text(HEAD + text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "pipelines"))
    assert export_notebook("units.py", name="in_units", auto=True)["status"] == "written"
    importlib.invalidate_caches()
    pipeline = importlib.import_module("in_units").train(rows)

    model = pipeline.model.predict(rows[["a"]])
    assert np.array_equal(pipeline.predict(rows), np.expm1(model))
    assert pipeline.predict_one({"a": 2.0}) == pytest.approx(np.expm1(model)[1], rel=1e-12)
    assert pipeline.predict(rows.iloc[:0]).shape == (0,)


BACK_BY_FITTED = [
    pytest.param(
        "s = StandardScaler()\ny = s.fit_transform(df[['y']])\nm.fit(X, y)\n"
        "p = s.inverse_transform(m.predict(X).reshape(-1, 1))",
        ["inverse_transform"],
        id="a scaler of the labels",
    ),
    pytest.param(
        "s = StandardScaler()\ns.fit(df[['y']])\ny = s.transform(df[['y']])\nm.fit(X, y)\np = m.predict(X)\n"
        "print(s.inverse_transform(p))",
        ["inverse_transform"],
        id="fitted before, and by a name",
    ),
    pytest.param(
        "s = StandardScaler()\ny = s.fit_transform(df[['y']])\nm.fit(X, y)\nm.predict(X)", [], id="left scaled"
    ),
    pytest.param(
        "s = StandardScaler()\nZ = s.fit_transform(X)\nm.fit(Z, df['y'])\nm.predict(Z)\nprint(s.inverse_transform(Z))",
        [],
        id="a scaler of the rows",
    ),
    pytest.param(
        "s = LabelEncoder()\ny = s.fit_transform(df['y'])\nm.fit(X, y)\nprint(s.inverse_transform(m.predict(X)))",
        [],
        id="names of classes",
    ),
]


@pytest.mark.parametrize("text, refused", BACK_BY_FITTED)
def test_predictions_that_a_fitted_transformer_turns_back_are_refused(text: str, refused: list[str]) -> None:
    head = HEAD.replace(
        "# %%\nimport", "# %%\nfrom sklearn.preprocessing import LabelEncoder, StandardScaler\nimport", 1
    )
    notebook = read_text(head + "m = LinearRegression()\n" + text, "nb.py")
    plan = make_plan(notebook, analyse(notebook, {"data.csv": ("a", "y")}), Choice(suggested=True))

    assert [refusal.construct for refusal in plan.refusals] == refused
