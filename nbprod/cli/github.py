"""Problems as workflow commands, which GitHub shows as annotations in a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from nbprod.cli.places import file_line, file_lines
from nbprod.cli.problem import Problem
from nbprod.model.notebook import Notebook

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def workflow_commands(problems: Iterable[Problem], notebooks: Mapping[str, Notebook]) -> Iterator[str]:
    """One `::error file=…,line=…,endLine=…,title=…::message` for each problem."""
    lines = {path: file_lines(notebook) for path, notebook in notebooks.items()}
    for problem in problems:
        known = lines.get(problem.path, ())
        first, last, place = problem.line, problem.end_line, ""
        if problem.cell is not None:
            first, last = file_line(known, problem.cell, problem.line), file_line(known, problem.cell, problem.end_line)
            place = f"cell {problem.cell}, line {problem.line}: "
        properties = {"file": problem.path, "line": first, "endLine": max(first, last), "title": problem.rule}
        joined = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
        yield f"::{_COMMANDS[problem.severity]} {joined}::{_data(place + problem.told)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
