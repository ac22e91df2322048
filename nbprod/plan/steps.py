"""The statements of the slice as steps: text, binding time, status, learned sites."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.scopes import nodes_of
from nbprod.analysis.values import Time
from nbprod.model.plan import Binding, LearnedSite, Status, Step
from nbprod.model.program import Statement
from nbprod.notebook.formats import lines_of
from nbprod.plan.remembered import Memory, Rewritten
from nbprod.plan.rewriting import Rewriter


def plan_steps(analysis: Analysis, rewriter: Rewriter, statements: Sequence[Statement], assumed: int) -> list[Step]:
    """The steps of these statements; those among `assumed` (a bit set) are taken to work on each row alone."""
    steps: list[Step] = []
    for statement in statements:
        mode = rewriter.mode(statement)
        made = _memory.recall(rewriter, statement, mode)
        if made is None:
            made = _rewritten(analysis, rewriter, statement, mode)
            _memory.keep(rewriter, statement, mode, made)
        if not made.lines:
            continue
        guard = "fitting" if made.fitting else "labelled" if mode == "label" else ""
        inner = _bits(analysis, statement)
        steps.append(
            Step(
                cell=statement.cell,
                line=statement.line,
                end_line=statement.end_line,
                binding=Binding.TRAIN_ONLY if guard else made.binding,
                status=Status.ASSUMED if assumed & inner and not guard else Status.PROVEN,
                source=source_of(analysis, statement),
                code="\n".join(text for text, _ in made.lines),
                sites=made.sites,
                idiom=made.idioms[0] if made.idioms else None,
                lines=tuple(line for _, line in made.lines),
                guard=guard,
                otherwise="\n".join(text for text, _ in made.otherwise) or _gap(rewriter, statement, guard),
            )
        )
    return steps


_memory = Memory()


def _rewritten(analysis: Analysis, rewriter: Rewriter, statement: Statement, mode: str) -> Rewritten:
    sites_before, idioms_before = len(rewriter.sites), tuple(rewriter.idioms)
    rendered = rewriter.statement(statement, fitting=mode == "fit")
    sites = tuple(rewriter.sites[sites_before:])
    return Rewritten(
        lines=tuple(rendered.lines),
        otherwise=tuple(rendered.otherwise),
        fitting=rendered.fitting,
        sites=sites,
        idioms=tuple(name for name in rewriter.idioms if name not in idioms_before),
        binding=_binding(analysis, statement, sites),
    )


MISSING = 'float("nan")'


def _gap(rewriter: Rewriter, statement: Statement, guard: str) -> str:
    """What stands for a new column that training alone makes, where columns are counted later on; else nothing."""
    if not guard:
        return ""
    author = rewriter.sources[statement.cell]
    match statement.node:
        case ast.Assign(
            targets=[
                ast.Subscript(value=ast.Name(), slice=ast.Constant(value=str(column)))
                | ast.Subscript(
                    value=ast.Attribute(value=ast.Name(), attr="loc"),
                    slice=ast.Tuple(elts=[ast.Slice(lower=None, upper=None), ast.Constant(value=str(column))]),
                ) as written
            ]
        ):
            text = f"{author.segment(written)} = {MISSING}"
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=ast.Name(), attr="insert") as insert,
                args=[place, ast.Constant(value=str(column)) as name, _],
            )
        ):
            text = f"{author.segment(insert)}({author.segment(place)}, {author.segment(name)}, {MISSING})"
        case _:
            return ""
    counted = any(name == column and bits >> statement.id & 1 for name, bits in rewriter.run.counted)
    return text if counted else ""


def _bits(analysis: Analysis, statement: Statement) -> int:
    bits = 1 << statement.id
    for other in analysis.program.statements[statement.id + 1 :]:
        if other.cell != statement.cell or other.parent == -1:
            break
        bits |= 1 << other.id
    return bits


def _binding(analysis: Analysis, statement: Statement, sites: Sequence[LearnedSite]) -> Binding:
    notes = analysis.run.notes
    times = [note.time for node in nodes_of(statement.node) if (note := notes.get(id(node))) is not None]
    value = getattr(statement.node, "value", None)
    note = notes.get(id(value)) if value is not None else None
    if note is not None and note.time is Time.LEARNED:
        return Binding.LEARNED
    if sites and note is None and not any(time is Time.ROW for time in times):
        return Binding.LEARNED
    latest = max(times, default=Time.CONSTANT)
    return {Time.CONSTANT: Binding.CONSTANT, Time.LEARNED: Binding.LEARNED, Time.ROW: Binding.ROW}[latest]


def source_of(analysis: Analysis, statement: Statement) -> str:
    """The lines of a statement as the author wrote them."""
    lines = lines_of(analysis.program.sources[statement.cell], keepends=False)
    return "\n".join(lines[statement.line - 1 : statement.end_line])
