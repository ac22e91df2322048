"""Rows divided, drawn again and folded: `train_test_split`, over- and undersampling, splitters."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import calls, flow, tabular
from nbprod.analysis.populations import COPIES
from nbprod.analysis.tables import estimator_kind
from nbprod.analysis.values import NONE, Event, Fact, Rows, Time, Value, combine, digest_of, reduce_rows

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


def split(run: Interpreter, node: ast.Call, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`train_test_split`: each operand becomes two, over the train rows and over the test rows."""
    options = calls.facts_of(run, [], kwargs)
    parts: list[Value] = []
    whole = [run.data(arg) for arg in args]
    run.note_operands(node.args, args)
    bits = 0
    for fact in (*whole, *options):
        bits |= fact.fit
    for arg in (tabular.as_table(run, arg) for arg in args):
        for side in ("train", "test"):
            obj = run.obj(arg)
            rows = obj.rows or run.data(arg).rows or Rows(-1)
            base_digest = digest_of("split", rows.digest, *(fact.digest for fact in options))
            divided = replace(
                rows,
                side=side,
                split=run.at,
                fit=rows.fit | run.fit | bits,
                digest=digest_of(base_digest, side),
                ordered=True,
                chain=(*rows.chain, f"split:{base_digest}:{side}"),
            )
            if arg.obj < 0:
                whole_side = combine(side, (run.data(arg),))
                parts.append(Value("unknown", replace(whole_side, rows=divided if whole_side.rows else None)))
                continue
            parts.append(tabular.derived(run, arg, tabular.moved(obj, divided)))
    run.event(
        Event("split", run.at, run.top, node, "train_test_split", facts=tuple(whole), const=tuple(sorted(kwargs)))
    )
    value = Value("tuple", parts=tuple(parts))
    return run.note(node, value, "split", node, time=Time.ROW)


CUTS = frozenset({"array_split", "split", "vsplit"})
"""Functions of NumPy that cut a table into parts by the places of its rows."""


SWAPPED_UNTIL = 3
"""The major version of pandas whose tables have no `swapaxes` any more, so that NumPy makes arrays of their parts."""


def cut(run: Interpreter, node: ast.Call, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    """`np.split(table, [60, 80])`: a part of its rows for each stretch, the first of them for training.

    None where it is not known how many parts there are, or where columns are cut.
    """
    whole = run.data(args[0]) if args else Fact()
    ends = run.elements(args[1]) if len(args) > 1 else None
    rows = whole.rows
    if ends is None or rows is None or len(args) > 2 or kwargs or whole.time is not Time.ROW:
        return None
    facts = calls.facts_of(run, args[1:], {})
    run.note_operands(node.args, args)
    base = digest_of("split", rows.digest, *(fact.digest for fact in facts))
    fit = rows.fit | run.fit | whole.fit
    for fact in facts:
        fit |= fact.fit
    parts = []
    for number in range(len(ends) + 1):
        divided = replace(
            rows,
            side="test" if number else "train",
            split=run.at,
            fit=fit,
            digest=digest_of(base, str(number)),
            chain=(*rows.chain, f"split:{base}:{number}"),
        )
        part = tabular.moved(run.obj(args[0]), divided)
        part = part if run.pandas_major < SWAPPED_UNTIL else replace(part, kind="array")
        parts.append(tabular.derived(run, args[0], part))
    return run.note(node, Value("tuple", parts=tuple(parts)), "cut", node, time=Time.ROW)


RANDOM_SPLIT = "torch.utils.data.random_split"


def random_split(run: Interpreter, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`random_split(dataset, lengths)`: a part for each length, the first of them for training."""
    facts = calls.facts_of(run, args, kwargs)
    dataset = tabular.as_table(run, args[0] if args else kwargs.get("dataset", NONE))
    whole = run.data(dataset)
    rows = whole.rows or Rows(-1)
    lengths = run.elements(args[1] if len(args) > 1 else kwargs.get("lengths", NONE)) or [NONE, NONE]
    base = digest_of("split", rows.digest, *(fact.digest for fact in facts[1:]))
    parts = []
    for number in range(len(lengths)):
        divided = replace(
            rows,
            side="test" if number else "train",
            split=run.at,
            fit=rows.fit | run.fit | whole.fit,
            digest=digest_of(base, str(number)),
            chain=(*rows.chain, f"split:{base}:{number}"),
        )
        parts.append(run.series(replace(combine(f"part:{number}", facts), time=Time.ROW, rows=divided)))
    return Value("tuple", parts=tuple(parts))


def resample(
    run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value], sampler: Value = NONE
) -> Value:
    """Over- and undersampling, by a function or by a method of `sampler`: rows of training only."""
    facts = [*calls.facts_of(run, args, kwargs), *([] if sampler is NONE else [run.data(sampler)])]
    run.event(Event("resample", run.at, run.top, node, name, facts=tuple(facts)))
    parts = []
    given = [*args, *(kwargs[name] for name in ("X", "y") if name in kwargs)]
    for arg in (tabular.as_table(run, arg) for arg in given):
        whole = run.data(arg)
        if arg.obj >= 0 and whole.time is Time.ROW:
            parts.append(tabular.change_rows(run, node, arg, None, name, facts))
        elif arg.obj < 0 and whole.rows is not None:
            rows = tabular.changed_rows(run, whole.rows, name, facts)
            parts.append(Value("unknown", replace(combine(name, (whole, *facts)), rows=rows)))
    if not parts:
        return Value("unknown", combine(name, facts))
    if len(parts) == 1 and not name.endswith("fit_resample"):
        run.note(node, parts[0], "row-changing", node.args[0] if node.args else None)
        return parts[0]
    return run.note(node, Value("tuple", parts=tuple(parts)), "resample", node, time=Time.ROW)


def copying(op: str, sampler: str) -> str:
    """The name of a choice among rows, marked where it adds copies of rows."""
    return op if estimator_kind(sampler) == "undersamplers" else COPIES + op


def folds(run: Interpreter, node: ast.Call, base: Value, matrix: Value) -> Value:
    """`for train_index, test_index in KFold(…).split(X)`."""
    fact = combine("folds", (run.data(base), run.data(matrix)))
    seen = reduce_rows("fold", (fact,))
    train = Value("learned", combine("train", (seen,)), name="fold:train")
    test = Value("learned", combine("test", (seen,)), name="fold:test")
    run.event(Event("folds", run.at, run.top, node, "split", facts=(run.data(matrix),)))
    folds = Value("stream", seen, name=flow.OF_FOLDS, parts=(Value("tuple", parts=(train, test)),))
    return run.note(node, folds, "folds", node)
