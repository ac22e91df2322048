"""Make the plan: the statements between the raw rows and the model, when each runs, and what it learns."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.scopes import bound_names
from nbprod.analysis.values import Event, Fact, Time, digest_of
from nbprod.errors import NbprodError, Where
from nbprod.model.notebook import Notebook
from nbprod.model.plan import (
    Binding,
    CallPlace,
    Feature,
    FeaturePlan,
    ModelPlan,
    Refusal,
    Status,
    Step,
)
from nbprod.model.program import Statement
from nbprod.plan.answering import plan_answer
from nbprod.plan.choosing import Choice, answers_rows, assigned_name, choose_model, names_of, uses_of
from nbprod.plan.completeness import Known, left_behind
from nbprod.plan.definitions import plan_definitions, plan_imports, with_functions
from nbprod.plan.evaluation import plan_evaluation, without_names
from nbprod.plan.liveness import defined_names, handed_over, initial_names, names_made, without_unused
from nbprod.plan.reading import Raw, call_place, other_reads, raw_source, read_options
from nbprod.plan.rendered import Line
from nbprod.plan.rewriting import Masks, Rewriter, names_in
from nbprod.plan.steps import plan_steps, source_of
from nbprod.plan.together import not_taken_apart, training_inputs
from nbprod.plan.training import (
    NotApartError,
    hold_to_rows,
    is_prepared_in,
    model_apart,
    refusal_of,
    steps_before,
    training_of,
)

NO_CHOICE = Choice()


@dataclass(frozen=True, slots=True)
class Matrix:
    """What the model is fitted on: its columns' facts, the facts of the whole and of the labels."""

    columns: Mapping[str, Fact]
    rest: Fact | None
    whole: Fact
    labels: Fact

    @property
    def assumed(self) -> int:
        """The statements that something on the way passed through and that are merely assumed, as a bit set."""
        bits = self.whole.assumed | self.labels.assumed
        for fact in self.columns.values():
            bits |= fact.assumed
        return bits


