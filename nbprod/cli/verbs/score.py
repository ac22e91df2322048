"""`nbprod score NAME IN OUT`: predictions for a file of raw rows."""

from __future__ import annotations

import click

from nbprod.cli.options import as_json, format_option, output_option, package_argument, python_option
from nbprod.cli.terminal import common_options, is_quiet


@click.command(name="score")
@package_argument
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("-j", "--jobs", metavar="N", type=click.IntRange(1), help="Processes (default: the cores, if it pays).")
@click.option(
    "--rows", metavar="N", type=click.IntRange(1), help="Rows in a piece, in memory at once (default: 20000)."
)
@click.option(
    "--partitions", metavar="N", type=click.IntRange(1), help="Cut IN into so many parts; OUT becomes a folder of them."
)
@click.option("--bad-rows", metavar="FILE", help="Put rows that can't be answered there, with number and reasons.")
@click.option(
    "--engine", type=click.Choice(("local", "spark")), default="local", show_default=True, help="What spreads the rows."
)
@click.option("--master", metavar="URL", help="Where Spark runs (default: local[*,4], all cores of this machine).")
@python_option
@output_option
@format_option("text", "json")
@common_options
def command(
    name: str,
    source: str,
    target: str,
    jobs: int | None,
    rows: int | None,
    partitions: int | None,
    bad_rows: str | None,
    engine: str,
    master: str | None,
    python: str | None,
    output: str | None,
    form: str,
) -> int:
    """Write the rows of IN with a column `prediction` to OUT.

    NAME is a package: its champion, or where there is none its newest fitted version. NAME@VERSION and NAME@ALIAS mean
    another one. The JSON report names the version with its digest, which nbprod versions NAME trace explains.

    csv (.csv, .tsv, also with .gz, .bz2, .xz) and parquet are read in pieces, by several processes where the file is
    large, so that memory does not grow with the file. OUT appears when it is complete. What is done is kept beside it
    until then: after a kill or a full disk the same command goes on where it stopped.

    A row that can't be scored is named, and then OUT is not written; with --bad-rows such rows go to FILE, with the
    columns `row` (from 1) and `reason`, and the others to OUT.

    Where IN is a folder of parts, OUT becomes a folder with parts of the same names, each process at a part of its own;
    FILE is then a folder as well, which also takes parts that can't be read. With --partitions a file is cut into parts
    before. A package that was exported with --batch takes the file
    as one batch, in its order; rows whose features need rows that the file lacks get no answer.

    With --engine spark the job of `nbprod deploy NAME spark` does it, by an interpreter that has pyspark: IN is Parquet
    or csv, OUT and FILE become folders of Parquet. That pays past one machine only.

    \b
    nbprod score sales customers.csv scored.csv
    nbprod score sales@champion customers.parquet scored.parquet --jobs 4
    nbprod score sales customers.csv scored.csv --bad-rows bad.csv
    nbprod score sales customers/ scored/ --bad-rows bad/
    """
    from nbprod import api
    from nbprod.errors import NbprodError

    if engine == "spark" and (jobs or partitions):
        raise NbprodError("--jobs and --partitions are for one machine: Spark spreads the rows itself", code="usage")
    if master and engine != "spark":
        raise NbprodError("--master says where Spark runs: give --engine spark as well", code="usage")
    report = api.score(
        name,
        source,
        target,
        output=output,
        python=python,
        jobs=jobs,
        rows=rows,
        partitions=partitions,
        bad_rows=bad_rows,
        engine=engine,
        master=master,
        quiet=is_quiet(),
    )
    if form == "json":
        click.echo(as_json(report))
        return 0
    click.echo(f"{report['rows']:,} rows scored by {report['name']} version {report['version']} to {report['output']}")
    for part, reason in report.get("malformed", {}).items():
        click.echo(f"{part} can't be read and is put aside: {reason}")
    if report.get("bad"):
        click.echo(f"{report['bad']:,} rows can't be answered: they are in {bad_rows}, with the reasons")
    if report["flags"]:
        outside = ", ".join(f"{field} {count:,}" for field, count in report["flags"].items())
        click.echo(f"values outside of what training saw: {outside}")
    if report.get("unsure"):
        click.echo(f"{report['unsure']:,} rows of which the model is not sure")
    if report.get("unanswered"):
        click.echo(f"{report['unanswered']:,} rows without an answer: their features need rows before them")
    return 0
