"""Predictions that the notebook turns back into the target's units."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbprod.analysis import analyse
from nbprod.api import export_notebook
from nbprod.codegen.runtime.baseline import truth_of
from nbprod.model.plan import FeaturePlan
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


SCALED = "StandardScaler.inverse_transform(predicted)"

BACK_BY_FITTED = [
    pytest.param(
        "s = StandardScaler()\ny = s.fit_transform(df[['y']])\nm.fit(X, y)\n"
        "p = s.inverse_transform(m.predict(X).reshape(-1, 1))",
        (SCALED, "s"),
        id="a scaler of the labels",
    ),
    pytest.param(
        "s = StandardScaler()\ns.fit(df[['y']])\ny = s.transform(df[['y']])\nm.fit(X, y)\np = m.predict(X)\n"
        "print(s.inverse_transform(p))",
        (SCALED, "s"),
        id="fitted before, and by a name",
    ),
    pytest.param(
        "s = MinMaxScaler()\ny = s.fit_transform(df['y'].values.reshape(-1, 1)).ravel()\nm.fit(X, y)\n"
        "p = s.inverse_transform(m.predict(X).reshape(-1, 1)).ravel()",
        ("MinMaxScaler.inverse_transform(predicted)", "s"),
        id="shapes around it",
    ),
    pytest.param(
        "X, T, y, t = train_test_split(X, df[['y']])\ns = StandardScaler()\nv = StandardScaler()\n"
        "X = v.fit_transform(X)\ny = s.fit_transform(y)\nm.fit(X, y.ravel())\n"
        "p = s.inverse_transform(m.predict(v.transform(T)).reshape(-1, 1))[:, 0]",
        (SCALED, "s"),
        id="of the training rows, beside a scaler of the features",
    ),
    pytest.param(
        "s = StandardScaler()\nm.fit(X, s.fit_transform(df[['y']]))\np = s.inverse_transform(m.predict(X))",
        (SCALED, "s"),
        id="in the training call",
    ),
    pytest.param(
        "s = StandardScaler()\nu = s.fit_transform(df[['b']])\ns = StandardScaler()\ny = s.fit_transform(df[['y']])\n"
        "m.fit(X, y)\np = s.inverse_transform(m.predict(X))",
        (SCALED, "s"),
        id="a name that another scaler had",
    ),
    pytest.param(
        "s = StandardScaler()\ny = s.fit_transform(df[['y']])\nm.fit(X, y)\nm.predict(X)",
        (None, None),
        id="left scaled",
    ),
    pytest.param(
        "s = StandardScaler()\ny = s.fit_transform(df[['y']])\nm.fit(X, y)\nm.predict(X)\n"
        "print(s.inverse_transform(y))",
        (None, None),
        id="the labels alone are turned back",
    ),
    pytest.param(
        "s = StandardScaler()\nZ = s.fit_transform(X)\nm.fit(Z, df['y'])\nm.predict(Z)\nprint(s.inverse_transform(Z))",
        (None, None),
        id="a scaler of the rows",
    ),
    pytest.param(
        "s = LabelEncoder()\ny = s.fit_transform(df['y'])\nm.fit(X, y)\nprint(s.inverse_transform(m.predict(X)))",
        (None, None),
        id="names of classes",
    ),
]

UNTOLD = [
    pytest.param(
        "X, T, y, t = train_test_split(X, df[['y']])\ny = s.fit_transform(y)\nt = s.fit_transform(t)\n"
        "m.fit(X, y)\np = s.inverse_transform(m.predict(T))",
        id="fitted anew on the test rows",
    ),
    pytest.param(
        "y = s.fit_transform(df[['y']])\nm.fit(X, y)\ns.fit(df[['b']])\np = s.inverse_transform(m.predict(X))",
        id="fitted anew on another column",
    ),
    pytest.param(
        "y = s.fit_transform(df[['y']])\nm.fit(X, y)\ns.fit(df[['y']])\np = s.inverse_transform(m.predict(X))",
        id="fitted anew on the same rows",
    ),
    pytest.param(
        "y = s.fit_transform(np.log1p(df[['y']]))\nm.fit(X, y)\np = np.expm1(s.inverse_transform(m.predict(X)))",
        id="one of two steps",
    ),
    pytest.param(
        "y = s.fit_transform(np.log1p(df[['y']]))\nm.fit(X, y)\nq = s.inverse_transform(m.predict(X))\n"
        "print(np.expm1(q.ravel()))",
        id="one of two steps, by a name",
    ),
    pytest.param(
        "y = s.fit_transform(df[['y']]) * 2\nm.fit(X, y)\np = s.inverse_transform(m.predict(X) / 2)",
        id="something else is done to labels and predictions",
    ),
    pytest.param(
        "y = s.fit_transform(df[['y']]) * 2\nm.fit(X, y)\np = s.inverse_transform(m.predict(X))",
        id="something else is done to the labels",
    ),
    pytest.param(
        "y = s.fit_transform(df[['y']])\nm.fit(X, y)\np = s.inverse_transform(m.predict(X) + 1)",
        id="something else is done to the predictions",
    ),
    pytest.param(
        "Z = s.fit_transform(df[['a', 'y']])\nm.fit(Z[:, :1], Z[:, 1])\n"
        "p = s.inverse_transform(np.column_stack([Z[:, 0], m.predict(Z[:, :1])]))[:, 1]",
        id="a scaler of rows and labels together",
    ),
    pytest.param(
        "Z = s.fit_transform(df[['a', 'y']])\nm.fit(Z[:, :1], Z[:, 1])\np = s.inverse_transform(m.predict(Z[:, :1]))",
        id="a scaler of rows and labels, on predictions alone",
    ),
    pytest.param(
        "r = StandardScaler()\ny = s.fit_transform(df[['y']])\nr.fit(y)\nm.fit(X, r.transform(y))\n"
        "p = s.inverse_transform(r.inverse_transform(m.predict(X)))",
        id="two scalers",
    ),
    pytest.param(
        "r = StandardScaler()\ny = s.fit_transform(df[['y']])\nr.fit(y)\nm.fit(X, r.transform(y))\n"
        "p = s.inverse_transform(m.predict(X))",
        id="the first of two scalers alone",
    ),
    pytest.param(
        "def scaled(rows):\n    return s.fit_transform(rows)\ny = scaled(df[['y']])\nm.fit(X, y)\n"
        "p = s.inverse_transform(m.predict(X))",
        id="fitted in a function",
    ),
    pytest.param(
        "for column in ['b', 'y']:\n    y = s.fit_transform(df[[column]])\nm.fit(X, y)\n"
        "p = s.inverse_transform(m.predict(X))",
        id="fitted in a loop",
    ),
    pytest.param(
        "s = KBinsDiscretizer(encode='ordinal')\ny = s.fit_transform(df[['y']])\nm.fit(X, y)\n"
        "p = s.inverse_transform(m.predict(X))",
        id="not known to turn back each value by itself",
    ),
]

SCALING = (
    HEAD.replace(
        "# %%\nimport",
        "# %%\nfrom sklearn.model_selection import train_test_split\n"
        "from sklearn.preprocessing import KBinsDiscretizer, LabelEncoder, MinMaxScaler, StandardScaler\nimport",
        1,
    )
    + "m = LinearRegression()\n"
)


def _planned(text: str) -> FeaturePlan:
    notebook = read_text(SCALING + text, "nb.py")
    return make_plan(notebook, analyse(notebook, {"data.csv": ("a", "b", "y")}), Choice(suggested=True))


@pytest.mark.parametrize("text, answer", BACK_BY_FITTED)
def test_what_a_transformer_fitted_on_the_labels_turns_back(text: str, answer: tuple[str | None, str | None]) -> None:
    plan = _planned(text)

    assert [refusal.construct for refusal in plan.refusals] == []
    assert (plan.answer, plan.answer_site and plan.answer_site[:1]) == answer


@pytest.mark.parametrize("text", UNTOLD)
def test_predictions_turned_back_in_a_way_that_is_not_told_are_refused(text: str) -> None:
    plan = _planned(f"s = StandardScaler()\n{text}")

    assert "inverse_transform" in [refusal.construct for refusal in plan.refusals]
    assert plan.answer is None


def test_the_name_of_the_scaler_is_no_part_of_the_digest() -> None:
    text = "s = StandardScaler()\ny = s.fit_transform(df[['y']])\nm.fit(X, y)\np = s.inverse_transform(m.predict(X))"
    by_another_name = text.replace("s = ", "sc_y = ").replace("= s.", "= sc_y.")

    assert _planned(text).digest == _planned(by_another_name).digest
    assert _planned(text).digest != _planned(text.rpartition("\n")[0]).digest


@pytest.mark.parametrize("labels", ["s.fit_transform(df[['y']])", "s.fit_transform(df[['y']]).ravel()"])
@pytest.mark.parametrize("scaler", ["StandardScaler()", "MinMaxScaler((1, 2))", "PowerTransformer()"])
def test_a_package_answers_in_the_units_that_a_scaler_of_the_labels_had(
    scaler: str, labels: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0, 5.5], "y": [10.0, 90.0, 1200.0, 9000.0, 9500.0]})
    rows.to_csv(tmp_path / "data.csv", index=False)
    text = f"""from sklearn.preprocessing import MinMaxScaler, PowerTransformer, StandardScaler
