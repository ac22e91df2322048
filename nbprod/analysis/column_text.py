"""Expressions that pandas reads from text: `df.query("a > @low")`, `df.eval("c = a + b")`."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import tabular
from nbprod.analysis.values import NONE, Fact, Value, combine, digest_of, traced
from nbprod.notebook.parsed import syntax_tree

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

_OUTSIDE = re.compile(r"@([^\W\d]\w*)")
_TARGET = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)(.*)", re.DOTALL)


def outside_names(run: Interpreter, node: ast.AST, text: Value) -> list[Fact]:
    """The facts of the variables that a text names with `@`; they are looked up where the method is called."""
    if not (text.is_const and isinstance(text.const, str)):
        return []
    return [run.data(run.lookup(name, node)) for name in dict.fromkeys(_OUTSIDE.findall(text.const))]


def evaluated(run: Interpreter, node: ast.Call, base: Value, args: list[Value], kwargs: Mapping[str, Value]) -> Value:
    """`df.eval(text)`: a column, or the frame with the columns that the text assigns."""
    text = args[0] if args else kwargs.get("expr", NONE)
    given = outside_names(run, node, text)
    if not (text.is_const and isinstance(text.const, str)):
        return run.series(run.assumed(combine("eval", [run.data(base), run.data(text)])))
    made: Value | None = None
    for line in filter(str.strip, text.const.splitlines()):
        target = _TARGET.fullmatch(line)
        fact = _column(run, made or base, target[2] if target else line, given)
        if target is None:
            return run.series(fact)
        made = made or tabular.derived(run, base, run.obj(base))
        obj = run.obj(made)
        run.state.heap[made.obj] = replace(obj, columns={**obj.columns, target[1]: traced(fact, run.serve, run.fit)})
    return made or NONE


def condition(run: Interpreter, node: ast.Call, base: Value, text: Value) -> Fact | None:
    """The fact of the condition that `df.query(text)` chooses rows by, None where it is not known."""
    if not (text.is_const and isinstance(text.const, str)):
        return None
    fact = _column(run, base, text.const, outside_names(run, node, text))
    return traced(fact, base.fact.serve | text.fact.serve, base.fact.fit | text.fact.fit)


def _column(run: Interpreter, base: Value, code: str, given: list[Fact]) -> Fact:
    try:
        tree = syntax_tree(_OUTSIDE.sub(r"\1", code).strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return combine("eval:" + code, [run.data(base), *given])
    outside = set(_OUTSIDE.findall(code))
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called]
    columns = [tabular.column(run, base, name) for name in dict.fromkeys(names) if name not in outside]
    return combine("eval:" + digest_of(ast.dump(tree)), [*columns, *given])
