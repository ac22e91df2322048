"""The proof: training matrix, serving whole, shuffled, in batches and row by row, predictions, harmless variants."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

from .compare import Comparison, compare, structural_fault, tolerance
from .matching import Match, match_rows
from .matrix import Matrix, matrix_of, plain
from .outcome import Failing, Outcome, described
from .sampling import SEED, stratified
from .subject import Call, Subject
from .variants import check_variants

Progress = Callable[[str, int, int], None]

BISECTIONS = 1000
EXACT_METHODS = ("predict", "predict_proba", "decision_function", "predict_log_proba", "transform", "score_samples")
SCORE_SLACK = 1e-12  # batch and single-row BLAS differ by less than this on unit scale (PARITY, decision)


@dataclass(frozen=True)
class Effort:
    """How many rows, batches and predictions are replayed one by one."""

    singles: int
    small_batches: int
    large_batches: int
    single_predictions: int


LEVELS = {"quick": Effort(300, 40, 20, 20), "full": Effort(3000, 430, 200, 100)}


@dataclass
class Block:
    """A captured matrix, found again among the raw rows; `equal` turns false row by row where a check fails.

    `within` is how far its rows may be from those of serving because `fit_transform` gave them; 0 for rounding alone.
    """

    call: Call
    matrix: Matrix
    source: int
    match: Match | None
    equal: Any
    within: float = 0.0


@dataclass
class Served:
    """What the package makes of one raw frame as a whole; `rows` are the positions it could make anything of."""

    frame: Any
    matrix: Matrix | None
    rows: Any
    fault: BaseException | None


def replay(subject: Subject, feature_names: list[str], level: str, progress: Progress) -> Outcome:
    """Run the whole protocol. Failings are in the order in which they explain each other best."""
    outcome = Outcome()
    effort = LEVELS[level]
    progress("training matrix", 0, 1)
    reference = matrix_of(subject.captures.fit.X)
    names = _names(reference, feature_names)
    fit_equal = _check_fit(subject, reference, names, outcome)
    try:
        subject.open_served()
    except Exception as error:  # noqa: BLE001 - the package under test may raise anything; it is reported
        failing = Failing("serve", 0, -1, "(state)", None, None, f"the fitted state: {described(error)}", None, error)
        outcome.failed("saved state loads", failing)
        outcome.rows = reference.rows
        return outcome
    allowed = tolerance(reference)
    own = _by_transform(subject, outcome)
    served: dict[int, Served] = {}
    blocks = _blocks(subject, served, allowed, progress, reference, own)
    _check_blocks(blocks, served, reference, names, fit_equal, outcome)
    for source, whole in served.items():
        _check_row_count(whole, source, outcome)
        reached = _reached(blocks, source)
        if whole.matrix is not None and len(reached):
            bad = _check_contexts(subject, whole, source, reached, allowed, names, effort, outcome, progress)
            _mark(blocks, source, bad)
    _check_predictions(subject, blocks, served, effort, outcome, progress)
    first = served.get(0)
    if first is not None and first.matrix is not None and not outcome.failings:
        check_variants(subject, first.frame.iloc[first.rows[_reached(blocks, 0)]], names, allowed, outcome)
    outcome.rows = sum(block.matrix.rows for block in blocks)
    outcome.rows_equal = int(sum(block.equal.sum() for block in blocks))
    outcome.matched_by = sorted({block.match.by for block in blocks if block.match is not None})
    return outcome


def _names(reference: Matrix, feature_names: list[str]) -> tuple[str, ...]:
    if not reference.named and len(feature_names) == reference.width:
        return tuple(feature_names)
    return reference.names


def _check_fit(subject: Subject, reference: Matrix, names: tuple[str, ...], outcome: Outcome) -> Any:
    """The package's training matrix and labels, position by position; returns which rows are equal."""
    nothing = np.zeros(reference.rows, dtype=bool)
    try:
        matrix, labels = subject.fit_rows()
        made = matrix_of(matrix)
    except Exception as error:  # noqa: BLE001 - the package under test may raise anything; it is reported
        failing = Failing("fit", 0, -1, "(training)", None, None, described(error), None, error)
        outcome.failed("training matrix", failing)
        return nothing
    comparison = compare(reference, made, tolerance(reference))
    outcome.max_error = max(outcome.max_error, comparison.max_error)
    if comparison.equal:
        outcome.passed("training matrix", f"{reference.rows} rows, {reference.width} columns")
    else:
        outcome.failed("training matrix", _fit_failing(subject, reference, made, comparison, names))
        if comparison.structure:
            return nothing
    y = subject.captures.fit.y
    if y is not None:
        wanted, got = matrix_of(y), matrix_of(labels if labels is not None else [])
        of_labels = compare(wanted, got, tolerance(wanted), strict=False)
        if of_labels.equal:
            outcome.passed("training labels", f"{wanted.rows} labels")
        else:
            outcome.failed(
                "training labels", _fit_failing(subject, wanted, got, of_labels, ("(labels)",) * wanted.width)
            )
            return ~comparison.unequal & ~of_labels.unequal if not of_labels.structure else nothing
    return ~comparison.unequal


