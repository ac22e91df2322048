"""Writes to a column that was taken out of a frame: they reach the frame under pandas 2, and under pandas 3 do not.

Under copy-on-write (pandas 3) `df["a"]` is a column of its own as soon as it is written:
`df["a"].fillna(0, inplace=True)`, `df["a"][mask] = 0` and `s = df["a"]; s.iloc[0] = 9` leave `df` as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from nbprod.analysis import tabular
from nbprod.analysis.mutation import COPY_ON_WRITE
from nbprod.analysis.values import Fact, Obj, Value, combine, traced

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


class ViewWrite(Struct, frozen=True):
    """A write to a column of a frame that goes by these names; `column` is empty where its name is not known."""

    statement: int
    names: tuple[str, ...]
    column: str


def write_through(run: Interpreter, base: Value, fact: Fact) -> None:
    """A column was written; the frame that it was taken from is where its pandas shares memory with it.

    A notebook that was saved by an older Python was written for pandas 2: between its cells the write counts, as its
    author saw it, though the plan follows the pandas that will run it. What the write learned of other rows is noted
    under pandas 3 as well: the notebook means to use it.
    """
    if base.view is None or base.view[0] not in run.state.heap:
        return
    number, column = base.view
    names = tuple(name for name, value in run.state.names.items() if value.obj == number)
    run.view_writes.append(ViewWrite(run.at, names, column))
    obj = run.state.heap[number]
    if run.pandas_major >= COPY_ON_WRITE:
        meant = _meant(obj, column, fact.learned_at)
        if meant is not obj:
            run.state.heap[number] = meant
        if run.written_for < COPY_ON_WRITE:
            run.touch(Value("frame", obj=number))
    elif column:
        run.write(number, replace(obj, columns={**obj.columns, column: fact}))
    else:
        serve, fit = run.serve, run.fit
        run.write(number, tabular.mapped(obj, lambda one: traced(combine("set-by-name", (one, fact)), serve, fit)))


def _meant(obj: Obj, column: str, learned_at: frozenset[int]) -> Obj:
    """The frame with what a write that does not reach it has learned; any column where its name is not known."""

    def step(fact: Fact) -> Fact:
        return fact if learned_at <= fact.learned_at else replace(fact, learned_at=fact.learned_at | learned_at)

    if column in obj.columns:
        return replace(obj, columns={**obj.columns, column: step(obj.columns[column])})
    return obj if column or not learned_at else tabular.mapped(obj, step)
