"""`nbprod verify NAME|NOTEBOOK`: proof by replay against the last run, or a fresh one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from nbprod.cli.excerpt import describe
from nbprod.cli.options import as_json, auto_option, format_option, name_option, output_option
from nbprod.cli.problem import from_refusal
from nbprod.cli.progress import shown
from nbprod.cli.proof import mismatch_problem, proof_text
from nbprod.cli.terminal import common_options
from nbprod.model.notebook import Notebook


@click.command(name="verify")
@click.argument("what", metavar="NAME|NOTEBOOK")
@click.option("--quick", is_flag=True, help="Replay 300 rows singly instead of 3000.")
@output_option
@name_option
@auto_option
@click.option("--kernel", metavar="NAME", help="The kernel of a fresh run (default: the notebook's).")
@format_option("text", "json", "sarif", "github")
@common_options
def command(
    what: str, quick: bool, output: str | None, name: str | None, auto: bool, kernel: str | None, form: str
) -> int:
    """Prove that a package gives what its notebook gave: replay the run that it was fitted in.

    Where there was no run yet, the notebook is run first, as `nbprod run` does it; where what the run captured is not
    on this machine, the notebook runs once more for that alone.

    All raw rows at once, shuffled, in batches and one at a time; predictions; then altered requests. A mismatch is
    shrunk to the smallest row and named by feature, cell and line; then the exit code is 1.

    \b
    nbprod verify sales
    nbprod verify sales@champion --quick
    nbprod verify sales.ipynb --format json
    """
    from nbprod import api

    level: Literal["full", "quick"] = "quick" if quick else "full"
    with shown() as on_progress:
        report = api.verify(
            what, output=output, name=name, level=level, auto=auto, kernel=kernel, on_progress=on_progress
        )
    _show(report, form)
    return int(report["verify"]["status"] in {"failed", "refused"})


def _show(report: dict[str, Any], form: str) -> None:
    path = report["notebook"]
    notebook = _notebook(path)
    mismatch = report["verify"]["mismatch"]
    problems = [from_refusal(path, refusal) for refusal in report["refusals"]]
    problems += [] if mismatch is None else [mismatch_problem(mismatch, path)]
    read = {path: notebook} if notebook else {}
    match form:
        case "json":
            click.echo(as_json(report))
        case "sarif":
            from nbprod.cli.sarif import sarif

            click.echo(as_json(sarif(problems, read)))
        case "github":
            from nbprod.cli.github import workflow_commands

            for line in workflow_commands(problems, read):
                click.echo(line)
        case _ if report["refusals"]:
            click.echo("\n\n".join(describe(problem, notebook) for problem in problems))
            click.echo(f"\n{path}: {len(problems)} refused, so nothing was run")
        case _:
            click.echo(f"{click.style(report['package'], bold=True)} against {_run_of(report)}")
            click.echo(proof_text(report["verify"], path, notebook))


def _run_of(report: dict[str, Any]) -> str:
    run = f"run {report['run_id']}" if report["run_id"] else "a fresh run"
    return f"{run} of {report['notebook']}" + (f", made now: {report['fresh_run']}" if report["fresh_run"] else "")


def _notebook(path: str) -> Notebook | None:
    """The notebook for its lines, where it still lies where it lay."""
    from nbprod.notebook import read

    return read(path) if Path(path).is_file() else None
