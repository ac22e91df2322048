"""The notebook's own evaluation of the model, as a function of any labelled rows."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence, Set

from msgspec import Struct

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.scopes import bound_names, free_names
from nbprod.analysis.values import Event, Fact, Time
from nbprod.model.plan import Binding, Status, Step
from nbprod.model.program import Statement
from nbprod.plan.choosing import assigned_name, uses_of
from nbprod.plan.liveness import identifiers
from nbprod.plan.masks import Masks
from nbprod.plan.source import Source, dedented


class Evaluation(Struct, frozen=True):
    """Statements, what free names stand for, and metrics by name with the expression of each."""

    steps: tuple[Step, ...] = ()
    bindings: tuple[tuple[str, str], ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()


def plan_evaluation(
    analysis: Analysis, fit: Event, masks: Masks, model_mask: int, raw: Statement, name: str
) -> Evaluation:
    """Metrics that the notebook computes of the model on rows it was not fitted on.

    The model goes by `name`. A metric whose expression needs more than the model, its input and the labels is left out.
    """
    predictions = [e for e in uses_of(analysis.events, fit.obj) if e.statement >= fit.statement]
    made: dict[str, str] = {}
    bindings: dict[str, str] = {}
    needed: dict[int, Statement] = {}
    for event in analysis.events:
        if event.statement < fit.statement:
            continue
        found = _metric(analysis, event, fit, predictions, masks, model_mask, raw, name)
        if found is None:
            continue
        name, expression, binding, statements = found
        made[name] = expression
        bindings.update(binding)
        needed.update({s.id: s for s in statements})
    steps = tuple(_step(analysis, needed[number]) for number in sorted(needed))
    return Evaluation(steps, tuple(sorted(bindings.items())), tuple(made.items()))


def without_names(evaluation: Evaluation, names: Set[str]) -> Evaluation:
    """The evaluation, empty where it needs one of these names, which it can't have."""
    code = [*(step.code for step in evaluation.steps), *(text for _, text in evaluation.metrics)]
    return Evaluation() if any(identifiers(text) & names for text in code) else evaluation


Found = tuple[str, str, dict[str, str], list[Statement]]


def _metric(
    analysis: Analysis,
    event: Event,
    fit: Event,
    predictions: Sequence[Event],
    masks: Masks,
    model_mask: int,
    raw: Statement,
    model: str,
) -> Found | None:
    statement = analysis.program.statements[event.statement]
    prediction = _prediction(event, fit, predictions)
    if prediction is None or not _held_out(prediction.facts[0]):
        return None
    name = assigned_name(statement.node)
    whole = statement.parent == -1 and name is not None
    key = name if whole and name is not None else event.name if event.kind == "metric" else "score"
    expression = name if whole and name is not None else ast.unparse(event.node)
    start = statement.node if whole else event.node
    matrix = prediction.node.args[0] if prediction.node.args else None
    base = masks.all | model_mask | 1 << raw.id
    kept = _needed(analysis, start, fit, base, whole, statement)
    if kept is None:
        return None
    statements, free = kept
    bindings: dict[str, str] = {}
    own_names = {model, fit.text, assigned_name(analysis.program.statements[fit.top].node)}
    for one in sorted(free):
        if one in own_names:
            bindings[one] = "model"
        elif isinstance(matrix, ast.Name) and one == matrix.id:
            bindings[one] = "matrix"
        elif _is_labels(analysis, one, fit):
            bindings[one] = "labels"
        elif _is_global_constant(analysis, one):
            continue
        else:
            return None
    return key, expression, bindings, statements


def metrics_of_training(analysis: Analysis, fit: Event) -> tuple[tuple[str, int], ...]:
    """The names under which metrics of the rows that the model was fitted on are kept, each with its cell.

    A name that a later metric of other rows takes is none of them.
    """
    predictions = [e for e in uses_of(analysis.events, fit.obj) if e.statement >= fit.statement]
    found: dict[str, int] = {}
    for event in analysis.events:
        statement = analysis.program.statements[event.statement]
        name = assigned_name(statement.node)
        prediction = _prediction(event, fit, predictions) if event.statement >= fit.statement else None
        if name is None or prediction is None:
            continue
        if _held_out(prediction.facts[0]):
            found.pop(name, None)
        else:
            found[name] = statement.cell
    return tuple(found.items())


def _prediction(event: Event, fit: Event, predictions: Sequence[Event]) -> Event | None:
    """What a metric of the fitted model is of: the last prediction that it is computed from, or the model's score."""
    if event.kind == "score" and event.obj == fit.obj:
        return event
    if event.kind != "metric" or event.kindof != "metric":
        return None
    used = [e for e in predictions if e.kind == "predict" and e.result and _flows(e, event)]
    return used[-1] if used else None


def _held_out(fact: Fact) -> bool:
    return fact.rows is None or fact.rows.side != "train"


def _flows(prediction: Event, metric: Event) -> bool:
    """Whether a metric was computed from this prediction."""
    result = prediction.result
    if result is None or metric.result is None:
        return False
    return any(inner is prediction.node for inner in ast.walk(metric.node)) or bool(
        metric.result.fit >> prediction.statement & 1
    )


def _needed(
    analysis: Analysis, start: ast.AST, fit: Event, base: int, whole: bool, own: Statement
) -> tuple[list[Statement], frozenset[str]] | None:
    """The statements behind the training call that an expression needs, and the names that stay free."""
    after = [
        s
        for s in analysis.program.statements
        if s.parent == -1 and s.id > fit.top and s.id <= own.id and not base >> s.id & 1
    ]
    kept: list[Statement] = [own] if whole else []
    free = free_names(start)
    for statement in reversed(after):
        if statement.id >= own.id:
            continue
        bound = bound_names(statement.node)
        if bound & free and _is_plain(statement.node):
            kept.append(statement)
            free = (free - bound) | free_names(statement.node)
    return kept[::-1], free


def _is_plain(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign | ast.AnnAssign)


def _is_labels(analysis: Analysis, name: str, fit: Event) -> bool:
    """Whether a name holds the target of some rows: computed from the columns that the labels come from."""
    value = analysis.run.state.names.get(name)
    if value is None or value.kind not in ("series", "array", "frame"):
        return False
    fact = analysis.run.data(value)
    labels = fit.facts[1]
    return fact.time is Time.ROW and bool(fact.inputs) and fact.inputs == labels.inputs and fact.digest == labels.digest


def _is_global_constant(analysis: Analysis, name: str) -> bool:
    value = analysis.run.state.names.get(name)
    if value is None:
        return hasattr(builtins, name)
    return value.kind in ("module", "lib", "function", "class") or analysis.run.data(value).time is Time.CONSTANT


def _step(analysis: Analysis, statement: Statement) -> Step:
    source = Source(analysis.program.sources[statement.cell])
    node = statement.node
    text = dedented(source.text[source.start(node) : source.end(node)], node.col_offset)
    return Step(
        cell=statement.cell,
        line=statement.line,
        end_line=statement.end_line,
        binding=Binding.TRAIN_ONLY,
        status=Status.PROVEN,
        source=text,
        code=text,
        lines=tuple(range(statement.line, statement.line + text.count("\n") + 1)),
    )
