"""The compiled form of a fitted package: written where it answers as the package's own code does, and held to that."""

from __future__ import annotations

import ast
import importlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Callable

import numpy as np

from .captured import Served
from .compare import SLACK
from .compiler.compiling import (
    CHANCES,
    Compiled,
    Proof,
    chances_unlike,
    compiled,
    first_unequal,
    is_equal,
    is_same_answer,
    proven,
    tolerance_of,
    tools_of,
)
from .edges import BASES, AtEdge, at_edges, constants_of
from .matrix import matrix_of, plain
from .outcome import Failing, Outcome
from .sampling import BESIDE_COMPILED, IN_FIT, Effort, stratified
from .subject import Subject
from .thresholds import at_thresholds, estimator_answers, model_alone, on_boundaries

Progress = Callable[[str, int, int], None]

NAME = "one row without pandas"
AT_EDGES = f"{NAME}, at the edges"
ANSWER = "(prediction)"
MOST_ROWS = 20_000
"""Rows of one table that the compiled form answers in a proof."""

MOST_ASKED = 2_000
"""The same where the model itself is asked for each row."""

CHUNK = 512
MOST_VECTORS = 4_000
"""Rows from which vectors at the thresholds of a model are made."""

MOST_ODD = 0.5
"""The share of rows that may be left to the package's own code; with more of them nothing is won."""


