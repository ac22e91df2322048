"""Tables that were put one below the other, and are taken apart again.

`both = pd.concat([train, test])`, something is done to both, then `both[:len(train)]` or
`both[both["target"].notnull()]`. A choice by position takes the first or last table back; a choice by a column takes
one back where that column tells the tables apart: one of them lacks it, or each was given another constant. Such a
column carries a mark until then, in the bits of its refusals.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from nbprod.analysis.values import Fact, Obj, Rows

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

APART = "apart"
"""The link of a choice by a column that tells the tables apart."""

TAKING = ("head", "tail", APART)

CHOOSING = frozenset({"filter", "dropna"})
"""Row changes that keep some rows for what they hold."""


class Together(Struct, frozen=True):
    """Where tables were put one below the other, and the mark of columns that tell them apart.

    `unnamed`: nobody knows all of their columns, so that any column may. `keys` name the tables in the index.
    """

    statement: int
    node: ast.AST
    mark: int
    unnamed: bool
    keys: tuple[object, ...] = ()


def end_named(run: Interpreter, rows: Rows, key: object) -> str:
    """`head` or `tail` where `key` names the first or last of the tables: `table.loc["train"]`; else nothing."""
    together = run.together.get(rows.mix) if rows.mix else None
    if together is None or key not in together.keys:
        return ""
    return {0: "head", len(together.keys) - 1: "tail"}.get(together.keys.index(key), "")


def end_with_labels(rows: Rows, of: Rows | None) -> str:
    """`head` or `tail` where the labels of the first or last table choose rows: `both.loc[train.index]`.

    They name rows of that table alone where no table's labels are its places, or where the whole was numbered anew and
    the first table's labels are its places. (What else has the same labels is taken too, which the replay sees.)
    """
    if of is None or not rows.mix or rows.chain:
        return ""
    by_place = of.numbered >= 0 and of.numbered == len(of.chain)
    own = replace(of, numbered=-1)
    if own == rows.mix[0] and (by_place if rows.numbered == 0 else of.numbered < 0):
        return "head"
    return "tail" if own == rows.mix[-1] and rows.numbered < 0 and of.numbered < 0 else ""


def link_of(run: Interpreter, rows: Rows, op: str, choice: Sequence[Fact], link: str) -> str:
    """The link of a choice among these rows."""
    together = run.together.get(rows.mix) if rows.mix else None
    if together is None or op not in CHOOSING or link != op:
        return link
    telling = any(fact.refused & together.mark for fact in choice)
    return APART if telling or (together.unnamed and any(len(fact.inputs) == 1 for fact in choice)) else link


def without_mark(run: Interpreter, rows: Rows, obj: Obj) -> Obj:
    """The columns of a table that was taken back: nothing tells its rows apart any more."""
    together = run.together.get(rows.mix) if rows.mix else None
    if together is None or not is_taken(rows):
        return obj
    mark = together.mark

    def step(fact: Fact) -> Fact:
        return replace(fact, refused=fact.refused & ~mark) if fact.refused & mark else fact

    return replace(
        obj,
        fact=step(obj.fact),
        columns={name: step(fact) for name, fact in obj.columns.items()},
        rest=None if obj.rest is None else step(obj.rest),
    )


def is_taken(rows: Rows) -> bool:
    """Whether the rows are those of one of the tables that were put together."""
    return any(link.partition(":")[0] == APART for link in rows.chain) or _end_of(rows) != ""


def root_of(rows: Rows) -> int:
    """The raw table that rows stem from: that of the table that was taken back."""
    match _end_of(rows):
        case "head":
            return root_of(rows.mix[0])
        case "tail":
            return root_of(rows.mix[-1])
        case _:
            return rows.root


def _end_of(rows: Rows) -> str:
    """`head` or `tail` where the first choice takes that end: before any other, which would move the boundary."""
    first = rows.chain[0].partition(":")[0] if rows.mix and rows.chain else ""
    return first if first in ("head", "tail") else ""
