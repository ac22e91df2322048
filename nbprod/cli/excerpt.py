"""Problems as people read them: what, where, the line itself with a caret below it, and the way out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

import click

from nbprod.cli.problem import Problem
from nbprod.errors import Where
from nbprod.model.notebook import Notebook

COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}
LONGEST = 110
MOST_LINES = 4


def describe(problem: Problem, notebook: Notebook | None) -> str:
    """The problem's text over several lines, with its source where the notebook is at hand."""
    return "\n".join(_lines(problem, notebook, ()))


def describe_all(problems: Iterable[Problem], notebook: Notebook | None) -> list[str]:
    """The text of each problem; those that one place causes are told once, with all the places they are seen at."""
    groups: dict[tuple[object, ...], list[Problem]] = {}
    for number, problem in enumerate(problems):
        cause = problem.related or number
        key = (problem.path, problem.severity, problem.rule, problem.message, cause, problem.hint, problem.was)
        groups.setdefault(key, []).append(problem)
    return ["\n".join(_lines(first, notebook, also)) for first, *also in groups.values()]


def _lines(problem: Problem, notebook: Notebook | None, also: Sequence[Problem]) -> Iterator[str]:
    colour = COLOURS[problem.severity]
    head = click.style(f"{problem.severity}[{problem.rule}]", fg=colour, bold=True)
    yield f"{head}: {problem.message}"
    where = Where(problem.path, problem.cell, _cell_id(problem, notebook), problem.line)
    yield f"  --> {where}"
    yield from _source(problem.cell, problem.line, problem.end_line, notebook, "^", colour)
    if problem.was:
        first, *rest = problem.was.splitlines()
        yield f"  was: {_cut(first)}"
        yield from (f"       {_cut(line)}" for line in rest[: MOST_LINES - 1])
    for each in problem.related:
        yield f"  ::: cell {each.cell}, line {each.line}: {each.message}"
        yield from _source(each.cell, each.line, each.line, notebook, "-", "blue")
    if also:
        places = "; ".join(f"cell {each.cell}, line {each.line}" for each in also)
        yield from wrap(places, LONGEST, initial_indent="  also seen at ", subsequent_indent="    ")
    if problem.hint:
        yield f"{click.style('hint', fg='cyan')}: {problem.hint}"


def _cell_id(problem: Problem, notebook: Notebook | None) -> str | None:
    if problem.cell_id or problem.cell is None or notebook is None or problem.cell >= len(notebook.cells):
        return problem.cell_id or None
    return notebook.cells[problem.cell].id


def _source(
    cell: int | None, line: int, end_line: int, notebook: Notebook | None, mark: str, colour: str
) -> Iterator[str]:
    if cell is None or notebook is None or not 0 <= cell < len(notebook.cells):
        return
    text = notebook.cells[cell].source.splitlines()
    chosen = text[line - 1 : max(line, end_line)]
    if not chosen:
        return
    width = len(str(line + len(chosen) - 1))
    yield f" {' ' * width} |"
    for number, each in enumerate(chosen[:MOST_LINES], start=line):
        yield f" {number:>{width}} | {_cut(each)}"
        if len(chosen) == 1:
            yield f" {' ' * width} | {click.style(_caret(each, mark), fg=colour)}"
    if len(chosen) > MOST_LINES:
        yield f" {' ' * width} | … {len(chosen) - MOST_LINES} more lines"


def _caret(line: str, mark: str) -> str:
    """Marks below the code of a line, not below its indentation or its comment."""
    shown = _cut(line)
    start = len(shown) - len(shown.lstrip())
    return " " * start + mark * max(1, len(shown.rstrip()) - start)


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def summary(problems: Sequence[Problem]) -> str:
    """`2 errors, 1 warning`."""
    counts = {kind: sum(problem.severity == kind for problem in problems) for kind in COLOURS}
    words = [f"{count} {kind}{'s' if count > 1 and kind != 'info' else ''}" for kind, count in counts.items() if count]
    return ", ".join(words) or "no findings"