x = StandardScaler()
s = {scaler}
X = x.fit_transform(X)
y = {labels}
m = LinearRegression()
m.fit(X, y)
print(s.inverse_transform(m.predict(X).reshape(-1, 1)))
"""
    (tmp_path / "scaled.py").write_text(HEAD + text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "pipelines"))
    name = f"scaled_{hashlib.md5((scaler + labels).encode()).hexdigest()}"
    assert export_notebook("scaled.py", name=name, auto=True)["status"] == "written"
    importlib.invalidate_caches()
    scope: dict[str, Any] = {}
    exec(compile(HEAD + text, "scaled.py", "exec"), scope)
    expected = scope["s"].inverse_transform(scope["m"].predict(scope["X"]).reshape(-1, 1))[:, 0]
    pipeline = importlib.import_module(name).train(rows)

    assert np.ravel(pipeline.predict(rows)) == pytest.approx(expected, rel=1e-12)
    assert np.shape(pipeline.predict(rows)) == np.shape(scope["m"].predict(scope["X"]))
    assert pipeline.predict_one({"a": 2.0}) == pytest.approx(expected[1], rel=1e-12)
    assert len(pipeline.predict(rows.iloc[:0])) == 0
    pipeline.save(frame=rows)
    kept = importlib.import_module(name).load()
    assert np.array_equal(kept.predict(rows), pipeline.predict(rows))
    assert truth_of(kept, rows) == pytest.approx(rows["y"].to_numpy(), rel=1e-9)
