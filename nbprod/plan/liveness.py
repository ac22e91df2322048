"""Which names the extracted code uses: what nothing uses is left out, what only training sets gets a value before."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec.structs import replace

from nbprod.analysis.scopes import bound_names, free_names, nodes_of
from nbprod.model.plan import Step
from nbprod.model.program import Program
from nbprod.notebook.parsed import nodes_below, parsed, syntax_tree
from nbprod.plan.rendered import Line


@lru_cache(maxsize=1024)
def identifiers(text: str) -> frozenset[str]:
    """The names that a piece of code mentions, none where it does not parse alone."""
    try:
        return frozenset(node.id for node in nodes_below(parsed(text.strip())) if isinstance(node, ast.Name))
    except SyntaxError:
        return frozenset()


def without_unused(steps: Sequence[Step], matrix: str, labels: str, handed_over: Sequence[str] = ()) -> list[Step]:
    """The steps, where what serving does instead of a split only binds names that are used later on."""
    used = identifiers(matrix) | identifiers(labels)
    trained_with = frozenset(handed_over)
    kept: list[Step] = []
    for step in reversed(steps):
        if step.guard and _only_binds(step.code) and not defined_names(step.code) & (used | trained_with):
            continue
        if step.otherwise:
            kept_texts = [text for text in _statements(step.otherwise) if _name_bound(text) in used]
            step = replace(step, otherwise="\n".join(kept_texts))
        used |= identifiers(step.code)
        if step.otherwise:
            used |= identifiers(step.otherwise)
        kept.append(step)
    return kept[::-1]


def _statements(code: str) -> list[str]:
    """The statements of code at its top level, each with all of its lines."""
    lines = code.split("\n")
    return ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in parsed(code).body]


def _name_bound(line: str) -> str:
    """The name that an assignment binds, or whose column a statement sets."""
    return re.split(r"\W", line, maxsplit=1)[0]


def _only_binds(code: str) -> bool:
    """Whether code does nothing but bind plain names to something that is computed from names and literals."""
    return all(
        isinstance(node, ast.Assign)
        and all(isinstance(target, ast.Name) for target in node.targets)
        and not any(isinstance(inner, ast.Call) and _may_act(inner) for inner in nodes_below(node.value))
        for node in parsed(code).body
    )


def _may_act(call: ast.Call) -> bool:
    """Whether a call may do more than compute: anything but joining and formatting text."""
    return not (isinstance(call.func, ast.Attribute) and call.func.attr in ("join", "format"))


@lru_cache(maxsize=1024)
def names_made(code: str) -> frozenset[str]:
    """The names that code binds at its own level: assignments, definitions, imports."""
    return frozenset().union(*(_made_by(node) for node in parsed(code).body))


def _made_by(node: ast.stmt) -> set[str]:
    made = set(bound_names(node))
    for inner in nodes_below(node):
        match inner:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                made.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                made |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
            case _:
                pass
    return made


@lru_cache(maxsize=1024)
def defined_names(code: str) -> frozenset[str]:
    """The names that code binds at its own level: assignments, functions, classes."""
    names: set[str] = set()
    for node in parsed(code).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        else:
            names |= bound_names(node)
    return frozenset(names)


def handed_over(
    steps: Sequence[Step], model_steps: Sequence[Step], arguments: Sequence[str], rows: str
) -> tuple[str, ...]:
    """Names that training reads and that the preparation binds or is given as `rows`: a validation set, a weight."""
    wanted = read_first([step.code for step in model_steps], arguments)
    made = {rows, *(name for step in steps for name in names_made(step.code))}
    return tuple(sorted(wanted & made))


def read_first(code: Iterable[str], known: Iterable[str]) -> set[str]:
    """The names that pieces of code read before they bind them themselves, but for those that are `known`."""
    there = set(known)
    wanted: set[str] = set()
    for text in code:
        for node in parsed(text).body:
            match node:
                case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                    read = free_names(value)
                case ast.AugAssign(target=target, value=value):
                    read = free_names(value) | {n.id for n in nodes_below(target) if isinstance(n, ast.Name)}
                case _:
                    read = free_names(node)
            wanted |= read - there
            there |= _made_by(node)
    return wanted


def names_served(expression: str) -> frozenset[str]:
    """The names that an expression reads where it is not training: `(X[rows] if learned.fitting else X)` reads X."""
    return free_names(_Served().visit(syntax_tree(expression)))


class _Served(ast.NodeTransformer):
    """Leaves what training alone evaluates away."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return node.orelse if isinstance(node.test, ast.Attribute) and node.test.attr == "fitting" else node


def initial_names(steps: Sequence[Step], matrix: str, labels: str, parameter: str) -> tuple[str, ...]:
    """Names that only training or labelled rows set, and that other code mentions before it sets them itself."""
    conditional: dict[str, None] = {}
    always: set[str] = set()
    mentioned = free_names(parsed(matrix)) | free_names(parsed(labels))
    served: set[str] = set()
    for step in steps:
        tree = parsed(step.code)
        bound = {n for node in tree.body for n in bound_names(node)}
        if step.guard:
            other = {n for node in parsed(step.otherwise).body for n in bound_names(node)} if step.otherwise else set()
            for name in sorted(bound - other - always):
                conditional[name] = None
            if step.otherwise:
                mentioned |= identifiers(step.otherwise)
                served |= read_first([step.otherwise], ())
                always |= other
        else:
            mentioned |= identifiers(step.code)
            served |= read_first([step.code], ())
            always |= bound
        for name in (always & conditional.keys()) - served:
            del conditional[name]
    return tuple(name for name in conditional if name in mentioned and name != parameter)


def names_bound(program: Program) -> set[str]:
    """All names that the notebook's code binds anywhere, parameters of functions included."""
    top = (statement.node for statement in program.statements if statement.parent == -1)
    return set().union(*map(_bound_in, top))


_BINDING = frozenset({ast.Name, ast.arg, ast.alias, ast.FunctionDef, ast.ClassDef})


@lru_cache(maxsize=4096)
def _bound_in(statement: ast.stmt) -> frozenset[str]:
    names = set()
    for inner in nodes_of(statement):
        if type(inner) not in _BINDING:
            continue
        match inner:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.alias(asname=str(name)):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.alias(name=name):
                names.add(name)
            case _:
                pass
    return frozenset(names)


def names_in(lines: Iterable[Line]) -> frozenset[str]:
    """Names that rendered lines read and do not bind themselves first."""
    text = "\n".join(line for line, _ in lines)
    return free_names(parsed(text)) if text.strip() else frozenset()
