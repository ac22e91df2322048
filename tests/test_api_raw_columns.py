"""What is known of raw columns: what training saw, and what is declared in its place."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec import to_builtins

from nbprod.api.fitted_state import _of_missing, _of_unseen
from nbprod.api.gates.case import Case
from nbprod.api.gates.contract import compatible
from nbprod.api.raw_columns import raw_columns
from nbprod.model.run import Version

SEEN = {"name": "age", "kind": "number", "dtype": "float64", "nullable": True, "min": 1.0, "max": 80.0, "missing": 0.2}
SCHEMA = {"rows": 9, "columns": [SEEN, {"name": "city", "kind": "text", "categories": ["a", "b"]}]}
LEDGER = {"schema": 1, "name": "sales", "history": {}}
ASKED = {"policy": "flag", "columns": [{"name": "age", "required": True}, {"name": "city", "required": True}]}


def contract(**age: Any) -> dict[str, Any]:
    return {**ASKED, "stated": {"age": age}} if age else dict(ASKED)


@pytest.mark.parametrize(
    "age, told",
    [
        pytest.param({}, {}, id="nothing is declared"),
        pytest.param({"max": 120}, {"min": 1.0, "max": 120}, id="a bound"),
        pytest.param({"on_missing": "reject"}, {"on_missing": "reject"}, id="a policy"),
    ],
)
def test_what_is_declared_stands_in_the_place_of_what_was_seen(age: dict[str, Any], told: dict[str, Any]) -> None:
    found = raw_columns(contract(**age), SCHEMA)

    assert {key: found["age"][key] for key in told} == told
    assert {key: found["age"][key] for key in SEEN if key not in told} == {
        key: value for key, value in SEEN.items() if key not in told
    }
    assert found["city"] == SCHEMA["columns"][1]  # type: ignore[index]


def test_of_a_version_that_was_not_fitted_nothing_is_known() -> None:
    assert raw_columns(contract(max=9), {}) == {}


@pytest.mark.parametrize(
    "age, missing, unseen",
    [
        pytest.param(
            {}, "as in training, where 20.0 %", "outside of 1.0 to 80.0: predicted and flagged", id="as training"
        ),
        pytest.param(
            {"max": 120, "on_unseen": "reject"}, "as in", "outside of 1.0 to 120: refused", id="another range"
        ),
        pytest.param({"on_missing": "reject"}, "refused, as is declared", "predicted and flagged", id="no gap"),
    ],
)
def test_people_are_told_what_serving_does(age: dict[str, Any], missing: str, unseen: str) -> None:
    column = raw_columns(contract(**age), SCHEMA)["age"]

    assert missing in _of_missing(column, "flag")
    assert unseen in str(_of_unseen(column, "flag"))


@pytest.mark.parametrize(
    "age, outcome, told",
    [
        pytest.param({"max": 60}, "passed", "flagged from now on: age from 1.0 to 60", id="flagged"),
        pytest.param({"max": 60, "on_unseen": "reject"}, "failed", "age from 1.0 to 60", id="refused"),
        pytest.param({"on_missing": "reject"}, "failed", "age may not be missing any more", id="no gap"),
        pytest.param({"max": 90, "on_unseen": "reject"}, "passed", "takes what version 1 takes", id="a wider range"),
    ],
)
def test_a_narrower_contract_stops_a_promotion_where_it_refuses(
    tmp_path: Path, age: dict[str, Any], outcome: str, told: str
) -> None:
    for number, stated in ((1, contract()), (2, contract(**age))):
        folder = tmp_path / "sales" / f"v{number:04d}"
        (folder / "state").mkdir(parents=True)
        (folder / "contract.json").write_text(json.dumps(stated))
        (folder / "state" / "schema.json").write_text(json.dumps(SCHEMA))
    before, now = (Version(number, "d", "2026-01-01", "a.ipynb", None, "") for number in (1, 2))
    (tmp_path / "sales" / "versions.json").write_text(
        json.dumps(LEDGER | {"versions": [to_builtins(before), to_builtins(now)]})
    )
    target = SimpleNamespace(root=tmp_path, name="sales")
    case = cast(Case, SimpleNamespace(target=target, candidate=now, champion=before))

    gate = compatible(case)

    assert (gate.outcome, told in gate.reason) == (outcome, True), gate
