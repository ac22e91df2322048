"""`nbprod sync`: send the runs that a tracking server missed."""

from __future__ import annotations

from typing import Any

import click

from nbprod.cli.options import as_json, format_option
from nbprod.cli.progress import shown
from nbprod.cli.terminal import common_options, show_error
from nbprod.errors import from_json


@click.command(name="sync")
@format_option("text", "json")
@common_options
def command(form: str) -> int:
    """Send the runs that wait in .nbprod/unsent to the tracking server.

    A run whose server does not answer, or goes away before the end, is not lost: its version is there, and its record
    waits in the project. Call this when the server is back. It may be stopped and called again: each run is there
    once, and its model is registered once. Exit code 2 where runs could not be sent; these stay.

    \b
    nbprod sync
    nbprod sync --format json
    """
    from nbprod import api

    with shown() as on_progress:
        report = api.sync_runs(on_progress=on_progress)
    for each in report["failed"]:
        show_error(from_json(each["error"]))
    click.echo(as_json(report) if form == "json" else _text(report))
    return 2 if report["failed"] else 0


def _text(report: dict[str, Any]) -> str:
    lines = [_line(each) for each in report["sent"]]
    count = len(report["failed"])
    if count:
        lines.append(f"{count} not sent, and kept here: {', '.join(each['run_id'][:8] for each in report['failed'])}")
    return "\n".join(lines) or "nothing waits: all runs are in the store of runs"


def _line(run: dict[str, Any]) -> str:
    what = f"{run['name']} version {run['version']}" if run["version"] else f"{run['name']}, {run['status'].lower()}"
    known = "" if run["mlflow_run_id"] == run["run_id"] else f", in MLflow as {run['mlflow_run_id']}"
    model = "" if run["registered"] is None else f", registered as models:/{run['name']}/{run['registered']}"
    return f"sent  run {run['run_id']} of {what}{known}{model}"