def write_rows(
    subject: Subject, pipeline: Any, progress: Progress, begin: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Compile a saved pipeline, hold it against its own code, and keep it in `state/row.py` where the two are equal.

    Gives what is compiled, and of what is not the reason with its line in features.py. `begin` is called when all is
    saved, but for a compiled form that is held against all rows, which takes its time.
    """
    found = compiled(pipeline)
    files: dict[str, str] = {}
    told = {
        "features": len(pipeline.features.output_names_),
        "compiled": len(found.features),
        "left": [{"name": name, "reason": each.reason, "line": each.line} for name, each in found.lost.items()],
        "model": found.model,
        "rows": 0,
        "of_rows": 0,
        "edges": 0,
        "differs": None,
        "written": False,
    }
    if found.text:
        begin()
        tools = tools_of(pipeline)
        module = tools.bound(tools.module_of(found.text, found.tables), pipeline.model, pipeline.features.answer)
        differs = _difference(module, found, subject, pipeline, told, progress)
        if differs is not None and differs.startswith(CHANCES):
            found = compiled(pipeline, chances=False)
            module = tools.bound(tools.module_of(found.text, found.tables), pipeline.model, pipeline.features.answer)
            told.update(rows=0, of_rows=0)
            differs = _difference(module, found, subject, pipeline, told, progress)
        told["differs"] = differs
        told["written"] = told["differs"] is None
        if told["written"]:
            files = {tools.FILE: found.text, tools.EXAMPLE: json.dumps(_example(module, pipeline), indent=2) + "\n"}
            if found.tables:
                files[tools.TABLES_FILE] = json.dumps(found.tables) + "\n"
    pipeline.keep(files, one_row=told)
    if not found.text:
        begin()
    return told


def _difference(
    module: Any, found: Compiled, subject: Subject, pipeline: Any, told: dict[str, Any], progress: Progress
) -> str | None:
    """How the compiled form parts from the package's own code on the captured rows and at the edges, if it does."""
    observing = _observing_of(pipeline)
    frames = subject.captures.frames
    for number, frame in enumerate(frames):
        progress(NAME, number, len(frames) + 1)
        rows = frame.iloc[stratified(frame, np.arange(len(frame)), most_rows(module))]
        proof = _on_rows(module, found, pipeline, observing.records_of(rows), rows)
        if not proof.rows:
            rows = without_gaps(rows, pipeline.features.required_columns())
            proof = _on_rows(module, found, pipeline, observing.records_of(rows), rows)
        told["rows"] += proof.rows - proof.odd
        told["of_rows"] += proof.rows
        if proof.wrong is not None:
            return f"{proof.wrong[1]} of row {rows.index[proof.wrong[0]]} of table {number} is another"
        if proof.odd > MOST_ODD * proof.rows:
            return f"{proof.odd} of {proof.rows} rows are left ({proof.raised})"
    progress(NAME, len(frames), len(frames) + 1)
    told["edges"], apart = apart_at_edges(module, found.text, pipeline, subject.raw)
    return None if apart is None else f"{CHANCES}: {apart.text}" if apart.name == CHANCES else apart.text


@dataclass(frozen=True)
class Apart:
    """Where the compiled form parts from the package's own code on a made-up row: the feature, and both values."""

    name: str
    made: Any
    wanted: Any
    at: str

    @property
    def text(self) -> str:
        what = "" if self.name == ANSWER else f" for {self.name}"
        return f"{self.at} gives {self.made!r}{what}, not {self.wanted!r}"


def apart_at_edges(module: Any, text: str, pipeline: Any, raw: Any) -> tuple[int, Apart | None]:
    """How many made-up rows were asked for, and the first that the compiled form of `text` answers otherwise.

    Rows have fields at the edge; vectors that the model gets stand on its thresholds and beside them.
    """
    records_of = _observing_of(pipeline).records_of
    places = np.linspace(0, len(raw) - 1, min(BASES, len(raw)), dtype=int)
    tree = ast.parse(text)
    made = at_edges(pipeline.contract.columns, records_of(raw.iloc[places]), constants_of(tree))
    apart = _apart_on_records(module, pipeline, made)
    if apart is not None:
        return len(made), apart
    rows = raw.iloc[stratified(raw, np.arange(len(raw)), MOST_VECTORS)]
    given = vars(module).get("vector") or module.features
    vectors = [vector for vector in (_answer(given, record) for record in records_of(rows)) if vector is not REFUSED]
    moved = [
        *at_thresholds(module, tree, vectors),
        *on_boundaries(tools_of(pipeline).last_of(pipeline.model), vectors),
    ]
    return len(made) + len(moved), _apart_on_vectors(module, text, pipeline, moved)


def _apart_on_records(module: Any, pipeline: Any, made: Sequence[AtEdge]) -> Apart | None:
    """The first record whose features, answer or probabilities are not those of the package's own code."""
    answers = [_answer(module.predict, each.record) for each in made]
    answered = [(each, answer) for each, answer in zip(made, answers) if answer is not REFUSED]
    chances_of = getattr(module, "probabilities", None)
    own = _own_answers(_asking_for_all(module, pipeline), [each.record for each, _ in answered])
    for (each, answer), expected in zip(answered, own):
        if expected is REFUSED:
            return Apart(ANSWER, answer, expected, each.place)
        features, wanted, chances = expected
        unequal = first_unequal(pipeline.features.output_names_, module.features(each.record), features, is_near)
        if unequal is None:
            unequal = _answers_apart(module, (answer, wanted), (chances_of, chances), each.record)
        if unequal is not None:
            return Apart(*unequal, each.place)
    return None


def _asking_for_all(module: Any, pipeline: Any) -> Callable[[Any], list[Any]]:
    """What gives the package's own features, answers and probabilities (None: not asked for) of records together."""
    schema = importlib.import_module(f"{_package_of(pipeline)}.schema")

    def ask(records: list[dict[str, Any]]) -> list[Any]:
        frame = schema.frame_of(records, pipeline.features.schema_, pipeline.features.required_columns())
        columns = [_with_none(column) for column in matrix_of(pipeline.features.model_input(frame)).dense_columns()]
        chances = pipeline.predict_proba(frame).tolist() if hasattr(module, "probabilities") else repeat(None)
        return list(zip(zip(*columns), pipeline.predict(frame).tolist(), chances))

    return ask


def _apart_on_vectors(module: Any, text: str, pipeline: Any, vectors: Sequence[Any]) -> Apart | None:
    """The first vector for which the compiled model answers otherwise than the last estimator does."""
    tools = tools_of(pipeline)
    estimator = tools.last_of(pipeline.model)
    ask, chances_of = model_alone(module, text)
    if not vectors or ask is None or not tools.can_be_asked(estimator, len(vectors[0])):
        return None
    for vector, (wanted, chances) in zip(vectors, estimator_answers(estimator, vectors)):
        answer = _answer(ask, vector)
        if answer is REFUSED:
            continue
        unequal = _answers_apart(module, (answer, wanted), (chances_of, chances), vector)
        if unequal is not None:
            return Apart(*unequal, f"the model at {list(vector)}")
    return None


def _answers_apart(
    module: Any, answers: tuple[Any, Any], chances: tuple[Callable[[Any], Any] | None, Any], given: Any
) -> tuple[str, Any, Any] | None:
    """Where one of two answers is another, or what gives probabilities (None: nothing does) gives others than those."""
    if not is_same_answer(*answers, tolerance_of(module)):
        return (ANSWER, *answers)
    chances_of, wanted = chances
    unlike = None if chances_of is None else chances_unlike(chances_of(given), wanted, tolerance_of(module))
    return None if unlike is None else (CHANCES, *unlike)


def is_near(one: Any, other: Any) -> bool:
    """Whether a feature is the same number but for a few units in the last place, or missing in both."""
    if is_equal(one, other):
        return True
    if not (isinstance(one, float) and isinstance(other, float)):
        return False
    return abs(one - other) <= SLACK * sys.float_info.epsilon * max(abs(one), abs(other))


def check_edges(subject: Subject, outcome: Outcome, progress: Progress) -> None:
    """The compiled form of a package, held against its own code on made-up rows as the fit has done it."""
    pipeline = subject.served
    progress(AT_EDGES, 0, 1)
    text = (subject.folder / "state" / tools_of(pipeline).FILE).read_text(encoding="utf-8")
    count, apart = apart_at_edges(pipeline.rows, text, pipeline, subject.raw)
    if apart is None:
        outcome.passed(AT_EDGES, f"{count} rows")
        return
    values = plain(apart.wanted), plain(apart.made)
    outcome.failed(AT_EDGES, Failing("compiled", 0, -1, apart.name, *values, apart.text))


def _example(module: Any, pipeline: Any) -> dict[str, Any] | None:
    """The training row that a package keeps for its dtypes as a record, with the answer; None where it has none."""
    record = pipeline.example()
    answer = _answer(module.predict, record)
    return None if answer is REFUSED else {"record": record, "answer": answer}


def without_gaps(rows: Any, columns: Sequence[Any]) -> Any:
    """The rows that miss none of the columns: training may drop the others, as its code can't take them."""
    return rows[rows[[each for each in columns if each in rows.columns]].notna().all(axis=1)]


def _on_rows(module: Any, found: Compiled, pipeline: Any, records: Sequence[Any], frame: Any) -> Proof:
    """Rows of a table that the notebook read; none of them where the package's own code does not take them all."""
    try:
        matrix, answers = pipeline.features.model_input(frame), pipeline.predict(frame).tolist()
        chances = pipeline.predict_proba(frame).tolist() if hasattr(module, "probabilities") else None
    except Exception:  # noqa: BLE001 - whatever is raised, they are no rows to be held against
        return Proof(0, 0)
    return proven(module, found.features, records, matrix, answers, chances)


class _Refused:
    def __repr__(self) -> str:
        return "a refusal"


REFUSED = _Refused()


def _own_answers(ask: Callable[[Any], Any], records: list[dict[str, Any]]) -> Iterator[Any]:
    """What the package's own code answers: together where it takes them all, else half by half."""
    answers = _answer(ask, records) if records else []
    if answers is not REFUSED:
        yield from answers
    elif len(records) == 1:
        yield REFUSED
    else:
        yield from _own_answers(ask, records[: len(records) // 2])
        yield from _own_answers(ask, records[len(records) // 2 :])


def _answer(ask: Callable[[Any], Any], given: Any) -> Any:
    try:
        return ask(given)
    except Exception:  # noqa: BLE001 - whatever is raised is no answer
        return REFUSED


def most_rows(module: Any) -> int:
    """How many rows of one table the compiled form answers in a proof."""
    return MOST_ASKED if getattr(module, "asked", False) else MOST_ROWS


def is_compiled(subject: Subject) -> bool:
    """Whether the package under test answers one row without pandas; one that was exported earlier never does.

    While its fit still goes on it does not, whether or not that has written the whole state by now.
    """
    return not subject.is_in_fit and getattr(subject.served, "rows", None) is not None


def beside_compiled(subject: Subject, effort: Effort) -> Effort:
    """What pandas serves alone: all that is asked for where there is no compiled form, else a sample."""
    if subject.is_in_fit:
        return IN_FIT
    return BESIDE_COMPILED if is_compiled(subject) else effort


@dataclass(frozen=True)
class Held:
    """How many rows the compiled form answered, and the positions of those that it left to the package's own code.

    `wrong` are those that it answered otherwise than the package does for all rows together, `failing` is the first.
    """

    answered: int
    left: list[int]
    wrong: list[int]
    failing: Failing | None = None


def hold_features(subject: Subject, whole: Served, source: int, positions: Any, names: Sequence[str]) -> Held:
    """The features of rows (positions among those that can be served), one at a time, against those of the whole."""
    assert whole.matrix is not None
    rows = whole.frame.iloc[whole.rows]
    left: list[int] = []
    wrong: list[int] = []
    failing: Failing | None = None
    for part, records in _chunks(subject.served, rows, positions):
        columns = [_with_none(column) for column in whole.matrix.take(part).dense_columns()]
        for at, record in enumerate(records):
            made = _answer(subject.served.rows.features, record)
            if made is REFUSED:
                left.append(part[at])
                continue
            unequal = first_unequal(names, made, (column[at] for column in columns))
            if unequal is not None:
                wrong.append(part[at])
                name, value, wanted = unequal
                row = int(whole.rows[part[at]])
                failing = failing or Failing("compiled", source, row, name, plain(wanted), plain(value), NAME)
    return Held(len(positions) - len(left), left, wrong, failing)


def hold_predictions(subject: Subject, source: int, positions: Any, expected: Callable[[int], Any]) -> Held:
    """The predictions for rows of a raw frame, one at a time, against `expected` of each position."""
    left: list[int] = []
    for part, records in _chunks(subject.served, subject.captures.frames[source], positions):
        for row, record in zip(part.tolist(), records):
            answer = _answer(subject.served.rows.predict, record)
            if answer is REFUSED:
                left.append(row)
            elif not is_same_answer(plain(answer), plain(expected(row)), tolerance_of(subject.served.rows)):
                answers = plain(expected(row)), plain(answer)
                return Held(0, left, [row], Failing("compiled", source, row, "(prediction)", *answers, NAME))
    return Held(len(positions) - len(left), left, [])


def hold_chances(subject: Subject, source: int, positions: Any) -> Held:
    """The probabilities of classes for rows of a raw frame, one at a time, against the package's for all of them."""
    left: list[int] = []
    for part, records in _chunks(subject.served, subject.captures.frames[source], positions):
        together = subject.served.predict_proba(subject.captures.frames[source].iloc[part]).tolist()
        for row, record, wanted in zip(part.tolist(), records, together):
            made = _answer(subject.served.rows.probabilities, record)
            if made is REFUSED:
                left.append(row)
                continue
            unlike = chances_unlike(made, wanted, tolerance_of(subject.served.rows))
            if unlike is not None:
                values = plain(unlike[1]), plain(unlike[0])
                return Held(0, left, [row], Failing("compiled", source, row, CHANCES, *values, NAME))
    return Held(len(positions) - len(left), left, [])


def _chunks(pipeline: Any, frame: Any, positions: Any) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """Positions part by part, with the records of these rows."""
    observing = _observing_of(pipeline)
    for start in range(0, len(positions), CHUNK):
        part = positions[start : start + CHUNK]
        yield part, observing.records_of(frame.iloc[part])


def _with_none(column: Any) -> list[Any]:
    """The values of a column, None where they are missing."""
    return [None if gone else value for value, gone in zip(column.values.tolist(), column.missing)]


def _observing_of(pipeline: Any) -> Any:
    """The package's module that makes records of rows."""
    return importlib.import_module(f"{_package_of(pipeline)}.observing")


def _package_of(pipeline: Any) -> str:
    return type(pipeline).__module__.rpartition(".")[0]
