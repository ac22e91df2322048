"""Runs and models in MLflow, on a local sqlite store unless told otherwise."""

from nbprod.notebook.redact import is_secret, redact_text, redacted
from nbprod.tracking.queries import download, get_run, registered, runs
from nbprod.tracking.record import RegisteredVersion, RunRecord, RunSummary
from nbprod.tracking.registry import register, remove_alias, set_alias
from nbprod.tracking.runs import begin_run, close_dangling, fail_run, log_run
from nbprod.tracking.store import default_uri, is_reachable

__all__ = [
    "RegisteredVersion",
    "RunRecord",
    "RunSummary",
    "begin_run",
    "close_dangling",
    "default_uri",
    "download",
    "fail_run",
    "get_run",
    "is_reachable",
    "is_secret",
    "log_run",
    "redact_text",
    "redacted",
    "register",
    "registered",
    "remove_alias",
    "runs",
    "set_alias",
]
