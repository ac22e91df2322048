"""How a compiled row reads its fields, and when a pipeline answers with it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from nbprod.codegen.runtime import rows
from tests.codegen.runtime.sample import assemble, frame

ODD = object()


@pytest.mark.parametrize(
    "read, value, given",
    [
        pytest.param(rows.number, 3, 3.0, id="a whole number for a number"),
        pytest.param(rows.number, None, "nan", id="no number"),
        pytest.param(rows.number, float("nan"), "nan", id="a number that is none"),
        pytest.param(rows.number, True, ODD, id="a truth for a number"),
        pytest.param(rows.number, "3", ODD, id="text for a number"),
        pytest.param(rows.number, float("inf"), ODD, id="infinity"),
        pytest.param(rows.number, 10**16, ODD, id="a whole number that floats don't tell from its neighbours"),
        pytest.param(rows.number_needed, None, ODD, id="no number where one is needed"),
        pytest.param(rows.integer_needed, 3.0, 3, id="a whole float for a whole number"),
        pytest.param(rows.integer_needed, 3.5, ODD, id="a fraction for a whole number"),
        pytest.param(rows.integer_needed, 2.0**40, ODD, id="a whole number of more than 32 bits"),
        pytest.param(rows.integer_needed, None, ODD, id="no whole number"),
        pytest.param(rows.parsed, "-12.50", -12.5, id="a number in a text"),
        pytest.param(rows.parsed, None, "nan", id="no text to read a number from"),
        pytest.param(rows.parsed, " ", ODD, id="a blank where a number has to be"),
        pytest.param(rows.parsed_or_missing, " ", "nan", id="a blank where a number may be"),
        pytest.param(rows.parsed_or_missing, "twelve", ODD, id="words for a number"),
        pytest.param(rows.parsed, "1_000", ODD, id="digits that Python alone reads"),
        pytest.param(rows.parsed, "0.1234567890123456", ODD, id="more digits than a float has"),
        pytest.param(rows.text, None, None, id="no text"),
        pytest.param(rows.text, "ÄÖ ß 😀", "ÄÖ ß 😀", id="text beyond ASCII"),
        pytest.param(rows.text, "a\ud800", ODD, id="half of a character"),
        pytest.param(rows.text, 3, ODD, id="a number for text"),
        pytest.param(rows.text_needed, None, ODD, id="no text where one is needed"),
        pytest.param(rows.boolean_needed, 1, ODD, id="a number for a truth"),
    ],
)
def test_reading_a_field(read: Callable[[Any], Any], value: Any, given: Any) -> None:
    if given is ODD:
        with pytest.raises(rows.OddRowError):
            read(value)
    elif given == "nan":
        assert read(value) != read(value)
    else:
        assert read(value) == given
        assert type(read(value)) is type(given)


@pytest.mark.parametrize(
    "call, given",
    [
        pytest.param(lambda: rows.category(3.0), 3, id="a category"),
        pytest.param(lambda: rows.category(float("nan")), None, id="no category"),
        pytest.param(lambda: rows.category(-2.0), -1, id="a number that can be no category"),
        pytest.param(lambda: rows.category(2.5), ODD, id="a category with decimals"),
        pytest.param(lambda: rows.category(float("inf")), ODD, id="an infinite category"),
        pytest.param(lambda: rows.decided(1e-7, 1e-6), ODD, id="a score within what rounding decides"),
        pytest.param(lambda: rows.decided(-1e-5, 1e-6), -1e-5, id="a score beyond it"),
        pytest.param(lambda: rows.clearly_largest((0.0, 1.0, 1.0 - 1e-7), 1e-6), ODD, id="two scores alike in 32 bits"),
        pytest.param(lambda: rows.summed((16777216.0, 1.0, 1.0)), 16777216.0, id="a sum that is rounded each time"),
        pytest.param(lambda: rows.single(0.1), 0.10000000149011612, id="a number in 32 bits"),
        pytest.param(lambda: rows.logistic_32(0.0), (0.5, 0.5), id="chances of two classes that are alike"),
        pytest.param(lambda: rows.logistic_32(-200.0)[0], 1.0, id="the chance of a class beyond what 32 bits hold"),
        pytest.param(lambda: rows.softmax_32((0.0, 0.0)), (0.5, 0.5), id="chances of scores that are alike"),
        pytest.param(lambda: rows.each_logistic((0.0, 0.0, 0.0)), (0.5, 0.5, 0.5), id="chances of each class alone"),
    ],
)
def test_what_the_text_of_a_model_calls(call: Callable[[], Any], given: Any) -> None:
    if given is ODD:
        with pytest.raises(rows.OddRowError):
            call()
    else:
        assert call() == given


NAN = float("nan")
PLAIN = [[0, 1.5, 1, 2], [None, 7.0], [1, 0.0, 3, 4], [None, 8.0], [None, 9.0]]
WITH_GAPS = [[0, 1.5, 1, 2, 1], [None, 7.0], [1, 0.0, 3, 4, 4], [None, 8.0], [None, 9.0]]
OF_CATEGORIES = [[0, [1, 3, None], 1, 2, 2], [None, 7.0], [1, 0.0, 3, 4, 4], [None, 8.0], [None, 9.0]]


@pytest.mark.parametrize(
    "walk, table, vector, value",
    [
        pytest.param(rows.walk, PLAIN, (1.5, 0.0), 7.0, id="at the threshold to the left"),
        pytest.param(rows.walk, PLAIN, (2.0, 0.0), 8.0, id="then to the left"),
        pytest.param(rows.walk, PLAIN, (NAN, NAN), 9.0, id="what is missing to the right"),
        pytest.param(rows.walk_missing, WITH_GAPS, (NAN, 5.0), 7.0, id="what is missing to where it is sent"),
        pytest.param(rows.walk_missing, WITH_GAPS, (2.0, NAN), 9.0, id="what is missing at the next node"),
        pytest.param(rows.walk_choices, OF_CATEGORIES, (3.0, 0.0), 7.0, id="a category of the left"),
        pytest.param(rows.walk_choices, OF_CATEGORIES, (2.0, 0.0), 8.0, id="a category of the right"),
        pytest.param(rows.walk_choices, OF_CATEGORIES, (NAN, 0.0), 7.0, id="no category among those of the left"),
    ],
)
def test_walking_the_table_of_a_tree(walk: Callable[[Any, Any], Any], table: Any, vector: Any, value: float) -> None:
    assert walk(rows.nested(table), vector) == value


def test_a_module_has_what_a_row_needs_and_no_file_is_no_module(tmp_path: Path) -> None:
    assert rows.load_rows(tmp_path) is None
    (tmp_path / rows.FILE).write_text("def predict(record):\n    return sqrt(number(record['a']))\n")

    module = rows.load_rows(tmp_path)

    assert module is not None
    assert module.predict({"a": 9}) == 3.0


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("homes")
    assemble(folder, "homes")
    sys.path.insert(0, str(folder))
    yield __import__("homes").train(frame())
    sys.path.remove(str(folder))


def test_a_model_of_one_target_in_a_table_answers_with_a_number_for_each_row(
    pipeline: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = pipeline.features.transform(frame())
    monkeypatch.setattr(pipeline, "model", LinearRegression().fit(matrix, np.arange(len(matrix))[:, None]))

    judged, _ = pipeline.judge(frame())

    assert pipeline.predict(frame()).shape == (len(matrix), 1)
    assert judged.shape == (len(matrix),)
    assert (
        pipeline.predict_one(record()) == pipeline.predict_together([record()])[0] == pipeline.answer([record()])[0][0]
    )
    assert isinstance(pipeline.predict_one(record()), float)


def record(**changed: Any) -> dict[str, Any]:
    """A row as a request has it."""
    ordinary = {"area": 100.0, "age": 10, "rooms": 4, "kind": "flat", "heating": "gas", "garden": True}
    return {**ordinary, "street": "street 1", "sold": "2020-05-01", **changed}


@pytest.fixture
def compiled(pipeline: Any) -> Iterator[Any]:
    """The pipeline with a form of its own that answers 7 for ordinary areas."""
    pipeline.rows = ModuleType("row")

    def predict(given: Any) -> float:
        if given["area"] > 1000:
            raise rows.OddRowError
        return 7.0

    pipeline.rows.predict = predict
    yield pipeline
    pipeline.rows = None


def test_one_row_and_a_few_are_answered_by_it(compiled: Any) -> None:
    assert compiled.predict_one(record()) == 7.0
    assert compiled.answer([record()] * 3)[0] == [7.0] * 3


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([record(), record(area=5000.0)], id="a row that it leaves"),
        pytest.param([record()] * 257, id="many rows"),
    ],
)
def test_what_the_packages_own_code_answers(records: list[dict[str, Any]], compiled: Any) -> None:
    answers, _ = compiled.answer(records)

    assert answers == compiled.predict_together(records)
    assert 7.0 not in answers


def test_rows_of_a_lookup_table_are_flagged_by_the_packages_own_code(
    compiled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "contract", replace(compiled.contract, lookups=({"name": "shops"},)))

    assert compiled.at_once([record()]) is None


def test_the_contract_is_held_before_it_is_asked(compiled: Any) -> None:
    with pytest.raises(ValueError, match=r"rooms \(row 0\): .four. is not a whole number"):
        compiled.answer([record(rooms="four")])


def test_what_is_flagged_stays_flagged(compiled: Any) -> None:
    answers, faults = compiled.answer([record(kind="castle")])

    assert (answers, [fault.kind for fault in faults]) == ([7.0], ["unseen"])


@pytest.mark.parametrize(
    "take, expected",
    [
        pytest.param(lambda row: row[0] + row[1], 42.5, id="by numbers"),
        pytest.param(lambda row: row.iloc[-1], 40, id="by iloc"),
        pytest.param(lambda row: list(iter(row)), [2.5, 40], id="one by one"),
        pytest.param(lambda row: row["age"], 2.5, id="by name all the same"),
        pytest.param(lambda row: row["other"], ODD, id="by a name that it does not have"),
        pytest.param(lambda row: row.mean(), ODD, id="a method of pandas"),
    ],
)
def test_the_values_of_a_row_by_their_places(take: Callable[[Any], Any], expected: Any) -> None:
    row = rows.PlacedRow({"age": 2.5, "fare": 40})

    if expected is ODD:
        with pytest.raises(rows.OddRowError):
            take(row)
    else:
        assert take(row) == expected
