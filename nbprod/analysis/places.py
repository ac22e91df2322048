"""What stands beside rows by its place: an array or a list that becomes a column, columns that `zip` goes through.

Each row gets its own where both hold the same rows in the same order. A choice that keeps the order of the rows has
left none out where what it made is as long as the table, which pandas and NumPy insist on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbprod.analysis.values import Fact, Rows, Time, same_rows, with_refusals

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

BY_PLACE = frozenset({"array", "list"})
"""Kinds of values that have no labels."""

_IN_ORDER = ("dropna:", "drop_duplicates:", "query:", "head:", "tail:")


def beside(run: Interpreter, fact: Fact, rows: Rows | None) -> Fact:
    """What is put beside rows by its place; refused where each row would get what is of another."""
    if rows is None or fact.time is not Time.ROW or fact.rows is None or not are_others(fact.rows, rows):
        return fact
    bit = run.refuse_here(
        "row-position",
        "it is put beside the rows by its place, and its rows are not those of the table in the same order",
        "keep it as a column of the table while rows are chosen or sorted, or put it beside by labels (a Series)",
    )
    return with_refusals(fact, bit)


def are_others(a: Rows, b: Rows) -> bool:
    """Whether two pieces of one table's data have another row, or may have, in the same place."""
    if a.root != b.root or a.mix != b.mix or same_rows(a, b):
        return False
    shorter, longer = sorted((a, b), key=lambda rows: len(rows.chain))
    more = longer.chain[len(shorter.chain) :]
    kept = longer.chain[: len(shorter.chain)] == shorter.chain and all(link.startswith(_IN_ORDER) for link in more)
    return not more or not kept
