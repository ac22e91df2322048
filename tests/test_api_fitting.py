"""What a fit leaves in a version."""

from __future__ import annotations

import json
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
import pandas as pd
from lightgbm import LGBMRegressor
df = pd.read_csv('rows.csv')

# %% tags=["features"]
df['a'] = df['a'] - df['a'].mean()

# %% tags=["train"]
model = LGBMRegressor(n_estimators=5, min_child_samples=2, verbose=-1)
model.fit(df[['a', 'b']], df['c'])
predicted = model.predict(df[['a', 'b']])
"""


def test_a_model_of_another_library_is_fitted_kept_and_proven(tmp_path: Path) -> None:
    try:
        import lightgbm  # noqa: F401
    except OSError as error:
        pytest.skip(f"lightgbm does not load here: {error}")
    (tmp_path / "rows.csv").write_text("a,b,c\n" + "".join(f"{n},{n % 7},{n % 3}.75\n" for n in range(60)))
    (tmp_path / "boosted.py").write_text(BOOSTED)

    report = run_notebook(str(tmp_path / "boosted.py"), output=str(tmp_path / "out"))

    assert report["verify"]["status"] == "proven"
    assert (report["verify"]["rows_equal"], report["verify"]["predictions_equal"]) == (60, 60)
    assert 'trusted = ("lightgbm",)' in (Path(report["package"]) / "features.py").read_text()


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
