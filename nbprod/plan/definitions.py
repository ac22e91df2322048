"""Functions, classes, constants and imports that the extracted code needs at module level."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.scopes import bound_names
from nbprod.model.plan import Binding, Refusal, Status, Step
from nbprod.model.program import Statement
from nbprod.plan.liveness import identifiers
from nbprod.plan.rendered import Line
from nbprod.plan.rewriting import Rewriter, names_in
from nbprod.plan.steps import source_of


def plan_definitions(
    analysis: Analysis, rewriter: Rewriter, code: Sequence[Line], constants: Mapping[str, Statement]
) -> list[Step]:
    """Functions, classes and constants that the extracted code needs, in the order of the notebook."""
    classes = {
        s.node.name: s for s in analysis.program.statements if isinstance(s.node, ast.ClassDef) and s.parent == -1
    }
    wanted: dict[int, Step] = {}
    open_names = set(names_in(code))
    seen: set[str] = set()
    outside: set[tuple[str, int]] = set()
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
            lines = rewriter.definition(name)
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
            outside |= {(one, statement.id) for one in own}
    for name, reader in sorted(outside):
        if name in seen and (rewriter.functions.get(name) or classes.get(name) or constants.get(name)):
            continue
        step = _folded(analysis, name, reader, rewriter)
        if step is not None:
            at = _last_binding(analysis, name) or reader
            wanted[at] = replace(step, code=f"{wanted[at].code}\n{step.code}") if at in wanted else step
    return [wanted[number] for number in sorted(wanted)]


def _folded(analysis: Analysis, name: str, reader: int, rewriter: Rewriter) -> Step | None:
    """A global that a function or class reads, as a constant where its value is known; refused where it is not."""
    value = analysis.run.state.names.get(name)
    binding = _last_binding(analysis, name)
    if value is None or value.kind in ("module", "lib", "function", "class") or binding is None:
        return None
    statement = analysis.program.statements[binding]
    if value.is_const and isinstance(value.const, str | int | float | bool | None):
        code = f"{name} = {value.const!r}"
        return Step(
            statement.cell,
            statement.line,
            statement.end_line,
            Binding.CONSTANT,
            Status.PROVEN,
            source_of(analysis, statement),
            code,
            lines=(statement.line,),
        )
    definition = analysis.program.statements[reader]
    rewriter.refusals.append(
        Refusal(
            definition.cell,
            definition.line,
            "global-in-definition",
            f"it reads {name}, which is computed while the notebook runs",
            f"hand {name} over as an argument",
        )
    )
    return None


def _last_binding(analysis: Analysis, name: str) -> int | None:
    """The last top-level statement that binds a name."""
    found = [s.id for s in analysis.program.statements if s.parent == -1 and name in bound_names(s.node)]
    return found[-1] if found else None


def plan_imports(analysis: Analysis, code: Sequence[Line]) -> tuple[tuple[str, str], ...]:
    """The import statements that the code needs: (name bound, statement with that one name)."""
    needed = names_in(code) | {name for text, _ in code for name in identifiers(text)}
    found: dict[str, str] = {}
    for statement in analysis.program.statements:
        node = statement.node
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for alias in node.names:
            name = alias.asname or (alias.name if isinstance(node, ast.ImportFrom) else alias.name.partition(".")[0])
            if name not in needed:
                continue
            as_text = f" as {alias.asname}" if alias.asname else ""
            if isinstance(node, ast.Import):
                found[name] = f"import {alias.name}{as_text}"
            else:
                found[name] = f"from {'.' * node.level}{node.module or ''} import {alias.name}{as_text}"
    return tuple(sorted(found.items()))
