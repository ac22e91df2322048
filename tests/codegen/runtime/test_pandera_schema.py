"""The contract as a schema of pandera, which judges each row as the contract itself does."""

from __future__ import annotations

import re
import sys
import warnings
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pandas as pd
import pandera
import pytest
from pandera.errors import SchemaErrors, SchemaWarning

from nbprod.codegen.runtime.contract import Column, Contract
from nbprod.codegen.runtime.observing import observe, records_of
from tests.codegen.runtime.sample import frame

COLUMNS = (
    Column("number", kind="number", dtype="float64", nullable=True, min=0.0, max=10.0),
    Column("whole", kind="integer", dtype="int64", nullable=False, min=1, max=9),
    Column("choice", kind="text", dtype="str", nullable=False, categories=("a", "b")),
    Column("free", kind="text", dtype="str", nullable=True),
    Column("truth", kind="boolean", dtype="bool", nullable=False, categories=(False, True)),
    Column("day", kind="datetime", nullable=True, min="2024-01-01T00:00:00", max="2024-12-31T00:00:00"),
    Column("filled", kind="number", dtype="float64", nullable=True, filled=True, min=0.0, max=1.0),
    Column("other", required=False, kind="text"),
    Column("target", required=False, kind="integer"),
)  # fmt: skip
GOOD = {
    "number": 5.0, "whole": 3, "choice": "a", "free": "x", "truth": True, "day": pd.Timestamp("2024-05-01"),
    "filled": 0.5,
}  # fmt: skip


def contract(policy: str = "flag", strict: bool = False) -> Contract:
    return Contract(name="barns", digest="abc", policy=policy, strict=strict, columns=COLUMNS, target="target")


def table(**columns: Any) -> pd.DataFrame:
    """Good rows, with such columns instead."""
    size = max((len(values) for values in columns.values()), default=2)
    return pd.DataFrame({**{name: [value] * size for name, value in GOOD.items()}, **columns})


def by_contract(known: Contract, rows: pd.DataFrame, severity: str) -> set[tuple[Any, str, str]]:
    """The faults by the contract: row (None where a column is missing or extra), field and kind."""
    faults = [fault for fault in known.validate(records_of(rows)) if fault.severity == severity]
    return {(None if fault.kind in ("missing", "extra") else fault.row, fault.field, fault.kind) for fault in faults}


KINDS = {"not_nullable": "null", "column_in_dataframe": "missing", "column_in_schema": "extra"}


