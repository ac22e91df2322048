"""What is declared of single columns in the place of what training saw: in records, in tables, and by pandera."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from nbprod.codegen.runtime.contract import LARGEST, Contract
from nbprod.codegen.runtime.observing import outside, records_of
from tests.codegen.runtime.test_pandera_schema import by_contract, by_pandera

OBSERVED = {
    "rows": 9,
    "columns": [
        {"name": "age", "kind": "number", "dtype": "float64", "nullable": True, "min": 1.0, "max": 80.0},
        {"name": "rooms", "kind": "integer", "dtype": "int64", "nullable": False, "min": 1, "max": 9},
        {"name": "plan", "kind": "text", "dtype": "str", "nullable": False, "filled": True, "categories": ["a", "b"]},
        {"name": "empty", "kind": "number", "dtype": "float64", "nullable": True},
    ],
}
GOOD = {"age": 30.0, "rooms": 3, "plan": "a", "empty": None}


def contract(policy: str = "flag", **stated: dict[str, Any]) -> Contract:
    static = {"policy": policy, "columns": [{"name": each["name"]} for each in OBSERVED["columns"]]}  # type: ignore[attr-defined]
    return Contract.from_parts({**static, "stated": stated}, OBSERVED)


@pytest.mark.parametrize(
    "stated, value, policy, faults",
    [
        pytest.param({"age": {"max": 120}}, {"age": 100.0}, "flag", [], id="a wider range"),
        pytest.param(
            {"age": {"max": 120}}, {"age": 0.5}, "flag", [("range", "flag")], id="its other bound is training's"
        ),
        pytest.param({"age": {"max": 20}}, {"age": 30.0}, "flag", [("range", "flag")], id="a narrower range"),
        pytest.param(
            {"age": {"on_unseen": "reject"}}, {"age": 99.0}, "flag", [("range", "error")], id="refused outside"
        ),
        pytest.param({"age": {"on_unseen": "flag"}}, {"age": 99.0}, "reject", [("range", "flag")], id="marked outside"),
        pytest.param({"age": {"on_missing": "reject"}}, {"age": None}, "flag", [("null", "error")], id="refused gap"),
        pytest.param({"age": {"on_missing": "flag"}}, {"age": None}, "flag", [], id="training had gaps"),
        pytest.param(
            {"rooms": {"on_missing": "flag"}}, {"rooms": None}, "flag", [("null", "error")], id="no code fills it"
        ),
        pytest.param(
            {"plan": {"on_missing": "reject"}}, {"plan": None}, "flag", [("null", "error")], id="code fills it"
        ),
        pytest.param({"plan": {"on_missing": "flag"}}, {"plan": None}, "reject", [("null", "flag")], id="marked gap"),
        pytest.param({"plan": {"categories": ["a", "c"]}}, {"plan": "c"}, "flag", [], id="a further category"),
        pytest.param({"plan": {"categories": ["a", "c"]}}, {"plan": "b"}, "flag", [("unseen", "flag")], id="one fewer"),
        pytest.param({"plan": {"min": 0}}, {"plan": "z"}, "flag", [("unseen", "flag")], id="a text has no range"),
        pytest.param({"empty": {"min": 0}}, {"empty": -1.0}, "flag", [("range", "flag")], id="training saw no number"),
        pytest.param({"empty": {"min": 0}}, {"empty": LARGEST}, "flag", [], id="open above"),
        pytest.param({"gone": {"min": 0}}, {}, "flag", [], id="a column that there is not"),
    ],
)
def test_what_is_stated_stands_in_the_place_of_what_training_saw(
    stated: dict[str, Any], value: dict[str, Any], policy: str, faults: list[tuple[str, str]]
) -> None:
    known, record = contract(policy, **stated), {**GOOD, **value}
    assert [(each.kind, each.severity) for each in known.validate([record])] == faults

    told = [(each.kind, each.severity) for each in outside(known, pd.DataFrame([record]))]
    assert told == faults
    json.dumps(known.to_json(), allow_nan=False)


@pytest.mark.parametrize("policy", ["flag", "reject"])
def test_pandera_judges_by_it_as_well(policy: str) -> None:
    known = contract(
        policy,
        age={"max": 20, "on_missing": "reject", "on_unseen": "reject"},
        plan={"categories": ["a"], "on_missing": "flag", "on_unseen": "flag"},
    )
    rows = pd.DataFrame(
        {"age": [10.0, 30.0, None, 0.0], "rooms": [1, 2, 99, 3], "plan": ["a", "b", None, "a"], "empty": [1.0] * 4}
    )

    assert by_pandera(known, rows) == by_contract(known, rows, "error")
    assert by_contract(known, rows, "error") >= {(1, "age", "range"), (2, "age", "null"), (3, "age", "range")}
    assert len(records_of(rows)) == 4


@pytest.mark.parametrize(
    "stated, text",
    [
        ({"age": {"max": 20}}, "30.0 is outside of 1.0 to 20, as is declared"),
        ({"plan": {"categories": ["z"]}}, "'a' is none of those declared"),
    ],
)
def test_the_message_says_who_drew_the_line(stated: dict[str, Any], text: str) -> None:
    assert [each.message for each in contract(**stated).validate([GOOD])] == [text]
