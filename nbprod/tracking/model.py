"""An exported version as an MLflow model: the package itself, its signature and an input example."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbprod.tracking.store import import_mlflow

SCRIPT = Path(__file__).with_name("pyfunc_model.py")
FLAVOR_REQUIREMENT = "mlflow"


def log_model(
    client: Any,
    run_id: str,
    experiment: str,
    package: Path,
    version: int,
    *,
    example: Sequence[Mapping[str, Any]] = (),
    tags: Mapping[str, str],
) -> str:
    """Log version `version` of `package` as the model of a run; gives MLflow's model id.

    Until all of its files are there the model is pending, so that one cut short is never taken for whole.
    """
    mlflow = import_mlflow()
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    logged = client.create_logged_model(experiment, name=package.name, source_run_id=run_id, tags=dict(tags))
    with tempfile.TemporaryDirectory() as temporary, warnings.catch_warnings(), _without_comparison():
        # A pipeline may keep no rows (`golden_rows = false`); the signature is the contract's all the same.
        warnings.filterwarnings("ignore", ".*input example was not provided")
        folder_alone = alone(package, version, Path(temporary))
        folder = Path(temporary) / "model"
        version_folder = package / f"v{version:04d}"
        mlflow.pyfunc.save_model(
            path=str(folder),
            python_model=str(SCRIPT),
            artifacts={"package": str(folder_alone)},
            model_config={"version": version},
            signature=signature(version_folder),
            input_example=_frame(example),
            pip_requirements=requirements(version_folder),
            metadata={"nbprod": dict(tags) | {"contract": contract(version_folder)}},
            mlflow_model=Model(artifact_path=logged.artifact_location, run_id=run_id, model_id=logged.model_id),
        )
        client.log_model_artifacts(logged.model_id, str(folder))
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return str(logged.model_id)


@contextmanager
def _without_comparison() -> Iterator[None]:
    """While a model is saved MLflow does not hold its requirements to the packages that this process finds.

    They are those of the notebook's kernel: warnings of this environment would mislead, and looking through all of its
    packages takes half a second. MLflow has no setting for it.
    """
    from mlflow.utils import environment

    name = "warn_dependency_requirement_mismatches"
    original = getattr(environment, name, None)
    if original is None:
        yield
        return
    setattr(environment, name, lambda _requirements: None)
    try:
        yield
    finally:
        setattr(environment, name, original)


def is_fitted(package: Path | None, version: int | None) -> bool:
    """Whether the version has learned state, without which there is no model."""
    return package is not None and version is not None and (package / f"v{version:04d}" / "state").is_dir()


def contract(folder: Path) -> dict[str, Any]:
    """The contract of a version, with what the fit observed of its columns."""
    static, observed = _json(folder / "contract.json"), _json(folder / "state" / "schema.json")
    seen = {column["name"]: column for column in observed.get("columns", ())}
    columns = static.get("columns") or observed.get("columns", ())
    target = static.get("target")
    asked = [each for each in columns if each["name"] != target or static.get("serves") == "batch"]
    merged = [{**seen.get(column["name"], {}), **column} for column in asked]
    return {**observed, **static, "columns": merged}


def signature(folder: Path) -> Any:
    """The model's signature from the contract of a version, None where it has no columns.

    A column has a type where MLflow then takes every row that the package takes, one at a time as well. It would
    refuse whole numbers in a float column and an empty cell of a text column that stands alone (both are what
    `read_csv` gives for some single rows), so floats and columns that were ever empty are `any`; what they are
    stands in the model's metadata under `nbprod.contract`.
    """
    import_mlflow()
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    described = contract(folder)
    columns = described["columns"]
    if not columns or not all(isinstance(column["name"], str) for column in columns):
        return None
    batch = described.get("serves") == "batch"
    inputs = [
        ColSpec(_type(each, batch=batch), each["name"], required=bool(each.get("required", True))) for each in columns
    ]
    params = ParamSchema([ParamSpec("method", "string", "predict")])
    return ModelSignature(inputs=Schema(inputs), outputs=_outputs(described), params=params)


def requirements(folder: Path) -> list[str]:
    """The requirements of a version, with MLflow itself to load the model."""
    mlflow = import_mlflow()
    path = folder / "requirements.lock"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    listed = [line.split(" #")[0].strip() for line in text.splitlines()]
    kept = [line for line in listed if line and not line.startswith(("#", "-", "--", "mlflow"))]
    return [*kept, f"{FLAVOR_REQUIREMENT}=={mlflow.__version__}"]


def _type(column: Mapping[str, Any], *, batch: bool) -> Any:
    from mlflow.types.schema import AnyType

    dtype = str(column.get("dtype", ""))
    if column.get("nullable", True) or batch or not column.get("required", True):
        return AnyType()
    if dtype in {"str", "string", "object"} and all(isinstance(each, str) for each in column.get("categories") or ()):
        return "string"
    if dtype.startswith(("int", "uint")) and dtype != "uint64":
        return "long"
    return "boolean" if dtype == "bool" else AnyType()


def _outputs(described: Mapping[str, Any]) -> Any:
    from mlflow.types import ColSpec, Schema

    classes = described.get("classes")
    if described.get("task") == "regression":
        return Schema([ColSpec("double")])
    if not classes:
        return None
    for kind, name in ((bool, "boolean"), (int, "long"), (str, "string")):
        if all(isinstance(each, kind) for each in classes):
            return Schema([ColSpec(name)])
    return Schema([ColSpec("double")]) if all(isinstance(each, float) for each in classes) else None


def alone(package: Path, version: int, temporary: Path) -> Path:
    """A copy of the package that has this version only, and its ledger says so."""
    folder = temporary / "package" / package.name
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", ".pytest_cache", ".lock", ".nbprod-tmp-*")
    shutil.copytree(package / f"v{version:04d}", folder / f"v{version:04d}", ignore=ignore)
    for path in package.iterdir():
        if path.is_file() and path.suffix == ".py":
            shutil.copy2(path, folder / path.name)
        elif path.name == "serving":
            shutil.copytree(path, folder / path.name, ignore=ignore)
    ledger = _json(package / "versions.json")
    entries = [{**entry, "aliases": []} for entry in ledger.get("versions", ()) if entry["number"] == version]
    text = json.dumps({**ledger, "versions": entries, "history": {}}, indent=2, sort_keys=True)
    (folder / "versions.json").write_text(text + "\n", encoding="utf-8")
    return folder


def _frame(example: Sequence[Mapping[str, Any]]) -> Any:
    if not example:
        return None
    import pandas

    # A table without a header has numbers for names: MLflow knows them as text, and the package takes both.
    return pandas.DataFrame([{str(name): value for name, value in row.items()} for row in example])


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    value = json.loads(path.read_text(encoding="utf-8"))
    return value if isinstance(value, dict) else {}
