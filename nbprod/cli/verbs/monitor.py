"""`nbprod monitor NAME`: what is served against what the model was trained on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from nbprod.cli.options import as_json, format_option, output_option, package_argument, python_option
from nbprod.cli.table import table
from nbprod.cli.terminal import common_options, note
from nbprod.errors import NbprodError

_HEAD = ("feature", "what", "seen", "measure", "value", "threshold", "n")
_RIGHT = ("value", "threshold", "n")


@click.command(name="monitor")
@package_argument
@click.option("--rows", metavar="FILE", help="Raw rows to look at: csv or parquet.")
@click.option("--log", metavar="FILE", help="A service's log of predictions (sqlite) to look at.")
@click.option("--since", metavar="WHEN", help="With --log: no older answers. 24h, 7d, or a date.")
@click.option("--truth", metavar="FILE", help="True answers, csv or parquet, joined by --on.")
@click.option("--on", metavar="KEY", help="The column that rows and truth share; with --log also request_id.")
@click.option(
    "--replay", is_flag=True, help="With --log: answer the logged records once more, by the package's own code."
)
@click.option("--all", "everything", is_flag=True, help="Show every figure, also those below their threshold.")
@click.option("--html", metavar="FILE", help="Write a page with a plot for each feature as well.")
@click.option("--alert-webhook", "webhook", metavar="URL", help="POST an alert as JSON.")
@click.option("--alert-command", "run", metavar="CMD", help="Run a command for an alert, which is JSON on its stdin.")
@click.option("--every", metavar="TIME", help="Look again and again: 10m, 6h, 1d. One line each, until interrupted.")
@python_option
@output_option
@format_option("text", "json")
@common_options
def command(
    name: str,
    rows: str | None,
    log: str | None,
    since: str | None,
    truth: str | None,
    on: str | None,
    replay: bool,
    everything: bool,
    html: str | None,
    webhook: str | None,
    run: str | None,
    every: str | None,
    python: str | None,
    output: str | None,
    form: str,
) -> int:
    """Hold served rows against the rows that NAME was trained on, and alert where they have moved apart.

    NAME is a package: its champion, or where there is none its newest fitted version. NAME@VERSION and NAME@ALIAS mean
    another one. Each raw column and the predictions are compared: drift, missing values, new categories, numbers out of
    range, columns with one value. A threshold is what chance does to as many rows, and a declared effect on top.

    Rows without a column `prediction` are predicted by the package. Latency and volume of a log are held against the
    declared requirements; with --replay its records go through features.py and the model once more, as whole tables,
    and a logged answer that differs alerts. With --truth the model's metric is held against that of rows that were held
    out of training.

    The exit code is 1 where something alerts, 0 where nothing does, 2 where it can't be looked at.

    \b
    nbprod monitor sales --rows today.csv
    nbprod monitor sales --log predictions.sqlite --since 24h --html report.html
    nbprod monitor sales --log predictions.sqlite --truth labels.csv --on request_id
    nbprod monitor sales --log predictions.sqlite --since 1h --every 1h --alert-command "mail -s alert me@example.org"
    """
    from nbprod.api import monitoring

    pause = None if every is None else monitoring.seconds_of(every)
    asked: dict[str, Any] = {"rows": rows, "log": log, "since": since, "truth": truth, "on": on, "replay": replay}

    def look() -> dict[str, Any]:
        report = monitoring.monitor(name, **asked, output=output, python=python)
        if html is not None:
            _write_page(report, html)
        if report["alert"]:
            for failed in monitoring.tell(report, webhook=webhook, command=run):
                note(f"warning: {failed}")
        return report

    if pause is not None:
        return _watch(look, pause, form)
    report = look()
    if form == "json":
        click.echo(as_json(report))
    else:
        _show(report, everything=everything)
    if html is not None:
        note(f"page: {html}")
    return 1 if report["alert"] else 0


def _watch(look: Any, pause: float, form: str) -> int:
    """Look until interrupted; gives the last look's code. One that finds nothing to look at is told, and no end."""
    code = 0
    try:
        while True:
            try:
                report = look()
                code = 1 if report["alert"] else 0
                click.echo(as_json(report, indent=None) if form == "json" else _line(report))
            except NbprodError as error:
                if error.code != "not-monitored":
                    raise
                note(f"warning: {error.message}")
            time.sleep(pause)
    except KeyboardInterrupt:
        return code


def _line(report: Mapping[str, Any]) -> str:
    beyond = [f"{signal['feature']} ({signal['what']})" for signal in report["signals"] if signal["alert"]]
    said = click.style(f"alert: {', '.join(beyond)}", fg="red") if beyond else "nothing alerts"
    return f"{report['at']}  {report['name']} version {report['version']}, {report['rows']:,} rows: {said}"


def _show(report: Mapping[str, Any], *, everything: bool) -> None:
    signals = report["signals"]
    beyond = [signal for signal in signals if signal["alert"]]
    since = f" since {report['since']}" if report["since"] else ""
    click.echo(
        f"{report['name']} version {report['version']}: {report['rows']:,} rows of {report['source']}{since}, "
        f"against {report['training_rows']:,} training rows"
    )
    shown = signals if everything else beyond
    if shown:
        click.echo("")
        click.echo(table(_HEAD, [_row(signal) for signal in shown], right=_RIGHT))
        for hint in dict.fromkeys(f"{each['feature']}: {each['hint']}" for each in shown if each["hint"]):
            click.echo(f"{click.style('hint', fg='cyan')}: {hint}")
        click.echo("")
    click.echo(_verdict(beyond, signals))
    for each in report["notes"]:
        click.echo(f"note: {each}")


def _row(signal: Mapping[str, Any]) -> tuple[str, ...]:
    feature = click.style(signal["feature"], fg="red") if signal["alert"] else signal["feature"]
    figures = f"{signal['value']:.3g}", f"{signal['threshold']:.3g}", f"{signal['n']:,}"
    return feature, signal["what"], signal["message"], signal["measure"], *figures


def _verdict(beyond: Sequence[Any], signals: Sequence[Any]) -> str:
    if beyond:
        return click.style(f"{len(beyond)} of {len(signals)} figures alert", fg="red")
    return f"nothing alerts: {len(signals)} figures, all within their thresholds"


def _write_page(report: Mapping[str, Any], path: str) -> None:
    from nbprod.monitoring import page
    from nbprod.versions.files import replace_file

    replace_file(Path(path), page(report).encode())
