"""`nbprod score NAME IN OUT`: predictions for a file of raw rows."""

from __future__ import annotations

import click

from nbprod.cli.options import as_json, format_option, output_option, package_argument
from nbprod.cli.terminal import common_options, is_quiet


@click.command(name="score")
@package_argument
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--python", metavar="PATH", help="The interpreter (default: that of the run it was fitted in).")
@output_option
@format_option("text", "json")
@common_options
def command(name: str, source: str, target: str, python: str | None, output: str | None, form: str) -> int:
    """Write the rows of IN with a column `prediction` to OUT.

    NAME is a package: its champion, or where there is none its newest fitted version. NAME@VERSION and NAME@ALIAS mean
    another one. The JSON report names the version with its digest, which nbprod versions NAME trace explains.

    csv (.csv, .csv.gz, .tsv) is read in pieces, parquet at once. OUT appears when it is complete; a row that can't
    be scored is named, and then nothing is written. A package that was exported with --batch takes the file as one
    batch, in its order; rows whose features need rows that the file lacks get no answer.

    \b
    nbprod score sales customers.csv scored.csv
    nbprod score sales@champion customers.parquet scored.parquet
    """
    from nbprod import api

    report = api.score(name, source, target, output=output, python=python, quiet=is_quiet())
    if form == "json":
        click.echo(as_json(report))
        return 0
    click.echo(f"{report['rows']:,} rows scored by {report['name']} version {report['version']} to {report['output']}")
    if report["flags"]:
        outside = ", ".join(f"{field} {count:,}" for field, count in report["flags"].items())
        click.echo(f"values outside of what training saw: {outside}")
    if report.get("unanswered"):
        click.echo(f"{report['unanswered']:,} rows without an answer: their features need rows before them")
    return 0
