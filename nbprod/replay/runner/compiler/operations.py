"""What pandas' operations on a column do to the value of one row.

Each is written as pandas does it for ordinary values. A wrong one would be found by the proof, which holds the compiled
features against the package's own on every training row; then it is not used.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .nodes import (
    BOOLEAN,
    DELTA,
    FLOAT,
    INTEGER,
    MOMENT,
    NUMBERS,
    OTHER,
    TEXT,
    Lost,
    Node,
    Value,
    constant,
    derived,
    together,
)

ARITHMETIC = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**"}
COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
LOGIC = {"and": "and", "or": "or", "xor": "!="}
OPERATORS = (
    *(f"__{name}__" for name in (*ARITHMETIC, *COMPARISONS, *LOGIC, "invert", "neg", "abs")),
    *(f"__r{name}__" for name in ARITHMETIC),
)
"""The methods behind Python's operators."""


def kind_of(dtype: Any) -> str:
    """What a column of this dtype has for a value of one row."""
    if isinstance(dtype, np.dtype):
        return {"f": FLOAT, "i": INTEGER, "u": INTEGER, "b": BOOLEAN, "U": TEXT}.get(dtype.kind, OTHER)
    return TEXT if isinstance(dtype, pd.StringDtype) else OTHER


def kind_of_values(column: Any) -> str:
    """As `kind_of`; a column of Python objects that are all text, or missing, is one of text."""
    if column.dtype == object:
        present = [each for each in column.tolist() if not is_missing_value(each)]
        if present and all(isinstance(each, str) for each in present):
            return TEXT
        if present and all(isinstance(each, bool) for each in present):
            return BOOLEAN
        if len(present) == len(column) and all(type(each) is int for each in present):
            return INTEGER
    return kind_of(column.dtype)


