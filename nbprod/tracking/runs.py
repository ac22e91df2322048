"""Runs in MLflow: begun, logged, ended, and those of processes that died closed."""

from __future__ import annotations

import json
import math
import os
import re
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from nbprod.notebook.redact import redact_text, redacted, secret_values
from nbprod.tracking.model import is_fitted, log_model
from nbprod.tracking.owner import owner_in, this_process
from nbprod.tracking.record import RunRecord
from nbprod.tracking.store import Progress, client, exists, experiment_id, explained

PREFIX = "nbprod."
# MLflow's own limits (mlflow/utils/validation.py).
PARAM_LENGTH = 6000
TAG_LENGTH = 8000
BATCH = 100
TEXT_FILES = {".ipynb", ".json", ".txt", ".md", ".yml", ".yaml", ".diff", ".log", ".html"}


def begin_run(record: RunRecord, *, uri: str, experiment: str, progress: Progress | None = None) -> str:
    """Create a run with status RUNNING before the notebook starts, so that a kill leaves a trace; gives its id.

    Runs of processes that died are closed first (`close_dangling`). Finish it with `log_run(..., run_id=...)`.
    """
    with explained_import(uri):
        mlflow_client = client(uri, progress)
        close_dangling(uri=uri, experiment=experiment)
        run = _created(mlflow_client, uri, experiment, record, this_process().as_tags(PREFIX))
        _log_values(mlflow_client, run.info.run_id, record)
        return str(run.info.run_id)


def log_run(
    record: RunRecord, *, uri: str, experiment: str, run_id: str | None = None, progress: Progress | None = None
) -> str:
    """Log all of a run and end it with `record.status`; gives its id.

    `run_id` continues a run from `begin_run`, or one that was cut short here; where the store has none of that id (the
    server did not answer when the run began), one is made that carries it as the tag `nbprod.run`. Parameters and tags
    that look like secrets are written as `***`, and text artifacts are written without them. The model is logged where
    the version is fitted.
    """
    run = run_id or begin_run(record, uri=uri, experiment=experiment, progress=progress)
    with explained_import(uri):
        mlflow_client = client(uri)
        known = run_known_as(mlflow_client, run)
        own = _created(mlflow_client, uri, experiment, record, {f"{PREFIX}run": run}) if known is None else known
        own_id = str(own.info.run_id)
        _log_values(mlflow_client, own_id, record)
        _log_artifacts(mlflow_client, own_id, record)
        _log_model(mlflow_client, own, record, progress)
        ended = None if record.end is None else _milliseconds(record.end)
        mlflow_client.set_terminated(own_id, status=record.status, end_time=ended)
    return run


def log_model_of(record: RunRecord, run_id: str, *, uri: str) -> None:
    """Log the model of a run that goes on; `log_run` then finds it there. Nothing where the store has no such run."""
    with explained_import(uri):
        mlflow_client = client(uri)
        run = run_known_as(mlflow_client, run_id)
        if run is not None:
            _log_model(mlflow_client, run, record)


def run_known_as(mlflow_client: Any, run_id: str) -> Any:
    """MLflow's run of this id, or the one that carries it as the tag `nbprod.run`; None where there is neither."""
    from mlflow.exceptions import MlflowException

    try:
        return mlflow_client.get_run(run_id)
    except MlflowException as error:
        if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            raise
    experiments = [each.experiment_id for each in mlflow_client.search_experiments()]
    found = mlflow_client.search_runs(experiments, f"tags.`{PREFIX}run` = '{run_id}'") if experiments else []
    return found[0] if found else None


def failed_record(record: RunRecord, error: str) -> RunRecord:
    """The record of a run that an error ended: no version, and the error's text."""
    return replace(
        record,
        status="FAILED",
        version=None,
        texts={**record.texts, "error.txt": error},
        tags={**record.tags, "nbprod.error": error.strip().splitlines()[0] if error.strip() else "failed"},
    )


