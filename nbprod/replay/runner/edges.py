"""Records with fields at the edge: odd values, what a contract knows, and the constants of the compiled row."""

from __future__ import annotations

import ast
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .sampling import SEED

BASES = 6
"""Training rows whose fields are changed to values at the edge: one at a time, then several at once."""

MIXED = 400
"""Rows with several fields at the edge."""

MOST_CONSTANTS = 60
"""Constants of each kind that every field of the kind is set to; of more the first ones."""

LARGE = 1e9
"""Constants of this size are bounds that the compiled row sets, which NUMBERS go beyond."""

NUMBERS = (0, 0.0, -0.0, 1, -1, 0.5, 1e-9, 1e9, 2**31, 2**53 + 1, 1e16, 1e300, -1e300, float("inf"), float("nan"))
TEXTS = ("", " ", "nan", "None", "0", "never seen", "ÄÖ ß", "a\nb", "'", "{0}", "\x00", "\ud800")
DATES = (
    *("2024-02-29", "2023-02-29", "1999-12-31", "2000-01-01T00:00:00", "2001-01-01 24:00:00", "2024-1-5", "20240105"),
    *("1600-01-01", "9999-12-31", "2024-06-30T23:59:59.5", "2024-06-30T10:00:00Z", "29/02/2024", "2/1/2023"),
    *("13/13/2023", "12/31/1999", "now", "2024-06"),
)
ODD: tuple[Any, ...] = (None, True, [], {}, "x", 3, 2.5)
"""Values of other types, and none: what the package refuses may not be answered."""


@dataclass(frozen=True)
class Constants:
    """Numbers and texts that values are compared with, looked up in or filled by."""

    numbers: Sequence[float] = field(default=())
    texts: Sequence[str] = field(default=())


@dataclass(frozen=True)
class AtEdge:
    """An ordinary record with some of its fields changed."""

    ordinary: dict[str, Any]
    changed: dict[str, Any]

    @property
    def record(self) -> dict[str, Any]:
        return {**self.ordinary, **self.changed}

    @property
    def place(self) -> str:
        """What tells it from others."""
        return f"a row with {self.changed}"


def at_edges(
    columns: Sequence[Any], records: Sequence[dict[str, Any]], constants: Constants = Constants()
) -> list[AtEdge]:
    """Records with one field at an edge, then with several: of a contract's columns, and of ordinary records."""
    choices = {column.name: _edges(column, constants) for column in columns if column.required}
    made = [
        AtEdge(records[at % len(records)], {name: value})
        for name, values in choices.items()
        for at, value in enumerate(values)
    ]
    drawn = random.Random(SEED)
    for _ in range(MIXED if len(choices) > 1 else 0):
        names = drawn.sample(list(choices), drawn.randint(2, min(4, len(choices))))
        made.append(AtEdge(drawn.choice(records), {name: drawn.choice(choices[name]) for name in names}))
    return made


def _edges(column: Any, constants: Constants) -> list[Any]:
    known = [column.min, column.max, *(column.categories or ())[:3]]
    of_kind = TEXTS + DATES if column.kind in ("text", "datetime") else NUMBERS
    values = [*of_kind, *ODD, *(each for each in known if each is not None)]
    if column.kind == "text":
        texts = list(constants.texts[:MOST_CONSTANTS])
        cased = [change(text) for text in texts for change in (str.upper, str.lower, str.title)]
        return list({(type(each), str(each)): each for each in (*values, *texts, *cased)}.values())
    if column.kind == "integer":
        return [*values, *sorted({int(each) for each in constants.numbers[:MOST_CONSTANTS] if each == each // 1})]
    return [*values, *(near for each in constants.numbers[:MOST_CONSTANTS] for near in around(each))]


def around(number: float) -> tuple[float, float, float]:
    """A number, and its neighbours on both sides."""
    return math.nextafter(number, -math.inf), number, math.nextafter(number, math.inf)


def constants_of(text: ast.Module) -> Constants:
    """The constants of a compiled row but for those of its model: of functions and tables that make the features."""
    numbers: dict[float, None] = {}
    texts: dict[str, None] = {}
    for statement in text.body:
        if isinstance(statement, ast.FunctionDef) and statement.name in ("predict", "score", "scores"):
            break
        for node in ast.walk(statement):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str):
                texts[value] = None
            elif isinstance(value, (int, float)) and abs(value) < LARGE:
                numbers[float(value)] = None
    return Constants(sorted(numbers), sorted(texts))
