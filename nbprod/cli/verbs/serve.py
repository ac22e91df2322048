"""`nbprod serve NAME`: the package's own service, in the notebook's environment."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from nbprod.cli.options import output_option, package_argument
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
@click.option("--python", metavar="PATH", help="The interpreter (default: that of the run it was fitted in).")
@output_option
@common_options
def command(name: str, host: str, port: int, server: str, python: str | None, output: str | None) -> int:
    """Serve predictions of NAME, NAME@VERSION or NAME@ALIAS over HTTP.

    NAME alone means its champion, and where there is none the newest fitted version. An alias that is moved while it is
    served (nbprod versions NAME promote, rollback) takes the service along without a restart; each answer says which
    version gave it.

    POST /predict takes one record, a list, or {"records": [...]}; /health, /ready, /contract and /openapi.json are
    there too. A bad record gets 422 with every fault by field. The same service runs without nbprod: python -m NAME
    serve.

    \b
    nbprod serve sales
    nbprod serve sales@champion --host 0.0.0.0 --port 80
    curl -H 'content-type: application/json' -d '{"Age": 22}' http://127.0.0.1:8000/predict
    """
    from nbprod import api

    fitted = api.fitted_version(name, output=output, python=python)
    note(f"{fitted.target.name} version {fitted.version.number}, in {fitted.python}")
    if fitted.followed:
        note(f"goes along with {fitted.reference or 'the first champion'} when it is promoted or rolled back")
    words = api.serve_command(fitted, host=host, port=port, server=server)
    if os.name == "nt":
        return subprocess.call(words)
    sys.stdout.flush()
    sys.stderr.flush()
    # The service takes this process's place: signals, terminal and exit code are its own.
    os.execv(words[0], words)
