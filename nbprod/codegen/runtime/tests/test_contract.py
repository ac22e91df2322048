"""The contract takes what training saw and refuses what it says it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.fixture(scope="module")
def contract(pipeline: Any) -> Any:
    return pipeline.contract


@pytest.fixture(scope="module")
def records(package: Any, contract: Any, golden: Any) -> Any:
    known = {column.name for column in contract.columns if column.required or column.name != contract.target}
    return [
        {name: value for name, value in record.items() if name in known}
        for record in package("observing").records_of(golden["rows"])
    ]


def test_the_target_is_not_asked_for_but_of_the_rows_before(contract: Any) -> None:
    assert contract.target not in contract.required or contract.serves == "batch"


def test_training_rows_are_taken_as_json(contract: Any, records: Any) -> None:
    faults = contract.validate(json.loads(json.dumps(records)))
    assert [fault for fault in faults if fault.severity == "error"] == []


def test_a_missing_required_field_is_refused(contract: Any, records: Any) -> None:
    for name in contract.required:
        record = {key: value for key, value in records[0].items() if key != name}
        assert [(fault.field, fault.kind) for fault in contract.validate([record])] == [(name, "missing")]


def test_a_missing_value_is_refused_where_nothing_fills_it(contract: Any, records: Any) -> None:
    for column in contract.columns:
        if column.required and not column.nullable:
            faults = contract.validate([{**records[0], column.name: None}])
            assert [(fault.kind, fault.severity) for fault in faults if fault.field == column.name] == [
                ("null", "error")
            ]


def test_a_value_of_a_wrong_type_is_refused(contract: Any, records: Any) -> None:
    for name in contract.required:
        faults = contract.validate([{**records[0], name: {"not": "a value"}}])
        assert (name, "type", "error") in [(fault.field, fault.kind, fault.severity) for fault in faults]


def test_an_unknown_field_is_named(contract: Any, records: Any) -> None:
    faults = contract.validate([{**records[0], "a field that nobody knows": 1}])
    assert ("a field that nobody knows", "extra") in [(fault.field, fault.kind) for fault in faults]
