"""Runs and models in MLflow, on a local sqlite store unless told otherwise."""

from nbprod.model.run import RunSummary
from nbprod.notebook.redact import is_secret, redact_text, redacted
from nbprod.tracking.owner import Owner, this_process
from nbprod.tracking.queries import download, get_run, registered, runs
from nbprod.tracking.record import RegisteredVersion, RunRecord
from nbprod.tracking.registry import register, remove_alias, set_alias
from nbprod.tracking.runs import begin_run, close_dangling, fail_run, failed_record, log_model_of, log_run
from nbprod.tracking.store import database_path, default_uri, unreachable

__all__ = [
    "Owner",
    "RegisteredVersion",
    "RunRecord",
    "RunSummary",
    "begin_run",
    "close_dangling",
    "database_path",
    "default_uri",
    "download",
    "fail_run",
    "failed_record",
    "get_run",
    "is_secret",
    "log_model_of",
    "log_run",
    "redact_text",
    "redacted",
    "register",
    "registered",
    "remove_alias",
    "runs",
    "set_alias",
    "this_process",
    "unreachable",
]
