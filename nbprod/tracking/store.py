"""The MLflow store: opened without a server, without telemetry, and created in one step."""

from __future__ import annotations

import errno
import os
import re
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nbprod.errors import NO_SPACE, NbprodError, Where, from_system

FOLDER = ".nbprod"
DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"
SQLITE = "sqlite:///"

# What sqlite says (https://sqlite.org/rescode.html) where the system refused to write.
_SQLITE_ERRORS = {"database or disk is full": errno.ENOSPC, "attempt to write a readonly database": errno.EROFS}

_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
PATIENCE = 5
"""Seconds that a server is given to answer whether it is there."""

Progress = Callable[[str], None]


def default_uri(project: Path) -> str:
    """The project's own store: `sqlite:///PROJECT/.nbprod/mlflow.db`."""
    return SQLITE + (Path(project).resolve() / FOLDER / DATABASE).as_posix()


def database_path(uri: str) -> Path | None:
    """The file of a sqlite store, None for any other."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def exists(uri: str) -> bool:
    """Whether there is a store to read: a sqlite file that is there, or anything that is not a file."""
    path = database_path(uri)
    return path is None or path.is_file()


def client(uri: str, progress: Progress | None = None) -> Any:
    """An `MlflowClient` on `uri`; a sqlite store that is not there yet is created first, which takes some seconds.

    Sets no global state of MLflow, so that a notebook server may use several stores. Raises NbprodError for a store
    that cannot be opened.
    """
    mlflow = import_mlflow()
    path = database_path(uri)
    with explained(uri):
        if path is not None and not path.exists():
            if progress is not None:
                progress("creating the MLflow store (once, some seconds)")
            _create(path)
        return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


def unreachable(uri: str) -> str | None:
    """Why the server at `uri` can't be used now, found within seconds; None where it answers, or there is no server."""
    if uri.startswith(("http://", "https://")):
        return _http_fault(uri)
    parts = urlsplit(uri)
    port = _PORTS.get(parts.scheme.partition("+")[0])
    if port is None or not parts.hostname:
        return None
    try:
        socket.create_connection((parts.hostname, parts.port or port), timeout=PATIENCE).close()
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None


def _http_fault(uri: str) -> str | None:
    import_mlflow()
    from mlflow.exceptions import MlflowException
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    try:
        answer = http_request(
            get_default_host_creds(uri), "/health", "GET", max_retries=0, timeout=PATIENCE, raise_on_status=False
        )
    except (MlflowException, OSError) as error:
        cause = re.search(r"Connection refused|[Tt]imed out|Name or service not known|reset by peer", str(error))
        return cause[0].lower() if cause else str(error).splitlines()[0]
    return f"it answers {answer.status_code}" if answer.status_code in {502, 503, 504} else None


@cache
def import_mlflow() -> Any:
    """The mlflow module, imported with telemetry off and with nothing on standard error but warnings."""
    # Read on import: MLflow would look up a host otherwise (mlflow/telemetry/client.py).
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # MLflow would try a server that does not answer for minutes (7 times, each wait twice as long).
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "1")
    # Standard output is for nbprod's own answer, which may be JSON.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    import logging

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It would write the traceback of an error of the database that nbprod itself reports.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    return mlflow


def experiment_id(client: Any, uri: str, name: str) -> str:
    """The id of the experiment `name`, created where it is not there; one deleted in the UI comes back.

    In a sqlite store its artifacts lie beside the database, in `mlartifacts`.
    """
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        path = database_path(uri)
        location = None if path is None else (path.parent / ARTIFACTS).resolve().as_uri()
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException:
            # Another process may have created it since we looked.
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn what MLflow and its database say into an NbprodError with the way out."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except OSError as error:
        raise from_system(error, _shown(uri)) from error
    except (MlflowException, SQLAlchemyError) as error:
        text = str(error).strip().split("\n", 1)[0]
        where = Where(path=_shown(uri))
        refused = next((number for words, number in _SQLITE_ERRORS.items() if words in str(error)), None)
        if refused is not None:
            raise from_system(OSError(refused, ""), _shown(uri)) from error
        if "out-of-date database schema" in text:
            hint = f"another MLflow wrote it: run mlflow db upgrade {_shown(uri)}"
        elif database_path(uri):
            hint = "move the file away to begin a new one, or restore it from a backup"
        else:
            hint = "is the address right, and does the tracking server run?"
        raise NbprodError(f"MLflow: {text}", code="tracking", where=where, hint=hint) from error


def _create(path: Path) -> None:
    """Create the database under another name and move it into place: a kill leaves none, never half of one."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{path.name}-*"):
            maker = re.fullmatch(r"-(\d+)(?:-journal|-wal|-shm)?", left.name.removeprefix(f".{path.name}"))
            if maker and not is_alive(int(maker[1])):
                left.unlink(missing_ok=True)
        staged = path.with_name(f".{path.name}-{os.getpid()}")
        staged.unlink(missing_ok=True)
        store = SqlAlchemyStore(SQLITE + staged.as_posix(), (path.parent / ARTIFACTS).resolve().as_uri())
        store.engine.dispose()
        _ignore_in_git(path.parent)
        try:
            os.link(staged, path)
        except FileExistsError:
            # Another process was faster; its store is as good.
            pass
        except OSError:
            staged.rename(path)
        staged.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise from_system(error, str(path)) from error
        raise NbprodError(
            f"the MLflow store cannot be created: {error.strerror or error}",
            code="tracking",
            where=Where(path=str(path)),
            hint="make the folder writable, or name another store as tracking_uri in the configuration",
        ) from error


def _ignore_in_git(folder: Path) -> None:
    """Keep the store out of the project's commits, where `folder` says nothing of its own about that."""
    ignore = folder / ".gitignore"
    if folder.name == FOLDER and not ignore.exists():
        ignore.write_text(f".gitignore\n{DATABASE}*\n.{DATABASE}-*\n{ARTIFACTS}/\n", encoding="utf-8")


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs on this machine."""
    if pid <= 0:
        return False
    if os.name == "nt":
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, pid)  # type: ignore[attr-defined]
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)  # type: ignore[attr-defined]
        return bool(handle)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _shown(uri: str) -> str:
    from nbprod.notebook.redact import redact_text

    return redact_text(uri)
