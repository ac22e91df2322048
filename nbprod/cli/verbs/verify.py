"""`nbprod verify NAME|NOTEBOOK`: proof by replay against the last run, or a fresh one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click
from msgspec.structs import replace

from nbprod.cli.excerpt import describe
from nbprod.cli.options import as_json, auto_option, format_option, name_option, output_option
from nbprod.cli.problem import Problem, error_as_json, from_error, from_refusal
from nbprod.cli.progress import shown
from nbprod.cli.proof import mismatch_problem, proof_text
from nbprod.cli.terminal import common_options
from nbprod.errors import NbprodError
from nbprod.model.notebook import Notebook


@click.command(name="verify")
@click.argument("what", metavar="NAME|NOTEBOOK")
@click.option("--quick", is_flag=True, help="Replay 300 rows singly instead of 3000.")
@output_option
@name_option
@auto_option
@click.option("--kernel", metavar="NAME", help="The kernel of a fresh run (default: the notebook's).")
@click.option("--allow-missing-data", is_flag=True,
              help="Where the data is not here, say so and end with 0: nothing was proven.")  # fmt: skip
@format_option("text", "json", "sarif", "github", "junit")
@common_options
def command(
    what: str,
    quick: bool,
    output: str | None,
    name: str | None,
    auto: bool,
    kernel: str | None,
    allow_missing_data: bool,
    form: str,
) -> int:
    """Prove that a package gives what its notebook gave: replay the run that it was fitted in.

    Where there was no run yet, the notebook is run first, as `nbprod run` does it; where what the run captured is not
    on this machine, the notebook runs once more for that alone.

    All raw rows at once, shuffled, in batches and one at a time; predictions; then altered requests. A mismatch is
    shrunk to the smallest row and named by feature, cell and line; then the exit code is 1. Where the data that the
    notebook reads is not here either, nothing can be proven, and the exit code is 2.

    \b
    nbprod verify sales
    nbprod verify sales@champion --quick
    nbprod verify sales.ipynb --format json
    nbprod verify sales --allow-missing-data     in CI, where the data may not be
    """
    from nbprod import api

    level: Literal["full", "quick"] = "quick" if quick else "full"
    try:
        with shown() as on_progress:
            report = api.verify(
                what, output=output, name=name, level=level, auto=auto, kernel=kernel, on_progress=on_progress
            )
    except NbprodError as error:
        if error.code != "missing-data" or not allow_missing_data:
            raise
        _show_skipped(error, form)
        return 0
    _show(report, form)
    return int(report["verify"]["status"] in {"failed", "refused"})


def _show_skipped(error: NbprodError, form: str) -> None:
    """That nothing was proven, for want of the data."""
    path = error.where.path if error.where else ""
    problem = replace(from_error(path, error), severity="warning")
    match form:
        case "json":
            click.echo(as_json(error_as_json(path, error)))
        case "text":
            click.echo(click.style(error.message, fg="yellow"))
        case _:
            _for_tools([problem], {path: read} if (read := _notebook(path)) else {}, path, form)


def _for_tools(
    problems: list[Problem], read: dict[str, Notebook], path: str, form: str, proofs: tuple[str, ...] = ()
) -> None:
    match form:
        case "sarif":
            from nbprod.cli.sarif import sarif

            click.echo(as_json(sarif(problems, read)))
        case "junit":
            from nbprod.cli.junit import Suite, cases_of, junit

            failing = [each for each in problems if each.severity == "error"]
            click.echo(junit([Suite(path, cases_of(proofs, problems, failing))], read))
        case _:
            from nbprod.cli.github import workflow_commands

            for line in workflow_commands(problems, read):
                click.echo(line)


def _show(report: dict[str, Any], form: str) -> None:
    path = report["notebook"]
    notebook = _notebook(path)
    mismatch = report["verify"]["mismatch"]
    checks = report["verify"]["checks"]
    problems = [from_refusal(path, refusal) for refusal in report["refusals"]]
    problems += [] if mismatch is None else [mismatch_problem(report["verify"], path)]
    read = {path: notebook} if notebook else {}
    match form:
        case "json":
            click.echo(as_json(report))
        case "sarif" | "github" | "junit":
            problems += (
                []
                if mismatch or report["verify"]["status"] not in {"failed", "refused"}
                else [Problem(path, each["name"], "error", each["detail"]) for each in checks if not each["passed"]]
            )
            _for_tools(problems, read, path, form, tuple(each["name"] for each in checks))
        case _ if report["refusals"]:
            click.echo("\n\n".join(describe(problem, notebook) for problem in problems))
            click.echo(f"\n{path}: {len(problems)} refused, so nothing was run")
        case _:
            click.echo(f"{click.style(report['package'], bold=True)} against {_run_of(report)}")
            if report["hand_edits"]:
                told = "edited by hand since it was exported, so known by the replay alone"
                click.echo(click.style(f"{told}: {', '.join(report['hand_edits'])}", fg="yellow"))
            click.echo(proof_text(report["verify"], path, notebook))


def _run_of(report: dict[str, Any]) -> str:
    run = f"run {report['run_id']}" if report["run_id"] else "a fresh run"
    return f"{run} of {report['notebook']}" + (f", made now: {report['fresh_run']}" if report["fresh_run"] else "")


def _notebook(path: str) -> Notebook | None:
    """The notebook for its lines, where it still lies where it lay."""
    from nbprod.notebook import read

    return read(path) if Path(path).is_file() else None
