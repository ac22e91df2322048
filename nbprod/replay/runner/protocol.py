"""The proof: training matrix, serving whole, shuffled, in batches and row by row, predictions, harmless variants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .asked_target import check_target
from .captured import Block, Served, blocks_of, rows_reached, turn_false
from .compare import structural_fault
from .contexts import check_contexts
from .in_fit import await_state, held_in_fit
from .learned_state import check_learned
from .matrix import Matrix, matrix_of
from .outcome import Failing, Outcome, Progress, described
from .predictions import check_predictions
from .prefixes import check_prefixes
from .rows import AT_EDGES, NAME, check_edges, is_compiled
from .sampling import LEVELS
from .subject import Subject
from .training_matrix import by_transform, check_fit
from .variants import VARIED, check_variants, rows_to_vary


def replay(
    subject: Subject, feature_names: list[str], level: str, progress: Progress, *, fit_ended: Path | None = None
) -> Outcome:
    """Run the whole protocol. Failings are in the order in which they explain each other best.

    While the fit is still at work, `fit_ended` is the file that will tell of its end. What it has shown of the compiled
    form on all rows until then is not asked again; where it left rows out, all is asked once more.
    """
    subject.is_in_fit = fit_ended is not None
    outcome = Outcome()
    effort = LEVELS[level]
    progress("training matrix", 0, 1)
    reference = matrix_of(subject.captures.fit.X)
    names = _names(reference, feature_names)
    fit_equal = check_fit(subject, reference, names, outcome)
    if subject.is_in_fit:
        progress("what the fit learns", 0, 1)
        await_state(subject)
    try:
        subject.open_served()
    except Exception as error:  # noqa: BLE001 - the package under test may raise anything; it is reported
        failing = Failing("serve", 0, -1, "(state)", None, None, f"the fitted state: {described(error)}", None, error)
        outcome.failed("saved state loads", failing)
        outcome.rows = reference.rows
        return outcome
    allowed = subject.allowed(reference)
    own = by_transform(subject, outcome)
    served: dict[int, Served] = {}
    blocks = blocks_of(subject, served, allowed, progress, reference, own)
    _check_blocks(blocks, served, reference, names, fit_equal, outcome)
    if blocks and blocks[0].source == 0 and 0 in served:
        check_target(subject, blocks[0], served[0].rows, outcome)
    for source, whole in served.items():
        _check_row_count(whole, source, outcome)
        reached = rows_reached(blocks, source)
        if whole.matrix is not None and len(reached):
            if subject.together:
                check_prefixes(subject, whole, source, allowed, names, outcome, progress)
                continue
            bad = check_contexts(subject, whole, source, reached, allowed, names, effort, outcome, progress)
            turn_false(blocks, source, bad)
    varied, twin = _rows_to_vary(subject, served.get(0), blocks), subject.helper
    if twin is not None and varied is not None:
        twin.begin(VARIED, varied.tolist())
    check_predictions(subject, blocks, served, effort, outcome, progress)
    if not outcome.failings:
        check_learned(subject, outcome)
    if varied is not None and not outcome.failings:
        told = None if twin is None else twin.answer()
        if told is not None and told.get("equal"):
            outcome.checks += [(name, passed, detail) for name, passed, detail in told["checks"]]
            outcome.max_error = max(outcome.max_error, told["error"])
        else:
            check_variants(subject, subject.raw.iloc[varied], names, allowed, outcome)
    if not outcome.failings and subject.is_in_fit and fit_ended is not None:
        held = held_in_fit(subject, fit_ended)
        if held is None:
            return replay(subject, feature_names, level, progress)
        outcome.passed(NAME, f"{held.rows} rows, in the fit")
        outcome.passed(AT_EDGES, f"{held.edges} rows, in the fit")
    elif not outcome.failings and is_compiled(subject):
        check_edges(subject, outcome, progress)
    outcome.rows = sum(block.matrix.rows for block in blocks)
    outcome.rows_equal = int(sum(block.equal.sum() for block in blocks))
    outcome.matched_by = sorted({block.match.by for block in blocks if block.match is not None})
    return outcome


def _rows_to_vary(subject: Subject, first: Served | None, blocks: list[Block]) -> Any:
    """Positions of raw rows that reached the model; None where the package serves none of them."""
    if first is None or first.matrix is None:
        return None
    reached = np.arange(len(first.frame)) if subject.together else first.rows[rows_reached(blocks, 0)]
    return rows_to_vary(subject, first.frame, reached)


def _names(reference: Matrix, feature_names: list[str]) -> tuple[str, ...]:
    if not reference.named and len(feature_names) == reference.width:
        return tuple(feature_names)
    return reference.names


def _check_row_count(whole: Served, source: int, outcome: Outcome) -> None:
    """A request may be refused with a reason, but the feature code may not drop or add rows of it."""
    if isinstance(whole.fault, RuntimeError) and "rows of" in str(whole.fault):
        left_out = np.setdiff1d(np.arange(len(whole.frame)), whole.rows)
        row = int(left_out[0]) if len(left_out) else -1
        failing = Failing("serve", source, row, "(rows)", None, None, described(whole.fault), None, whole.fault)
        outcome.failed("as many rows out as in", failing)


def _check_blocks(
    blocks: list[Block],
    served: dict[int, Served],
    reference: Matrix,
    names: tuple[str, ...],
    fit_equal: Any,
    outcome: Outcome,
) -> None:
    for number, block in enumerate(blocks):
        asked = "score" if block.call.method == "score" else "predict"
        name = "serving the training rows" if number == 0 else f"serving the rows of {asked} {number}"
        whole = served.get(block.source)
        if whole is None or whole.matrix is None or block.match is None:
            error = whole.fault if whole is not None else None
            text = described(error) if error is not None else "the package serves none of the raw rows"
            row = _first_bad(whole)
            outcome.failed(name, Failing("alone", block.source, row, "(row)", None, None, text, None, error))
            continue
        comparison = block.match.comparison
        unserved = None if number == 0 or comparison.equal else _unserved_of_this_length(block, served)
        if unserved is not None:
            source, error = unserved
            row = _first_bad(served[source])
            outcome.failed(name, Failing("alone", source, row, "(row)", None, None, described(error), None, error))
            block.equal[:] = False
            continue
        outcome.max_error = max(outcome.max_error, comparison.max_error)
        kinds = (
            structural_fault(reference.take([0]), whole.matrix.take([0]), strict=True) if whole.matrix.rows else None
        )
        if comparison.structure or kinds is not None:
            text, _, column = (
                (comparison.structure, 0, comparison.name) if comparison.structure else kinds or ("", 0, "")
            )
            row = int(whole.rows[0]) if len(whole.rows) else -1
            outcome.failed(name, Failing("serve", block.source, row, column or "(columns)", None, None, text))
            block.equal[:] = False
            continue
        if comparison.equal:
            near = f", within {block.within:.1e} of fit_transform's" if block.within else ""
            outcome.passed(name, f"{block.matrix.rows} rows, matched by {block.match.by}{near}")
        elif not _is_resampled(block, number, fit_equal, outcome):
            outcome.failed(name, _block_failing(block, whole, names))
        if number == 0 and len(fit_equal) == len(block.equal):
            block.equal &= fit_equal


def _unserved_of_this_length(block: Block, served: dict[int, Served]) -> tuple[int, BaseException] | None:
    """The raw frame that the package takes no row of and that has as many as a captured matrix: the matrix is its."""
    for number, each in served.items():
        if each.matrix is None and each.fault is not None and len(each.frame) == block.matrix.rows:
            return number, each.fault
    return None


def _first_bad(whole: Served | None) -> int:
    if whole is None:
        return -1
    bad = np.setdiff1d(np.arange(len(whole.frame)), whole.rows)
    return int(bad[0]) if len(bad) else -1


def _is_resampled(block: Block, number: int, fit_equal: Any, outcome: Outcome) -> bool:
    """Training rows that resampling made up have no raw row; the training matrix was compared with them in place."""
    assert block.match is not None
    made_up = block.match.positions < 0
    longer = number == 0 and block.match.by == "value" and bool(fit_equal.all())
    wrong_found = bool((block.match.comparison.unequal & ~made_up).any())
    if not longer or wrong_found or not (block.matrix.index is None or _is_renumbered(block.matrix.index)):
        return False
    if made_up.all() or made_up.sum() >= block.matrix.rows / 2:
        return False
    block.equal |= made_up
    outcome.observed = True
    outcome.passed("rows made by resampling", f"{int(made_up.sum())} training rows stand for no raw row")
    return True


def _is_renumbered(index: Any) -> bool:
    return bool((np.asarray(index) == np.arange(len(index))).all()) if index.dtype.kind in "iu" else False


def _block_failing(block: Block, whole: Served, names: tuple[str, ...]) -> Failing:
    assert block.match is not None
    assert whole.matrix is not None
    comparison = block.match.comparison
    at = int(np.flatnonzero(comparison.unequal)[0])
    guess = int(block.match.guess[at])
    column = int(comparison.first[at])
    if len(whole.rows) < len(whole.frame) and block.match.positions[at] < 0 and whole.fault is not None:
        row = _first_bad(whole)
        return Failing("alone", block.source, row, "(row)", None, None, described(whole.fault), None, whole.fault)
    row = int(whole.rows[guess])
    if column < 0:
        return Failing("serve", block.source, row, "(row)", None, None, "more captured rows than the package serves")
    wanted, got = block.matrix.value(at, column), whole.matrix.value(guess, column)
    return Failing("serve", block.source, row, names[column], wanted, got)
