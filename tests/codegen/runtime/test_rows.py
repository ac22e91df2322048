"""How a compiled row reads its fields, and when a pipeline answers with it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

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