def _fit_failing(
    subject: Subject, reference: Matrix, made: Matrix, comparison: Comparison, names: tuple[str, ...]
) -> Failing:
    if comparison.structure:
        row = -1
        name = comparison.name or ("(rows)" if reference.rows != made.rows else "(columns)")
        if reference.rows != made.rows and reference.index is not None and made.index is not None:
            apart = reference.index.symmetric_difference(made.index)
            row = _position(subject.raw.index, apart[0]) if len(apart) else -1
        if reference.names != made.names and comparison.name and reference.named:
            wanted: Any = comparison.name if comparison.name in reference.names else None
            return Failing("fit", 0, row, name, wanted, _other_name(made, comparison), comparison.structure)
        shape = [reference.rows, reference.width], [made.rows, made.width]
        return Failing("fit", 0, row, name, *shape, comparison.structure)
    at = int(np.flatnonzero(comparison.unequal)[0])
    column = int(comparison.first[at])
    row = _position(subject.raw.index, reference.index[at]) if reference.index is not None else -1
    if row < 0 and made.index is not None:
        row = _position(subject.raw.index, made.index[at])
    return Failing("fit", 0, row, names[column], reference.value(at, column), made.value(at, column))


def _other_name(made: Matrix, comparison: Comparison) -> Any:
    if comparison.name not in made.names:
        return None
    return made.names[comparison.column] if 0 <= comparison.column < made.width else comparison.name


def _position(index: Any, label: Any) -> int:
    return int(index.get_indexer([label])[0]) if index.is_unique else -1


def _by_transform(subject: Subject, outcome: Outcome) -> Matrix | None:
    """What serving has to give for the training rows, where that is not what the model was trained on; else None.

    A transformer may compute `fit_transform` in another way than `transform`: PCA before scikit-learn 1.5 rounds
    otherwise, a target encoder means to give other values. The training itself is compared with `fit_transform`.
    """
    if not subject.differing:
        return None
    outcome.observed = True
    names = ", ".join(f"{name} (by up to {apart:.1e})" for name, apart in subject.differing.items())
    outcome.passed("training rows as transform gives them", f"fit_transform and transform differ: {names}")
    return matrix_of(subject.fit_rows_by_transform())