def is_missing_value(value: Any) -> bool:
    """Whether pandas takes a value for a missing one."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def number(value: Value) -> Value:
    """The value as a number; lost where it is none."""
    if isinstance(value, Lost) or (value.kind in NUMBERS and not value.optional):
        return value
    if value.kind in NUMBERS:
        return derived("NAN if {0} is None else {0}", FLOAT, value)
    return Lost(f"arithmetic with {value.kind} values", value.line)


def arithmetic(name: str, left: Value, right: Value) -> Value:
    """`left OP right` of numbers, or of texts that are put together."""
    if isinstance(left, Node) and isinstance(right, Node) and {left.kind, right.kind} == {TEXT}:
        if name != "add":
            return Lost(f"{name} of texts")
        if not left.optional and not right.optional:
            return derived("{0} + {1}", TEXT, left, right)
        asked = " or ".join(f"{{{at}}} is None" for at, each in enumerate((left, right)) if each.optional)
        return derived(f"None if {asked} else {{0}} + {{1}}", TEXT, left, right, optional=True)
    if isinstance(left, Node) and isinstance(right, Node) and {left.kind, right.kind} & {MOMENT, DELTA}:
        return _of_dates(name, left, right)
    left, right = number(left), number(right)
    if isinstance(left, Lost) or isinstance(right, Lost):
        return left if isinstance(left, Lost) else right
    if left.kind == right.kind == BOOLEAN:
        return Lost(f"{name} of two columns of booleans")
    kind = FLOAT if FLOAT in (left.kind, right.kind) or name == "truediv" else INTEGER
    if name == "pow":
        return _power(left, right, kind)
    if kind == INTEGER and name == "mul":
        return derived("whole({0} * {1})", kind, left, right)
    return derived(f"{{0}} {ARITHMETIC[name]} {{1}}", kind, left, right)


def _of_dates(name: str, left: Node, right: Node) -> Value:
    """`left OP right` where one of the two is a date or the time between two."""
    kinds = left.kind, right.kind
    made = {
        ("sub", MOMENT, MOMENT): DELTA,
        ("sub", MOMENT, DELTA): MOMENT,
        ("add", MOMENT, DELTA): MOMENT,
        ("add", DELTA, MOMENT): MOMENT,
        ("add", DELTA, DELTA): DELTA,
        ("sub", DELTA, DELTA): DELTA,
        ("truediv", DELTA, DELTA): FLOAT,
    }.get((name, *kinds))
    if made is None:
        return Lost(f"{name} of {kinds[0]} and {kinds[1]} values")
    sign = {"sub": "-", "add": "+", "truediv": "/"}[name]
    return derived(f"{{0}} {sign} {{1}}", made, left, right)


def _power(base: Node, exponent: Node, kind: str) -> Value:
    if exponent.text in ("2", "2.0"):
        text = "{0} * {0}" if kind == FLOAT else "whole({0} * {0})"
        return derived(text, kind, base)
    if exponent.text in ("1", "1.0"):
        return derived("{0} * 1" if base.kind == kind else "float({0})", kind, base)
    if exponent.text == "0.5":
        return derived("sqrt({0})", FLOAT, base)
    if kind == INTEGER:
        return Lost("a power of whole numbers")
    return derived("float(np.power({0}, {1}))", FLOAT, base, exponent)


def comparison(name: str, left: Value, right: Value) -> Value:
    """`left OP right`: what is missing is equal to nothing."""
    if isinstance(left, Lost) or isinstance(right, Lost):
        return left if isinstance(left, Lost) else right
    left, right = _as_date(left, right), _as_date(right, left)
    are_numbers = left.kind in NUMBERS and right.kind in NUMBERS
    if not are_numbers and left.kind != right.kind:
        return Lost(f"a comparison of {left.kind} with {right.kind} values")
    if name in ("eq", "ne") or not (left.optional or right.optional):
        if name == "eq" and left.optional and right.optional:
            return derived("{0} is not None and {0} == {1}", BOOLEAN, left, right)
        if name == "ne" and left.optional and right.optional:
            return derived("{0} is None or {0} != {1}", BOOLEAN, left, right)
        return derived(f"{{0}} {COMPARISONS[name]} {{1}}", BOOLEAN, left, right)
    asked = " and ".join(f"{{{at}}} is not None" for at, each in enumerate((left, right)) if each.optional)
    return derived(f"{asked} and {{0}} {COMPARISONS[name]} {{1}}", BOOLEAN, left, right)


def _as_date(value: Node, beside: Node) -> Node:
    """A text that a date is compared with, as pandas reads it."""
    if value.kind != TEXT or value.args or value.raw is not None or beside.kind != MOMENT:
        return value
    made = constant(pd.Timestamp(ast.literal_eval(value.text)))
    return made if isinstance(made, Node) else value


def logic(name: str, left: Value, right: Value) -> Value:
    """`&`, `|` and `^` of booleans."""
    for each in (left, right):
        if isinstance(each, Lost):
            return each
        if each.kind != BOOLEAN or each.optional:
            return Lost(f"{name} of {each.kind} values", each.line)
    return derived(f"{{0}} {LOGIC[name]} {{1}}", BOOLEAN, left, right)


def negation(value: Value) -> Value:
    """`~` of a boolean."""
    if isinstance(value, Node) and (value.kind != BOOLEAN or value.optional):
        return Lost(f"~ of {value.kind} values", value.line)
    return derived("not {0}", BOOLEAN, value)


def is_missing(value: Value) -> Value:
    """`isna`."""
    if isinstance(value, Lost):
        return value
    if value.kind == FLOAT:
        return derived("{0} != {0}", BOOLEAN, value)
    return derived("{0} is None", BOOLEAN, value) if value.optional else constant(False)


def filled(value: Value, by: Value) -> Value:
    """`fillna`."""
    if isinstance(value, Lost) or isinstance(by, Lost):
        return value if isinstance(value, Lost) else by
    if value.kind == FLOAT:
        if by.kind not in NUMBERS:
            return Lost(f"numbers filled with {by.kind} values")
        by = by if by.kind == FLOAT else derived("float({0})", FLOAT, by) if by.args else constant(float(by.text))
        return derived("{1} if {0} != {0} else {0}", FLOAT, value, by)
    if not value.optional:
        return value
    if by.kind != value.kind:
        return Lost(f"{value.kind} values filled with {by.kind} ones")
    return derived("{1} if {0} is None else {0}", value.kind, value, by, optional=by.optional)


def chosen(condition: Value, then: Value, otherwise: Value) -> Value:
    """`where`, `np.where`, and a value set by a mask."""
    nodes = together(condition, then, otherwise)
    if isinstance(nodes, Lost):
        return nodes
    condition, then, otherwise = nodes
    if condition.kind != BOOLEAN or condition.optional:
        return Lost(f"a choice by {condition.kind} values")
    kinds = {then.kind, otherwise.kind}
    missing = [each.text in ("None", "NAN") for each in (then, otherwise)]
    if kinds <= NUMBERS:
        kind = FLOAT if FLOAT in kinds else INTEGER if INTEGER in kinds else BOOLEAN
        return derived("{1} if {0} else {2}", kind, condition, number(then), number(otherwise))
    if any(missing):
        real = otherwise if missing[0] else then
        parts = [constant(None) if gone else each for gone, each in zip(missing, (then, otherwise))]
        return derived("{1} if {0} else {2}", real.kind, condition, *parts, optional=True)
    if len(kinds) > 1:
        return Lost(f"a choice between {' and '.join(sorted(kinds))} values")
    optional = then.optional or otherwise.optional
    return derived("{1} if {0} else {2}", then.kind, condition, then, otherwise, optional=optional)


def cast(value: Value, dtype: Any, made: Any) -> Value:
    """`astype`, where `made` is the dtype that it gives."""
    if isinstance(value, Lost):
        return value
    kind = kind_of(made)
    if kind == value.kind and not (value.optional and kind != TEXT):
        if kind == FLOAT and made != np.dtype("float64"):
            return derived(f"float(np.{made.name}({{0}}))", FLOAT, value)
        if kind == INTEGER and made != np.dtype("int64"):
            return Lost(f"whole numbers as {made}", value.line)
        return value
    if isinstance(made, pd.CategoricalDtype):
        return value
    if value.optional and value.kind in NUMBERS and kind in NUMBERS - {FLOAT}:
        return cast(derived("present({0})", value.kind, value), dtype, made)
    if value.optional or value.kind not in NUMBERS | {TEXT}:
        return Lost(f"{value.kind} values that may be missing as {dtype}", value.line)
    if kind == FLOAT and made == np.dtype("float64"):
        return derived("float({0})", FLOAT, value)
    if kind == INTEGER and made == np.dtype("int64") and value.kind != TEXT:
        return derived("int({0})", INTEGER, value)
    if kind == INTEGER and made in (np.dtype("int64"), np.dtype("int32")) and value.kind == TEXT:
        return derived("digits({0})", INTEGER, value)
    if kind == BOOLEAN and value.kind in NUMBERS:
        return derived("{0} != 0", BOOLEAN, value)
    if kind in (TEXT, OTHER) and value.kind in (INTEGER, BOOLEAN) and (kind == TEXT or dtype in (str, "str")):
        return derived("str({0})", TEXT, value)
    if kind == TEXT and value.kind == FLOAT:
        return derived("shown({0})", TEXT, value)
    return Lost(f"{value.kind} values as {dtype}", value.line)


def mapped(value: Value, table: Mapping[Any, Any], made: Any, name: str) -> Value:
    """`map` with a dict."""
    if isinstance(value, Lost):
        return value
    if any(is_missing_value(key) for key in table) or hasattr(type(table), "__missing__"):
        return Lost("a map that has a value for what is missing or unknown")
    kind = kind_of_values(made)
    results = {type(each) for each in table.values() if not is_missing_value(each)}
    if kind == INTEGER and results == {int}:
        # a value that the map does not have raises: what it makes of the column is for pandas to tell
        return derived("{MAP}[{0}]", INTEGER, value, MAP={plain_value(key): each for key, each in table.items()})
    if kind in (FLOAT, INTEGER):
        numbers = {plain_value(key): np.nan if is_missing_value(each) else float(each) for key, each in table.items()}
        return derived("{MAP}.get({0}, NAN)", FLOAT, value, MAP=numbers)
    if kind in (TEXT, BOOLEAN, INTEGER):
        plain = {plain_value(key): None if is_missing_value(each) else plain_value(each) for key, each in table.items()}
        return derived("{MAP}.get({0})", kind, value, optional=True, MAP=plain)
    return Lost(f"a map to {name}")


def replaced(value: Value, table: Mapping[Any, Any], made: Any) -> Value:
    """`replace` of whole values."""
    if isinstance(value, Lost):
        return value
    if any(is_missing_value(key) for key in table):
        if len(table) == 1:
            return filled(value, constant(next(iter(table.values()))))
        return Lost("missing values replaced together with others")
    kinds = {_kind_of_value(each) for each in table.values()} | {value.kind}
    kind = kind_of_values(made)
    plain = {plain_value(key): plain_value(each) for key, each in table.items()}
    if kinds <= NUMBERS or kinds == {TEXT}:
        kind = FLOAT if FLOAT in kinds else kind if kind in kinds else value.kind
        return derived("{MAP}.get({0}, {0})", kind, value, optional=value.optional, MAP=plain)
    if value.kind == TEXT and all(isinstance(each, str) or is_missing_value(each) for each in table.values()):
        texts = {key: None if is_missing_value(each) else each for key, each in plain.items()}
        return derived("{MAP}.get({0}, {0})", TEXT, value, optional=True, MAP=texts)
    if kind in NUMBERS and value.kind == TEXT:
        # every text that training has gets a number; another one stays, and no number is made of it
        return derived("{MAP}[{0}]", kind, value, MAP=plain)
    return Lost(f"{value.kind} values replaced by others", value.line)


def _kind_of_value(value: Any) -> str:
    node = constant(value)
    return node.kind if isinstance(node, Node) else OTHER


def plain_value(value: Any) -> Any:
    """A value of NumPy as one of Python."""
    return value.item() if isinstance(value, np.generic) else value


def among(value: Value, values: Any) -> Value:
    """`isin`."""
    if isinstance(value, Lost):
        return value
    items = [plain_value(each) for each in values]
    if any(is_missing_value(each) for each in items):
        return Lost("isin with a missing value", value.line)
    return derived("{0} in {SET}", BOOLEAN, value, SET=frozenset(items))


def clipped(value: Value, lower: Value | None, upper: Value | None) -> Value:
    """`clip`."""
    value = number(value)
    for bound, sign in ((lower, "<"), (upper, ">")):
        if bound is None or isinstance(value, Lost):
            continue
        if isinstance(bound, Lost) or bound.kind not in NUMBERS:
            return bound if isinstance(bound, Lost) else Lost("clip by what is no number")
        if bound.text == "NAN":
            continue
        kind = FLOAT if FLOAT in (value.kind, bound.kind) else value.kind
        value = derived(f"{{1}} if {{0}} {sign} {{1}} else {{0}}", kind, value, bound)
    return value


def rounded(value: Value, decimals: int) -> Value:
    """`round`, which NumPy does in its own way."""
    value = number(value)
    if isinstance(value, Lost) or value.kind != FLOAT:
        return value if decimals >= 0 or isinstance(value, Lost) else Lost("whole numbers rounded to tens")
    return derived(f"float(np.round({{0}}, {decimals}))", FLOAT, value)


def binned(value: Value, bins: Any, labels: Any, right: bool, include_lowest: bool, made: Any) -> Value:
    """`pd.cut` with given edges: the label of the bin, or its number."""
    value = number(value)
    edges = [float(each) for each in bins]
    find = "bisect_left" if right else "bisect_right"
    place = f"{find}({{EDGES}}, {{0}})"
    if right and include_lowest:
        place = f"(1 if {{0}} == {{EDGES}}[0] else {place})"
    codes = len(edges) - 1
    if labels is False:
        if kind_of(made) == INTEGER:
            return derived(f"bin_of({place}, {codes}, {{0}})", INTEGER, value, EDGES=edges)
        return derived(f"{{NUMBERS}}[{place}] if {{0}} == {{0}} else NAN", FLOAT, value, EDGES=edges,
                       NUMBERS=[np.nan, *map(float, range(codes)), np.nan])  # fmt: skip
    names = [plain_value(each) for each in labels]
    kinds = {_kind_of_value(each) for each in names}
    if len(kinds) > 1 or not kinds <= {TEXT, INTEGER, FLOAT}:
        return Lost("bins whose labels are neither texts nor numbers")
    kind = kinds.pop()
    nothing = np.nan if kind == FLOAT else None
    shown = "NAN" if kind == FLOAT else "None"
    return derived(
        f"{{LABELS}}[{place}] if {{0}} == {{0}} else {shown}", kind, value, optional=kind != FLOAT,
        EDGES=edges, LABELS=[nothing, *names, nothing],
    )  # fmt: skip
