"""Evidence of packages that are served otherwise: whole batches, or rows by the package's own code alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from nbprod import api
from nbprod.api.answers import ReadinessItem
from nbprod.api.evidence import evidence_of
from nbprod.api.packages import target_of
from nbprod.cli.app import app
from nbprod.model.readiness import State

HEAD = (
    "import pandas as pd\n"
    "from sklearn.decomposition import PCA\n"
    "from sklearn.linear_model import Ridge\n"
    "from sklearn.metrics import mean_absolute_error\n"
    "from sklearn.model_selection import train_test_split",
    "df = pd.read_csv('sales.csv')",
)
TAIL = (
    "model = Ridge()\nmodel.fit(X_train, y_train)",
    "mae = mean_absolute_error(y_test, model.predict(X_test))",
)
NOTEBOOKS = {
    "around": (  # features of the rows around a row
        "df['before'] = df.groupby('store')['price'].shift(1)\n"
        "df['mean'] = df['price'].rolling(7).mean()\n"
        "df['store'] = df['store'].map({'a': 0, 'b': 1, 'c': 2})\n"
        "df = df.dropna()",
        "X, y = df.drop(columns=['sales']), df['sales']\n"
        "X_train, X_test, y_train, y_test = X.iloc[:160], X.iloc[160:], y.iloc[:160], y.iloc[160:]",
    ),
    "alone": (  # features that are not compiled
        "df['store'] = df['store'].map({'a': 0, 'b': 1, 'c': 2})\nX, y = df.drop(columns=['sales']), df['sales']",
        "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)\n"
        "pca = PCA(3)\n"
        "X_train = pca.fit_transform(X_train)\n"
        "X_test = pca.transform(X_test)",
    ),
}
ITEMS = ("SK-3", "SK-5", "RP-6", "MO-1", "MO-5", "DT-1", "DT-4", "SU-2")
TOML = """
[pipelines.around]
requirements = { latency_ms = 2000 }
[pipelines.alone]
requirements = { latency_ms = 2000 }
"""


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with both notebooks, each run once."""
    project = tmp_path_factory.mktemp("forms") / "project"
    project.mkdir()
    random = np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "store": random.choice(["a", "b", "c"], 240),
            "price": random.normal(20, 4, 240).round(2),
            "promo": random.integers(0, 2, 240),
        }
    )
    rows["sales"] = (100 - 2 * rows["price"] + 15 * rows["promo"] + random.normal(0, 5, 240)).round(1)
    rows.to_csv(project / "sales.csv", index=False)
    (project / "nbprod.toml").write_text(TOML)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        for name, cells in NOTEBOOKS.items():
            document = nbformat.v4.new_notebook()
            document.cells = [nbformat.v4.new_code_cell(text) for text in (*HEAD, *cells, *TAIL)]
            nbformat.write(document, project / f"{name}.ipynb")
            words = ["run", f"{name}.ipynb", "--auto", "--quiet", *(["--batch"] if name == "around" else [])]
            ran = CliRunner().invoke(app, words)
            assert ran.exit_code == 0, ran.output
    return project


@pytest.fixture(scope="module")
def looked_at(fitted: Path) -> dict[str, dict[str, ReadinessItem]]:
    """The items of each notebook after their evidence was gathered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(fitted)
        for name in NOTEBOOKS:
            api.gather(f"{name}.ipynb", items=ITEMS)
        return {name: {each.id: each for each in api.readiness(f"{name}.ipynb").items} for name in NOTEBOOKS}


@pytest.mark.parametrize("name", NOTEBOOKS)
@pytest.mark.parametrize(
    "item, told",
    [
        pytest.param("SK-3", "edge cases give the same in a record and in a table", id="edges"),
        pytest.param("SK-5", "planted violations alike on both paths", id="violations"),
        pytest.param("RP-6", "predicts 20 rows as the package does", id="the registered model"),
        pytest.param("MO-1", "by 20 answered, 5 refused, 25 timed", id="counters"),
        pytest.param("MO-5", "planted values was counted", id="unusual values"),
        pytest.param("DT-1", "asked 2000", id="latency"),
        pytest.param("DT-4", "500 malformed requests were refused", id="malformed requests"),
        pytest.param("SU-2", "rows held out, ", id="beside simple models"),
    ],
)
def test_a_sound_version_is_proved(
    item: str, told: str, name: str, looked_at: dict[str, dict[str, ReadinessItem]]
) -> None:
    found = looked_at[name][item]

    assert (found.state, told in found.evidence) == (State.PROVED, True), found


def test_rows_that_are_held_out_have_the_rows_before_them(
    fitted: Path, looked_at: dict[str, dict[str, ReadinessItem]]
) -> None:
    """All that the notebook has kept behind the first 160 are measured, the first of them too."""
    rows = pd.read_csv(fitted / "sales.csv")
    kept = rows["price"].rolling(7).mean().notna() & rows.groupby("store")["price"].shift(1).notna()
    assert f" on {kept.sum() - 160} rows held out" in looked_at["around"]["SU-2"].evidence


def test_features_that_need_other_rows_have_to_be_declared(
    fitted: Path, looked_at: dict[str, dict[str, ReadinessItem]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undeclared = looked_at["around"]["SK-4"]
    assert (undeclared.state, undeclared.contradicts) == (State.CONTRADICTED, None)
    assert "before, mean is made of the rows around a row" in undeclared.evidence
    assert looked_at["alone"]["SK-4"].state is State.PROVED

    project = Path(shutil.copytree(fitted, tmp_path / "project"))
    text = TOML.replace("[pipelines.around]", '[pipelines.around]\ncontext_features = ["before", "mean"]')
    (project / "nbprod.toml").write_text(text)
    monkeypatch.chdir(project)

    found = next(each for each in api.readiness("around.ipynb").items if each.id == "SK-4")
    assert found.state is State.PROVED, found


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_paths_that_part_at_an_edge_are_found(
    name: str, fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a record's zero is read as a missing value, and a table's is not."""
    project = Path(shutil.copytree(fitted, tmp_path / "project"))
    (path,) = (project / f"pipelines/{name}/v0001").rglob("schema.py")
    text = path.read_text()
    assert text.count("[record.get(str(label)) for record in records]") == 1
    path.write_text(text.replace("record.get(str(label)) for", "record.get(str(label)) or None for"))
    monkeypatch.chdir(project)

    api.gather(f"{name}.ipynb", items=["SK-3"], anew=True)

    kept = evidence_of(target_of(f"{name}.ipynb"))["SK-3"]
    assert (kept.held, "= 0: one record is " in kept.text) == (False, True), kept


@pytest.mark.parametrize("name, said", [("around", "500 calls with 50 rows each"), ("alone", "500 calls on this")])
def test_the_gates_let_it_pass(
    name: str, said: str, fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shutil.copytree(fitted, tmp_path / "project"))

    report = api.promote(name, "1")

    gates = {each["name"]: each for each in report["gates"]}
    assert report["promoted"], gates
    assert (gates["latency"]["outcome"], said in gates["latency"]["reason"]) == ("passed", True), gates["latency"]