def _blocks(
    subject: Subject,
    served: dict[int, Served],
    allowed: Any,
    progress: Progress,
    reference: Matrix,
    own: Matrix | None,
) -> list[Block]:
    """Each distinct captured matrix with the raw frame that explains most of its rows.

    `own` stands in place of `reference`, the training matrix, where serving has to give something else for its rows.
    """
    blocks: list[Block] = []
    calls = [subject.captures.fit, *subject.captures.predicts]
    for number, call in enumerate(calls):
        progress("serving the captured rows", number, len(calls))
        if call.X is None:
            continue
        matrix = matrix_of(call.X)
        matrix = own if own is not None and _same(matrix, reference) else matrix
        if any(_same(matrix, block.matrix) for block in blocks):
            continue
        best, within = _best_match(subject, served, call, matrix, allowed), 0.0
        if number and subject.differing and not (best is not None and best[1].comparison.equal):
            within = max(subject.differing.values())
            near = _best_match(subject, served, call, matrix, _widened(matrix, allowed, within))
            best, within = (near, within) if near is not None and near[1].comparison.equal else (best, 0.0)
        equal = np.zeros(matrix.rows, dtype=bool) if best is None else ~best[1].comparison.unequal[: matrix.rows]
        if best is not None and best[1].comparison.structure:
            equal = np.zeros(matrix.rows, dtype=bool)
        blocks.append(Block(call, matrix, best[0] if best else 0, best[1] if best else None, equal, within))
    return blocks


def _best_match(
    subject: Subject, served: dict[int, Served], call: Call, matrix: Matrix, allowed: Any
) -> tuple[int, Match] | None:
    """The raw frame whose rows explain most of a captured matrix, by number, and how."""
    labels = matrix.index if matrix.index is not None else _label_index(call)
    best: tuple[int, Match] | None = None
    least = (True, 0)
    for source in range(len(subject.captures.frames)):
        whole = _serve_whole(subject, served, source)
        if whole.matrix is None:
            continue
        match = match_rows(matrix, whole.matrix, whole.frame.index[whole.rows], labels, allowed)
        unequal = int(match.comparison.unequal.sum())
        # Where no frame explains all, a row of the frame with just these labels is shown, and none of another.
        rank = unequal > 0 and (labels is None or not whole.frame.index.equals(labels)), unequal
        if best is None or rank < least:
            best, least = (source, match), rank
        if best[1].comparison.equal:
            break
    return best


def _widened(matrix: Matrix, allowed: Any, apart: float) -> Any:
    """What rows that were set aside may differ by, where the notebook has them from `fit_transform` on all rows.

    A transformer of which `fit_transform` and `transform` differ by `apart` gives such rows other values than serving
    can. That is only allowed where it is an error of computation, and no other value: a thousandth of the column's
    largest at most.
    """
    if matrix.sparse is not None:
        return allowed
    largest = np.zeros(matrix.width)
    for place, column in enumerate(matrix.columns):
        if column.kind.startswith("float"):
            largest[place] = np.abs(column.values[~column.missing]).max(initial=0.0)
    return np.where(apart <= largest * 1e-3, allowed + 2 * apart, allowed)


def _label_index(call: Call) -> Any:
    """An array has no labels; the labels that go with it may be a Series that has."""
    return (
        getattr(call.y, "index", None) if call.y is not None and not callable(getattr(call.y, "index", None)) else None
    )


def _check_row_count(whole: Served, source: int, outcome: Outcome) -> None:
    """A request may be refused with a reason, but the feature code may not drop or add rows of it."""
    if isinstance(whole.fault, RuntimeError) and "rows of" in str(whole.fault):
        left_out = np.setdiff1d(np.arange(len(whole.frame)), whole.rows)
        row = int(left_out[0]) if len(left_out) else -1
        failing = Failing("serve", source, row, "(rows)", None, None, described(whole.fault), None, whole.fault)
        outcome.failed("as many rows out as in", failing)


def _same(a: Matrix, b: Matrix) -> bool:
    if a.rows != b.rows or a.names != b.names or (a.index is None) != (b.index is None):
        return False
    if a.index is not None and not a.index.equals(b.index):
        return False
    return compare(a, b, np.zeros(a.width)).equal


def _serve_whole(subject: Subject, served: dict[int, Served], source: int) -> Served:
    if source not in served:
        served[source] = _made(subject, subject.captures.frames[source])
    return served[source]


