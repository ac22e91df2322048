"""Analysis of a notebook that is being edited: what stands above the first changed cell is not gone through again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from nbprod.analysis.analyse import Analysis, result_of, saved_under
from nbprod.analysis.effects import EffectLog
from nbprod.analysis.interpreter import Interpreter
from nbprod.analysis.program import Bodies, build_program
from nbprod.analysis.state import State
from nbprod.analysis.work import Work, WorkLimitError
from nbprod.model.notebook import Cell, Notebook

EVERY = 8
"""A state is kept before every so many cells, and before the cell that was edited last."""

_SHARED = frozenset({"program", "by_node", "schemas", "joins", "pandas_major", "folder", "_contents"})


class _Settings(Struct, frozen=True):
    path: str
    schemas: tuple[tuple[str, tuple[str, ...]], ...]
    pandas_major: int
    joins: tuple[tuple[str, str], ...]
    python: tuple[int, int] | None


class Analyser:
    """Analyses versions of one notebook, one after the other.

    States are kept by the content of the cells that led to them. The result is that of a fresh analysis; an earlier
    result of the same analyser is no longer valid, because they share the abstract execution.
    """

    def __init__(self) -> None:
        self._settings: _Settings | None = None
        self._run: Interpreter | None = None
        self._cells: tuple[Cell, ...] = ()
        self._kept: dict[int, dict[str, Any]] = {}
        self._bodies: Bodies = {}

    @property
    def schemas(self) -> Mapping[str, Sequence[str]]:
        """The column names that the last analysis was given."""
        return dict(self._settings.schemas) if self._settings is not None else {}

    @property
    def joins(self) -> Mapping[str, str]:
        """What the last analysis was told of the joins."""
        return dict(self._settings.joins) if self._settings is not None else {}

    def analyse(
        self,
        notebook: Notebook,
        schemas: Mapping[str, Sequence[str]] | None = None,
        pandas_major: int = 3,
        joins: Mapping[str, str] | None = None,
    ) -> Analysis:
        """The analysis of `notebook`, as `nbprod.analysis.analyse` gives it."""
        given = tuple((path, tuple(names)) for path, names in (schemas or {}).items())
        settings = _Settings(notebook.path, given, pandas_major, tuple((joins or {}).items()), notebook.python)
        program = build_program(notebook, self._bodies)
        if self._run is None or settings != self._settings:
            self._run, self._kept, self._settings = Interpreter(program, schemas, pandas_major, joins), {}, settings
            self._kept[0] = _copy_of(self._run)
        changed = self._first_changed(notebook.cells)
        start = max(cell for cell in self._kept if cell <= changed)
        run = self._run
        _restore(run, self._kept[start])
        self._kept = {cell: kept for cell, kept in self._kept.items() if cell <= start}
        run.continue_with(program)
        run.written_for = min(pandas_major, saved_under(notebook))
        try:
            for cell in range(start, len(program.sources)):
                if cell not in self._kept and (cell % EVERY == 0 or cell == changed):
                    self._kept[cell] = _copy_of(run)
                run.run_cell(cell)
        except WorkLimitError:
            self._kept = {cell: kept for cell, kept in self._kept.items() if cell == 0}
            self._cells = ()
            return result_of(run, complete=False)
        self._cells = notebook.cells
        return result_of(run, complete=not run.work.is_spent)

    def _first_changed(self, cells: Sequence[Cell]) -> int:
        for number, (old, new) in enumerate(zip(self._cells, cells, strict=False)):
            if old.code != new.code or old.magics != new.magics or (old.fault is None) != (new.fault is None):
                return number
        return min(len(self._cells), len(cells))


def _copy_of(run: Interpreter) -> dict[str, Any]:
    """What the execution has gathered so far; its values never change, so that the containers alone are copied."""
    return {name: _copied(value) for name, value in vars(run).items() if name not in _SHARED}


def _restore(run: Interpreter, kept: Mapping[str, Any]) -> None:
    vars(run).update({name: _copied(value) for name, value in kept.items()})


def _copied(value: Any) -> Any:
    match value:
        case list() | dict() | set():
            return value.copy()
        case State():
            return value.fork()
        case EffectLog() | Work():
            return value.copy()
        case _:
            return value
