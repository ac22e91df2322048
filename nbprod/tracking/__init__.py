"""Runs and models in MLflow, on a local sqlite store unless told otherwise."""

from nbprod.notebook.redact import is_secret, redact_text, redacted
from nbprod.tracking.queries import download, get_run, registered, runs
from nbprod.tracking.record import RegisteredVersion, RunRecord, RunSummary
from nbprod.tracking.registry import register, set_alias
from nbprod.tracking.runs import begin_run, close_dangling, fail_run, log_run
from nbprod.tracking.store import default_uri

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
    "is_secret",
    "log_run",
    "redact_text",
    "redacted",
    "register",
    "registered",
    "runs",
    "set_alias",
]