def _made(subject: Subject, frame: Any) -> Served:
    """The frame as one request; rows that the package can't take (training may have dropped them) are left out."""
    everything = np.arange(len(frame))
    try:
        matrix = subject.serve(frame)
    except Exception as error:  # noqa: BLE001 - the package under test may raise anything; it is reported
        good = _servable(subject, frame)
        try:
            return Served(frame, subject.serve(frame.iloc[good]) if len(good) else None, good, error)
        except Exception as again:  # noqa: BLE001 - as above
            return Served(frame, None, everything[:0], again)
    if matrix.rows != len(frame):
        fault = RuntimeError(f"{len(frame)} rows in, {matrix.rows} rows out")
        return Served(frame, None, everything[:0], fault)
    return Served(frame, matrix, everything, None)


def _servable(subject: Subject, frame: Any) -> Any:
    """Positions of the rows that do not make the package raise.

    Rows that training drops for what they lack raise alike: those with the same gaps are tried together, then halves,
    the largest part first.
    """
    good: list[Any] = []
    parts = [(-len(part), int(part[0]), part) for part in _by_gaps(frame)]
    heapq.heapify(parts)
    for _ in range(BISECTIONS + len(parts)):
        if not parts:
            break
        _, _, part = heapq.heappop(parts)
        try:
            subject.serve(frame.iloc[part])
            good.append(part)
        except Exception:  # noqa: BLE001 - that it raises is what is asked
            if len(part) > 1:
                for half in np.array_split(part, 2):
                    heapq.heappush(parts, (-len(half), int(half[0]), half))
    return np.sort(np.concatenate(good)) if good else np.arange(0)


def _by_gaps(frame: Any) -> list[Any]:
    """Positions of the rows by which of their columns are missing."""
    gaps = np.packbits(frame.isna().to_numpy(), axis=1)
    _, kinds = np.unique(gaps, axis=0, return_inverse=True)
    return [np.flatnonzero(kinds.ravel() == kind) for kind in range(int(kinds.max()) + 1)] if len(frame) else []


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


def _reached(blocks: list[Block], source: int) -> Any:
    """Raw positions that reached the model, in rows of the served matrix."""
    found = [b.match.positions[b.match.positions >= 0] for b in blocks if b.source == source and b.match is not None]
    return np.unique(np.concatenate(found)) if found else np.arange(0)


def _mark(blocks: list[Block], source: int, bad: Any) -> None:
    for block in blocks:
        if block.source == source and block.match is not None:
            block.equal &= ~np.isin(block.match.positions, bad)


def _check_contexts(
    subject: Subject,
    whole: Served,
    source: int,
    reached: Any,
    allowed: Any,
    names: tuple[str, ...],
    effort: Effort,
    outcome: Outcome,
    progress: Progress,
) -> Any:
    """The same rows shuffled, in batches and alone must be what they are as a whole; returns rows that are not."""
    assert whole.matrix is not None
    frame = whole.frame.iloc[whole.rows]
    count = len(frame)
    shuffled = np.random.default_rng(SEED).permutation(count)
    singles = stratified(frame, reached, effort.singles)
    plans: list[tuple[str, list[Any]]] = [
        ("shuffled", [shuffled]),
        ("batches of 7", _batches(reached, 7, effort.small_batches)),
        ("batches of 1000", _batches(reached, 1000, effort.large_batches)),
        ("one row at a time", [np.array([position]) for position in singles]),
    ]
    bad: list[int] = []
    for name, batches in plans:
        failing, wrong, error = _check_batches(subject, frame, whole, source, batches, allowed, names, name, progress)
        outcome.max_error = max(outcome.max_error, error)
        if failing is not None:
            outcome.failed(name, failing)
        else:
            outcome.passed(name, f"{sum(len(batch) for batch in batches)} rows")
        bad.extend(wrong)
    return np.unique(np.asarray(bad, dtype=np.intp))