def make_plan(notebook: Notebook, analysis: Analysis, choice: Choice = NO_CHOICE) -> FeaturePlan:
    """The plan of one notebook; `choice` tells the model that is served where there are several.

    Raises NbprodError when there is nothing to plan: too much to analyse (`work-limit`), no model (`no-model`), several
    (`several-models`), rows whose origin is not found (`no-raw-data`), no labels (`no-target`). What cannot be
    extracted stands in `refusals`.
    """
    if not analysis.complete:
        raise NbprodError(
            "the analysis reached its bound on work before the end of the notebook",
            code="work-limit",
            where=Where(notebook.path),
            hint="long loops over literal lists are the usual cause: write them shorter, or move them to a module",
        )
    chosen = choose_model(notebook, analysis, choice)
    fit = chosen.fit
    run = analysis.run
    matrix = Matrix(
        {name: run.expanded(fact) for name, fact in fit.columns.items()},
        None if fit.rest is None else run.expanded(fit.rest),
        run.expanded(fit.facts[0]),
        run.expanded(fit.facts[1]),
    )
    raw = raw_source(notebook, analysis, matrix.whole)
    masks = _masks(analysis, matrix, raw)
    looks_around = bool(_of_neighbours(analysis, matrix))
    if looks_around:
        # Such labels are made of the whole table: by training, and of no other rows.
        masks = replace(masks, label=0)
    side = matrix.whole.rows.side if matrix.whole.rows is not None else "all"
    rewriter = Rewriter(analysis.program, run, masks, side, analysis.events.index(raw.read))
    if not raw.given:
        rewriter.rows_from(raw.read.node, raw.source.name, inside=raw.statement.node, dataset=raw.is_dataset)
    refusals = [*_refusals(analysis, matrix), *not_taken_apart(run, matrix.whole.rows)]
    names = _call_names(fit)
    unlabelled = _fit_arguments(fit.node)[1] is None
    if not unlabelled and matrix.labels.time is not Time.ROW:
        raise NbprodError(
            "the model is fitted without labels that come from the table",
            code="no-target",
            where=_where(notebook, analysis, fit.statement),
            hint="a target is needed: .fit(X, y) with y from the raw frame",
        )
    top = [s for s in analysis.program.statements if s.parent == -1]
    placed = _place(analysis, top, masks, raw)
    rewriter.target = None if looks_around else _target(matrix.labels)
    rewriter.module_names = _module_names(analysis, placed.constants)
    name = model_name(analysis, fit)
    model_statements, model_mask = _model_statements(analysis, fit, masks, raw.statement)
    model_statements = [s for s in model_statements if s not in placed.constants.values()]
    steps: list[Step] = []
    model_steps: list[Step] = []
    expression = label_expression = "None"
    try:
        place = training_of(analysis, fit)
        hold_to_rows(analysis, rewriter, place)
        prepared = is_prepared_in(analysis, rewriter, place)
        inline = [s for s in placed.inline if s.id != fit.top or prepared]
        steps = plan_steps(analysis, rewriter, inline, matrix.assumed)
        steps += steps_before(analysis, rewriter, place, matrix.assumed)
        expression, label_expression = _returned(rewriter, fit)
        if place.apart:
            model_steps = model_apart(analysis, rewriter, fit, name, names)
        else:
            model_steps = _model_steps(analysis, rewriter, model_statements, fit, names)
    except NotApartError as reason:
        refusals.append(refusal_of(analysis, fit, str(reason)))
    handed = handed_over(steps, model_steps, names)
    steps = without_unused(steps, expression, label_expression, handed)
    evaluation = plan_evaluation(analysis, fit, masks, model_mask, raw.statement)
    code = _lines_of((*steps, *model_steps, *evaluation.steps))
    code.extend((text, 0) for text in (expression, label_expression))
    code.extend((text, 0) for _, text in evaluation.metrics)
    answer = plan_answer(analysis, fit, matrix.labels)
    code.extend([] if answer is None else [(answer, 0)])
    elsewhere = names_in([*_lines_of(model_steps), (answer or "None", 0)])
    bound = {raw.source.name, *(name for step in steps for name in names_made(step.code))}
    planned = plan_definitions(analysis, rewriter, code, placed.constants, bound, elsewhere)
    definitions = planned.module
    steps = with_functions(steps, planned.inner)
    evaluation = without_names(evaluation, {name for step in planned.inner for name in defined_names(step.code)})
    imports = plan_imports(analysis, [*code, *_lines_of((*definitions, *planned.inner))])
    refusals.extend(rewriter.refusals)
    initial = initial_names(steps, expression, label_expression, raw.source.name)
    if not answers_rows(fit):
        refusals.append(_no_answers(analysis, fit))
    if not refusals:
        known = Known(raw.source.name, names, definitions, imports, rewriter.idioms.values(), initial)
        refusals.extend(left_behind(analysis, fit, known, steps, (expression, label_expression), model_steps, handed))
    features = _features(matrix, steps, analysis)
    target = rewriter.target
    # No request has the target: a feature that does need it comes out wrong in the replay.
    inputs = sorted({name for feature in features for name in feature.inputs} - {"*", target})
    is_open = any("*" in feature.inputs for feature in features) or (
        matrix.rest is not None and "*" in matrix.rest.inputs
    )
    model_digest = digest_of(*(ast.unparse(ast.parse(step.code)) for step in model_steps))
    digest = _digest(features, matrix, answer)
    training = digest_of(
        matrix.whole.rows.digest if matrix.whole.rows else "",
        matrix.labels.digest,
        model_digest,
    )
    return FeaturePlan(
        digest=digest,
        training_digest=training,
        target=target,
        raw=raw.source,
        parameter=raw.source.name,
        matrix=expression,
        labels=None if unlabelled else label_expression,
        inputs=tuple(inputs),
        open_inputs=is_open,
        features=features,
        steps=tuple(steps),
        evaluate_steps=evaluation.steps,
        metrics=evaluation.metrics,
        model=ModelPlan(
            name=name,
            estimator=fit.name,
            fit=call_place(analysis, fit),
            predicts=_predict_places(analysis, fit),
            steps=tuple(model_steps),
            digest=model_digest,
            parameters=names,
            why=chosen.why,
        ),
        refusals=tuple(dict.fromkeys(refusals)),
        idioms=tuple(rewriter.idioms.items()),
        definitions=definitions,
        imports=imports,
        evaluate_bindings=evaluation.bindings,
        initial=initial,
        handed_over=handed,
        dropped=_dropped(rewriter, placed.inline),
        columns=tuple(run.schemas.get(raw.source.path or "", ())),
        pandas=run.pandas_major,
        read_options=read_options(raw.read),
        answer=answer,
        training_inputs=training_inputs(run, raw.read, masks.fit),
        other_reads=other_reads(analysis, raw, uses_of(analysis.events, fit.obj)),
    )