def fail_run(record: RunRecord, *, uri: str, experiment: str, run_id: str, error: str) -> str:
    """End a run as FAILED with what is there of it (such as the partial notebook) and the error's text."""
    return log_run(failed_record(record, error), uri=uri, experiment=experiment, run_id=run_id)


def close_dangling(*, uri: str, experiment: str | None = None) -> tuple[str, ...]:
    """Mark RUNNING runs of processes of this machine that are gone as KILLED; gives their ids.

    Their models that were never completed are marked as failed. Runs of other machines are left as they are.
    """
    if not exists(uri):
        return ()
    with explained_import(uri):
        mlflow_client = client(uri)
        found = [mlflow_client.get_experiment_by_name(experiment)] if experiment else mlflow_client.search_experiments()
        ids = [each.experiment_id for each in found if each is not None]
        if not ids:
            return ()
        wanted = f"attributes.status = 'RUNNING' and tags.`{PREFIX}host` = '{this_process().host}'"
        dangling = [
            run for run in mlflow_client.search_runs(ids, wanted) if not owner_in(run.data.tags, PREFIX).is_at_work
        ]
        for run in dangling:
            models = mlflow_client.search_logged_models(ids, f"source_run_id = '{run.info.run_id}'")
            for model in models:
                if str(model.status) != "READY":
                    mlflow_client.finalize_logged_model(model.model_id, "FAILED")
            mlflow_client.set_terminated(run.info.run_id, status="KILLED")
        return tuple(run.info.run_id for run in dangling)


def explained_import(uri: str) -> Any:
    """`explained`, with MLflow imported in the way that nbprod wants it."""
    from nbprod.tracking.store import import_mlflow

    import_mlflow()
    return explained(uri)


def _created(mlflow_client: Any, uri: str, experiment: str, record: RunRecord, tags: Mapping[str, str]) -> Any:
    begun = datetime.now().astimezone() if record.start is None else record.start
    return mlflow_client.create_run(
        experiment_id(mlflow_client, uri, experiment),
        start_time=_milliseconds(begun),
        run_name=f"{record.name}-{begun:%Y%m%d-%H%M%S}",
        tags={**clean_tags(record), **tags},
    )


def _log_model(mlflow_client: Any, run: Any, record: RunRecord, progress: Progress | None = None) -> None:
    """Log the version of a record as the model of MLflow's `run`, where it is fitted and the run has none yet."""
    if not is_fitted(record.package, record.version) or _has_model(mlflow_client, run):
        return
    if progress is not None:
        progress("logging the model")
    assert record.package is not None
    assert record.version is not None
    log_model(
        mlflow_client,
        str(run.info.run_id),
        run.info.experiment_id,
        record.package,
        record.version,
        example=record.example,
        tags=_model_tags(record),
    )


def _has_model(mlflow_client: Any, run: Any) -> bool:
    """Whether a run has its model already: an attempt that was cut short is completed or marked as failed."""
    from mlflow.entities import LoggedModelOutput

    if run.outputs and run.outputs.model_outputs:
        return True
    models = mlflow_client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run.info.run_id}'")
    whole = [model for model in models if str(model.status) == "READY"]
    for model in models:
        if str(model.status) == "PENDING":
            mlflow_client.finalize_logged_model(model.model_id, "FAILED")
    if whole:
        mlflow_client.log_outputs(run.info.run_id, [LoggedModelOutput(whole[0].model_id, step=0)])
    return bool(whole)


def _log_values(mlflow_client: Any, run: str, record: RunRecord) -> None:
    """Parameters, metrics and tags of a record, as many at a time as MLflow takes: each call is a transaction."""
    from mlflow.entities import Metric, Param, RunTag

    now = _milliseconds(record.end or datetime.now().astimezone())
    there = mlflow_client.get_run(run).data
    params = [
        Param(_key(name), _cut(redacted(name, value), PARAM_LENGTH))
        for name, value in record.params.items()
        if _key(name) not in there.params
    ]
    metrics = [
        Metric(_key(name), float(value), now, 0)
        for name, value in record.metrics.items()
        if isinstance(value, int | float) and not math.isnan(value)
    ]
    for start in range(0, len(params), BATCH):
        mlflow_client.log_batch(run, params=params[start : start + BATCH])
    for start in range(0, len(metrics), BATCH):
        mlflow_client.log_batch(run, metrics=metrics[start : start + BATCH])
    tags = [RunTag(name, value) for name, value in clean_tags(record).items() if there.tags.get(name) != value]
    for start in range(0, len(tags), BATCH):
        mlflow_client.log_batch(run, tags=tags[start : start + BATCH])


