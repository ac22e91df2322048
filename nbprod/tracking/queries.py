"""What MLflow knows of runs and models: read only, and nothing where there is no store yet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from nbprod.errors import NbprodError
from nbprod.model.run import RunSummary
from nbprod.tracking.record import RegisteredVersion
from nbprod.tracking.runs import PREFIX, explained_import, run_known_as
from nbprod.tracking.store import client, exists


def runs(
    *, uri: str, experiment: str | None = None, name: str | None = None, limit: int = 50
) -> tuple[RunSummary, ...]:
    """The newest runs, of one experiment and of one package where given; empty where there is no store."""
    if not exists(uri):
        return ()
    with explained_import(uri):
        mlflow_client = client(uri)
        experiments = {
            each.experiment_id: each.name
            for each in mlflow_client.search_experiments()
            if experiment is None or each.name == experiment
        }
        if not experiments:
            return ()
        wanted = f"tags.`{PREFIX}package` = '{_quoted(name)}'" if name else ""
        found = mlflow_client.search_runs(
            list(experiments), wanted, max_results=limit, order_by=["attributes.start_time DESC"]
        )
        return tuple(_summary(run, experiments[run.info.experiment_id]) for run in found)


def get_run(run_id: str, *, uri: str) -> RunSummary:
    """One run with its artifacts and models; a prefix of the id will do. Raises NbprodError where there is none."""
    if not exists(uri):
        raise _no_run(run_id)
    with explained_import(uri):
        mlflow_client = client(uri)
        run = _find(mlflow_client, run_id)
        experiment = mlflow_client.get_experiment(run.info.experiment_id).name
        return _summary(
            run,
            experiment,
            artifacts=tuple(_artifacts(mlflow_client, run.info.run_id)),
            models=tuple(each.model_id for each in run.outputs.model_outputs) if run.outputs else (),
        )


def download(run_id: str, artifact: str, folder: str, *, uri: str) -> str:
    """Copy an artifact of a run into `folder`; gives its path there."""
    with explained_import(uri):
        mlflow_client = client(uri)
        run = _find(mlflow_client, run_id)
        return str(mlflow_client.download_artifacts(run.info.run_id, artifact, folder))


def registered(name: str, *, uri: str) -> tuple[RegisteredVersion, ...]:
    """The versions of a registered model, oldest first; empty where there is none."""
    if not exists(uri):
        return ()
    with explained_import(uri):
        mlflow_client = client(uri)
        found = mlflow_client.search_model_versions(f"name = '{_quoted(name)}'")
        aliases = mlflow_client.get_registered_model(name).aliases if found else {}
        return tuple(
            registered_version(each, aliases) for each in sorted(found, key=lambda version: int(version.version))
        )


def registered_version(version: Any, aliases: dict[str, str]) -> RegisteredVersion:
    """MLflow's model version as a plain value."""
    number = version.tags.get(f"{PREFIX}version")
    return RegisteredVersion(
        name=version.name,
        number=int(version.version),
        version=int(number) if number else None,
        run_id=version.run_id or None,
        aliases=tuple(sorted(alias for alias, at in aliases.items() if int(at) == int(version.version))),
    )


def _find(mlflow_client: Any, run_id: str) -> Any:
    if len(run_id) == 32:
        run = run_known_as(mlflow_client, run_id)
        if run is None:
            raise _no_run(run_id)
        return run
    experiments = [each.experiment_id for each in mlflow_client.search_experiments()]
    found = [run for run in mlflow_client.search_runs(experiments) if known_as(run).startswith(run_id)]
    if len(found) != 1 or not run_id:
        raise _no_run(run_id, several=len(found) > 1)
    return found[0]


def known_as(run: Any) -> str:
    """The id that ledger and reports know a run by: MLflow's, or the one from before the store could be asked."""
    return str(run.data.tags.get(f"{PREFIX}run") or run.info.run_id)


def _no_run(run_id: str, several: bool = False) -> NbprodError:
    if several:
        return NbprodError(f'several runs begin with "{run_id}"', code="no-run", hint="give more of the id")
    return NbprodError(f'no run "{run_id}"', code="no-run", hint="nbprod run NOTEBOOK makes one and prints its id")


def _artifacts(mlflow_client: Any, run_id: str, folder: str | None = None) -> list[str]:
    paths: list[str] = []
    for each in mlflow_client.list_artifacts(run_id, folder):
        paths += _artifacts(mlflow_client, run_id, each.path) if each.is_dir else [each.path]
    return paths


def _summary(run: Any, experiment: str, artifacts: tuple[str, ...] = (), models: tuple[str, ...] = ()) -> RunSummary:
    return RunSummary(
        run_id=known_as(run),
        name=run.info.run_name,
        experiment=experiment,
        status=run.info.status,
        start=_moment(run.info.start_time),
        end=_moment(run.info.end_time) if run.info.end_time else None,
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
        tags=dict(run.data.tags),
        artifact_uri=run.info.artifact_uri,
        artifacts=artifacts,
        models=models,
        mlflow_id=run.info.run_id,
    )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


def _quoted(text: str) -> str:
    return text.replace("'", "")