# ---------------------------------------------------------------------- which statements, and when


def _masks(analysis: Analysis, matrix: Matrix, raw: Raw) -> Masks:
    own = 0
    for statement in analysis.program.statements if raw.given else ():
        if statement.id == raw.statement.id or _within(analysis, statement, raw.statement.id):
            own |= 1 << statement.id
    serve = matrix.whole.serve
    train = matrix.whole.fit | matrix.labels.fit
    for fact in (matrix.whole, matrix.labels):
        if fact.rows is not None:
            train |= fact.rows.fit
    for fact in (*matrix.columns.values(), *([] if matrix.rest is None else [matrix.rest])):
        serve |= fact.serve
        train |= fact.fit
    return Masks(serve & ~own, matrix.labels.serve & ~own, train & ~own, own)


def _within(analysis: Analysis, statement: Statement, outer: int) -> bool:
    while statement.parent >= 0:
        if statement.parent == outer:
            return True
        statement = analysis.program.statements[statement.parent]
    return False


@dataclass(frozen=True, slots=True)
class Placed:
    """Top-level statements of the slice: those that stay in order, and constants that may move to the module."""

    inline: list[Statement]
    constants: dict[str, Statement]


def _module_names(analysis: Analysis, constants: Mapping[str, Statement]) -> frozenset[str]:
    """Names that mean the same in a module as where they are read: imports, definitions, constants, builtins."""
    found = {*constants, *dir(builtins)}
    for statement in analysis.program.statements:
        match statement.node:
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                found |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) if statement.parent == -1:
                found.add(name)
            case _:
                pass
    return frozenset(found)


def _place(analysis: Analysis, top: Sequence[Statement], masks: Masks, raw: Raw) -> Placed:
    inline: list[Statement] = []
    constants: dict[str, Statement] = {}
    writes: dict[str, int] = {}
    for statement in top:
        for written in _names_written(statement.node):
            writes[written] = writes.get(written, 0) + 1
    for statement in top:
        name = assigned_name(statement.node)
        if name is not None and writes.get(name) == 1 and _is_constant(analysis, statement):
            constants[name] = statement
            continue
        if raw.given and statement.id == raw.statement.id:
            continue
        if isinstance(statement.node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            continue
        if masks.all >> statement.id & 1:
            inline.append(statement)
    return Placed(inline, constants)


def _names_written(node: ast.stmt) -> set[str]:
    """Names that a statement binds or whose object it may change."""
    names = set(bound_names(node))
    for inner in ast.walk(node):
        match inner:
            case ast.Subscript(ctx=ast.Store() | ast.Del(), value=ast.Name(id=name)):
                names.add(name)
            case ast.Attribute(ctx=ast.Store(), value=ast.Name(id=name)):
                names.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)) if attribute in MUTATORS:
                names.add(name)
    return names


MUTATORS = frozenset(
    {"add", "append", "clear", "discard", "extend", "fit", "insert", "pop", "remove", "reverse", "setdefault"}
    | {"sort", "update"}
)


def _is_constant(analysis: Analysis, statement: Statement) -> bool:
    value = getattr(statement.node, "value", None)
    note = analysis.run.notes.get(id(value))
    if value is None or note is None or note.time is not Time.CONSTANT:
        return False
    return note.kind in ("scalar", "str", "list", "dict", "tuple", "set", "none", "range") and not any(
        isinstance(inner, ast.Call) and not isinstance(inner.func, ast.Name) for inner in ast.walk(value)
    )


# ---------------------------------------------------------------------- steps


def _lines_of(steps: Iterable[Step]) -> list[Line]:
    texts = (step.code + ("\n" + step.otherwise if step.otherwise else "") for step in steps)
    return [(line, 0) for text in texts for line in text.split("\n")]


def _returned(rewriter: Rewriter, fit: Event) -> tuple[str, str]:
    """The expressions that the model is fitted on, as they are served."""
    statement = rewriter.program.statements[fit.statement]
    source = rewriter.sources[statement.cell]
    matrix, labels = _fit_arguments(fit.node)
    texts = []
    for node in (matrix, labels):
        if node is None:
            texts.append("None")
            continue
        edits = list(rewriter.edits_of(node, statement.cell, False))
        texts.append(source.rendered(source.start(node), source.end(node), edits))
    return texts[0], texts[1]


