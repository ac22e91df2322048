"""The package's answers against those that the notebook's model gave, for all of its rows and for some alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from .captured import Block, Served, is_same
from .compare import compare, largest, tolerance
from .matrix import Matrix, matrix_of, plain
from .outcome import Failing, Outcome, Progress, described
from .rounding import with_reason
from .rows import NAME, beside_compiled, hold_chances, hold_predictions, is_compiled, most_rows
from .sampling import Effort, stratified
from .subject import Call, Subject

EXACT_METHODS = ("predict", "predict_proba", "decision_function", "predict_log_proba", "transform", "score_samples")
SCORE_SLACK = 1e-12  # batch and single-row BLAS differ by less than this on unit scale (PARITY, decision)


def check_predictions(
    subject: Subject,
    blocks: list[Block],
    served: dict[int, Served],
    effort: Effort,
    outcome: Outcome,
    progress: Progress,
) -> None:
    """The package's answers for the raw rows behind each captured predict, and for some of them alone."""
    calls = [call for call in subject.captures.predicts if call.result is not None and call.method in EXACT_METHODS]
    for number, call in enumerate(calls):
        progress("predictions", number, len(calls))
        name = f"{call.method} in cell {call.cell}, line {call.line}"
        wanted = matrix_of(call.result)
        outcome.predictions += wanted.rows
        matrix = matrix_of(call.X)
        block = next((block for block in blocks if is_same(matrix, block.matrix)), None)
        whole = served.get(block.source) if block is not None else None
        if block is None or block.match is None or whole is None or wanted.rows != matrix.rows:
            outcome.failed(name, Failing("predict", 0, -1, "(prediction)", None, None, "its rows were not found"))
            continue
        known = np.flatnonzero(block.match.positions >= 0)
        rows = whole.rows[block.match.positions[known]]
        given = call.X if block.within else None
        _compare_predictions(subject, call, wanted, known, rows, block.source, name, effort, outcome, given)


def _compare_predictions(
    subject: Subject,
    call: Call,
    wanted: Matrix,
    known: Any,
    rows: Any,
    source: int,
    name: str,
    effort: Effort,
    outcome: Outcome,
    given: Any,
) -> None:
    """`given` is what the model is asked with, where the rows of serving are others (`Block.within`); else None."""
    frame = subject.captures.frames[source]
    try:
        if subject.together:
            whole = matrix_of(subject.predict(call.method, frame)).take(rows)
        else:
            whole = matrix_of(subject.predict(call.method, frame.iloc[rows]))
        made = whole if given is None else matrix_of(getattr(subject.served.model, call.method)(given)).take(known)
    except Exception as error:  # noqa: BLE001 - the package under test may raise anything; it is reported
        row = int(rows[0]) if len(rows) else -1
        failing = Failing("predict", source, row, "(prediction)", None, None, described(error), None, error)
        outcome.failed(name, failing)
        return
    reference = wanted.take(known)
    allowed = _score_tolerance(reference)
    comparison = compare(reference, made, allowed, strict=False)
    outcome.max_error = max(outcome.max_error, comparison.max_error)
    if comparison.structure:
        row = int(rows[0]) if len(rows) else -1
        outcome.failed(name, Failing("predict", source, row, "(prediction)", None, None, comparison.structure))
        return
    right = int((~comparison.unequal).sum())
    outcome.predictions_equal += right
    if right < wanted.rows:
        at = int(np.flatnonzero(comparison.unequal)[0]) if right < len(known) else -1
        text = f"{wanted.rows - right} of {wanted.rows} differ"
        if at >= 0:
            answers = _answer(reference, at), _answer(made, at)
            outcome.failed(name, Failing("predict", source, int(rows[at]), "(prediction)", *answers, text=text))
        else:
            outcome.failed(name, Failing("predict", source, -1, "(prediction)", None, None, text))
        return
    outcome.passed(name, f"{wanted.rows} predictions")
    if subject.together:
        return
    places = {int(row): place for place, row in enumerate(rows)}
    if call.method == "predict":
        effort = beside_compiled(subject, effort)
    if call.method == "predict" and is_compiled(subject):
        asked = stratified(frame, rows, most_rows(subject.served.rows))
        expected = _in_units_of_the_target(subject, whole)
        held = hold_predictions(subject, source, asked, lambda row: expected[places[row]])
        if held.failing is not None:
            outcome.failed(f"{name}, {NAME}", held.failing)
            return
        outcome.passed(f"{name}, {NAME}", f"{held.answered} rows")
        if hasattr(subject.served.rows, "probabilities"):
            held = hold_chances(subject, source, asked)
            if held.failing is not None:
                outcome.failed(f"{name}, {NAME}, probabilities", held.failing)
                return
            outcome.passed(f"{name}, {NAME}, probabilities", f"{held.answered} rows")
    sample = stratified(frame, rows, effort.single_predictions)
    for row in sample:
        alone = matrix_of(subject.predict(call.method, frame.iloc[[row]]))
        one = compare(whole.take([places[int(row)]]), alone, allowed)
        if not one.equal:
            answers = _answer(whole, places[int(row)]), _answer(alone, 0)
            text = with_reason("the prediction of the row alone is another", subject)
            failing = Failing("predict", source, int(row), "(prediction)", *answers, text=text)
            outcome.failed(f"{name}, one row at a time", failing)
            return
    outcome.passed(f"{name}, one row at a time", f"{len(sample)} rows")


def _in_units_of_the_target(subject: Subject, predicted: Matrix) -> Any:
    """The model's predictions as the package hands them out: turned back where the notebook does that."""
    answer = subject.served.features.answer
    if answer is not None:
        return np.asarray(answer(np.asarray(predicted.columns[0].values)))
    return [predicted.value(row, 0) for row in range(predicted.rows)]


def _score_tolerance(reference: Matrix) -> Any:
    """Classes and whole numbers exactly; scores within 1e-12 of the larger of one and the column's largest value."""
    allowed, scale = tolerance(reference), np.maximum(largest(reference), 1.0)
    for place, column in enumerate(reference.columns):
        if column.kind.startswith("float"):
            allowed[place] = max(SCORE_SLACK * scale[place], allowed[place] if column.kind != "float" else 0.0)
    return allowed


def _answer(matrix: Matrix, row: int) -> Any:
    values = [plain(matrix.value(row, column)) for column in range(matrix.width)]
    return values[0] if len(values) == 1 else values
