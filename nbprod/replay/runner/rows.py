"""The compiled form of a fitted package: written where it answers as the package's own code does, and held to that."""

from __future__ import annotations

import importlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

from .captured import Served
from .compiler.compiling import (
    CHANCES,
    Compiled,
    Proof,
    compiled,
    first_unequal,
    is_same_answer,
    proven,
    tolerance_of,
    tools_of,
)
from .matrix import plain
from .outcome import Failing
from .sampling import SEED, stratified
from .subject import Subject

Progress = Callable[[str, int, int], None]

NAME = "one row without pandas"
MOST_ROWS = 20_000
"""Rows of one table that the compiled form answers in a proof."""

MOST_ASKED = 2_000
"""The same where the model itself is asked for each row."""

CHUNK = 512
BASES = 6
"""Training rows whose fields are changed to values at the edge: one at a time, then several at once."""

MIXED = 400
"""Rows with several fields at the edge."""

MOST_ODD = 0.5
"""The share of rows that may be left to the package's own code; with more of them nothing is won."""

NUMBERS = (0, 0.0, -0.0, 1, -1, 0.5, 1e-9, 1e9, 2**31, 2**53 + 1, 1e16, 1e300, -1e300, float("inf"), float("nan"))
TEXTS = ("", " ", "nan", "None", "0", "never seen", "ÄÖ ß", "a\nb", "'", "{0}", "\x00", "\ud800")
ODD: tuple[Any, ...] = (None, True, [], {}, "x", 3, 2.5)
"""Values of other types, and none: what the package refuses may not be answered."""


def write_rows(subject: Subject, pipeline: Any, progress: Progress) -> dict[str, Any]:
    """Compile a saved pipeline, hold it against its own code, and keep it in `state/row.py` where the two are equal.

    Gives what is compiled, and of what is not the reason with its line in features.py.
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
        tools = tools_of(pipeline.features)
        module = tools.bound(tools.module_of(found.text, found.tables), pipeline.model, type(pipeline.features).answer)
        differs = _difference(module, found, subject, pipeline, told, progress)
        if differs is not None and differs.startswith(CHANCES):
            found = compiled(pipeline, chances=False)
            module = tools.bound(
                tools.module_of(found.text, found.tables), pipeline.model, type(pipeline.features).answer
            )
            told.update(rows=0, of_rows=0)
            differs = _difference(module, found, subject, pipeline, told, progress)
        told["differs"] = differs
        told["written"] = told["differs"] is None
        if told["written"]:
            files = {tools.FILE: found.text, tools.EXAMPLE: json.dumps(_example(module, pipeline), indent=2) + "\n"}
            if found.tables:
                files[tools.TABLES_FILE] = json.dumps(found.tables) + "\n"
    pipeline.keep(files, one_row=told)
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
        told["rows"] += proof.rows - proof.odd
        told["of_rows"] += proof.rows
        if proof.wrong is not None:
            return f"{proof.wrong[1]} of row {rows.index[proof.wrong[0]]} of table {number} is another"
        if proof.odd > MOST_ODD * proof.rows:
            return f"{proof.odd} of {proof.rows} rows are left ({proof.raised})"
    progress(NAME, len(frames), len(frames) + 1)
    places = np.linspace(0, len(subject.raw) - 1, min(BASES, len(subject.raw)), dtype=int)
    records = at_edges(pipeline.contract.columns, observing.records_of(subject.raw.iloc[places]))
    told["edges"] = len(records)
    answers = [_answer(module.predict, each.record) for each in records]
    answered = [(each, answer) for each, answer in zip(records, answers) if answer is not REFUSED]
    for (each, answer), expected in zip(answered, _own_answers(pipeline, [each.record for each, _ in answered])):
        if not is_same_answer(answer, expected, tolerance_of(module)):
            return f"a row with {each.changed} gives {answer!r}, not {expected!r}"
    return None


def _example(module: Any, pipeline: Any) -> dict[str, Any] | None:
    """The training row that a package keeps for its dtypes as a record, with the answer; None where it has none."""
    record = pipeline.example()
    answer = _answer(module.predict, record)
    return None if answer is REFUSED else {"record": record, "answer": answer}


def _on_rows(module: Any, found: Compiled, pipeline: Any, records: Sequence[Any], frame: Any) -> Proof:
    """All rows of a table that the notebook read; none of a table that the package's own code does not take."""
    try:
        matrix, answers = pipeline.features.model_input(frame), pipeline.predict(frame).tolist()
        chances = pipeline.predict_proba(frame).tolist() if hasattr(module, "probabilities") else None
    except Exception:  # noqa: BLE001 - training may drop rows that its code can't take
        return Proof(0, 0)
    return proven(module, found.features, records, matrix, answers, chances)