def _fit_arguments(call: ast.Call) -> tuple[ast.expr | None, ast.expr | None]:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    matrix = call.args[0] if call.args else named.get("X")
    labels = call.args[1] if len(call.args) > 1 else named.get("y")
    return matrix, labels


def _call_names(fit: Event) -> tuple[str, str]:
    """The parameters of the exported training function: the author's names where the call gives names."""
    matrix, labels = _fit_arguments(fit.node)
    return (
        matrix.id if isinstance(matrix, ast.Name) else "X",
        labels.id if isinstance(labels, ast.Name) else "y",
    )


# ---------------------------------------------------------------------- the model


def _model_statements(analysis: Analysis, fit: Event, masks: Masks, raw: Statement) -> tuple[list[Statement], int]:
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


def _model_steps(
    analysis: Analysis, rewriter: Rewriter, statements: Sequence[Statement], fit: Event, names: tuple[str, str]
) -> list[Step]:
    matrix, labels = _fit_arguments(fit.node)
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


def _no_answers(analysis: Analysis, fit: Event) -> Refusal:
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


def _predict_places(analysis: Analysis, fit: Event) -> tuple[CallPlace, ...]:
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


# ---------------------------------------------------------------------- features


def _features(matrix: Matrix, steps: Sequence[Step], analysis: Analysis) -> tuple[Feature, ...]:
    statements = sorted(analysis.program.statements, key=lambda s: s.parent == -1)
    ids = {(s.cell, s.line): s.id for s in statements}
    made = []
    for name, fact in matrix.columns.items():
        bits = fact.serve
        own = tuple(
            number
            for number, step in enumerate(steps)
            if not step.guard and bits >> ids.get((step.cell, step.line), 10**6) & 1
        )
        made.append(Feature(name, fact.digest, own, tuple(sorted(fact.inputs))))
    if matrix.rest is not None and (not matrix.columns or "*" in matrix.rest.inputs or matrix.rest.inputs):
        bits = matrix.rest.serve
        own = tuple(n for n, s in enumerate(steps) if not s.guard and bits >> ids.get((s.cell, s.line), 10**6) & 1)
        made.append(Feature("*", matrix.rest.digest, own, tuple(sorted(matrix.rest.inputs))))
    return tuple(made)


def _digest(features: Sequence[Feature], matrix: Matrix, answer: str | None) -> str:
    parts = [*(f"{feature.name}={feature.digest}" for feature in features), "target", matrix.labels.digest]
    return digest_of(*parts, *([] if answer is None else ["answer", answer]))


def _target(labels: Fact) -> str | None:
    names = sorted(name for name in labels.inputs if name != "*")
    return names[0] if len(names) == 1 else None


def _refusals(analysis: Analysis, matrix: Matrix) -> list[Refusal]:
    bits = _refused_features(matrix) | matrix.labels.refused | analysis.run.clouded
    bits &= ~_of_neighbours(analysis, matrix)
    return [refusal for number, refusal in enumerate(analysis.run.refusals) if bits >> number & 1]


def _refused_features(matrix: Matrix) -> int:
    bits = matrix.whole.refused
    for fact in (*matrix.columns.values(), *([] if matrix.rest is None else [matrix.rest])):
        bits |= fact.refused
    return bits


def _of_neighbours(analysis: Analysis, matrix: Matrix) -> int:
    """The refusals of labels that are made of the rows around a row, where no feature is: training alone needs them."""
    return matrix.labels.refused & analysis.run.neighbours & ~_refused_features(matrix)


def _dropped(rewriter: Rewriter, statements: Iterable[Statement]) -> tuple[tuple[str, int, int], ...]:
    """Statements that drop rows in training: text, cell, line."""
    found = []
    for statement in statements:
        value = getattr(statement.node, "value", None)
        note = rewriter.note(value) if value is not None else None
        if note is not None and note.op == "row-changing":
            found.append((ast.unparse(statement.node), statement.cell, statement.line))
    return tuple(found)


def _where(notebook: Notebook, analysis: Analysis, number: int) -> Where:
    statement = analysis.program.statements[number]
    return Where(notebook.path, statement.cell, analysis.program.cell_ids[statement.cell], statement.line)
