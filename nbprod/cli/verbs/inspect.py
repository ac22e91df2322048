"""`nbprod inspect NOTEBOOK`: all that can be said of a notebook without running it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import click

from nbprod.cli.excerpt import describe_all, summary
from nbprod.cli.options import as_json, format_option, model_option, notebooks_argument
from nbprod.cli.problem import Problem, from_finding, from_refusal
from nbprod.cli.report import Report, Views, meant, show
from nbprod.cli.served import model_text
from nbprod.cli.terminal import common_options
from nbprod.errors import NbprodError
from nbprod.model.notebook import Notebook
from nbprod.notebook.formats import lines_of

STATUS_COLOURS = {"proven": "green", "observed": "cyan", "assumed": "yellow", "refused": "red"}


@click.command(name="inspect")
@notebooks_argument
@click.option("--slice", "sliced", metavar="NAME", help="Only the cells and lines that the value of NAME depends on.")
@model_option
@format_option("text", "json", "jsonl", "sarif", "github")
@common_options
def command(notebooks: tuple[str, ...], sliced: str | None, model: str | None, form: str) -> int:
    """Show cells, roles, dataflow, findings and the plan, without running anything.

    \b
    nbprod inspect sales.ipynb
    nbprod inspect sales.ipynb --slice X_train
    nbprod inspect notebooks/ --format jsonl
    nbprod inspect "notebooks/**/*.ipynb" --format sarif > findings.sarif
    """
    from nbprod import api
    from nbprod.cli.batch import each_of

    paths, several = meant(notebooks)
    if sliced is not None:
        return _slice(paths, sliced, form)
    work = partial(api.inspect_notebook, model=model)
    return show(each_of(work, paths), form, Views(_text, _problems), several=several)


def _problems(path: str, report: Report) -> Iterator[Problem]:
    for finding in report["findings"]:
        yield from_finding(path, finding)
    known = {(each["cell"], each["line"]) for each in report["findings"] if each["rule"] == "not-servable"}
    for refusal in (report["plan"] or {}).get("refusals", ()):
        if (refusal["cell"], refusal["line"]) not in known:
            yield from_refusal(path, refusal)


def _text(path: str, report: Report, notebook: Notebook) -> str:
    problems = list(_problems(path, report))
    parts = [f"{click.style(path, bold=True)}: {len(report['cells'])} code cells, {summary(problems)}"]
    parts.append(cells_table(report, notebook))
    parts.extend(describe_all(problems, notebook))
    parts.append(plan_text(report, notebook))
    return "\n\n".join(parts)


def cells_table(report: Report, notebook: Notebook) -> str:
    """Each cell with its role (or the suggestion, in brackets), what it does and what it defines."""
    from nbprod.cli.table import shortened, table

    rows = [
        (
            str(cell["index"]),
            role_of(cell),
            ", ".join(cell["steps"]),
            shortened(cell["defines"], 5),
            shortened(cell["updates"], 4),
            first_line(notebook, cell["index"]),
        )
        for cell in report["cells"]
    ]
    head = ("cell", "role", "does", "defines", "updates", "begins with")
    return table(head, rows, right=("cell",), clipped=("begins with",))


def role_of(cell: dict[str, Any]) -> str:
    """`features`, or `[features 80%]` where it is but suggested."""
    if cell["role"]:
        return click.style(cell["role"], fg="green")
    if cell["suggestion"]:
        return click.style(f"[{cell['suggestion']['role']} {cell['suggestion']['confidence']:.0%}]", fg="yellow")
    return ""


def first_line(notebook: Notebook, cell: int, width: int = 44) -> str:
    """The first line of a cell that says something."""
    lines = (line.strip() for line in notebook.cells[cell].source.splitlines())
    text = next((line for line in lines if line), "")
    return text if len(text) <= width else text[: width - 1] + "…"


def plan_text(report: Report, notebook: Notebook) -> str:
    """The plan as a table that a person can check, or why there is none."""
    from nbprod.cli.table import shortened, table

    plan = report["plan"]
    if plan is None:
        error = report["plan_error"]
        text = f"no plan: {error['message']}"
        return text + (f"\n{click.style('hint', fg='cyan')}: {error['hint']}" if error["hint"] else "")
    rows = [
        (
            str(number),
            str(step["cell"]),
            _span(step),
            step["binding"],
            click.style(step["status"], fg=STATUS_COLOURS[step["status"]]),
            shortened(step["sites"], 4),
            _code(notebook, step),
        )
        for number, step in enumerate(plan["steps"])
    ]
    facts = {
        "digest": plan["digest"],
        "model": model_text(plan["model"]),
        "target": plan["target"] or "none",
        "raw columns": f"{len(plan['inputs'])}: {shortened(plan['inputs'], 20)}",
        "features": f"{len(plan['features'])}: {shortened([each['name'] for each in plan['features']], 20)}",
    }
    head = ("step", "cell", "line", "binding", "status", "learns", "code")
    return "\n".join(
        [
            click.style("plan", bold=True),
            *(f"  {key:<12} {value}" for key, value in facts.items()),
            "",
            table(head, rows, right=("step", "cell", "line"), clipped=("code",)),
            *([] if not plan["refusals"] else ["", f"{len(plan['refusals'])} refused: this can not be exported yet"]),
        ]
    )


def _span(step: dict[str, Any]) -> str:
    first, last = step["line"], step["end_line"]
    return str(first) if first == last else f"{first}-{last}"


def _code(notebook: Notebook, step: dict[str, Any], width: int = 60) -> str:
    lines = lines_of(notebook.cells[step["cell"]].source, keepends=False)
    text = lines[step["line"] - 1].strip() if step["line"] <= len(lines) else ""
    more = " …" if step["end_line"] > step["line"] else ""
    return (text if len(text) <= width else text[: width - 1] + "…") + more


def _slice(paths: tuple[str, ...], name: str, form: str) -> int:
    from nbprod import api

    if len(paths) != 1 or form not in {"text", "json"}:
        raise NbprodError("--slice takes one notebook, as text or json", code="usage", hint="nbprod inspect --help")
    report = api.slice_notebook(paths[0], name)
    if form == "json":
        click.echo(as_json(report))
        return 0
    from nbprod.notebook import read

    notebook = read(paths[0])
    for part in report["slice"]:
        cell = notebook.cells[part["cell"]]
        click.echo(click.style(f"cell {cell.index} (id {cell.id})", bold=True))
        lines = cell.source.splitlines()
        for line in part["lines"]:
            click.echo(f" {line:>3} | {lines[line - 1]}")
    return 0
