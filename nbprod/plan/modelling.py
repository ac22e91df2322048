"""The model as a part of the plan: what constructs and trains it, by which names, and where it is asked."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.program import blocks_of
from nbprod.analysis.scopes import bound_names, free_names
from nbprod.analysis.values import Event, Fact, Time
from nbprod.model.plan import Binding, CallPlace, Refusal, Status, Step
from nbprod.model.program import Statement
from nbprod.plan.choosing import assigned_name, names_of, uses_of
from nbprod.plan.masks import Masks
from nbprod.plan.placing import names_written
from nbprod.plan.reading import call_place
from nbprod.plan.rendered import Rendered
from nbprod.plan.rewriting import Rewriter
from nbprod.plan.steps import source_of


class Given(Struct, frozen=True):
    """Matrix and labels as they are given to the training, and the statement that gives them."""

    matrix: ast.expr | None
    labels: ast.expr | None
    statement: Statement

    @classmethod
    def of(cls, call: ast.Call, statement: Statement) -> Given:
        """What a training call itself is given."""
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        matrix = call.args[0] if call.args else named.get("X")
        labels = call.args[1] if len(call.args) > 1 else named.get("y")
        return cls(matrix, labels, statement)

    @property
    def names(self) -> tuple[str, str]:
        """The parameters of the exported training function: the author's names where names are given."""
        return (
            self.matrix.id if isinstance(self.matrix, ast.Name) else "X",
            self.labels.id if isinstance(self.labels, ast.Name) else "y",
        )

    def call_them(self, rewriter: Rewriter, names: tuple[str, str]) -> None:
        """Have the training read matrix and labels by these names."""
        for node, name in zip((self.matrix, self.labels), names, strict=True):
            if node is not None and not isinstance(node, ast.Name):
                rewriter.replaced[id(node)] = name


def own_of_model(fit: Event, masks: Masks) -> int:
    """The statements that make and train the model and nothing of the features, as a bit set."""
    result = fit.result.fit if fit.result is not None else 0
    return result & ~masks.all | 1 << fit.top


def statements_of_model(analysis: Analysis, own: int, fit: Event, raw: Statement) -> list[Statement]:
    """Those of the top level among the model's own statements, up to the one that trains, other than definitions."""
    return [
        statement
        for statement in analysis.program.statements
        if statement.parent == -1
        and own >> statement.id & 1
        and statement.id <= fit.top
        and statement.id != raw.id
        and not isinstance(statement.node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)
    ]


def computed_early(statements: Sequence[Statement], prepared: Sequence[Statement], fit: Event) -> set[int]:
    """Those of the model's statements that read what the preparation changes afterwards, with what they need of others.

    A weight of the labels is computed before they are encoded: so it is computed in the preparation, and handed over.
    """
    found: set[int] = set()
    read: set[str] = set()
    for statement in reversed([s for s in statements if s.id < fit.top]):
        names = free_names(statement.node)
        later = {name for s in prepared if s.id > statement.id for name in names_written(s.node)}
        if names & later or (bound_names(statement.node) & read):
            found.add(statement.id)
            read |= names
    return found


def steps_of_model(
    analysis: Analysis, rewriter: Rewriter, statements: Sequence[Statement], fit: Event, names: tuple[str, str]
) -> list[Step]:
    """These statements as steps, the training call on matrix and labels as `names` call them.

    A block that trains (`with …:`) goes without what it does after that, such as to ask the model and count the errors.
    """
    Given.of(fit.node, analysis.program.statements[fit.statement]).call_them(rewriter, names)
    steps = []
    for statement in statements:
        if statement.id == fit.top and _trains_on_the_way(statement.node, fit):
            steps.append(_step(analysis, statement, rewriter.expression(statement, fit.node)))
        elif statement.id == fit.top:
            steps.append(pruned_step(analysis, rewriter, statement, _up_to_training(analysis, fit)))
        else:
            steps.append(trained_step(analysis, rewriter, statement))
    return steps


def _up_to_training(analysis: Analysis, fit: Event) -> int:
    """The statements inside of the one that trains but for those that run after the training call, as a bit set."""
    program = analysis.program
    on_the_way = [program.statements[fit.statement], *program.around(fit.statement)]
    after: set[int] = set()
    for inner, outer in pairwise(on_the_way):
        block = next((block for block in blocks_of(outer.node) if inner.node in block), [])
        after.update(id(node) for node in block[block.index(inner.node) + 1 :] if block)
    late = [statement.id for statement in program.statements if id(statement.node) in after]
    return sum(
        1 << statement.id
        for statement in program.statements
        if program.is_within(statement.id, fit.top)
        and not any(statement.id == each or program.is_within(statement.id, each) for each in late)
    )


def trained_step(analysis: Analysis, rewriter: Rewriter, statement: Statement) -> Step:
    """A statement that training runs as it stands."""
    return _step(analysis, statement, rewriter.statement(statement, fitting=True))


def pruned_step(analysis: Analysis, rewriter: Rewriter, statement: Statement, needed: int) -> Step:
    """A compound statement of training with those inner statements that are needed (a bit set)."""
    return _step(analysis, statement, rewriter.pruned(statement, needed))


def _step(analysis: Analysis, statement: Statement, rendered: Rendered) -> Step:
    return Step(
        cell=statement.cell,
        line=statement.line,
        end_line=statement.end_line,
        binding=Binding.TRAIN_ONLY,
        status=Status.PROVEN,
        source=source_of(analysis, statement),
        code="\n".join(text for text, _ in rendered.lines),
        lines=tuple(line for _, line in rendered.lines),
    )


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


def _is_written_out(fact: Fact) -> bool:
    """Whether rows are of no table that was read, and made of none: `X = np.array([["a", 1]])`, then encoded."""
    return fact.rows is not None and fact.rows.root < 0 and not fact.inputs and bool(fact.learns)


def predict_places(analysis: Analysis, fit: Event, *, behind: bool = False) -> tuple[CallPlace, ...]:
    """The calls that predict for rows of a table, and not for a row that is written out; else those that score them.

    With `behind` those behind the statement that trains, within which others predict by the same calls.
    """
    later = [e for e in analysis.events[analysis.events.index(fit) + 1 :] if not behind or e.top > fit.top]
    asked = [
        event
        for event in uses_of(later, fit.obj)
        if event.facts[0].time is Time.ROW and event.facts[0].rows is not None and not _is_written_out(event.facts[0])
    ]
    uses = [event for event in asked if event.kind == "predict"] or asked
    if any(event.const == "predict" for event in uses):
        uses = [event for event in uses if event.const == "predict"]
    places = [call_place(analysis, event) for event in uses]
    return tuple(dict.fromkeys(places))
