"""What a fit leaves in a version."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from nbprod.api.running import run_notebook

NOTEBOOK = """
# %% tags=["data"]
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv('rows.csv')

# %% tags=["train"]
model = LinearRegression()
model.fit(df[['a', 'b']], df['c'])
"""


IN_STATE = ["state/example.json", "state/raw.json"]


@pytest.mark.parametrize(
    "config, kept",
    [
        pytest.param("", ["state/example.json", "state/raw.json", "tests/golden.json"], id="by default"),
        pytest.param(
            "[pipelines.work]\ngolden_rows = false\n",
            ["state/example.json", "state/raw.json"],
            id="where they are turned off",
        ),
    ],
)
def test_golden_rows_are_kept_unless_they_are_turned_off(config: str, kept: list[str], tmp_path: Path) -> None:
    (tmp_path / "nbprod.toml").write_text(config)
    (tmp_path / "rows.csv").write_text("a,b,c\n" + "".join(f"{n},{n % 7},{n % 3}.75\n" for n in range(60)))
    (tmp_path / "work.py").write_text(NOTEBOOK)

    report = run_notebook(str(tmp_path / "work.py"), output=str(tmp_path / "out"), verify=False)

    folder = Path(report["package"])
    holding = [path.relative_to(folder).as_posix() for path in folder.rglob("*.json") if "0.75" in path.read_text()]
    assert sorted(each for each in holding if each != "state/schema.json") == kept
    assert json.loads((folder / "state/fitted.json").read_text())["files"]


BOOSTED = """
# %% tags=["data"]
import lightgbm
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from xgboost import XGBClassifier, XGBRegressor
df = pd.read_csv('rows.csv')

# %% tags=["features"]
df['a'] = df['a'] - df['a'].mean()
kept = df['b'] % 2 == 0
"""
IN_STEPS = """
# %% tags=["train"]
steps = make_column_transformer((SimpleImputer(), ['a', 'b']), (OneHotEncoder(handle_unknown='ignore'), ['t']))
model = make_pipeline(steps, XGBRegressor(n_estimators=5, n_jobs=1))
model.fit(df[['a', 'b', 't']], df['c'])
predicted = model.predict(df[['a', 'b', 't']])
"""
STOPPED = """
X_fit, X_held, y_fit, y_held = train_test_split(df[['a', 'b']], df['t'] == 'x', random_state=0)

# %% tags=["train"]
model = LGBMClassifier(n_estimators=50, min_child_samples=2, verbose=-1)
model.fit(X_fit, y_fit, eval_set=[(X_held, y_held)], callbacks=[lightgbm.early_stopping(3)])
predicted = model.predict(X_held)
"""


@pytest.mark.parametrize(
    "training, library",
    [
        pytest.param(
            "# %% tags=['train']\nmodel = LGBMRegressor(n_estimators=5, min_child_samples=2, verbose=-1)\n"
            "model.fit(df[['a', 'b']], df['c'])\npredicted = model.predict(df[['a', 'b']])\n",
            "lightgbm",
            id="LightGBM",
        ),
        pytest.param(STOPPED, "lightgbm", id="LightGBM, stopped early"),
        pytest.param(IN_STEPS, "xgboost", id="XGBoost behind steps of scikit-learn"),
    ],
)
def test_a_model_of_another_library_is_fitted_kept_and_proven_and_served_without_it(
    training: str, library: str, tmp_path: Path
) -> None:
    try:
        import lightgbm  # noqa: F401
        import xgboost  # noqa: F401
    except OSError as error:
        pytest.skip(f"the libraries do not load here: {error}")
    lines = "".join(f"{n},{n % 7},{n % 3}.75,{'xyz'[n % 3]}\n" for n in range(60))
    (tmp_path / "rows.csv").write_text(f"a,b,c,t\n{lines}")
    (tmp_path / "boosted.py").write_text(BOOSTED + training)

    report = run_notebook(str(tmp_path / "boosted.py"), output=str(tmp_path / "out"))

    assert report["verify"]["status"] == "proven"
    assert report["verify"]["rows_equal"] in (45, 60)
    folder = Path(report["package"])
    assert f'trusted = ("{library}",)' in (folder / "features.py").read_text()
    ask = (
        "import sys; from boosted.v0001.runtime import light; served = light.load(); "
        "made = served.at_once([served.example()]); "
        "print(made is not None, *({'pandas', 'sklearn', 'lightgbm', 'xgboost'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", ask], cwd=folder.parents[1], capture_output=True, text=True, check=True)
    assert run.stdout == "True\n"


LAGGED = """
# %% tags=["data"]
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv('rows.csv')

# %% tags=["features"]
df['before'] = df['c'].shift(1)
df = df.dropna()

# %% tags=["train"]
model = LinearRegression()
model.fit(df[['before']], df['c'])
"""


def test_a_model_of_whole_batches_is_registered_with_its_signature(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b,c\n" + "".join(f"{n},{n % 7},{n % 3}.75\n" for n in range(60)))
    (tmp_path / "lagged.py").write_text(LAGGED)

    report = run_notebook(str(tmp_path / "lagged.py"), output=str(tmp_path / "out"), batch=True)

    assert (report["serves"], report["verify"]["status"]) == ("batch", "proven")
    mlflow.set_tracking_uri(report["tracking_uri"])
    model = mlflow.pyfunc.load_model("models:/lagged/1")
    assert model.metadata.signature.inputs.input_names() == ["c"]
    answers = model.predict(pd.read_csv(tmp_path / "rows.csv")[["c"]].head(3))
    assert np.isnan(answers).tolist() == [True, False, False]
