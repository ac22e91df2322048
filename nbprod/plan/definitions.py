"""Functions, classes, constants and imports that the extracted code needs at module level."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence, Set

from msgspec import Struct
from msgspec.structs import replace

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.modules import public_names
from nbprod.analysis.scopes import bound_names, free_names
from nbprod.analysis.values import Time
from nbprod.model.plan import Binding, Refusal, Status, Step
from nbprod.model.program import Statement
from nbprod.notebook.parsed import syntax_tree
from nbprod.plan.functions import definition_lines
from nbprod.plan.liveness import defined_names, identifiers, names_in
from nbprod.plan.placing import names_written
from nbprod.plan.rendered import Line
from nbprod.plan.rewriting import Rewriter
from nbprod.plan.steps import source_of


class Definitions(Struct, frozen=True):
    """Functions, classes and constants of the module level, and functions that the preparation itself defines."""

    module: tuple[Step, ...]
    inner: tuple[Step, ...] = ()


def plan_definitions(
    analysis: Analysis,
    rewriter: Rewriter,
    code: Sequence[Line],
    constants: Mapping[str, Statement],
    prepared: Set[str] = frozenset(),
    elsewhere: Set[str] = frozenset(),
) -> Definitions:
    """Functions, classes and constants that the extracted code needs, in the order of the notebook.

    A function that reads a name that the preparation binds (one of `prepared`) is defined in the preparation, unless
    code of other places needs it too (it is one of `elsewhere`).
    """
    wanted, reads = _wanted(analysis, rewriter, code, constants)
    functions = {s.id: name for name, s in rewriter.functions.items()}
    movable = {number for number, name in functions.items() if name not in elsewhere}
    at_module = {name for step in wanted.values() for name in defined_names(step.code)}
    inner: set[int] = {number for number, step in wanted.items() if _rebound(step.code) & prepared}
    for name, reader in sorted((name, reader) for reader, names in reads.items() for name in names):
        if name in at_module or not _is_computed(analysis, name):
            continue
        constant = _folded(analysis, name)
        if constant is not None:
            at = _last_binding(analysis, name) or reader
            wanted[at] = replace(constant, code=f"{wanted[at].code}\n{constant.code}") if at in wanted else constant
        elif name in prepared and reader in movable and not _is_taken_early(analysis, name, reader, rewriter.root):
            inner.add(reader)
        elif (made := _made_of_libraries(analysis, name)) is not None:
            wanted[made] = _as_it_stands(analysis, rewriter, made)
        elif reader in movable and (kept := _kept_beside(analysis, name, reader)) is not None:
            wanted[kept] = _as_it_stands(analysis, rewriter, kept)
            inner |= {reader, kept}
            movable.add(kept)
        else:
            rewriter.refusals.append(_reads_a_global(analysis, name, reader))
    inner = _with_callers(inner, reads, functions)
    for reader, step in sorted(wanted.items()):
        outside = _rebound(step.code) - prepared - at_module
        if reader in inner - movable or (outside and (reader in inner or _is_counted_on(step.code, outside))):
            name = min(outside or reads.get(reader, set()) & prepared, default="what others read")
            rewriter.refusals.append(_reads_a_global(analysis, name, reader))
    return Definitions(
        tuple(wanted[number] for number in sorted(wanted) if number not in inner),
        tuple(_within(wanted[number]) for number in sorted(inner)),
    )


def _rebound(code: str) -> set[str]:
    """The names that functions bind at the module level: `global df`."""
    return {name for node in ast.walk(syntax_tree(code)) if isinstance(node, ast.Global) for name in node.names}


def _is_counted_on(code: str, names: Set[str]) -> bool:
    """Whether code reads one of the names, as `count += 1` does."""
    tree = syntax_tree(code)
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    targets = [node.target for node in ast.walk(tree) if isinstance(node, ast.AugAssign)]
    read |= {target.id for target in targets if isinstance(target, ast.Name)}
    return bool(read & names)


def _within(step: Step) -> Step:
    """A function in the preparation: what it would bind at the module level are names of the preparation."""
    lines = step.code.split("\n")
    for node in ast.walk(syntax_tree(step.code)):
        if isinstance(node, ast.Global):
            lines[node.lineno - 1] = lines[node.lineno - 1].replace("global", "nonlocal", 1)
    return replace(step, code="\n".join(lines))


def with_functions(steps: Sequence[Step], functions: Sequence[Step]) -> list[Step]:
    """The steps of the preparation with its own functions before the first that uses one of them."""
    names = {name for step in functions for name in defined_names(step.code)}
    first = next((n for n, step in enumerate(steps) if identifiers(step.code) & names), len(steps))
    return [*steps[:first], *functions, *steps[first:]]


def _wanted(
    analysis: Analysis, rewriter: Rewriter, code: Sequence[Line], constants: Mapping[str, Statement]
) -> tuple[dict[int, Step], dict[int, set[str]]]:
    """By statement: the definitions that are needed, and the names that functions and classes among them read."""
    classes = {
        s.node.name: s for s in analysis.program.statements if isinstance(s.node, ast.ClassDef) and s.parent == -1
    }
    wanted: dict[int, Step] = {}
    reads: dict[int, set[str]] = {}
    open_names = set(names_in(code))
    seen: set[str] = set()
    while open_names:
        name = open_names.pop()
        if name in seen:
            continue
        seen.add(name)
        statement = rewriter.functions.get(name) or classes.get(name) or constants.get(name)
        if statement is None:
            continue
        before = len(rewriter.sites)
        if name in constants and statement is constants[name]:
            lines = rewriter.statement(statement, fitting=True).lines
        else:
            lines = definition_lines(rewriter, name)
        sites = tuple(rewriter.sites[before:])
        wanted[statement.id] = Step(
            cell=statement.cell,
            line=statement.line,
            end_line=statement.end_line,
            binding=Binding.CONSTANT if not sites else Binding.ROW,
            status=Status.PROVEN,
            source=source_of(analysis, statement),
            code="\n".join(text for text, _ in lines),
            sites=sites,
            lines=tuple(line for _, line in lines),
        )
        own = names_in(lines)
        open_names |= own
        if not isinstance(statement.node, ast.Assign | ast.AnnAssign):
            reads.setdefault(statement.id, set()).update(own)
    return wanted, reads


def _with_callers(inner: set[int], reads: Mapping[int, set[str]], functions: Mapping[int, str]) -> set[int]:
    """The functions, and those that mention them."""
    while True:
        names = {functions[number] for number in inner if number in functions}
        more = {number for number, own in reads.items() if own & names} | inner
        if more == inner:
            return inner
        inner = more


def _is_computed(analysis: Analysis, name: str) -> bool:
    """Whether a name stands for a value that the notebook computes at its top level."""
    value = analysis.run.state.names.get(name)
    known = value is None or value.kind in ("module", "lib", "function", "class")
    return not known and _last_binding(analysis, name) is not None


def _made_of_libraries(analysis: Analysis, name: str) -> int | None:
    """The statement `stemmer = PorterStemmer()` that makes a thing of libraries and settings alone; None for others."""
    only = _only_statement(analysis, name, names_written)
    if only is None or not isinstance(only.node, ast.Assign) or not isinstance(only.node.value, ast.Call):
        return None
    names = analysis.run.state.names
    of_libraries = all(each in names and names[each].kind in ("module", "lib") for each in free_names(only.node))
    note, value = analysis.run.notes.get(id(only.node.value)), names[name]
    settled = value.kind not in ("estimator", "network", "rng") and analysis.run.data(value).time is Time.CONSTANT
    return only.id if of_libraries and settled and (note is None or note.op != "outside") else None


def _kept_beside(analysis: Analysis, name: str, reader: int) -> int | None:
    """The statement `sizes = []` of a list that a function puts things into and never looks at, None for others."""
    only = _only_statement(analysis, name, bound_names)
    match only and only.node:
        case ast.Assign(value=ast.List(elts=[])):
            pass
        case _:
            return None
    function = analysis.program.statements[reader].node
    puts = [
        inner.value.func.value
        for inner in ast.walk(function)
        if isinstance(inner, ast.Expr)
        and isinstance(inner.value, ast.Call)
        and isinstance(inner.value.func, ast.Attribute)
        and inner.value.func.attr == "append"
    ]
    mentions = [inner for inner in ast.walk(function) if isinstance(inner, ast.Name) and inner.id == name]
    return only.id if only is not None and all(any(each is put for put in puts) for each in mentions) else None


def _only_statement(analysis: Analysis, name: str, names: Callable[[ast.stmt], Set[str]]) -> Statement | None:
    """The one top-level statement that has a name among its `names`, where it assigns that name alone."""
    found = [s for s in analysis.program.statements if s.parent == -1 and name in names(s.node)]
    match [each.node for each in found]:
        case [ast.Assign(targets=[ast.Name()])]:
            return found[0]
    return None


def _as_it_stands(analysis: Analysis, rewriter: Rewriter, number: int) -> Step:
    """A statement of the top level, in the preparation."""
    statement = analysis.program.statements[number]
    lines = rewriter.statement(statement, fitting=True).lines
    return Step(
        statement.cell,
        statement.line,
        statement.end_line,
        Binding.ROW,
        Status.PROVEN,
        source_of(analysis, statement),
        "\n".join(text for text, _ in lines),
        lines=tuple(line for _, line in lines),
    )


def _is_taken_early(analysis: Analysis, name: str, reader: int, root: int) -> bool:
    """Whether rows of the raw table are read where a function is defined, as in a default, and not where it is called.

    A function is defined before the first statement that uses it, where its table may be another than further up.
    """
    node = analysis.program.statements[reader].node
    fact = analysis.run.data(analysis.run.state.names[name])
    is_of_rows = fact.time is Time.ROW and (fact.rows is None or fact.rows.root == root)
    if not is_of_rows or not isinstance(node, ast.FunctionDef):
        return is_of_rows
    early = (*node.args.defaults, *(each for each in node.args.kw_defaults if each), *node.decorator_list)
    return any(name in free_names(each) for each in early)


def _folded(analysis: Analysis, name: str) -> Step | None:
    """A global that a function or class reads, as a constant where its value is known."""
    value = analysis.run.state.names[name]
    if not (value.is_const and isinstance(value.const, str | int | float | bool | None)):
        return None
    statement = analysis.program.statements[_last_binding(analysis, name) or 0]
    return Step(
        statement.cell,
        statement.line,
        statement.end_line,
        Binding.CONSTANT,
        Status.PROVEN,
        source_of(analysis, statement),
        f"{name} = {value.const!r}",
        lines=(statement.line,),
    )


def _reads_a_global(analysis: Analysis, name: str, reader: int) -> Refusal:
    definition = analysis.program.statements[reader]
    return Refusal(
        definition.cell,
        definition.line,
        "global-in-definition",
        f"it reads {name}, which is computed while the notebook runs",
        f"hand {name} over as an argument",
    )


def _last_binding(analysis: Analysis, name: str) -> int | None:
    """The last top-level statement that binds a name."""
    found = [s.id for s in analysis.program.statements if s.parent == -1 and name in bound_names(s.node)]
    return found[-1] if found else None


def _of_star(analysis: Analysis, node: ast.Import | ast.ImportFrom, needed: Set[str]) -> dict[str, str]:
    """The names that are needed and that a star import gives, each with an import of its own."""
    assert isinstance(node, ast.ImportFrom)
    if node.level:
        return {}  # nobody knows what package a notebook lies in
    names = public_names(node.module or "", analysis.run.folder) or {}
    values = analysis.run.state.names
    given = [name for name in needed & names.keys() if (value := values.get(name)) and value.name == names[name]]
    return {name: f"from {node.module} import {name}" for name in given}


def plan_imports(analysis: Analysis, code: Sequence[Line]) -> tuple[tuple[str, str], ...]:
    """The import statements that the code needs: (name bound, statement with that one name)."""
    needed = names_in(code) | {name for text, _ in code for name in identifiers(text)}
    found: dict[str, str] = {}
    for statement in analysis.program.statements:
        node = statement.node
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for alias in node.names:
            if alias.name == "*":
                found |= _of_star(analysis, node, needed)
                continue
            name = alias.asname or (alias.name if isinstance(node, ast.ImportFrom) else alias.name.partition(".")[0])
            if name not in needed:
                continue
            as_text = f" as {alias.asname}" if alias.asname else ""
            if isinstance(node, ast.Import):
                found[name] = f"import {alias.name}{as_text}"
            else:
                found[name] = f"from {'.' * node.level}{node.module or ''} import {alias.name}{as_text}"
    return tuple(sorted(found.items()))