@dataclass(frozen=True)
class AtEdge:
    """An ordinary record with some of its fields changed."""

    ordinary: dict[str, Any]
    changed: dict[str, Any]

    @property
    def record(self) -> dict[str, Any]:
        return {**self.ordinary, **self.changed}


def at_edges(columns: Sequence[Any], records: Sequence[dict[str, Any]]) -> list[AtEdge]:
    """Records with one field at an edge, then with several: of a contract's columns, and of ordinary records."""
    choices = {column.name: _edges(column) for column in columns if column.required}
    made = [
        AtEdge(records[at % len(records)], {name: value})
        for name, values in choices.items()
        for at, value in enumerate(values)
    ]
    drawn = random.Random(SEED)
    for _ in range(MIXED if len(choices) > 1 else 0):
        names = drawn.sample(list(choices), drawn.randint(2, min(4, len(choices))))
        made.append(AtEdge(drawn.choice(records), {name: drawn.choice(choices[name]) for name in names}))
    return made


def _edges(column: Any) -> list[Any]:
    known = [column.min, column.max, *(column.categories or ())[:3]]
    return [*(TEXTS if column.kind == "text" else NUMBERS), *ODD, *(each for each in known if each is not None)]


class _Refused:
    def __repr__(self) -> str:
        return "a refusal"


REFUSED = _Refused()


def _own_answers(pipeline: Any, records: list[dict[str, Any]]) -> Iterator[Any]:
    """What the package's own code answers: together where it takes them all, else half by half."""
    answers = _answer(pipeline.predict_together, records) if records else []
    if answers is not REFUSED:
        yield from answers
    elif len(records) == 1:
        yield REFUSED
    else:
        yield from _own_answers(pipeline, records[: len(records) // 2])
        yield from _own_answers(pipeline, records[len(records) // 2 :])


def _answer(ask: Callable[[Any], Any], given: Any) -> Any:
    try:
        return ask(given)
    except Exception:  # noqa: BLE001 - whatever is raised is no answer
        return REFUSED


def most_rows(module: Any) -> int:
    """How many rows of one table the compiled form answers in a proof."""
    return MOST_ASKED if getattr(module, "asked", False) else MOST_ROWS


def is_compiled(subject: Subject) -> bool:
    """Whether the package under test answers one row without pandas; one that was exported earlier never does."""
    return getattr(subject.served, "rows", None) is not None


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
        columns = [
            [None if gone else value for value, gone in zip(column.values.tolist(), column.missing)]
            for column in whole.matrix.take(part).dense_columns()
        ]
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


def _chunks(pipeline: Any, frame: Any, positions: Any) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """Positions part by part, with the records of these rows."""
    observing = _observing_of(pipeline)
    for start in range(0, len(positions), CHUNK):
        part = positions[start : start + CHUNK]
        yield part, observing.records_of(frame.iloc[part])


def _observing_of(pipeline: Any) -> Any:
    """The package's module that makes records of rows."""
    return importlib.import_module(f"{type(pipeline.features).__module__.rpartition('.')[0]}.observing")
