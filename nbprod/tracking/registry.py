"""The MLflow model registry: a run's model under the package's name, and aliases."""

from __future__ import annotations

from typing import Any

from nbprod.errors import NbprodError
from nbprod.tracking.queries import registered_version
from nbprod.tracking.record import RegisteredVersion
from nbprod.tracking.runs import PREFIX, explained_import, run_known_as
from nbprod.tracking.store import client


def register(run_id: str, name: str, *, uri: str, alias: str | None = None) -> RegisteredVersion:
    """Register the model of a run as the next version of `name`, and let `alias` stand for it where given.

    A run's model is registered once: again, the same version is given back. Raises NbprodError for a run that
    logged no model.
    """
    with explained_import(uri):
        mlflow_client = client(uri)
        run = run_known_as(mlflow_client, run_id)
        outputs = run.outputs if run else None
        models = [each.model_id for each in outputs.model_outputs] if outputs else []
        if not models:
            raise NbprodError(
                f"run {run_id} logged no model",
                code="no-model",
                hint="a run logs its model once the exported package is fitted",
            )
        model = mlflow_client.get_logged_model(models[-1])
        _ensure(mlflow_client, name)
        version = _registered_before(
            mlflow_client, name, run.info.run_id, _source(uri, model)
        ) or mlflow_client.create_model_version(
            name,
            source=_source(uri, model),
            run_id=run.info.run_id,
            model_id=model.model_id,
            tags={key: value for key, value in model.tags.items() if key.startswith(PREFIX)},
        )
        if alias:
            mlflow_client.set_registered_model_alias(name, alias, version.version)
        return registered_version(version, mlflow_client.get_registered_model(name).aliases)


def set_alias(name: str, alias: str, number: int, *, uri: str) -> None:
    """Let `alias` stand for MLflow's version `number` of a registered model."""
    with explained_import(uri):
        client(uri).set_registered_model_alias(name, alias, str(number))


def remove_alias(name: str, alias: str, *, uri: str) -> None:
    """Forget an alias of a registered model; nothing happens where there is none."""
    with explained_import(uri):
        client(uri).delete_registered_model_alias(name, alias)


def _ensure(mlflow_client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        mlflow_client.create_registered_model(name, tags={f"{PREFIX}package": name})
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _source(uri: str, model: Any) -> str:
    # A database store would look `models:/ID` up in MLflow's global store, which may be another one
    # (mlflow/store/model_registry/sqlalchemy_store.py, create_model_version); a server knows its own.
    is_server = uri.startswith(("http://", "https://", "databricks", "uc:"))
    return f"models:/{model.model_id}" if is_server else str(model.artifact_location)


def _registered_before(mlflow_client: Any, name: str, run_id: str, source: str) -> Any:
    found = mlflow_client.search_model_versions(f"name = '{name}'")
    return next((each for each in found if (each.run_id, each.source) == (run_id, source)), None)
