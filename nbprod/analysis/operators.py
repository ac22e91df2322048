"""Operators and comparisons of abstract values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from nbprod.analysis import column_masks, labels, places, tabular
from nbprod.analysis.values import (
    Fact,
    Obj,
    Time,
    Value,
    combine,
    with_refusals,
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


FOLD: dict[str, Callable[..., Any]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": operator.mul,
    "Div": operator.truediv,
    "FloorDiv": operator.floordiv,
    "Mod": operator.mod,
    "USub": operator.neg,
    "UAdd": operator.pos,
    "Not": operator.not_,
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
}


COMPARES = frozenset({"Eq", "NotEq", "Sub"})
"""Operators that put predictions beside labels: `(predicted == y).mean()`, `((y - predicted) ** 2).mean()`."""

SOMETHING = frozenset(
    {"frame", "series", "array", "index", "groupby", "list", "dict", "set", "tuple", "estimator", "instance"}
    | {"function", "class"}
)
"""Kinds of which no value is None."""

FOLDABLE = (str, int, float, bool)


def operate(run: Interpreter, op: str, operands: tuple[Value, ...]) -> Value:
    """Operators, comparisons and boolean operators."""
    made = _operated(run, op, operands)
    bit = _refused_together(run, operands) if len(operands) > 1 else 0
    return replace(made, fact=with_refusals(made.fact, bit)) if bit else made


def _refused_together(run: Interpreter, operands: Sequence[Value]) -> int:
    """What is refused of columns that are taken together: by their places, where one of them has no labels."""
    columns = [operand for operand in operands if operand.kind in tabular.TABULAR and operand.obj >= 0]
    if len(columns) < 2:
        return 0
    first, *others = (run.data(column) for column in columns)
    if not any(column.kind in places.BY_PLACE for column in columns):
        return reduce(or_, (labels.refused_beside(run, fact.rows, first.rows) for fact in others))
    return reduce(or_, (places.beside(run, fact, first.rows).refused & ~fact.refused for fact in others))


def _operated(run: Interpreter, op: str, operands: tuple[Value, ...]) -> Value:
    facts = [run.data(operand) for operand in operands]
    if op in ("Is", "IsNot") and (none := _is_none(*operands)) is not None:
        whole = combine(op, facts)
        return run.constant(none is (op == "Is"), Fact(serve=whole.serve, fit=whole.fit, digest="-"))
    if op in COMPARES:
        _note_compared(run, facts)
    if op in FOLD and all(o.is_const and isinstance(o.const, FOLDABLE) for o in operands):
        small = all(not isinstance(o.const, str) or len(o.const) < 10_000 for o in operands)
        if small and not (op == "Mult" and any(isinstance(o.const, str) for o in operands)):
            try:
                return run.constant(FOLD[op](*(o.const for o in operands)), replace(combine(op, facts), digest="-"))
            except (TypeError, ZeroDivisionError, OverflowError, ValueError):
                pass
    if op == "Add" and all(o.kind in ("list", "tuple") for o in operands):
        elements = [run.elements(o) for o in operands]
        known = [e for e in elements if e is not None]
        ref = Fact(serve=tabular.bits(operands, "serve"), fit=tabular.bits(operands, "fit"))
        if len(known) == len(operands):
            return run.list_of([value for part in known for value in part], fact=ref)
        return run.new(Obj("list", rest=combine("concat", facts)), ref)
    if op == "Mult" and any(o.kind == "list" for o in operands) and all(fact.time is not Time.ROW for fact in facts):
        ref = Fact(serve=tabular.bits(operands, "serve"), fit=tabular.bits(operands, "fit"))
        return run.new(Obj("list", rest=combine(op, facts)), ref)
    mask = column_masks.compared(run, op, operands)
    if mask is not None:
        return mask
    if op == "Invert" and operands[0].kind == column_masks.KIND:
        return column_masks.inverted(operands[0])
    if op in ("Sub", "BitOr", "BitAnd", "BitXor") and any(o.kind in ("set", "index", "list", "keys") for o in operands):
        found = [run.strings(o) for o in operands]
        fact = combine(op, facts)
        if op == "Sub" and len(found) == 2 and found[0] is not None and found[1] is not None:
            gone = set(found[1])
            return run.list_of([run.constant(t, replace(fact, digest="-")) for t in found[0] if t not in gone], "set")
        return Value("index", fact)
    frames_in = [o for o in operands if o.kind == "frame" or (o.kind == "array" and run.obj(o).columns)]
    if frames_in:
        return _operate_frames(run, op, operands, frames_in[0])
    fact = combine(op, facts)
    has_rows = any(o.kind in ("series", "array", "rowindex") for o in operands)
    if has_rows or (fact.time is Time.ROW and run.per_row == 0):
        return run.series(fact)
    counted = next((o for o in operands if o.name == tabular.ROW_COUNT), None)
    if counted is not None and all(o is counted or o.is_const for o in operands):
        return Value("scalar", fact, name=tabular.ROW_COUNT, parts=counted.parts)
    return Value("scalar", fact)


def _is_none(value: Value, other: Value) -> bool | None:
    """What `value is None` gives, where it is known: of an optional argument (`def prepare(df, scaler=None)`)."""
    if other.kind != "none" or not other.is_const:
        return None
    if value.is_const:
        return value.const is None
    return False if value.kind in SOMETHING and not value.maybe else None


def _note_compared(run: Interpreter, facts: Sequence[Fact]) -> None:
    """Note which predictions are put beside rows that are none, by event, and the raw columns of those rows."""
    made = [frozenset(number for number in fact.learned_at if number < 0) for fact in facts]
    for fact, own in zip(facts, made, strict=True):
        if fact.rows is not None and not own:
            run.compared.update((number, fact.inputs) for other in made for number in other)


def _operate_frames(run: Interpreter, op: str, operands: tuple[Value, ...], first: Value) -> Value:
    obj = run.obj(first)
    others = [o for o in operands if o is not first]

    def step_for(name: str | None) -> Callable[[Fact], Fact]:
        def step(fact: Fact) -> Fact:
            parts = []
            for operand in operands:
                if operand is first:
                    parts.append(fact)
                elif (
                    operand.obj >= 0
                    and run.obj(operand).columns
                    and name is not None
                    and name in run.obj(operand).columns
                ):
                    parts.append(tabular.column(run, operand, name))
                else:
                    parts.append(whole[id(operand)])
            return combine(op, parts)

        return step

    whole = {id(o): run.data(o) for o in others}
    columns = {name: step_for(name)(fact) for name, fact in obj.columns.items()}
    rest_step = step_for(None)
    made = replace(
        obj,
        columns=columns,
        rest=None if obj.rest is None else rest_step(obj.rest),
        history=(*obj.history, rest_step),
    )
    return tabular.derived(run, first, made, *(o.fact for o in others))
