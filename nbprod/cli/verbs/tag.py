"""`nbprod tag NOTEBOOK`: the roles of the cells, suggestions for those that have none, and setting them."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import Any

import click

from nbprod.cli.excerpt import describe
from nbprod.cli.options import format_option, notebooks_argument
from nbprod.cli.problem import Problem, from_finding
from nbprod.cli.report import Report, Views, meant, show
from nbprod.cli.terminal import common_options, note
from nbprod.cli.verbs.inspect import first_line
from nbprod.errors import NbprodError
from nbprod.model.notebook import Notebook

CLIPPED = ("role", "begins with", "why")


@click.command(name="tag")
@notebooks_argument
@click.option("--apply", is_flag=True, help="Write the suggested roles into the cells that have none.")
@click.option("--set", "settings", multiple=True, metavar="CELL=ROLE", help="Give a cell (number or id) a role.")
@click.option("--clear", is_flag=True, help="Take every role tag away.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before writing.")
@format_option("text", "json", "jsonl")
@common_options
def command(
    notebooks: tuple[str, ...], apply: bool, settings: tuple[str, ...], clear: bool, yes: bool, form: str
) -> int:
    """Show the role of each cell, with a suggestion and its reason where there is none.

    Roles are plain cell tags: parameters, data, features, train, evaluate, explore. Only they are written, every
    other byte of the file stays. Cells count from 0 over code cells. On a terminal --clear asks first.

    \b
    nbprod tag sales.ipynb
    nbprod tag sales.ipynb --apply
    nbprod tag sales.ipynb --set 4=features --set 3f2a9c1e=train
    nbprod tag sales.ipynb --clear --yes
    """
    from nbprod import api
    from nbprod.cli.batch import each_of

    paths, several = meant(notebooks)
    if clear and (apply or settings):
        raise NbprodError("--clear goes with neither --apply nor --set", code="usage", hint="call tag twice")
    if settings and several:
        raise NbprodError("--set takes one notebook", code="usage", hint="name the notebook whose cell is meant")
    changes: dict[str, Any] = {"apply": apply, "clear": clear, "settings": dict(map(_setting, settings))}
    if clear and not yes and not _agreed(paths):
        note("nothing was changed")
        return 0
    from functools import partial

    work = partial(api.tag_notebook, **changes)
    return show(each_of(work, paths), form, Views(_text, _problems), several=several)


def _setting(text: str) -> tuple[str, str | None]:
    cell, equals, role = text.partition("=")
    if not equals or not cell:
        raise NbprodError(f'"{text}" is not CELL=ROLE', code="usage", hint="such as --set 4=features; 4= takes it away")
    return cell.strip(), role.strip() or None


def _agreed(paths: tuple[str, ...]) -> bool:
    import sys

    if not sys.stdin.isatty():
        return True
    return click.confirm(f"Take every role tag away from {', '.join(paths)}?", err=True)


def _problems(path: str, report: Report) -> Iterator[Problem]:
    yield from (from_finding(path, finding) for finding in report["findings"])


def _text(path: str, report: Report, notebook: Notebook) -> str:
    from nbprod.cli.table import table

    parts = [
        click.style(path, bold=True),
        table(("cell", "role", "begins with", "why"), list(_rows(report, notebook)), right=("cell",), clipped=CLIPPED),
    ]
    parts.extend(describe(problem, notebook) for problem in _problems(path, report))
    parts.append(_next(path, report))
    return "\n\n".join(parts)


def _rows(report: Report, notebook: Notebook) -> Iterator[tuple[str, ...]]:
    shown = [cell for cell in report["cells"] if not report["changed"] or cell["index"] in report["changed"]]
    for cell in shown:
        suggestion = cell["suggestion"]
        if cell["role"]:
            role, why = click.style(cell["role"], fg="green"), f"by its {cell['marked_by']}"
        elif suggestion:
            role = click.style(f"[{suggestion['role']} {suggestion['confidence']:.0%}]", fg="yellow")
            why = suggestion["reason"]
        else:
            role = why = ""
        yield str(cell["index"]), role, first_line(notebook, cell["index"], 40), why


def _next(path: str, report: Report) -> str:
    open_cells = sum(cell["role"] is None and cell["suggestion"] is not None for cell in report["cells"])
    changed = len(report["changed"])
    lines = [f"{changed} cell{'s' if changed != 1 else ''} written"] if changed else []
    if open_cells:
        lines.append(f"{open_cells} suggestions in brackets; accept them: nbprod tag {quote(path)} --apply")
    elif any(cell["role"] for cell in report["cells"]):
        lines.append(f"next: nbprod export {quote(path)}")
    else:
        lines.append(f"no roles and no suggestions; set them: nbprod tag {quote(path)} --set CELL=ROLE")
    return "\n".join(lines)
