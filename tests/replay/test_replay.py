"""Proof by replay: the package of a notebook that ran passes, and one that was broken is found out by name."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from nbprod import replay
from nbprod.analysis import analyse
from nbprod.analysis.headers import read_headers
from nbprod.backends.papermill_backend import run_notebook
from nbprod.codegen import capture_plan, manifest_of, root_files, version_files
from nbprod.notebook import read
from nbprod.plan import Choice, make_plan

NOTEBOOK = """# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
df = pd.read_csv("data.csv")
# %%
df = df[df["visits"] >= 0]
df["age"] = df["age"].fillna(df["age"].median())
df["spend"] = np.log1p(df["spend"])
df["share"] = (df["visits"] - df["visits"].mean()) / df["visits"].std()
df["band"] = pd.qcut(df["age"], 4, labels=False)
df["plan"] = df["plan"].map({"free": 0, "basic": 1, "pro": 2})
df = pd.get_dummies(df, columns=["city"])
# %%
X = df.drop("left", axis=1)
y = df["left"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
scaler = StandardScaler()
X_train[["age", "spend"]] = scaler.fit_transform(X_train[["age", "spend"]])
X_test[["age", "spend"]] = scaler.transform(X_test[["age", "spend"]])
# %%
model = LogisticRegression(max_iter=500)
model.fit(X_train, y_train)
predicted = model.predict(X_test)
"""


@dataclass(frozen=True)
class Ran:
    """A notebook that was run, its exported, fitted package, and what the fit told."""

    root: Path
    captures: Path
    python: str
    manifest: dict[str, Any]
    told: dict[str, Any]

    def replay(self, root: Path | None = None, **options: Any) -> Any:
        return replay.replay(
            root or self.root, "churn", "v0001", self.captures, self.python, self.manifest, level="quick", **options
        )


def table() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, 160).astype(float),
            "spend": rng.gamma(2, 30, 160).round(2),
            "visits": rng.integers(-1, 9, 160),
            "plan": rng.choice(["free", "basic", "pro"], 160),
            "city": rng.choice(["Bern", "Chur", "Genf"], 160),
            "left": rng.integers(0, 2, 160),
        }
    )
    frame.loc[rng.random(160) < 0.2, "age"] = np.nan
    return frame


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run_in(tmp_path_factory.mktemp("churn"), NOTEBOOK)


def run_in(folder: Path, text: str, *, batch: bool = False) -> Ran:
    table().to_csv(folder / "data.csv", index=False)
    path = folder / "churn.py"
    path.write_text(text)
    notebook = read(str(path))
    analysis = analyse(notebook, read_headers(analyse(notebook).events, folder))
    plan = make_plan(notebook, analysis, Choice(batch=batch))
    assert plan.refusals == ()
    result = run_notebook(notebook, capture_plan(plan), out_dir=folder / "run")
    root = folder / "pipelines"
    files = {f"v0001/{path}": content for path, content in version_files(plan, notebook, "churn").items()}
    for name, content in {**files, **root_files("churn"), "versions.json": b'[{"number": 1}]'}.items():
        target = root / "churn" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    captures, manifest = Path(result.captures), manifest_of(plan, notebook, "churn")
    told = replay.fit(root, "churn", "v0001", captures, result.python, manifest)
    return Ran(root, captures, result.python, manifest, told)


def test_the_package_as_exported_is_proven(ran: Ran) -> None:
    result = ran.replay()

    assert result.status == "proven"
    assert result.mismatch is None
    assert (result.rows_equal, result.predictions_equal) == (result.rows, result.predictions)
    assert result.rows == len(table().query("visits >= 0"))
    assert result.predictions > 0
    assert all(passed for _, passed, _ in result.checks)


PIPED = NOTEBOOK.replace(
    "model = LogisticRegression(max_iter=500)",
    "from sklearn.pipeline import make_pipeline\nclf = LogisticRegression(max_iter=500)\n"
    "model = make_pipeline(StandardScaler(), clf)",
)
WEIGHED = NOTEBOOK.replace("fit(X_train, y_train)", "fit(X_train, y_train, X_train['share'].abs() + 1)")


@pytest.mark.parametrize(
    "text, why_trained",
    [
        pytest.param(NOTEBOOK, None, id="the same training"),
        pytest.param(NOTEBOOK.replace("model.fit", "model = model.fit"), None, id="what the training returns"),
        pytest.param(PIPED, None, id="a pipeline"),
        pytest.param(WEIGHED, "the training is given sample_weight beside rows and labels", id="weights"),
        pytest.param(NOTEBOOK + "model.set_params(C=0.1)\n", None, id="parameters that are changed after the training"),
    ],
)
def test_the_model_of_the_notebook_is_taken_for(text: str, why_trained: str | None, tmp_path: Path) -> None:
    ran = run_in(tmp_path, text)

    assert ran.told["taken"] == (why_trained is None), ran.told
    assert (ran.told["why_trained"] or "").startswith(why_trained or "")
    result = ran.replay()
    assert result.status == "proven"
    assert result.predictions_equal == result.predictions > 0


# No place is asked for where the package's fit and serving agree with each other: then only the feature is known.
BROKEN = [
    pytest.param('df["age"].median()', 'df["age"].mean()', "age", None, id="mean for median"),
    pytest.param(
        'learned("age_median", lambda: df["age"].median())',
        'df["age"].median()',
        "age",
        (1, 2),
        id="a median of the batch at hand",
    ),
    pytest.param("np.log1p(", "np.log(", "spend", (1, 3), id="log for log1p"),
    pytest.param('df["visits"].std()', 'df["visits"].std(ddof=0)', "share", (1, 4), id="another ddof"),
    pytest.param('"basic": 1', '"basic": 3', "plan", (1, 6), id="another mapping"),
    pytest.param('df["visits"] - ', 'df["visits"] + ', "share", (1, 4), id="another sign"),
    pytest.param('(df["visits"] - ', '(df["age"] - ', "share", (1, 4), id="another column"),
    pytest.param(
        'df["spend"] = np.log1p(df["spend"])',
        'df["spend"] = np.log1p(df["spend"]).astype("float32")',
        "spend",
        (1, 3),
        id="less precision",
    ),
    pytest.param(
        'df["spend"] = np.log1p(df["spend"])',
        'df["spend"] = np.log1p(df["spend"]) * 1000',
        "spend",
        None,
        id="another unit",
    ),
]


@pytest.mark.parametrize("old, new, feature, place", BROKEN)
def test_a_broken_package_is_found_out(
    ran: Ran, tmp_path: Path, old: str, new: str, feature: str, place: tuple[int, int] | None
) -> None:
    result = ran.replay(broken(ran, tmp_path, old, new))

    assert result.status == "failed"
    assert result.mismatch is not None
    assert result.mismatch.feature == feature
    if place is not None:
        assert (result.mismatch.cell, result.mismatch.line) == place
    assert set(result.mismatch.row) <= set(table().columns)


@pytest.mark.parametrize(
    "tolerance, status",
    [
        pytest.param({}, "failed", id="none"),
        pytest.param({"share": 1e-9}, "failed", id="too small"),
        pytest.param({"spend": 1e-6}, "failed", id="of another feature"),
        pytest.param({"share": 1e-6}, "proven", id="as much as it parts"),
    ],
)
def test_a_feature_may_part_by_what_is_declared(
    ran: Ran, tmp_path: Path, tolerance: dict[str, float], status: str
) -> None:
    root = broken(ran, tmp_path, '(df["visits"] - ', '1.0000001 * (df["visits"] - ')
    shutil.rmtree(root / "churn/v0001/state")  # its form for one row was made of the other code

    result = ran.replay(root, tolerance=tolerance)

    assert result.status == status, result.mismatch
    assert result.mismatch is None or result.mismatch.feature == "share"


def test_a_step_that_is_missing_is_found_out(ran: Ran, tmp_path: Path) -> None:
    line = '    X_train[["age", "spend"]] = learned.fit_transform("scaler", scaler, X_train[["age", "spend"]])\n'
    result = ran.replay(broken(ran, tmp_path, line, ""))

    assert result.status == "failed"
    assert result.mismatch is not None
    assert result.mismatch.feature in ("age", "spend")


def test_rows_that_serving_drops_are_found_out(ran: Ran, tmp_path: Path) -> None:
    root = broken(ran, tmp_path, "    if learned.fitting:\n        df = df[", "    if True:\n        df = df[")

    result = ran.replay(root)

    assert result.status == "failed"
    assert [name for name, passed, _ in result.checks if not passed] == ["as many rows out as in"]


WHOLE_WITHOUT_GAPS = """# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")
# %%
df = df.dropna()
df["old"] = df["age"].map(lambda age: 1 if age > 50 else 0, na_action="ignore")
# %%
X = df[["old", "visits"]]
model = LogisticRegression(max_iter=500)
model.fit(X, df["left"])
predicted = model.predict(X)
"""


def test_whole_numbers_are_those_of_training_beside_a_row_that_training_dropped(tmp_path: Path) -> None:
    result = run_in(tmp_path, WHOLE_WITHOUT_GAPS).replay()

    assert result.status == "proven"
    assert result.rows == result.rows_equal == len(table().dropna())


TWO_TARGETS = """# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv("data.csv").fillna(0)
# %%
X = df[["age", "visits"]]
model = LinearRegression()
model.fit(X, df[["spend", "left"]])
predicted = model.predict(X)
"""


def test_a_record_has_the_answers_of_a_model_of_two_targets(tmp_path: Path) -> None:
    result = run_in(tmp_path, TWO_TARGETS).replay()

    assert result.status == "proven"
    assert "one JSON record" in {name for name, _, _ in result.checks}


AROUND = """# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")
# %%
df["before"] = df["spend"].shift(1)
df["ahead"] = df["visits"].shift(-2)
df["age"] = df["age"].fillna(df["age"].mean())
df = df.dropna()
# %%
X = df[["before", "ahead", "age"]]
model = LogisticRegression(max_iter=500)
model.fit(X, df["left"])
predicted = model.predict(X)
"""


@pytest.fixture(scope="module")
def ran_as_batch(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run_in(tmp_path_factory.mktemp("batch"), AROUND, batch=True)


def test_a_whole_batch_is_proven_and_what_looks_ahead_is_named(ran_as_batch: Ran) -> None:
    result = ran_as_batch.replay()

    assert result.status == "proven"
    assert (result.rows, result.predictions) == (result.rows_equal, result.predictions_equal)
    assert result.rows == result.predictions == len(table()) - 3
    details = {name: detail for name, _, detail in result.checks}
    assert details["earlier rows without later ones"].endswith("; ahead needs rows that come later")
    assert not {"shuffled", "one row at a time", "one JSON record", "without the target"} & set(details)


@pytest.mark.parametrize(
    "old, new, feature",
    [
        pytest.param('df["spend"].shift(1)', '-df["spend"].shift(1)', "before", id="another sign"),
        pytest.param('df["visits"].shift(-2)', 'df["visits"].shift(-2) * 100', "ahead", id="another unit"),
        pytest.param('learned("age_mean", lambda: df["age"].mean())', 'df["age"].mean()', "age", id="learned anew"),
    ],
)
def test_a_broken_package_of_batches_is_found_out(
    ran_as_batch: Ran, tmp_path: Path, old: str, new: str, feature: str
) -> None:
    result = ran_as_batch.replay(broken(ran_as_batch, tmp_path, old, new))

    assert result.status == "failed"
    assert result.mismatch is not None
    assert result.mismatch.feature == feature


SET_OF_TEXTS = """# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv").fillna(0)
# %%
columns = list({"age", "spend", "visits"})
X = df[columns].values
model = LogisticRegression(max_iter=500)
model.fit(X, df["left"])
predicted = model.predict_proba(X)
"""


def test_a_set_of_texts_has_trainings_order_in_every_process(tmp_path: Path) -> None:
    ran = run_in(tmp_path, SET_OF_TEXTS)
    code = (
        "import sys; import pandas as pd; sys.path.insert(0, sys.argv[1])\n"
        "from churn.v0001.runtime.pipeline import Pipeline\n"
        "print(Pipeline.load().predict_proba(pd.read_csv(sys.argv[2])).tolist())"
    )
    answers = {
        subprocess.run(
            [ran.python, "-c", code, str(ran.root), str(tmp_path / "data.csv")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2", "3")
    }

    assert ran.replay().status == "proven"
    assert len(answers) == 1


ENCODED = """# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import TargetEncoder
df = pd.read_csv("data.csv")
df["spend"] = df["spend"] - df["spend"].min()
# %%
X_train, X_test, y_train, y_test = train_test_split(df[["city", "spend"]], df["left"], random_state=0)
encoder = TargetEncoder(random_state=0)
X_train[["city"]] = encoder.fit_transform(X_train[["city"]], y_train)
X_test[["city"]] = encoder.transform(X_test[["city"]])
# %%
model = LogisticRegression(max_iter=500)
model.fit(X_train, y_train)
predicted = model.predict(X_test)
"""


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run_in(tmp_path_factory.mktemp("encoded"), ENCODED)


def test_training_rows_are_held_to_transform_where_fit_transform_gives_other_values(encoded: Ran) -> None:
    result = encoded.replay()

    assert result.status == "observed"
    assert (result.rows_equal, result.predictions_equal) == (result.rows, result.predictions)
    told = {name: detail for name, _, detail in result.checks}
    assert "TargetEncoder (by up to" in told["training rows as transform gives them"]


SCORED = """# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
df = pd.read_csv("data.csv")
# %%
X_train, X_test, y_train, y_test = train_test_split(df[["visits", "spend"]], df["left"], random_state=0)
scaler = StandardScaler()
scaled = scaler.fit_transform(X_train)
scaled_test = scaler.transform(X_test)
# %%
model = LogisticRegression()
model.fit(scaled, y_train)
print(model.score(scaled_test, y_test))
"""


def test_rows_that_are_only_scored_are_held_to_the_package(tmp_path: Path) -> None:
    result = run_in(tmp_path, SCORED).replay()

    assert (result.status, result.rows_equal, result.rows) == ("proven", 160, 160)
    assert "serving the rows of score 1" in {name for name, passed, _ in result.checks if passed}


def test_rows_that_are_prepared_otherwise_to_be_scored_are_found_out(tmp_path: Path) -> None:
    result = run_in(tmp_path, SCORED.replace("scaler.transform", "scaler.fit_transform")).replay()

    assert (result.status, result.rows_equal, result.rows) == ("failed", 120, 160)
    assert [name for name, passed, _ in result.checks if not passed] == ["serving the rows of score 1"]
    (_, held_out) = train_test_split(table(), random_state=0)
    assert result.mismatch.row["spend"] in set(held_out["spend"])
    assert (result.mismatch.cell, result.mismatch.line) == (1, 3)


ROUNDED = """# %%
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
class Centred(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None):
        self.mean_ = X.mean()
        return self
    def transform(self, X):
        return (X - self.mean_).to_numpy()
    def fit_transform(self, X, y=None):
        return self.fit(X).transform(X).round(4)
df = pd.read_csv("data.csv")
# %%
centred = Centred().fit_transform(df[["visits", "spend"]])
centred = np.column_stack([df["age"].fillna(0), centred])
X_train, X_test, y_train, y_test = train_test_split(centred, df["left"], random_state=0)
# %%
model = LogisticRegression()
model.fit(X_train, y_train)
print(model.score(X_test, y_test))
"""


@pytest.mark.parametrize(
    "asked, status, equal, predicted",
    [
        pytest.param("score(X_test, y_test)", "observed", 160, 0, id="as fit_transform gave them"),
        pytest.param("predict_proba(X_test)", "observed", 160, 40, id="as fit_transform gave them, answered"),
        pytest.param("score(X_test + [0, 0, 0.01], y_test)", "failed", 120, 0, id="changed by more"),
        pytest.param("score(X_test + [1e-4, 0, 0], y_test)", "failed", 120, 0, id="a column that is no transformer's"),
    ],
)
def test_rows_set_aside_after_fit_transform_may_differ_as_it_does(
    asked: str, status: str, equal: int, predicted: int, tmp_path: Path
) -> None:
    result = run_in(tmp_path, ROUNDED.replace("score(X_test, y_test)", asked)).replay()

    assert (result.status, result.rows_equal, result.rows) == (status, equal, 160)
    assert (result.predictions_equal, result.predictions) == (predicted, predicted)
    told = {name: (passed, detail) for name, passed, detail in result.checks if name.startswith("serving the rows of")}
    ((passed, detail),) = told.values()
    assert passed is ("within" in detail) is (status == "observed")


HAND_WRITTEN = """# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
class Prepared:
    def fit(self, df):
        self.medians = df[["visits", "spend"]].median()
        self.cities = {city: number for number, city in enumerate(sorted(df["city"].dropna().unique()))}
        return self
    def transform(self, df):
        made = df[["visits", "spend"]] - self.medians
        return made.assign(city=df["city"].map(self.cities).fillna(-1))
df = pd.read_csv("data.csv")
# %%
prepared = Prepared().fit(df)
X = prepared.transform(df)
# %%
model = LogisticRegression(max_iter=500)
model.fit(X, df["left"])
print(model.predict(X)[:3])
"""


def test_a_transformer_of_the_notebook_is_kept_with_what_pandas_holds_in_it(tmp_path: Path) -> None:
    result = run_in(tmp_path, HAND_WRITTEN).replay()

    assert (result.status, result.rows_equal) == ("observed", result.rows)


TWO_TABLES = """# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
train = pd.read_csv("data.csv")
test = pd.read_csv("FOLDER/new.csv")
# %%
for part in [train, test]:
    part["spend"] = part["spend"] - part["spend"].mean()
# %%
model = LogisticRegression()
model.fit(train[["visits", "spend"]], train["left"])
predicted = model.predict(test[["visits", "spend"]])
"""


def test_the_row_that_is_shown_is_one_of_the_table_that_was_predicted(tmp_path: Path) -> None:
    new = table().iloc[100:130].drop(columns="left").assign(spend=lambda rows: rows["spend"] + 1000)
    new.to_csv(tmp_path / "new.csv", index=False)
    result = run_in(tmp_path, TWO_TABLES.replace("FOLDER", tmp_path.as_posix())).replay()

    assert (result.status, result.mismatch.feature) == ("failed", "spend")
    assert result.mismatch.row["spend"] > 1000


WITH_THE_TARGET = """# %%
import pandas as pd
from sklearn.tree import DecisionTreeClassifier
df = pd.read_csv("data.csv")
# %%
for name in df.select_dtypes(exclude=["number", "bool"]).columns.tolist():
    df = df.join(pd.get_dummies(df[name], prefix=name)).drop([name], axis=1)
# %%
model = DecisionTreeClassifier(random_state=0)
model.fit(df.iloc[:, :-1].fillna(0), df["left"])
predicted = model.predict(df.iloc[:, :-1].fillna(0))
"""


def test_a_target_among_the_features_that_nobody_has_named_is_found_out(tmp_path: Path) -> None:
    result = run_in(tmp_path, WITH_THE_TARGET).replay()

    assert (result.status, result.mismatch.feature) == ("failed", "left")
    assert "without the target" in {name for name, passed, _ in result.checks if not passed}


LABELS_BY_PLACE = """# %%
import pandas as pd
from sklearn.tree import DecisionTreeClassifier
df = pd.read_csv("data.csv")
# %%
for name in df.select_dtypes(exclude=["number", "bool"]).columns.tolist():
    df = df.join(pd.get_dummies(df[name], prefix=name)).drop([name], axis=1)
# %%
model = DecisionTreeClassifier(random_state=0)
model.fit(df.iloc[:, 0:3].fillna(0), LABELS)
"""


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param("df.iloc[:, 3]", id="as they are"),
        pytest.param("df.iloc[:, 3] * 2 - 1", id="as other codes"),
        pytest.param("df.iloc[:, 3].values", id="as an array"),
    ],
)
def test_a_request_that_needs_the_target_is_found_out(labels: str, tmp_path: Path) -> None:
    result = run_in(tmp_path, LABELS_BY_PLACE.replace("LABELS", labels)).replay()

    (detail,) = (detail for name, passed, detail in result.checks if name == "what a request needs" and not passed)
    assert result.status == "failed"
    assert "a request needs left" in detail


OF_ANOTHER_KIND = """# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
train = pd.read_csv("data.csv")
test = pd.read_csv("FOLDER/new.csv")
# %%
for part in [train, test]:
    part["length"] = part["plan"].astype(str).str.len()
# %%
model = LogisticRegression()
model.fit(train[["visits", "length"]], train["left"])
predicted = model.predict(test[["visits", "length"]])
"""


def test_a_table_of_which_no_row_is_taken_says_why(tmp_path: Path) -> None:
    new = table().iloc[100:130].drop(columns="left").assign(plan=1234567)
    new.to_csv(tmp_path / "new.csv", index=False)
    result = run_in(tmp_path, OF_ANOTHER_KIND.replace("FOLDER", tmp_path.as_posix())).replay()

    (detail,) = (detail for name, _, detail in result.checks if name == "serving the rows of predict 1")
    assert result.status == "failed"
    assert "1234567 is not text, which this column was in training" in detail


TURNED_BACK = """# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv("data.csv")
# %%
model = LinearRegression()
model.fit(df[["visits"]], np.log1p(df["spend"]))
predicted = np.expm1(model.predict(df[["visits"]]))
"""


def test_a_record_is_answered_in_the_units_of_the_target(tmp_path: Path) -> None:
    ran = run_in(tmp_path, TURNED_BACK)
    result = replay.replay(ran.root, "churn", "v0001", ran.captures, ran.python, ran.manifest)

    assert (tmp_path / "pipelines/churn/v0001/features.py").read_text().count("np.expm1") == 1
    assert result.mismatch is None
    held = {name for name, passed, _ in result.checks if passed}
    assert {"one JSON record", "predict in cell 1, line 3, one row without pandas"} <= held


LOOKED_UP = """# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")
plans = pd.read_csv("FOLDER/plans.csv")
# %%
df = df.merge(plans, on="plan", how="HOW")
df["text"] = df["price"].astype(str).str.len()
# %%
model = LogisticRegression()
model.fit(df[["price", "text", "visits"]].fillna(-1), df["left"])
"""


@pytest.mark.parametrize("how, rows", [("inner", len(table().query("plan != 'pro'"))), ("left", 160)])
def test_rows_that_a_lookup_table_has_not_change_no_other_row(how: str, rows: int, tmp_path: Path) -> None:
    (tmp_path / "plans.csv").write_text("plan,price\nfree,0\nbasic,5\n")
    ran = run_in(tmp_path, LOOKED_UP.replace("FOLDER", tmp_path.as_posix()).replace("HOW", how))
    result = replay.replay(ran.root, "churn", "v0001", ran.captures, ran.python, ran.manifest)

    assert result.status == "proven"
    assert (result.rows_equal, result.rows) == (rows, rows)


@pytest.mark.parametrize(
    "old, new, feature",
    [
        pytest.param('- learned("spend_min", lambda: df["spend"].min())', '- df["spend"].min()', "spend", id="serving"),
        pytest.param('df["spend"].min()', 'df["spend"].max()', "spend", id="fit and serving"),
        pytest.param("TargetEncoder(random_state=0)", "TargetEncoder(random_state=1)", "city", id="the encoder"),
    ],
)
def test_what_differs_beside_is_found_out(encoded: Ran, tmp_path: Path, old: str, new: str, feature: str) -> None:
    result = encoded.replay(broken(encoded, tmp_path, old, new))

    assert result.status == "failed"
    assert result.mismatch is not None
    assert result.mismatch.feature == feature


def broken(ran: Ran, folder: Path, old: str, new: str) -> Path:
    """A copy of the fitted package whose features module has `new` for `old`."""
    root = folder / "pipelines"
    shutil.copytree(ran.root, root)
    path = root / "churn/v0001/features.py"
    text = path.read_text()
    assert text.count(old) == 1, text
    path.write_text(text.replace(old, new))
    return root
