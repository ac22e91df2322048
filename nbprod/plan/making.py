"""Make the plan: the statements between the raw rows and the model, when each runs, and what it learns."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.values import Time, digest_of
from nbprod.errors import NbprodError, Where
from nbprod.model.notebook import Notebook
from nbprod.model.plan import (
    Feature,
    FeaturePlan,
    ModelPlan,
    Refusal,
    Step,
)
from nbprod.model.program import Program, Statement
from nbprod.notebook.parsed import syntax_tree
from nbprod.plan.answering import plan_answer
from nbprod.plan.apart import model_apart
from nbprod.plan.blocks import Block, best_of_several, block_of, block_steps
from nbprod.plan.choosing import Choice, answers_rows, choose_model, through_nothing, uses_of
from nbprod.plan.completeness import Known, left_behind
from nbprod.plan.definitions import plan_definitions, plan_imports, with_functions
from nbprod.plan.evaluation import metrics_of_training, plan_evaluation, without_names
from nbprod.plan.labels import of_labelled, written_for_all
from nbprod.plan.leaving import what_leaves
from nbprod.plan.liveness import defined_names, handed_over, initial_names, names_in, names_made, without_unused
from nbprod.plan.lookups import looked_up_target
from nbprod.plan.masks import Masks
from nbprod.plan.modelling import (
    Given,
    computed_early,
    model_name,
    no_answers,
    own_of_model,
    predict_places,
    statements_of_model,
    steps_of_model,
)
from nbprod.plan.placing import Matrix, masks_of, module_names, placed_statements
from nbprod.plan.reading import call_place, other_reads, raw_source, read_options
from nbprod.plan.rendered import Line
from nbprod.plan.rewriting import Rewriter
from nbprod.plan.rows import order_lost, sorts
from nbprod.plan.steps import plan_steps
from nbprod.plan.target import target_of
from nbprod.plan.together import not_taken_apart, tables_of, training_inputs
from nbprod.plan.training import (
    NotApartError,
    Training,
    is_prepared_in,
    refusal_of,
    steps_before,
    trained_in_preparation,
    training_of,
)

NO_CHOICE = Choice()


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
    raw = raw_source(notebook, analysis, matrix.whole, fit.statement)
    masks = masks_of(analysis, matrix, raw)
    looks_around = bool(_of_neighbours(analysis, matrix))
    around = _made_around(matrix, run.along) if choice.batch else ()
    together = bool(around)
    if looks_around:
        # Such labels are made of the whole table: by training, and of no other rows.
        masks = replace(masks, label=0)
    columns = tuple(run.schemas.get(raw.source.path or "", ()))
    target = None if looks_around else target_of(analysis, fit, matrix, columns)
    top = [s for s in analysis.program.statements if s.parent == -1]
    placed = placed_statements(analysis, top, masks, raw)
    if target is not None:
        masks = replace(masks, serve=masks.serve | written_for_all(analysis.program, placed.inline, masks))
    if together:
        masks = replace(masks, serve=masks.serve | _sorts_in_place(top))
        placed = placed_statements(analysis, top, masks, raw)
    own = own_of_model(fit, masks)
    early = computed_early(statements_of_model(analysis, own, fit, raw.statement), placed.inline, fit)
    if early:
        masks = replace(masks, fit=masks.fit | sum(1 << number for number in early))
        placed = placed_statements(analysis, top, masks, raw)
    side = matrix.whole.rows.side if matrix.whole.rows is not None else "all"
    rewriter = Rewriter(analysis.program, run, masks, side, analysis.events.index(raw.read))
    rewriter.together = together
    if not raw.given:
        rewriter.rows_from(raw.read.node, raw.source.name, inside=raw.statement.node, dataset=raw.is_dataset)
    refusals = [
        *_refusals(analysis, matrix, batch=choice.batch),
        *not_taken_apart(run, matrix.whole.rows),
        *looked_up_target(run, matrix.labels),
        *_learned_in_classes(analysis, matrix),
        *(_order_lost(placed.inline) if together else ()),
    ]
    given = Given.of(fit.node, analysis.program.statements[fit.statement])
    names = given.names
    unlabelled = given.labels is None
    if not unlabelled and matrix.labels.time is not Time.ROW:
        way = matrix.labels.fit | 1 << fit.statement
        raise through_nothing(notebook, analysis, way, "the labels", "no-target") or NbprodError(
            "the model is fitted without labels that come from the table",
            code="no-target",
            where=_where(notebook, analysis, fit.statement),
            hint="a target is needed: .fit(X, y) with y from the raw frame",
        )
    rewriter.module_names = module_names(analysis, placed.constants)
    name = model_name(analysis, fit)
    own = own_of_model(fit, masks)
    several = False
    steps: list[Step] = []
    model_steps: list[Step] = []
    expression = label_expression = "None"
    try:
        place = training_of(analysis, fit)
        last_round = trained_in_preparation(analysis, rewriter, place)
        prepared = is_prepared_in(analysis, rewriter, place)
        inline = [s for s in placed.inline if s.id != fit.top or prepared]
        rewriter.left_out = last_round
        steps = plan_steps(analysis, rewriter, inline, matrix.assumed)
        rewriter.left_out = None
        alone: list[Step] | Block = []
        if place.apart or prepared:
            alone = _alone(
                analysis, rewriter, place, name, inline, masks, raw.statement, last_round=last_round is not None
            )
        if isinstance(alone, Block):
            name, given, own, several = alone.name, alone.given, alone.own, alone.best_of is not None
            names = given.names
        else:
            steps += steps_before(analysis, rewriter, place, matrix.assumed)
        expression, label_expression = _returned(rewriter, given)
        own_statements = [
            statement
            for statement in statements_of_model(analysis, own, fit, raw.statement)
            if statement not in placed.constants.values()
        ]
        if isinstance(alone, Block):
            model_steps = block_steps(analysis, rewriter, alone, own_statements)
        else:
            model_steps = alone or steps_of_model(analysis, rewriter, own_statements, fit, names)
    except NotApartError as reason:
        refusals.append(refusal_of(analysis, fit, str(reason)))
    handed = handed_over(steps, model_steps, names, raw.source.name)
    steps = without_unused(steps, expression, label_expression, handed)
    label_expression = of_labelled(label_expression, steps)
    evaluation = plan_evaluation(analysis, fit, masks, own, raw.statement, name)
    code = _lines_of((*steps, *model_steps, *evaluation.steps))
    code.extend((text, 0) for text in (expression, label_expression))
    code.extend((text, 0) for _, text in evaluation.metrics)
    answer = plan_answer(analysis, fit, matrix.labels, rewriter.sites)
    refusals.extend(answer.refusals)
    turned_back: list[Line] = [(answer.text, 0)] if answer.text is not None and answer.site is None else []
    code.extend(turned_back)
    elsewhere = names_in([*_lines_of(model_steps), *turned_back])
    bound = {raw.source.name, *(name for step in steps for name in names_made(step.code))}
    planned = plan_definitions(analysis, rewriter, code, placed.constants, bound, elsewhere)
    definitions = planned.module
    steps = with_functions(steps, planned.inner)
    evaluation = without_names(evaluation, {name for step in planned.inner for name in defined_names(step.code)})
    imports = plan_imports(analysis, [*code, *_lines_of((*definitions, *planned.inner))])
    refusals.extend(rewriter.refusals)
    initial = initial_names(steps, expression, label_expression, raw.source.name)
    if not answers_rows(fit):
        refusals.append(no_answers(analysis, fit))
    if not refusals:
        known = Known(raw.source.name, names, definitions, imports, rewriter.idioms.values(), initial)
        refusals.extend(left_behind(analysis, fit, known, steps, (expression, label_expression), model_steps, handed))
    features = _features(matrix, steps, analysis)
    # No request has the target: a feature that does need it comes out wrong in the replay. A batch has it of the past.
    inputs = sorted({name for feature in features for name in feature.inputs} - {"*", None if together else target})
    is_open = any("*" in feature.inputs for feature in features) or (
        matrix.rest is not None and "*" in matrix.rest.inputs
    )
    model_digest = digest_of(*(ast.unparse(syntax_tree(step.code)) for step in model_steps))
    digest = _digest(features, matrix, answer.text, together=together)
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
            predicts=predict_places(analysis, fit, behind=several),
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
        training_metrics=metrics_of_training(analysis, fit),
        initial=initial,
        handed_over=handed,
        dropped=_dropped(rewriter, placed.inline),
        around=around,
        columns=columns,
        pandas=run.pandas_major,
        read_options=read_options(raw.read),
        answer=answer.text,
        answer_site=answer.site,
        training_inputs=training_inputs(run, raw.read, masks.fit),
        lookups=tuple(rewriter.lookups.values()),
        input_tables=tables_of(run, raw.read),
        joins=tuple(sorted((each.text, run.joins[each.text]) for each in run.joined if each.text in run.joins)),
        other_reads=other_reads(analysis, raw, uses_of(analysis.events, fit.obj)),
    )


# ---------------------------------------------------------------------- steps


def _lines_of(steps: Iterable[Step]) -> list[Line]:
    texts = (step.code + ("\n" + step.otherwise if step.otherwise else "") for step in steps)
    return [(line, 0) for text in texts for line in text.split("\n")]


def _alone(
    analysis: Analysis,
    rewriter: Rewriter,
    place: Training,
    name: str,
    inline: Sequence[Statement],
    masks: Masks,
    raw: Statement,
    *,
    last_round: bool,
) -> list[Step] | Block:
    """What trains in a loop or a function: the model by itself, else the statement of the top level as it stands.

    With `last_round` features and model are those that the last round of a loop leaves.

    Raises NotApartError where neither can be extracted.
    """
    leaving = what_leaves(analysis, rewriter, place)
    if leaving and last_round:
        raise NotApartError("what the loop computes tells which of its rounds is the last")
    if best_of_several(analysis, place.fit) is not None:
        top = place.path[0]
        if any(site.cell == top.cell and top.line <= site.line <= top.end_line for site in rewriter.sites):
            raise NotApartError("it is the best of several rounds, each of which learns what features learn anew")
        block = block_of(analysis, place, masks, leaving)
        parts = [part for part in (block.given.matrix, block.given.labels) if part is not None]
        if last_round and not all(isinstance(part, ast.Name) for part in parts):
            raise NotApartError("it is the best of several rounds, and what each of them trains on has no name")
        return block
    if leaving:
        return block_of(analysis, place, masks, leaving)
    try:
        names = Given.of(place.fit.node, place.path[-1]).names
        return model_apart(analysis, rewriter, place.fit, name, names, inline, raw, last_round=last_round)
    except NotApartError as reason:
        if last_round:
            raise
        try:
            return block_of(analysis, place, masks)
        except NotApartError:
            raise reason from None


def _returned(rewriter: Rewriter, given: Given) -> tuple[str, str]:
    """The expressions that the model is fitted on, as they are served."""
    source = rewriter.sources[given.statement.cell]
    texts = []
    for node in (given.matrix, given.labels):
        if node is None:
            texts.append("None")
            continue
        edits = list(rewriter.edits_of(node, given.statement.cell, False))
        texts.append(source.rendered(source.start(node), source.end(node), edits))
    return texts[0], texts[1]


# ---------------------------------------------------------------------- features


def _features(matrix: Matrix, steps: Sequence[Step], analysis: Analysis) -> tuple[Feature, ...]:
    statements = sorted(analysis.program.statements, key=lambda s: s.parent == -1)
    ids = {(s.cell, s.line): s.id for s in statements}
    numbers: dict[int, list[int]] = {}
    for number, step in enumerate(steps):
        if not step.guard and (step.cell, step.line) in ids:
            numbers.setdefault(ids[step.cell, step.line], []).append(number)
    asked = sum(1 << statement for statement in numbers)

    def own(bits: int) -> tuple[int, ...]:
        left, found = bits & asked, []
        while left:
            lowest = left & -left
            found += numbers[lowest.bit_length() - 1]
            left ^= lowest
        return tuple(sorted(found))

    made = [
        Feature(name, fact.digest, own(fact.serve), tuple(sorted(fact.inputs))) for name, fact in matrix.columns.items()
    ]
    rest = matrix.rest
    if rest is not None and (not matrix.columns or "*" in rest.inputs or rest.inputs):
        made.append(Feature("*", rest.digest, own(rest.serve), tuple(sorted(rest.inputs))))
    return tuple(made)


def _digest(features: Sequence[Feature], matrix: Matrix, answer: str | None, *, together: bool) -> str:
    parts = [*(f"{feature.name}={feature.digest}" for feature in features), "target", matrix.labels.digest]
    return digest_of(*parts, *([] if answer is None else ["answer", answer]), *(["together"] if together else []))


def _refusals(analysis: Analysis, matrix: Matrix, *, batch: bool) -> list[Refusal]:
    run = analysis.run
    bits = _refused_features(matrix) | matrix.labels.refused | run.clouded
    bits &= ~_of_neighbours(analysis, matrix)
    if not batch:
        return [refusal for number, refusal in enumerate(run.refusals) if bits >> number & 1]
    return [
        _not_of_a_batch(refusal) if run.neighbours >> number & 1 else refusal
        for number, refusal in enumerate(run.refusals)
        if (bits & ~run.along) >> number & 1
    ]


def _made_around(matrix: Matrix, along: int) -> tuple[str, ...]:
    """The features that a batch alone can have, by the refusals `along`; `*` where it is not known which."""
    names = tuple(name for name, fact in matrix.columns.items() if fact.refused & along)
    others = matrix.rest is not None and matrix.rest.refused & along
    return (*names, "*") if others or (not names and matrix.whole.refused & along) else names


def _not_of_a_batch(refusal: Refusal) -> Refusal:
    return replace(
        refusal,
        reason=f"{refusal.construct} gives a row other neighbours in training than it has in a batch, or other rows",
        hint="compute it on the table as it was read, before rows are left out; keep one value for each row",
    )


def _order_lost(statements: Iterable[Statement]) -> Iterator[Refusal]:
    for statement in statements:
        for call in order_lost([statement.node]):
            yield Refusal(
                statement.cell,
                call.lineno,
                "order-lost",
                "rows are put in order without their labels, so a batch can't be answered in the order it came in",
                "sort without ignore_index, and say .reset_index(drop=True) behind it",
            )


def _sorts_in_place(statements: Iterable[Statement]) -> int:
    """The statements, as a bit set, that put the rows of a table in order where they stand."""
    return sum(
        1 << statement.id
        for statement in statements
        if isinstance(statement.node, ast.Expr) and sorts(statement.node.value)
    )


def _refused_features(matrix: Matrix) -> int:
    bits = matrix.whole.refused
    for fact in (*matrix.columns.values(), *([] if matrix.rest is None else [matrix.rest])):
        bits |= fact.refused
    return bits


def _learned_in_classes(analysis: Analysis, matrix: Matrix) -> Iterator[Refusal]:
    """What methods of the notebook's classes learn: a class is extracted as it stands, so serving would learn anew."""
    facts = (*matrix.columns.values(), *([] if matrix.rest is None else [matrix.rest]))
    numbers = {number for fact in facts for number in fact.learned_at if number >= 0}
    for number in sorted(numbers):
        learning = analysis.run.learnings[number]
        statement = analysis.program.statements[learning.statement]
        if _is_in_class(analysis.program, statement):
            yield Refusal(
                statement.cell,
                getattr(learning.node, "lineno", statement.line),
                "learned-in-class",
                f"a method of a class learns from all rows here ({learning.what}), and a class has no place to keep it",
                "make the method a function, or give the class fit, which learns, and transform, which applies",
            )


def _is_in_class(program: Program, statement: Statement) -> bool:
    return any(isinstance(each.node, ast.ClassDef) for each in program.around(statement.id))


def _of_neighbours(analysis: Analysis, matrix: Matrix) -> int:
    """The refusals of labels that are made of the rows around a row, where no feature is: training alone needs them."""
    of_all_rows = analysis.run.neighbours | analysis.run.one_by_one
    return matrix.labels.refused & of_all_rows & ~_refused_features(matrix)


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
