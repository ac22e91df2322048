"""`nbprod serve NAME`: the package's own service, in the notebook's environment."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import click

from nbprod.cli.benched import table_of
from nbprod.cli.options import as_json, format_option, output_option, package_argument, python_option
from nbprod.cli.progress import shown
from nbprod.cli.terminal import common_options, note


@click.command(name="serve")
@package_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 for a free one.")
@click.option(
    "--server",
    type=click.Choice(("auto", "uvicorn", "stdlib")),
    default="auto",
    show_default=True,
    help="auto: uvicorn where the package's environment has it.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Processes that answer (default: 1).",
)
@click.option("--limit-mb", type=click.FloatRange(0, min_open=True), metavar="MIB", help="Largest body (default: 10).")
@click.option("--requests", type=click.IntRange(1), metavar="N", help="Requests under way before 503 (default: 64).")
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), metavar="S", help="For a body, and its answer (default: 60)."
)
@click.option("--token-file", metavar="FILE", help="Tokens of which a request needs one, one a line.")
@click.option("--canary", metavar="VERSION=SHARE", help="Another version for a share of the requests.")
@click.option("--shadow", metavar="VERSION", help="Another version that is asked too; its answers are compared.")
@click.option("--trace", metavar="EXPORTER", help="Send spans of OpenTelemetry: otlp, console, ...")
@click.option("--log", metavar="FILE", help="Write rows and their predictions to this sqlite file.")
@click.option("--log-share", metavar="SHARE", help="The share of the requests that is logged (default: all).")
@click.option("--log-days", type=click.FloatRange(0, min_open=True), metavar="N", help="Kept so long (default: 30).")
@click.option("--log-rows", type=click.IntRange(1), metavar="N", help="Kept at most (default: 1000000).")
@click.option("--log-without", multiple=True, metavar="COLUMN", help="A column that is not logged; repeat it.")
@click.option("--bench", is_flag=True, help="Measure the service on a free port under load instead, and end.")
@click.option("--bench-seconds", type=click.FloatRange(0.5), help="Length of each load with --bench (default: 10).")
@click.option("--concurrency", metavar="N,...", help="Connections of the loads with --bench (default: 1,8).")
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), help="Requests a second of one more load with --bench."
)
@python_option
@output_option
@format_option("text", "json")
@common_options
def command(
    name: str,
    host: str,
    port: int,
    server: str,
    bench: bool,
    bench_seconds: float | None,
    concurrency: str | None,
    rate: float | None,
    python: str | None,
    output: str | None,
    form: str,
    **options: Any,
) -> int:
    """Serve predictions of NAME, NAME@VERSION or NAME@ALIAS over HTTP.

    NAME alone means its champion, and where there is none the newest fitted version. An alias that is moved while it is
    served (nbprod versions NAME promote, rollback) takes the service along without a restart; each answer says which
    version gave it.

    POST /predict takes one record, a list, or {"records": [...]}, and tables as csv, Parquet and Arrow; clients of
    MLflow (/invocations) and of the Open Inference Protocol (/v2/models) are answered too. A bad record gets 422 with
    every fault by field. /metrics is what Prometheus reads; /health, /ready, /contract and /openapi.json are there.
    The same service runs without nbprod: python -m NAME serve.

    --bench starts the service on a free port of this machine, asks it with recorded rows (of the run that it was fitted
    in, else golden ones) and tells times, throughput, errors and memory, beside an application that does nothing. The
    exit code is 1 where `requirements` of the configuration are not met.

    \b
    nbprod serve sales
    nbprod serve sales@champion --host 0.0.0.0 --port 80 --token-file tokens.txt --workers 4
    nbprod serve sales --canary challenger=5%
    nbprod serve sales --log predictions.sqlite --log-share 10% --log-without Name
    nbprod serve sales --bench --concurrency 1,16 --rate 200 --format json
    curl -H 'content-type: application/json' -d '{"Age": 22}' http://127.0.0.1:8000/predict
    """
    from nbprod import api

    if bench:
        numbers = _connections(concurrency or "1,8")
        with shown() as progress:
            report = api.bench(
                name,
                seconds=bench_seconds or 10.0,
                concurrency=numbers,
                rate=rate,
                server=server,
                options=options,
                output=output,
                python=python,
                on_progress=progress,
            )
        click.echo(as_json(report) if form == "json" else table_of(report))
        return 0 if report["met"] else 1
    for option, value in (("--bench-seconds", bench_seconds), ("--concurrency", concurrency), ("--rate", rate)):
        if value is not None:
            raise click.UsageError(f"{option} goes with --bench")
    if form == "json":
        raise click.UsageError("--format json goes with --bench")
    fitted = api.fitted_version(name, output=output, python=python)
    note(f"{fitted.target.name} version {fitted.version.number}, in {fitted.python}")
    if fitted.followed:
        note(f"goes along with {fitted.reference or 'the first champion'} when it is promoted or rolled back")
    words = api.serve_command(fitted, host=host, port=port, server=server, options=options)
    if os.name == "nt":
        return subprocess.call(words)
    sys.stdout.flush()
    sys.stderr.flush()
    # The service takes this process's place: signals, terminal and exit code are its own.
    os.execv(words[0], words)


def _connections(text: str) -> tuple[int, ...]:
    """Numbers of connections, such as `1,8`."""
    try:
        numbers = tuple(int(each) for each in text.split(","))
    except ValueError:
        numbers = (0,)
    if min(numbers) < 1:
        raise click.UsageError(f"--concurrency takes numbers of connections, such as 1,8, not {text!r}")
    return numbers
