"""How verbs show what came of each notebook: text, JSON, JSON lines, SARIF, JUnit's XML or GitHub annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from nbprod.cli.batch import Outcome
from nbprod.cli.options import as_json
from nbprod.cli.problem import Problem, error_as_json, from_error
from nbprod.cli.terminal import show_error
from nbprod.errors import NbprodError
from nbprod.model.notebook import Notebook

Report = dict[str, Any]

REPORTS = {".sarif": "sarif", ".xml": "junit"}
"""What is written into a report file, by the end of its name."""


def _nothing(_report: Report) -> bool:
    return False


def _is_error(problem: Problem) -> bool:
    return problem.severity == "error"


class Views(Struct, frozen=True):
    """What a verb gives to be shown: its text, its problems, and whether it found what it looks for.

    `rules` are those that it looks for, and `fails` says which of the problems are what it looks for.
    """

    text: Callable[[str, Report, Notebook], str]
    problems: Callable[[str, Report], Iterable[Problem]]
    found: Callable[[Report], bool] = _nothing
    rules: tuple[str, ...] = ()
    fails: Callable[[Problem], bool] = _is_error


def show(
    outcomes: Iterable[Outcome[Report]], form: str, views: Views, *, several: bool, reports: Sequence[str] = ()
) -> int:
    """Write the results to stdout and the errors to stderr; gives the exit code.

    With one notebook an error is raised to the edge; with several it is shown, and the others go on. The files of
    `reports` are written as well, also where a notebook could not be worked on.
    """
    if reports:
        outcomes = list(outcomes)
        for file in reports:
            _write(outcomes, Path(file), views)
    match form:
        case "text":
            return _each(outcomes, lambda path, report: views.text(path, report, _read(path)), views, several)
        case "jsonl":
            return _json_lines(outcomes, views)
        case "json" if several:
            return _json_list(outcomes, views)
        case "json":
            return _each(outcomes, lambda _, report: as_json(report), views, several)
        case _:
            return _for_tools(outcomes, form, views)


def _each(outcomes: Iterable[Outcome[Report]], shown: Callable[[str, Report], str], views: Views, several: bool) -> int:
    code = 0
    for number, outcome in enumerate(outcomes):
        if outcome.error is not None:
            if not several:
                raise outcome.error
            show_error(outcome.error)
        else:
            click.echo(("\n" if number else "") + shown(outcome.path, outcome.value or {}))
        code = max(code, _code(outcome, views))
    return code


def _json_lines(outcomes: Iterable[Outcome[Report]], views: Views) -> int:
    code = 0
    for outcome in outcomes:
        click.echo(as_json(_value(outcome), indent=None))
        if outcome.error is not None:
            show_error(outcome.error)
        code = max(code, _code(outcome, views))
    return code


def _json_list(outcomes: Iterable[Outcome[Report]], views: Views) -> int:
    done = list(outcomes)
    click.echo(as_json([_value(outcome) for outcome in done]))
    for outcome in done:
        if outcome.error is not None:
            show_error(outcome.error)
    return max((_code(outcome, views) for outcome in done), default=0)


def _for_tools(outcomes: Iterable[Outcome[Report]], form: str, views: Views) -> int:
    done = list(outcomes)
    click.echo(_told(done, form, views), nl=form != "github")
    for outcome in done:
        if outcome.error is not None:
            show_error(outcome.error)
    return max((_code(outcome, views) for outcome in done), default=0)


def report_form(file: str) -> str:
    """What is written into a report file of this name. Raises NbprodError for a name that does not tell."""
    form = REPORTS.get(Path(file).suffix)
    if form is None:
        known = ", ".join(f"FILE{suffix} ({what})" for suffix, what in REPORTS.items())
        raise NbprodError(f"what is to be written into {file} can't be told by its name", code="usage", hint=known)
    return form


def _write(outcomes: Sequence[Outcome[Report]], file: Path, views: Views) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_told(outcomes, report_form(str(file)), views) + "\n", encoding="utf-8")


def _told(done: Sequence[Outcome[Report]], form: str, views: Views) -> str:
    worked = [(outcome.path, outcome.value) for outcome in done if outcome.value is not None]
    found = [(path, list(views.problems(path, report))) for path, report in worked]
    problems = [each for _, of_one in found for each in of_one]
    failed = [from_error(outcome.path, outcome.error) for outcome in done if outcome.error is not None]
    read = {path: _read(path) for path in dict.fromkeys(each.path for each in problems)}
    match form:
        case "sarif":
            from nbprod.cli.sarif import sarif

            return as_json(sarif(problems, read, failed))
        case "junit":
            from nbprod.cli.junit import Suite, cases_of, junit

            suites = [
                Suite(path, cases_of(views.rules, of_one, [each for each in of_one if views.fails(each)]))
                for path, of_one in found
            ]
            return junit([*suites, *(Suite(each.path, error=each) for each in failed)], read)
        case _:
            from nbprod.cli.github import workflow_commands

            return "".join(f"{line}\n" for line in workflow_commands([*problems, *failed], read))


def _value(outcome: Outcome[Report]) -> Report:
    if outcome.error is not None:
        return error_as_json(outcome.path, outcome.error)
    return outcome.value or {}


def _code(outcome: Outcome[Report], views: Views) -> int:
    if outcome.error is not None:
        return 2
    return int(views.found(outcome.value or {}))


def _read(path: str) -> Notebook:
    from nbprod.notebook import read

    return read(path)


def meant(arguments: Sequence[str], name: str | None = None) -> tuple[tuple[str, ...], bool]:
    """The notebooks that the arguments stand for, and whether several were meant (a folder, a glob, a list).

    A `name` of a package is that of one notebook.
    """
    from nbprod.cli.batch import notebooks_in
    from nbprod.config import find_project

    exclude = find_project(Path.cwd()).config.exclude
    paths = notebooks_in(arguments, exclude)
    if not paths:
        raise NbprodError("no notebook is left", code="not-found", hint="see `exclude` in the configuration")
    if name is not None and len(paths) > 1:
        raise NbprodError("--name takes one notebook", code="usage", hint="names of several come from their files")
    return paths, len(paths) > 1 or any(Path(each).is_dir() for each in arguments)
