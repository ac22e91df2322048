"""The values of one row, and how each is made of others."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

import pandas as pd

FLOAT, INTEGER, BOOLEAN, TEXT, OTHER = "float", "integer", "boolean", "text", "other"
MOMENT, DELTA = "date", "time between dates"
NUMBERS = frozenset({FLOAT, INTEGER, BOOLEAN})


@dataclass(frozen=True, eq=False)
class Node:
    """A value of a row: an expression over others, whose places in `text` are `{0}`, `{1}` and so on.

    `kind` is what its Python value is. A float that is missing is NaN; another value that is missing is None, which
    only one that is `optional` can be. `constants` are named in `text` as `{name}`. `label` is the column that it was
    made for, and `line` where. A `raw` one is a field of the record, which may be null where it is `nullable`.
    """

    text: str
    kind: str
    args: tuple[Node, ...] = ()
    optional: bool = False
    constants: Mapping[str, Any] = field(default_factory=dict)
    raw: str | None = None
    nullable: bool = False
    label: str | None = None
    line: int | None = None
    serial: int = field(default_factory=itertools.count().__next__)

    @property
    def is_atom(self) -> bool:
        """Whether the text needs no parentheses around it, and costs nothing to write twice."""
        return re.fullmatch(r"-?[\w.]+|'[^'\\]*'", self.text) is not None


@dataclass(frozen=True, eq=False)
class Lost:
    """A value that can't be written as an expression of a row, and why."""

    reason: str
    line: int | None = None


Value = Union[Node, Lost]


def constant(value: Any) -> Value:
    """A value that is the same in every row."""
    if (hasattr(value, "item") and not hasattr(value, "shape")) or type(value).__module__ == "numpy":
        value = value.item() if getattr(value, "shape", ()) == () else value
    if value is None:
        return Node("None", OTHER, optional=True)
    if isinstance(value, bool):
        return Node(repr(value), BOOLEAN)
    if isinstance(value, int):
        return Node(repr(value), INTEGER)
    if isinstance(value, float):
        if value != value:
            return Node("NAN", FLOAT)
        if value in (float("inf"), float("-inf")):
            return Node("INF" if value > 0 else "-INF", FLOAT)
        return Node(repr(value), FLOAT)
    if isinstance(value, str):
        return Node(literal(value), TEXT)
    if isinstance(value, (datetime.datetime, datetime.timedelta)):
        return _constant_date(value) or Lost(f"the constant {value!r}")
    return Lost(f"a constant of type {type(value).__name__}")


def _constant_date(value: Any) -> Node | None:
    """A date without a zone, or a time between two; None where Python has not the like of pandas'."""
    if value is pd.NaT:
        return None
    if isinstance(value, datetime.timedelta):
        whole = value.to_pytimedelta() if isinstance(value, pd.Timedelta) else value
        return Node("{DELTA}", DELTA, constants={"DELTA": whole}) if whole == value else None
    date = value.to_pydatetime(warn=False) if isinstance(value, pd.Timestamp) else value
    return Node("{DATE}", MOMENT, constants={"DATE": date}) if date == value and date.tzinfo is None else None


def literal(value: Any) -> str:
    """A text or a tuple of texts as it is written in an expression, where braces are places."""
    return repr(value).replace("{", r"\x7b")


def derived(text: str, kind: str, *args: Value, optional: bool = False, **constants: Any) -> Value:
    """A value made of others; lost where one of these is."""
    for each in args:
        if isinstance(each, Lost):
            return each
    nodes: Any = args
    return Node(text, kind, nodes, optional, constants)


def unless_missing(text: str, kind: str, arg: Value, **constants: Any) -> Value:
    """What is made of a value where there is one, and None (NaN of floats) where it is missing."""
    if isinstance(arg, Lost):
        return arg
    if not arg.optional:
        return derived(text, kind, arg, **constants)
    nothing = "NAN" if kind == FLOAT else "None"
    return derived(f"{nothing} if {{0}} is None else {text}", kind, arg, optional=kind != FLOAT, **constants)


def together(*values: Value) -> list[Node] | Lost:
    """The values, or the first of them that is lost."""
    nodes: list[Node] = []
    for each in values:
        if isinstance(each, Lost):
            return each
        nodes.append(each)
    return nodes


def walk(values: Iterator[Value] | list[Value]) -> list[Node]:
    """All nodes that values hang on, each once, those before it first."""
    found: dict[int, Node] = {}
    stack: list[tuple[Value, bool]] = [(each, False) for each in reversed(list(values))]
    while stack:
        node, is_done = stack.pop()
        if isinstance(node, Lost) or id(node) in found:
            continue
        if is_done:
            found[id(node)] = node
        else:
            stack.append((node, True))
            stack.extend((each, False) for each in reversed(node.args))
    return list(found.values())