def texts_of(record: RunRecord) -> dict[str, str]:
    """The text artifacts of a run, without secrets."""
    secrets = secret_values(record.params)
    texts = {
        "environment.json": _json({"kernel": record.kernel, "python": record.python, "libraries": record.versions}),
        "inputs.json": _json([{"path": path, "sha256": sha, "bytes": size} for path, sha, size in record.inputs]),
        **({"git.diff": record.diff} if record.diff else {}),
        **record.texts,
    }
    return {name: redact_text(text, secrets) for name, text in texts.items()}


def clean_text(path: Path, record: RunRecord) -> str:
    """The text of a file without the run's secrets, also as they stand within JSON."""
    secrets = secret_values(record.params)
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    return redact_text(text, (*secrets, *(json.dumps(each)[1:-1] for each in secrets)))


def _log_artifacts(mlflow_client: Any, run: str, record: RunRecord) -> None:
    for name, text in texts_of(record).items():
        mlflow_client.log_text(run, text, name)
    for name, path in record.artifacts.items():
        _log_path(mlflow_client, run, name, Path(path), record)


def _log_path(mlflow_client: Any, run: str, name: str, path: Path, record: RunRecord) -> None:
    """Log a file or folder under `name` (its path in the run); text files without the secrets in them."""
    if path.is_dir():
        mlflow_client.log_artifacts(run, str(path), name)
        return
    parent = name.rpartition("/")[0] or None
    if path.suffix in TEXT_FILES:
        clean = clean_text(path, record)
        if clean != path.read_text(encoding="utf-8", errors="surrogateescape"):
            mlflow_client.log_text(run, clean, name)
            return
    with tempfile.TemporaryDirectory() as temporary:
        # MLflow names an artifact after its file.
        renamed = Path(temporary) / name.rpartition("/")[2]
        renamed.symlink_to(path.resolve()) if os.name != "nt" else renamed.write_bytes(path.read_bytes())
        mlflow_client.log_artifact(run, str(renamed), parent)


def clean_tags(record: RunRecord) -> dict[str, str]:
    """The tags of a run, without secrets."""
    own = {
        "notebook": record.notebook,
        "notebook_sha256": record.notebook_sha256,
        "package": record.name,
        "version": "" if record.version is None else str(record.version),
        "digest": record.digest,
        "kernel": record.kernel,
        "python": record.python,
        **{f"versions.{library}": version for library, version in record.versions.items()},
    }
    tags = {PREFIX + name: value for name, value in own.items() if value}
    if record.commit:
        tags |= {"mlflow.source.git.commit": record.commit, f"{PREFIX}git.dirty": str(record.dirty).lower()}
    tags |= {"mlflow.source.name": record.notebook, "mlflow.source.type": "NOTEBOOK"}
    secrets = secret_values(record.params)
    given = {_key(name): redact_text(redacted(name, value), secrets) for name, value in record.tags.items()}
    return {name: _cut(value, TAG_LENGTH) for name, value in (tags | given).items()}


def _model_tags(record: RunRecord) -> dict[str, str]:
    own = {"digest": record.digest, "version": str(record.version), "notebook": record.notebook}
    return {PREFIX + name: value for name, value in own.items() if value}


def _key(name: str) -> str:
    # MLflow takes letters, digits, underscores, dashes, periods, spaces, colons and slashes.
    key = re.sub(r"[^\w\-. :/]", "_", str(name))[:250]
    return key.strip("/").replace("//", "/").replace("..", "_") or "_"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, default=dict) + "\n"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
