"""The model as a part of the plan: what constructs and trains it, by which names, and where it is asked."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.values import Event, Time
from nbprod.model.plan import Binding, CallPlace, Refusal, Status, Step
from nbprod.model.program import Statement
from nbprod.plan.choosing import assigned_name, names_of, uses_of
from nbprod.plan.reading import call_place
from nbprod.plan.rewriting import Masks, Rewriter
from nbprod.plan.steps import source_of


def fit_arguments(call: ast.Call) -> tuple[ast.expr | None, ast.expr | None]:
    """The matrix and the labels of a training call."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    matrix = call.args[0] if call.args else named.get("X")
    labels = call.args[1] if len(call.args) > 1 else named.get("y")
    return matrix, labels


def call_names(fit: Event) -> tuple[str, str]:
    """The parameters of the exported training function: the author's names where the call gives names."""
    matrix, labels = fit_arguments(fit.node)
    return (
        matrix.id if isinstance(matrix, ast.Name) else "X",
        labels.id if isinstance(labels, ast.Name) else "y",
    )


def statements_of_model(analysis: Analysis, fit: Event, masks: Masks, raw: Statement) -> tuple[list[Statement], int]:
    """The statements that make and train the model and nothing of the features, and all of its own as a bit set."""
    result = fit.result.fit if fit.result is not None else 0
    own = result & ~masks.all | 1 << fit.top
    kept = []
    for statement in analysis.program.statements:
        if (
            statement.parent != -1
            or statement.id == raw.id
            or isinstance(statement.node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)
        ):
            continue
        if own >> statement.id & 1 and statement.id <= fit.top:
            kept.append(statement)
    return kept, own


def steps_of_model(
    analysis: Analysis, rewriter: Rewriter, statements: Sequence[Statement], fit: Event, names: tuple[str, str]
) -> list[Step]:
    """These statements as steps, the training call on matrix and labels as `names` call them."""
    matrix, labels = fit_arguments(fit.node)
    for node, name in ((matrix, names[0]), (labels, names[1])):
        if node is not None and not isinstance(node, ast.Name):
            rewriter.replaced[id(node)] = name
    steps = []
    for statement in statements:
        if statement.id == fit.top and _trains_on_the_way(statement.node, fit):
            rendered = rewriter.expression(statement, fit.node)
        else:
            rendered = rewriter.statement(statement, fitting=True)
        steps.append(
            Step(
                cell=statement.cell,
                line=statement.line,
                end_line=statement.end_line,
                binding=Binding.TRAIN_ONLY,
                status=Status.PROVEN,
                source=source_of(analysis, statement),
                code="\n".join(text for text, _ in rendered.lines),
                lines=tuple(line for _, line in rendered.lines),
            )
        )
    return steps


def no_answers(analysis: Analysis, fit: Event) -> Refusal:
    """A refusal of what can't be asked about rows that it was not trained on."""
    statement = analysis.program.statements[fit.statement]
    name = fit.name.rpartition(".")[2]
    return Refusal(
        statement.cell,
        fit.node.lineno,
        name,
        f"{name} gives labels to the rows it was fitted on, and none to a new row",
        "use an estimator with predict (KMeans, GaussianMixture, …)",
    )


def _trains_on_the_way(node: ast.stmt, fit: Event) -> bool:
    """Whether a simple statement trains a model that has a name, and does something with it besides."""
    if not fit.text.isidentifier() or not isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign):
        return False
    if all(inner is not fit.node for inner in ast.walk(node)):
        return False
    return node.value is not fit.node or (isinstance(node, ast.Assign) and assigned_name(node) is None)


def model_name(analysis: Analysis, fit: Event) -> str:
    """The name under which the exported training function knows the model."""
    if fit.text.isidentifier() and not fit.frames:
        return fit.text
    statement = analysis.program.statements[fit.top]
    assigned = None if fit.frames else assigned_name(statement.node)
    return assigned or next((name for name in names_of(analysis, fit)[:-1] if name.isidentifier()), "model")


def predict_places(analysis: Analysis, fit: Event) -> tuple[CallPlace, ...]:
    """The calls that predict for rows of a table, and not for a row that is written out."""
    later = analysis.events[analysis.events.index(fit) + 1 :]
    uses = [
        event
        for event in uses_of(later, fit.obj)
        if event.kind == "predict" and event.facts[0].time is Time.ROW and event.facts[0].rows is not None
    ]
    if any(event.const == "predict" for event in uses):
        uses = [event for event in uses if event.const == "predict"]
    places = [call_place(analysis, event) for event in uses]
    return tuple(dict.fromkeys(places))
