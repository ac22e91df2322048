"""The verbs: what the command line, the magics and the server call; each imports its layers when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbprod.api.benching import bench as bench
    from nbprod.api.caching import cache as cache
    from nbprod.api.checking import check_notebook as check_notebook
    from nbprod.api.checking import diff as diff
    from nbprod.api.declaring import declarations as declarations
    from nbprod.api.declaring import declare as declare
    from nbprod.api.deploying import deploy as deploy
    from nbprod.api.exporting import export_notebook as export_notebook
    from nbprod.api.gathering import gather as gather
    from nbprod.api.inspecting import inspect_notebook as inspect_notebook
    from nbprod.api.inspecting import slice_notebook as slice_notebook
    from nbprod.api.live import Kernel as Kernel
    from nbprod.api.live import live_check as live_check
    from nbprod.api.monitoring import monitor as monitor
    from nbprod.api.promoting import history as history
    from nbprod.api.promoting import promote as promote
    from nbprod.api.promoting import rollback as rollback
    from nbprod.api.readying import CHECKS as CHECKS
    from nbprod.api.readying import check_of as check_of
    from nbprod.api.readying import readiness as readiness
    from nbprod.api.readying import readiness_report as readiness_report
    from nbprod.api.reproducing import reproduce as reproduce
    from nbprod.api.retraining import retrain as retrain
    from nbprod.api.running import run_notebook as run_notebook
    from nbprod.api.serving import fitted_version as fitted_version
    from nbprod.api.serving import score as score
    from nbprod.api.serving import serve_command as serve_command
    from nbprod.api.starting import init_project as init_project
    from nbprod.api.syncing import sync_runs as sync_runs
    from nbprod.api.tagging import tag_notebook as tag_notebook
    from nbprod.api.tracing import trace as trace
    from nbprod.api.verifying import verify as verify
    from nbprod.api.versioning import prune as prune
    from nbprod.api.versioning import show_version as show_version
    from nbprod.api.versioning import versions_of as versions_of
    from nbprod.api.watching import watch_notebook as watch_notebook

_HOME = {
    "Kernel": "live",
    "bench": "benching",
    "cache": "caching",
    "check_notebook": "checking",
    "diff": "checking",
    "export_notebook": "exporting",
    "inspect_notebook": "inspecting",
    "CHECKS": "readying",
    "check_of": "readying",
    "declarations": "declaring",
    "deploy": "deploying",
    "declare": "declaring",
    "gather": "gathering",
    "readiness": "readying",
    "readiness_report": "readying",
    "reproduce": "reproducing",
    "retrain": "retraining",
    "run_notebook": "running",
    "slice_notebook": "inspecting",
    "tag_notebook": "tagging",
    "fitted_version": "serving",
    "init_project": "starting",
    "live_check": "live",
    "history": "promoting",
    "monitor": "monitoring",
    "promote": "promoting",
    "prune": "versioning",
    "rollback": "promoting",
    "score": "serving",
    "serve_command": "serving",
    "show_version": "versioning",
    "trace": "tracing",
    "sync_runs": "syncing",
    "verify": "verifying",
    "versions_of": "versioning",
    "watch_notebook": "watching",
}


def __getattr__(name: str) -> Any:
    # PEP 562: asking for one verb imports that verb alone, so that `inspect` never pays for `run`.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
