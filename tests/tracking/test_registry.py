import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from msgspec.structs import replace

from nbprod.errors import NbprodError
from nbprod.tracking import RunRecord, get_run, log_run, register, registered, set_alias

ROWS = pd.DataFrame(
    {
        "Age": [22.0, None, 40.0],
        "Fare": [7.25, 71.0, 8.0],
        "Sex": ["male", "female", "male"],
        "Cabin": [None, "C85", "C1"],
        "Parch": [0, 1, 0],
    }
)
EXPECTED = [36.5, 172.0, 57.0]

# Loads a registered model where nbprod cannot be imported, and predicts the rows as a whole and one by one.
PREDICT = """
import sys, json, io
sys.modules["nbprod"] = None
import os
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
out = []
for name in sys.argv[3:]:
    model = mlflow.pyfunc.load_model(name)
    frame = pd.read_csv(sys.argv[2])
    lines = open(sys.argv[2]).read().splitlines()
    single = [pd.read_csv(io.StringIO(lines[0] + "\\n" + line)) for line in lines[1:]]
    record = pd.DataFrame([{"Age": 40, "Fare": 8, "Sex": "male", "Cabin": "C1", "Parch": 0}])
    out.append({"whole": list(model.predict(frame)), "single": [float(model.predict(row)[0]) for row in single],
        "record": float(model.predict(record)[0]),
        "features": list(model.predict(frame, params={"method": "transform"}).columns)})
print(json.dumps(out))
"""


@pytest.fixture
def logged(record: RunRecord, package: Callable[..., Path], uri: str) -> str:
    example = tuple(ROWS.head(2).to_dict("records"))
    return log_run(replace(record, package=package(), version=1, example=example), uri=uri, experiment="e")


def test_the_registered_model_predicts_raw_rows_as_the_package_does(
    logged: str,
    uri: str,
    fresh: Callable[..., str],
    tmp_path: Path,
    package: Callable[..., Path],
    record: RunRecord,
) -> None:
    register(logged, "titanic", uri=uri, alias="champion")
    other = log_run(replace(record, package=package(factor=3), version=2), uri=uri, experiment="e")
    register(other, "titanic", uri=uri)
    ROWS.to_csv(tmp_path / "rows.csv", index=False)
    models = ["models:/titanic/1", "models:/titanic/2", "models:/titanic@champion"]
    text = fresh(PREDICT, uri, str(tmp_path / "rows.csv"), *models, cwd=tmp_path)
    first, second, champion = json.loads(text)
    assert first["whole"] == first["single"] == EXPECTED
    assert first["record"] == EXPECTED[2]
    assert first["features"] == ["Age", "deck", "fare"]
    assert champion == first
    assert second["whole"] == second["single"] == [43.75, 243.0, 65.0]
    assert not (tmp_path / "mlflow.db").exists()
    assert not (tmp_path / "mlruns").exists()


def test_the_model_carries_its_signature_its_contract_and_an_example(logged: str, uri: str, tmp_path: Path) -> None:
    import mlflow

    (model_id,) = get_run(logged, uri=uri).models
    (folder,) = (tmp_path / ".nbprod/mlartifacts/models").glob(f"{model_id}/artifacts")
    model = mlflow.models.Model.load(str(folder))
    types = {column.name: (str(column.type), column.required) for column in model.signature.inputs.inputs}
    assert {name: required for name, (_, required) in types.items()} == {
        "Age": True,
        "Fare": True,
        "Sex": True,
        "Cabin": False,
        "Parch": True,
    }
    assert "string" in types["Sex"][0]
    assert "long" in types["Parch"][0]
    assert "double" in str(model.signature.outputs)
    described = {column["name"]: column["dtype"] for column in model.metadata["nbprod"]["contract"]["columns"]}
    assert described == {"Age": "float64", "Fare": "float64", "Sex": "str", "Cabin": "str", "Parch": "int64"}
    assert model.load_input_example(str(folder)).to_dict("list")["Fare"] == [7.25, 71.0]
    requirements = (folder / "requirements.txt").read_text().split()
    assert requirements[:2] == ["pandas>=2", "numpy>=1"]
    assert requirements[2].startswith("mlflow==")
    assert {path.name for path in (folder / "artifacts/titanic").iterdir()} == {"__init__.py", "v0001", "versions.json"}


def test_rows_of_a_table_without_a_header_are_an_example_too(
    record: RunRecord, package: Callable[..., Path], uri: str, tmp_path: Path
) -> None:
    import mlflow

    folder = package()
    columns = [{"name": name, "dtype": "float64"} for name in ("0", "1")]
    for name, told in (("contract.json", {"schema": 1, "columns": columns}), ("state/schema.json", {"rows": 1})):
        (folder / "v0001" / name).write_text(json.dumps(told), "utf-8")
    run = log_run(replace(record, package=folder, version=1, example=({0: 22.0, 1: 7.25},)), uri=uri, experiment="e")
    (model_id,) = get_run(run, uri=uri).models
    (logged,) = (tmp_path / ".nbprod/mlartifacts/models").glob(f"{model_id}/artifacts")
    example = mlflow.models.Model.load(str(logged)).load_input_example(str(logged))
    assert example.to_dict("records") == [{"0": 22.0, "1": 7.25}]


def test_a_model_is_registered_once_and_linked_to_run_and_package(logged: str, uri: str) -> None:
    first = register(logged, "titanic", uri=uri)
    again = register(logged, "titanic", uri=uri, alias="champion")
    assert (first.number, again.number, again.version, again.run_id) == (1, 1, 1, logged)
    assert (first.aliases, again.aliases, again.uri) == ((), ("champion",), "models:/titanic/1")
    assert registered("titanic", uri=uri) == (again,)


def test_an_alias_moves_to_another_version(
    logged: str, uri: str, record: RunRecord, package: Callable[..., Path]
) -> None:
    register(logged, "titanic", uri=uri, alias="champion")
    other = log_run(replace(record, package=package(factor=3), version=2), uri=uri, experiment="e")
    register(other, "titanic", uri=uri, alias="champion")
    assert [each.aliases for each in registered("titanic", uri=uri)] == [(), ("champion",)]
    set_alias("titanic", "champion", 1, uri=uri)
    assert [each.aliases for each in registered("titanic", uri=uri)] == [("champion",), ()]


def test_a_run_without_a_model_cannot_be_registered(record: RunRecord, uri: str) -> None:
    run_id = log_run(record, uri=uri, experiment="e")
    with pytest.raises(NbprodError) as caught:
        register(run_id, "titanic", uri=uri)
    assert caught.value.code == "no-model"
    assert registered("titanic", uri=uri) == ()


def test_a_version_that_was_never_fitted_is_no_model(record: RunRecord, uri: str, package: Callable[..., Path]) -> None:
    import shutil

    folder = package()
    shutil.rmtree(folder / "v0001/state")
    run_id = log_run(replace(record, package=folder, version=1), uri=uri, experiment="e")
    assert get_run(run_id, uri=uri).models == ()
