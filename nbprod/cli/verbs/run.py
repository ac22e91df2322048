"""`nbprod run NOTEBOOK`: run and track the notebook; fit, prove and register its package."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

import click

from nbprod.api.one_row import one_row_text
from nbprod.cli.excerpt import describe_all, summary
from nbprod.cli.options import (
    assumed_option,
    auto_option,
    batch_option,
    format_option,
    model_option,
    name_option,
    notebooks_argument,
    output_option,
)
from nbprod.cli.parameters import NotebookCommand, parameters_option
from nbprod.cli.problem import Problem, from_finding, from_refusal
from nbprod.cli.progress import shown
from nbprod.cli.proof import mismatch_problem, proof_text
from nbprod.cli.report import Report, Views, meant, show
from nbprod.cli.served import model_text
from nbprod.cli.stages import stages_text
from nbprod.cli.terminal import common_options
from nbprod.errors import NbprodError
from nbprod.model.notebook import Notebook

STAGES = ("data", "features", "train", "evaluate")

MOST_WRONG = 6
"""Findings that are shown behind a run."""


@click.command(name="run", cls=NotebookCommand)
@notebooks_argument
@parameters_option
@click.option("-f", "--parameters-file", metavar="FILE", help="Parameters in a YAML or JSON file.")
@output_option
@name_option
@auto_option
@click.option("--no-verify", is_flag=True, help="Leave out the proof by replay.")
@assumed_option
@batch_option
@model_option
@click.option("--kernel", metavar="NAME", help="The kernel to run in (default: the notebook's).")
@click.option("--retrain", is_flag=True,
              help="NOTEBOOK is the NAME of a package: train it again, and judge the new version.")  # fmt: skip
@click.option("--promote", is_flag=True, help="With --retrain: let the new version be the champion if the gates pass.")
@click.option("--timeout", type=float, metavar="SECONDS", help="The longest that one cell may take.")
@click.option("--from", "first_stage", type=click.Choice(STAGES), help="Run this stage and those behind it anew.")
@click.option("--to", "last_stage", type=click.Choice(STAGES[:-1]),
              help="Stop behind this stage, and keep what it gives for the next run.")  # fmt: skip
@click.option("--no-cache", is_flag=True, help="Run all stages anew.")
@format_option("text", "json", "jsonl", "sarif", "github")
@common_options
def command(
    notebooks: tuple[str, ...],
    parameters: tuple[tuple[str, str], ...],
    parameters_file: str | None,
    output: str | None,
    name: str | None,
    auto: bool,
    no_verify: bool,
    allow_assumed: bool,
    model: str | None,
    batch: bool,
    kernel: str | None,
    retrain: bool,
    promote: bool,
    timeout: float | None,
    first_stage: str | None,
    last_stage: str | None,
    no_cache: bool,
    form: str,
) -> int:
    """Run NOTEBOOK through papermill; then fit its package, prove it by replay, log the run and register the model.

    Runs are tracked with MLflow in the project's .nbprod/mlflow.db. Exit code 1 where something is refused (then
    nothing runs) or the proof fails. A cell that fails is named, and the partial notebook is kept.

    Stages (data, features, train, evaluate) that an earlier run has done are restored where their code, parameters,
    files and environment are what they were: see nbprod cache. With --to the run stops behind a stage: nothing is
    fitted or tracked, and the next run goes on from there, also on another machine that shares the project's folder.

    With --retrain a package is named in the place of NOTEBOOK: its notebook runs with the parameters of the champion's
    run and those of -p over them, the new version is the challenger, and the gates judge it against the champion (see
    nbprod versions). --promote lets it be the champion where they pass; where one stops it, the exit code is 1.

    \b
    nbprod run sales.ipynb
    nbprod run sales.ipynb --from train
    nbprod run sales.ipynb --to features
    nbprod run sales.ipynb -p SEED 7 -p TEST_SIZE 0.3
    nbprod run sales.ipynb -p DB_PASSWORD env:SALES_DB_PASSWORD
    nbprod run sales.ipynb --help           its parameters too: type, default, what the cell says of them
    nbprod run notebooks/ --auto --format jsonl
    nbprod run sales --retrain -p DATA new.csv --promote
    """
    from nbprod import api
    from nbprod.cli.batch import each_of

    common: dict[str, Any] = {
        "parameters": dict(parameters),
        "parameters_file": parameters_file,
        "output": output,
        "kernel": kernel,
        "timeout": timeout,
        "first_stage": first_stage,
        "last_stage": last_stage,
        "use_cache": not no_cache,
    }
    if last_stage is not None and (promote or no_verify):
        option = "--promote" if promote else "--no-verify"
        raise NbprodError(f"--to takes no {option}: nothing is fitted", code="usage")
    if retrain:
        from nbprod.cli.retraining import retrained

        not_wanted = {"--auto": auto, "--no-verify": no_verify, "--name": name, "--allow-assumed": allow_assumed,
               "--model": model, "--batch": batch}  # fmt: skip
        work = partial(api.retrain, **common, promote=promote)
        return retrained(notebooks, work, form, unwanted=[option for option, value in not_wanted.items() if value])
    if promote:
        raise NbprodError(
            "--promote goes with --retrain", code="usage", hint="promote it: nbprod versions NAME promote"
        )

    paths, several = meant(notebooks, name)
    with shown(several=len(paths) > 1) as on_progress:
        work = partial(
            api.run_notebook,
            **common,
            name=name,
            auto=auto,
            allow_assumed=allow_assumed,
            model=model,
            batch=batch,
            verify=not no_verify,
            on_progress=on_progress,
        )
        outcomes = list(each_of(work, paths))
    views = Views(_text, _problems, _found) if last_stage is None else Views(_text_to, _problems_to, _refused)
    return show(outcomes, form, views, several=several)


def _refused(report: Report) -> bool:
    return bool(report["refusals"])


def _problems_to(path: str, report: Report) -> Iterator[Problem]:
    yield from (from_refusal(path, refusal) for refusal in report["refusals"])


def _text_to(path: str, report: Report, notebook: Notebook) -> str:
    if report["refusals"]:
        parts = describe_all(_problems_to(path, report), notebook)
        return "\n\n".join([*parts, f"{path}: {len(report['refusals'])} refused, so nothing was run"])
    return f"{path}: {stages_text(report['stages'])}; kept for the next run"


def _found(report: Report) -> bool:
    return bool(report["refusals"]) or (report["verify"] or {}).get("status") in {"failed", "refused"}


def _problems(path: str, report: Report) -> Iterator[Problem]:
    if report["refusals"]:
        yield from (from_refusal(path, refusal) for refusal in report["refusals"])
        return
    mismatch = (report["verify"] or {}).get("mismatch")
    if mismatch:
        yield mismatch_problem(report["verify"], path, report["findings"])
    yield from _found_wrong(path, report)


def _found_wrong(path: str, report: Report) -> list[Problem]:
    """What is wrong in the notebook itself, whatever the proof says."""
    return [from_finding(path, each) for each in report["findings"] if each["severity"] in {"error", "warning"}]


def _rows_in(package: str) -> list[str]:
    """The files of a version that hold rows of the training data (docs/package.md)."""
    return [
        file
        for file in ("tests/golden.json", "state/raw.json", "state/example.json")
        if (Path(package) / file).is_file()
    ]


def _not_kept(stage: Report) -> str:
    """Why a stage will run again the next time."""
    return f"what the cells up to {stage['after']} give is not kept for the next run: {stage['reason']}"


def _text(path: str, report: Report, notebook: Notebook) -> str:
    if report["refusals"]:
        parts = describe_all(_problems(path, report), notebook)
        return "\n\n".join([*parts, f"{path}: {len(report['refusals'])} refused, so nothing was run"])
    facts = {
        "package": report["package"],
        "holds": f"rows of the training data, in {', '.join(_rows_in(report['package']))}",
        "model": model_text(report["model"]),
        **({"one row": one_row_text(report["one_row"])} if report["one_row"] and report["serves"] == "rows" else {}),
        "run": f"{report['run_id']} {'in' if report['tracked'] else 'not yet in'} {report['tracking_uri']}",
        "notebook": report["executed"],
        "stages": stages_text(report["stages"]),
        "metrics": ", ".join(f"{name} {value:.4g}" for name, value in report["metrics"].items()) or "none",
    }
    parts = ["\n".join(f"{key:<9} {value}" for key, value in facts.items())]
    if report["not_run"]:
        cells = ", ".join(map(str, report["not_run"]))
        parts.append(f"changed, but not run: cell {cells} (nothing that was restored hangs on it; --no-cache runs all)")
    if report["not_kept"]:
        parts.append("\n".join(map(_not_kept, report["not_kept"])))
    if report["verify"]:
        parts.append(proof_text(report["verify"], path, notebook, report["findings"]))
    else:
        parts.append(click.style("not proven (--no-verify)", fg="yellow"))
    wrong = _found_wrong(path, report)
    if wrong:
        lines = [f"  cell {each.cell}, line {each.line}: {each.message} [{each.rule}]" for each in wrong[:MOST_WRONG]]
        more = [f"  and {len(wrong) - MOST_WRONG} more"] if len(wrong) > MOST_WRONG else []
        head = click.style(f"{summary(wrong)} in the notebook", fg="yellow")
        parts.append("\n".join([f"{head} (nbprod check {quote(path)} shows them)", *lines, *more]))
    if not report["tracked"]:
        parts.append(click.style("not tracked: the server did not take the run; nbprod sync sends it", fg="yellow"))
    name = report["package"].split("/")[-2]
    use = f"score {name} NEW.csv OUT.csv" if report["serves"] == "batch" else f"serve {name}"
    is_server = report["tracking_uri"].startswith(("http://", "https://"))
    runs = report["tracking_uri"] if is_server else f"mlflow ui --backend-store-uri {report['tracking_uri']}"
    if _found(report):
        use = f"check {quote(path)}"
    parts.append(f"next: nbprod {use}\nruns: {runs}")
    return "\n\n".join(parts)
