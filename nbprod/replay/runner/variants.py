"""Changes of a request that may not matter: further columns, their order, the index, whole numbers as floats."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pandas as pd

from .compare import compare
from .matrix import Matrix, matrix_of, plain
from .outcome import Failing, Outcome, described
from .rounding import with_reason
from .sampling import stratified
from .subject import Subject

ROWS = 50
SINGLE_RECORDS = 20
VARIED = "variants"
"""The task of a twin that checks variants."""


def rows_to_vary(subject: Subject, frame: Any, positions: Any) -> Any:
    """Some of the positions of a raw frame whose rows can be served; where only whole batches are, the first ones."""
    return np.asarray(positions[:ROWS]) if subject.together else stratified(frame, positions, ROWS)


def vary(subject: Subject, positions: list[int]) -> dict[str, Any]:
    """The checks of `check_variants`, and whether all are passed; for another process."""
    reference = matrix_of(subject.captures.fit.X)
    outcome = Outcome()
    rows = subject.raw.iloc[positions]
    check_variants(subject, rows, reference.names, subject.allowed(reference), outcome)
    return {"equal": not outcome.failings, "checks": outcome.checks, "error": outcome.max_error}


def check_variants(subject: Subject, frame: Any, names: tuple[str, ...], allowed: Any, outcome: Outcome) -> None:
    """Each variant of the same raw rows must give the same matrix, and none may change what was learned."""
    state = state_digest(subject.served)
    try:
        reference = subject.serve(frame)
    except Exception as error:  # noqa: BLE001 - the package under test may raise anything; it is reported
        outcome.failed("a sample", _failing(subject, frame, "(row)", None, None, described(error), error))
        return
    targets = tuple(getattr(subject.served.features, "target_columns", ()) or ())
    variants: list[tuple[str, Callable[[Any], Any]]] = [
        ("an unknown column more", lambda rows: rows.assign(**{_unused(rows): "x"})),
        ("columns in another order", lambda rows: rows.iloc[:, ::-1]),
        ("whole numbers as floats", _floats),
        ("whole floats as integers", _integers),
        ("text as categories", _categories),
        ("another index", lambda rows: rows.set_axis([f"r{n}" for n in range(len(rows))], axis=0)),
        ("an index with repeated labels", lambda rows: rows.set_axis([0] * len(rows), axis=0)),
        ("the same rows again", lambda rows: rows),
    ]
    if targets and not subject.together:
        variants.insert(0, ("without the target", lambda rows: rows.drop(columns=list(targets), errors="ignore")))
    for name, change in variants:
        _check(subject, frame, change, reference, names, allowed, name, outcome)
    if not subject.together:
        _check_records(subject, frame, targets, outcome)
    after = state_digest(subject.served)
    if state is not None and state != after:
        text = "what was learned changed while rows were transformed"
        outcome.failed("learned state unchanged", _failing(subject, frame, "(state)", state, after, text))
    else:
        outcome.passed("learned state unchanged", state or "")


def state_digest(pipeline: Any) -> str | None:
    """SHA-256 over all files of the learned values; None where they can't be written."""
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory() as folder:
        try:
            pipeline.features.learned_.save(Path(folder))
        except (TypeError, AttributeError, OSError):
            return None
        for file in sorted(Path(folder).rglob("*")):
            if file.is_file() and file.suffix != ".skops":  # a zip file that holds the time of writing
                digest.update(file.name.encode("utf-8") + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _check(
    subject: Subject,
    frame: Any,
    change: Callable[[Any], Any],
    reference: Matrix,
    names: tuple[str, ...],
    allowed: Any,
    name: str,
    outcome: Outcome,
) -> None:
    changed = change(frame)
    try:
        made = subject.serve(changed)
    except Exception as error:  # noqa: BLE001 - the package under test may raise anything; it is reported
        outcome.failed(name, _failing(subject, frame, "(row)", None, None, described(error), error))
        return
    comparison = compare(reference, made, allowed)
    outcome.max_error = max(outcome.max_error, comparison.max_error)
    if comparison.equal:
        outcome.passed(name, f"{len(frame)} rows")
    elif comparison.structure:
        text = comparison.structure.replace("in the notebook", "before").replace("in the package", "then")
        outcome.failed(name, _failing(subject, frame, comparison.name or "(columns)", None, None, text))
    else:
        at = int(np.flatnonzero(comparison.unequal)[0])
        column = int(comparison.first[at])
        values = reference.value(at, column), made.value(at, column)
        outcome.failed(name, _failing(subject, frame.iloc[[at]], names[column], *values, name))


def _check_records(subject: Subject, frame: Any, targets: tuple[str, ...], outcome: Outcome) -> None:
    """`predict_one` on a JSON record gives what `predict` gives for the row."""
    ask = getattr(subject.served, "predict_one", None)
    if ask is None:
        return
    rows = frame.iloc[:SINGLE_RECORDS]
    try:
        expected = np.asarray(subject.served.predict(rows.copy()))
        expected = expected[:, 0] if expected.ndim == 2 and expected.shape[1] == 1 else expected
        for place in range(len(rows)):
            answer = ask(_json_record(rows, place, targets))
            wanted = plain(expected[place].tolist() if expected.ndim > 1 else expected[place])
            if not _is_same_answer(plain(answer), wanted):
                text = with_reason("one record gives another prediction than its row", subject)
                outcome.failed(
                    "one JSON record",
                    _failing(subject, rows.iloc[[place]], "(prediction)", wanted, plain(answer), text),
                )
                return
    except Exception as error:  # noqa: BLE001 - the package under test may raise anything; it is reported
        outcome.failed("one JSON record", _failing(subject, rows, "(row)", None, None, described(error), error))
        return
    outcome.passed("one JSON record", f"{len(rows)} records")


def _is_same_answer(answer: Any, wanted: Any) -> bool:
    """Whether two answers are the same, but for rounding; a model of several targets gives a list."""
    if isinstance(wanted, list) and isinstance(answer, list) and len(wanted) == len(answer):
        return all(_is_same_answer(one, other) for one, other in zip(answer, wanted))
    near = isinstance(wanted, float) and abs(float(answer) - wanted) <= 1e-12 * max(1.0, abs(wanted))
    return bool(answer == wanted or near)


def _json_record(rows: Any, place: int, targets: tuple[str, ...]) -> dict[str, Any]:
    return {
        str(name): plain(rows.iloc[place, column]) for column, name in enumerate(rows.columns) if name not in targets
    }


def _failing(
    subject: Subject,
    frame: Any,
    name: str,
    before: Any,
    after: Any,
    text: str,
    raised: BaseException | None = None,
) -> Failing:
    row = -1
    if len(frame) and subject.raw.index.is_unique:
        row = int(subject.raw.index.get_indexer([frame.index[0]])[0])
    return Failing("variant", 0, row, name, before, after, text, None, raised)


def _unused(frame: Any) -> str:
    name = "column_that_nobody_knows"
    while name in frame.columns:
        name += "_"
    return name


def _floats(frame: Any) -> Any:
    changed = frame.copy()
    for name in _by_dtype(frame, pd.api.types.is_integer_dtype):
        changed[name] = changed[name].astype("float64")
    return changed


def _integers(frame: Any) -> Any:
    changed = frame.copy()
    for name in _by_dtype(frame, pd.api.types.is_float_dtype):
        values = changed[name]
        if not values.isna().any() and bool((values == values.round()).all()) and bool((values.abs() < 2**53).all()):
            changed[name] = values.astype("int64")
    return changed


def _categories(frame: Any) -> Any:
    changed = frame.copy()
    for name in frame.columns[[not pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]]:
        if pd.api.types.infer_dtype(frame[name], skipna=True) == "string":
            changed[name] = changed[name].astype("category")
    return changed


def _by_dtype(frame: Any, wanted: Callable[[Any], bool]) -> list[Any]:
    if not frame.columns.is_unique:
        return []
    return [name for name, dtype in frame.dtypes.items() if wanted(dtype)]