def _batches(reached: Any, size: int, most: int) -> list[Any]:
    batches = [reached[start : start + size] for start in range(0, len(reached), size)]
    step = max(1, -(-len(batches) // most))
    return batches[::step]


def _check_batches(
    subject: Subject,
    frame: Any,
    whole: Served,
    source: int,
    batches: list[Any],
    allowed: Any,
    names: tuple[str, ...],
    name: str,
    progress: Progress,
) -> tuple[Failing | None, list[int], float]:
    assert whole.matrix is not None
    failing: Failing | None = None
    wrong: list[int] = []
    error = 0.0
    for number, batch in enumerate(batches):
        if number % 25 == 0:
            progress(name, number, len(batches))
        raws = whole.rows[batch]
        alone = len(batch) == 1
        try:
            made = subject.serve(frame.iloc[batch])
        except Exception as raised:  # noqa: BLE001 - the package under test may raise anything; it is reported
            text = described(raised)
            among = None if alone else raws
            failing = failing or Failing("alone", source, int(raws[0]), "(row)", None, None, text, among, raised)
            wrong.extend(batch.tolist())
            continue
        comparison = compare(whole.matrix.take(batch), made, allowed)
        error = max(error, comparison.max_error)
        if comparison.equal:
            continue
        wrong.extend(batch[comparison.unequal[: len(batch)]].tolist())
        at = int(np.flatnonzero(comparison.unequal)[0])
        column = int(comparison.first[at])
        if failing is None and comparison.structure:
            text = f"{name}: {_as_contexts(comparison.structure)}"
            failing = Failing("context", source, int(raws[0]), comparison.name or "(columns)", None, None, text, raws)
        elif failing is None:
            before, then = whole.matrix.value(int(batch[at]), column), made.value(at, column)
            failing = Failing("context", source, int(raws[at]), names[column], before, then, name, raws)
    return failing, wrong, error


def _as_contexts(structure: str) -> str:
    return structure.replace("in the notebook", "as a whole").replace("in the package", "in this batch")


def _check_predictions(
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
        block = next((block for block in blocks if _same(matrix, block.matrix)), None)
        whole = served.get(block.source) if block is not None else None
        if block is None or block.match is None or whole is None or wanted.rows != matrix.rows:
            outcome.failed(name, Failing("predict", 0, -1, "(prediction)", None, None, "its rows were not found"))
            continue
        known = np.flatnonzero(block.match.positions >= 0)
        rows = whole.rows[block.match.positions[known]]
        _compare_predictions(subject, call, wanted, known, rows, block.source, name, effort, outcome)


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
) -> None:
    frame = subject.captures.frames[source]
    try:
        made = matrix_of(subject.predict(call.method, frame.iloc[rows]))
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
    sample = stratified(frame, rows, effort.single_predictions)
    places = {int(row): place for place, row in enumerate(rows)}
    for row in sample:
        alone = matrix_of(subject.predict(call.method, frame.iloc[[row]]))
        one = compare(made.take([places[int(row)]]), alone, allowed)
        if not one.equal:
            answers = _answer(made, places[int(row)]), _answer(alone, 0)
            text = "the prediction of the row alone is another"
            failing = Failing("predict", source, int(row), "(prediction)", *answers, text=text)
            outcome.failed(f"{name}, one row at a time", failing)
            return
    outcome.passed(f"{name}, one row at a time", f"{len(sample)} rows")


def _score_tolerance(reference: Matrix) -> Any:
    """Classes and whole numbers exactly; scores within 1e-12 of the larger of one and the column's largest value."""
    allowed = tolerance(reference)
    for place, column in enumerate(reference.columns):
        if column.kind.startswith("float"):
            finite = column.values[np.isfinite(column.values)]
            largest = max(1.0, float(np.abs(finite).max())) if len(finite) else 1.0
            allowed[place] = max(SCORE_SLACK * largest, allowed[place] if column.kind != "float" else 0.0)
    return allowed


def _answer(matrix: Matrix, row: int) -> Any:
    values = [plain(matrix.value(row, column)) for column in range(matrix.width)]
    return values[0] if len(values) == 1 else values
