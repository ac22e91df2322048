"""`nbprod export NOTEBOOK`: the notebook's plan as a versioned Python package, without running anything."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from shlex import quote

import click

from nbprod.cli.excerpt import describe_all
from nbprod.cli.options import (
    assumed_option,
    auto_option,
    batch_option,
    format_option,
    model_option,
    name_option,
    notebooks_argument,
    output_option,
    report_option,
)
from nbprod.cli.problem import Problem, from_divergences, from_refusal, from_unchecked
from nbprod.cli.report import Report, Views, meant, report_form, show
from nbprod.cli.served import model_text
from nbprod.cli.terminal import common_options
from nbprod.model.notebook import Notebook


@click.command(name="export")
@notebooks_argument
@output_option
@name_option
@auto_option
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when the package is stale, and say why.")
@click.option("--diff", is_flag=True, help="Write nothing; show what an export would change.")
@assumed_option
@batch_option
@model_option
@report_option
@format_option("text", "json", "jsonl", "sarif", "github", "junit")
@common_options
def command(
    notebooks: tuple[str, ...],
    output: str | None,
    name: str | None,
    auto: bool,
    check: bool,
    diff: bool,
    allow_assumed: bool,
    model: str | None,
    batch: bool,
    reports: tuple[str, ...],
    form: str,
) -> int:
    """Extract NOTEBOOK into a version of its package; nothing of the notebook is executed.

    The package lies in pipelines/NAME/vNNNN and needs no nbprod. What can't be served row by row is refused with
    cell, line, reason and way out; then nothing is written and the exit code is 1. What was exported with --batch
    stays so.

    \b
    nbprod export sales.ipynb
    nbprod export sales.ipynb --auto --name sales -o packages
    nbprod export sales.ipynb --check        in CI: is the committed package stale?
    nbprod export sales.ipynb --diff
    nbprod export sales.ipynb --batch        lags, moving averages: served by the batch
    """
    from nbprod import api
    from nbprod.cli.batch import each_of

    for each in reports:
        report_form(each)
    paths, several = meant(notebooks, name)
    work = partial(
        api.export_notebook,
        output=output,
        name=name,
        auto=auto,
        allow_assumed=allow_assumed,
        model=model,
        batch=batch,
        check=check,
        diff=diff,
    )

    def found(report: Report) -> bool:
        return report["status"] == "refused" or (check and report["status"] == "stale")

    views = Views(_text, _problems, found, ("not-servable", *(("stale",) if check else ())))
    return show(each_of(work, paths), form, views, several=several, reports=reports)


def _problems(path: str, report: Report) -> Iterator[Problem]:
    yield from (from_refusal(path, refusal) for refusal in report["refusals"])
    yield from from_unchecked(path, report)
    if report["status"] != "stale":
        return
    if report["version"] is None:
        yield Problem(
            path, "stale", "error", f"{report['name']} was never exported", hint=f"nbprod export {quote(path)}"
        )
    elif report["divergences"]:
        yield from from_divergences(path, report["divergences"], report["package"], rule="stale")
    else:
        files = ", ".join(report["changed_files"])
        yield Problem(path, "stale", "error", f"an export would change {files}", hint=f"nbprod export {quote(path)}")


def _text(path: str, report: Report, notebook: Notebook) -> str:
    parts = describe_all(_problems(path, report), notebook)
    if report["diff"]:
        parts.append(_coloured(report["diff"]))
    parts.append(_verdict(path, report))
    return "\n\n".join(parts)


def _verdict(path: str, report: Report) -> str:
    name, package = report["name"], report["package"]
    match report["status"]:
        case "refused":
            count = len(report["refusals"])
            return f"{path}: {count} refused, so nothing was written"
        case "written":
            lines = [f"{click.style('written', fg='green')}  {package}", *(f"  {each}" for each in report["files"])]
            lines.append(f"model  {model_text(report['model'])}")
            if report["assumed"]:
                places = ", ".join(f"cell {each['cell']} line {each['line']}" for each in report["assumed"])
                lines.append(click.style(f"taken on trust (--allow-assumed): {places}", fg="yellow"))
            return "\n".join([*lines, f"next: nbprod run {quote(path)}"])
        case "unchanged":
            return f"unchanged  {package} is what the notebook gives"
        case "fresh":
            return f"fresh  {package} is what the notebook gives"
        case _ if package is None:
            return f"stale  {name} was never exported"
        case _:
            return f"stale  {package}: an export would change {', '.join(report['changed_files'])}"


def _coloured(diff: str) -> str:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    lines = diff.rstrip("\n").splitlines()
    return "\n".join(click.style(line, fg=colours[line[0]]) if line[:1] in colours else line for line in lines)