def by_pandera(known: Contract, rows: pd.DataFrame) -> set[tuple[Any, str, str]]:
    """The same by the schema, for what it refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchemaWarning)
        try:
            known.pandera().validate(rows, lazy=True)
        except SchemaErrors as errors:
            found = set()
            for case in errors.failure_cases.to_dict("records"):
                kind = KINDS.get(case["check"], case["check"].partition(":")[0])
                at_all = kind in ("missing", "extra")
                field = case["failure_case"] if at_all else case["column"]
                found.add((None if at_all else case["index"], field, kind))
            return found
    return set()


FRAMES = [
    pytest.param(table(), id="good rows"),
    pytest.param(table(number=[1, 2]), id="whole numbers for numbers"),
    pytest.param(table(number=[None, 11.0, -0.1, 10.0]), id="a gap and numbers outside"),
    pytest.param(table(number=["x", 5.0, True, None]), id="text among numbers"),
    pytest.param(table(number=[float("inf"), 1.0]), id="infinity"),
    pytest.param(table(whole=[1, None, 9]), id="a gap where training had none"),
    pytest.param(table(whole=[1.5, 2.0, 10.0]), id="decimals for whole numbers"),
    pytest.param(table(whole=["1", 2, 2**70]), id="text and a huge number for whole numbers"),
    pytest.param(table(choice=["a", "c", "b", ""]), id="categories never seen"),
    pytest.param(table(choice=[1, None, "a"]), id="a number and a gap for text"),
    pytest.param(table(choice=pd.Categorical(["a", "c"])), id="a column of categories"),
    pytest.param(table(free=[None, "anything", 3, "x"]), id="free text"),
    pytest.param(table(truth=[1, "true", None, False]), id="truths that are none"),
    pytest.param(table(day=pd.to_datetime(["2023-12-31", "2024-02-29", None])), id="days outside"),
    pytest.param(table(day=["2024-02-30", "2024-02-29", "soon", 3]), id="days as text"),
    pytest.param(table(filled=[None, 0.5, 2.0]), id="a gap that the code fills"),
    pytest.param(table(other=[1, None], target=["x", None]), id="columns that reach no feature"),
    pytest.param(table(new=[1, 2]), id="a column too many"),
    pytest.param(table().drop(columns=["number", "day"]), id="two columns too few"),
    pytest.param(table(number=["x", 99], choice=[None, "c"], new=[1, 2]).drop(columns="free"), id="all at once"),
    pytest.param(table(number=[1.0, 99.0]).set_axis([7, 3]), id="labels of rows that are no places"),
]


@pytest.mark.parametrize("rows", FRAMES)
@pytest.mark.parametrize("policy", ["flag", "default", "reject"])
@pytest.mark.parametrize("strict", [False, True])
def test_each_row_is_judged_as_by_the_contract(rows: pd.DataFrame, policy: str, strict: bool) -> None:
    known = contract(policy, strict)
    labels = dict(enumerate(rows.index)) | {None: None}
    expected = {(labels[row], field, kind) for row, field, kind in by_contract(known, rows, "error")}

    assert by_pandera(known, rows) == expected


@pytest.mark.parametrize("rows", FRAMES)
def test_what_the_contract_marks_is_a_warning(rows: pd.DataFrame) -> None:
    known = contract("flag")
    marked = {(field, kind) for _, field, kind in by_contract(known, rows, "flag")}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with suppress(SchemaErrors):
            known.pandera().validate(rows, lazy=True)
    texts = [str(each.message) for each in told if each.category is SchemaWarning]
    kinds = {found[1] for text in texts if (found := re.search(r"\b(null|range|unseen|extra):", text))}

    assert kinds == {kind for _, kind in marked}


def test_the_rows_of_training_are_taken(sheds: Any) -> None:
    schema = sheds.package.load(1).contract.pandera()
    rows = frame().drop(columns="price")

    with warnings.catch_warnings():
        warnings.simplefilter("error", SchemaWarning)
        assert schema.validate(rows, lazy=True).equals(rows)
    with pytest.raises(SchemaErrors):
        schema.validate(rows.assign(heating=None), lazy=True)


def test_the_schema_tells_what_the_contract_knows() -> None:
    schema = contract().pandera()

    assert (schema.name, schema.metadata) == ("barns", {"digest": "abc", "policy": "flag"})
    assert schema.columns["whole"].metadata == {"dtype": "int64", "kind": "integer", "min": 1, "max": 9}
    ranges = [check for check in schema.columns["whole"].checks if check.name == "range"]
    assert [check.statistics for check in ranges] == [{"min": 1, "max": 9}]
    assert not schema.columns["target"].required


def test_what_is_observed_of_a_frame_is_held_against_it() -> None:
    rows = frame()
    known = Contract.from_parts({"name": "x", "policy": "reject", "open": True}, observe(rows))

    assert by_pandera(known, rows) == set()
    assert by_pandera(known, rows.assign(age=999)) == {(row, "age", "range") for row in range(len(rows))}


def test_a_pandera_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandera", None)

    with pytest.raises(ImportError, match=r"pip install pandera, or nbprod\[pandera\]"):
        contract().pandera()


def test_a_pandera_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pandera, "__version__", "0.19.3")

    with pytest.raises(ImportError, match=r"0\.24 or later, not 0\.19\.3"):
        replace(contract(), strict=True).pandera()
