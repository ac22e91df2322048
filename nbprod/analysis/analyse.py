"""From a notebook to what is known of it: effects, edges, slices, notes and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from nbprod.analysis.interpreter import Interpreter
from nbprod.analysis.program import build_program
from nbprod.analysis.values import Event, Fact
from nbprod.analysis.work import WorkLimitError
from nbprod.model.notebook import Notebook
from nbprod.model.program import CellEffects, Edge, Program


class Analysis(Struct, frozen=True):
    """What the analysis of one notebook found. `run` holds the abstract execution with its final state."""

    program: Program
    run: Interpreter
    effects: tuple[CellEffects, ...]
    edges: tuple[Edge, ...]
    complete: bool = True

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(self.run.events)

    def slice_of(self, name: str) -> dict[int, list[int]]:
        """The cells and lines that the value of `name` at the end of the notebook depends on.

        Raises KeyError when no such name is bound at the end.
        """
        return self.lines_of(self.statements_for(name))

    def statements_for(self, name: str) -> int:
        """The statements that the value of `name` at the end of the notebook depends on, as bits.

        What chose its rows is among them. Raises KeyError when no such name is bound at the end.
        """
        return all_statements(self.run.data(self.run.state.names[name]))

    def lines_of(self, statements: int) -> dict[int, list[int]]:
        """Cell → lines of a set of statements: whole simple statements, only the headers of compound ones."""
        found: dict[int, set[int]] = {}
        for statement in self.program.statements:
            if statements >> statement.id & 1:
                end = _header_end(self.program, statement.id)
                found.setdefault(statement.cell, set()).update(range(statement.line, end + 1))
        return {cell: sorted(lines) for cell, lines in sorted(found.items())}


def all_statements(fact: Fact) -> int:
    """The statements behind a value and behind the choice of its rows, as bits."""
    return fact.fit | (0 if fact.rows is None else fact.rows.fit)


def _header_end(program: Program, number: int) -> int:
    statement = program.statements[number]
    body = getattr(statement.node, "body", None)
    if isinstance(body, list) and body and hasattr(body[0], "lineno"):
        return max(statement.line, int(body[0].lineno) - 1)
    return statement.end_line


def analyse(
    notebook: Notebook,
    schemas: Mapping[str, Sequence[str]] | None = None,
    pandas_major: int = 3,
    joins: Mapping[str, str] | None = None,
) -> Analysis:
    """Analyse a notebook without running anything of it.

    `schemas` gives the column names of raw files by the path that the notebook reads them from, where known.
    `pandas_major` is the pandas that will run the notebook: in-place writes through a column differ. `joins` says what
    the joins are, by their text, as `keys.read_joins` tells it.
    """
    run = Interpreter(build_program(notebook), schemas, pandas_major, joins)
    run.written_for = min(pandas_major, saved_under(notebook))
    try:
        run.run()
    except WorkLimitError:
        return result_of(run, complete=False)
    return result_of(run, complete=not run.work.is_spent)


def saved_under(notebook: Notebook) -> int:
    """The newest pandas major that can have run the notebook when it was saved: pandas 3 wants Python 3.11."""
    return 2 if notebook.python is not None and notebook.python < (3, 11) else 3


def result_of(run: Interpreter, *, complete: bool) -> Analysis:
    """What an abstract execution has found."""
    effects = tuple(CellEffects(tuple(one.defines), tuple(one.updates), tuple(one.uses)) for one in run.effects.cells)
    edges = (Edge(*ends, tuple(sorted(names))) for ends, names in sorted(run.effects.edges.items()))
    return Analysis(run.program, run, effects, tuple(edges), complete)
