"""Served rows, counted in the bins of a baseline: by value, by type, and of several processes together."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbprod.codegen.runtime.sketch import NOTHING, Sketch, merge

NUMBER = {"kind": "number", "edges": [0, 1, 5, 10], "counts": [3, 4, 5], "below": 0, "above": 0, "total": 60}
BASELINE: dict[str, Any] = {
    "schema": 1,
    "rows": 12,
    "columns": [
        {"name": "amount", **NUMBER, "missing": 0, "other": 0},
        {"name": "plan", "kind": "choice", "values": ["free", "pro"], "counts": [7, 5], "missing": 0, "other": 0},
        {"name": "active", "kind": "choice", "values": [False, True], "counts": [6, 6], "missing": 0, "other": 0},
        {"name": "note", "kind": "text", "counts": [12], "empty": 0, "missing": 0, "other": 0},
        {"name": "since", **NUMBER, "kind": "date", "edges": [738000, 738100, 738200], "counts": [6, 6], "missing": 0}
        | {"other": 0},
        {"name": "blob", "kind": "any", "counts": [12], "missing": 0, "other": 0},
    ],
    "prediction": {
        "name": "prediction",
        "kind": "choice",
        "values": [0, 1],
        "counts": [6, 6],
        "missing": 0,
        "other": 0,
    },
}
AT = {column["name"]: place for place, column in enumerate(BASELINE["columns"])}


def counted(name: str, value: Any) -> dict[str, Any]:
    """What a single value of a column changes."""
    sketch = Sketch(BASELINE)
    sketch.add({name: value})
    column = sketch.counts()["columns"][AT[name]]
    return {key: each for key, each in column.items() if each and key not in ("name", "kind", "edges", "values")}


@pytest.mark.parametrize(
    "name, value, change",
    [
        pytest.param("amount", 0, {"counts": [1, 0, 0]}, id="the lowest number lies in the first bin"),
        pytest.param(
            "amount", 1.0, {"counts": [0, 1, 0], "total": 1.0}, id="an edge belongs to the bin that it begins"
        ),
        pytest.param("amount", 10, {"counts": [0, 0, 1], "total": 10}, id="the highest number lies in the last bin"),
        pytest.param("amount", -1, {"below": 1, "counts": [0, 0, 0], "total": -1.0}, id="a number below the range"),
        pytest.param("amount", 11, {"above": 1, "counts": [0, 0, 0], "total": 11.0}, id="a number above the range"),
        pytest.param("amount", math.inf, {"above": 1, "counts": [0, 0, 0]}, id="infinity adds nothing to the sum"),
        pytest.param("amount", 10**400, {"above": 1, "counts": [0, 0, 0]}, id="a whole number beyond all floats"),
        pytest.param("amount", math.nan, {"missing": 1, "counts": [0, 0, 0]}, id="NaN is missing"),
        pytest.param("amount", None, {"missing": 1, "counts": [0, 0, 0]}, id="null is missing"),
        pytest.param("amount", "7", {"other": 1, "counts": [0, 0, 0]}, id="text among numbers"),
        pytest.param("amount", True, {"other": 1, "counts": [0, 0, 0]}, id="a boolean is no number"),
        pytest.param("plan", "pro", {"counts": [0, 1]}, id="a category of training"),
        pytest.param("plan", "gold", {"other": 1, "counts": [0, 0]}, id="a category that training did not have"),
        pytest.param("plan", ["pro"], {"other": 1, "counts": [0, 0]}, id="a list where a category should be"),
        pytest.param("plan", None, {"missing": 1, "counts": [0, 0]}, id="no category"),
        pytest.param("active", True, {"counts": [0, 1]}, id="true"),
        pytest.param("note", "x", {"counts": [1]}, id="text"),
        pytest.param("note", "", {"empty": 1, "counts": [0]}, id="empty text"),
        pytest.param("note", 3, {"other": 1, "counts": [0]}, id="a number where text should be"),
        pytest.param(
            "since",
            "2021-07-29T10:00:00Z",
            {"counts": [1, 0], "total": 738000},
            id="a date counts by its day",
        ),
        pytest.param("since", "1999-01-01", {"below": 1, "counts": [0, 0], "total": 729755.0}, id="a date before all"),
        pytest.param("since", "soon", {"other": 1, "counts": [0, 0]}, id="text that is no date"),
        pytest.param("since", 12, {"other": 1, "counts": [0, 0]}, id="a number that is no date"),
        pytest.param("blob", {"a": 1}, {"counts": [1]}, id="anything"),
    ],
)
def test_a_value_is_counted_where_it_belongs(name: str, value: Any, change: dict[str, Any]) -> None:
    assert counted(name, value) == change


def test_an_absent_field_is_missing_and_no_answer_is_counted_nowhere() -> None:
    sketch = Sketch(BASELINE)
    for answer in (1, None, "maybe", [0], NOTHING):
        sketch.add({}, answer)

    told = sketch.counts()
    assert told["rows"] == 5
    assert {column["missing"] for column in told["columns"]} == {5}
    assert (told["prediction"]["counts"], told["prediction"]["missing"], told["prediction"]["other"]) == ([0, 1], 1, 2)


VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from(["pro", "free"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=3,
)
RECORDS = st.lists(st.tuples(st.dictionaries(st.sampled_from([*AT, "extra"]), VALUES), VALUES), max_size=8)


@given(RECORDS, RECORDS)
def test_each_row_counts_once_in_each_column_whatever_it_holds(first: Any, second: Any) -> None:
    sketches = Sketch(BASELINE), Sketch(BASELINE), Sketch(BASELINE)
    for record, answer in first:
        sketches[0].add(record, answer)
        sketches[2].add(record, answer)
    for record, answer in second:
        sketches[1].add(record, answer)
        sketches[2].add(record, answer)

    whole = sketches[2].counts()
    parts = ("missing", "other", "below", "above", "empty")
    for column in (*whole["columns"], whole["prediction"]):
        assert sum(column["counts"]) + sum(column.get(part, 0) for part in parts) == len(first) + len(second)
    merged = merge(sketches[0].counts(), sketches[1].counts())
    without_sums = [{**column, "total": None} for column in whole["columns"]]
    assert [{**column, "total": None} for column in merged["columns"]] == without_sums
    assert merged["prediction"] == whole["prediction"]


def test_counting_goes_on_from_what_was_written_as_json() -> None:
    sketch = Sketch(BASELINE)
    sketch.add({"amount": 3, "plan": "pro", "note": ""}, 1)
    again = Sketch.resumed(json.loads(json.dumps(sketch.counts())))
    for each in (sketch, again):
        each.add({"amount": 99, "plan": "gold"}, 0)

    assert again.counts() == sketch.counts()
    assert again.counts()["rows"] == 2


def test_counts_of_other_bins_are_not_added_up() -> None:
    other = {**BASELINE, "columns": [{**BASELINE["columns"][0], "edges": [0, 2, 5, 10]}, *BASELINE["columns"][1:]]}
    with pytest.raises(ValueError, match="edges of 'amount' differs"):
        merge(Sketch(BASELINE).counts(), Sketch(other).counts())


def test_it_needs_the_standard_library_alone() -> None:
    code = (
        "import runpy, sys; runpy.run_path(sys.argv[1]); print(sorted({'numpy', 'pandas', 'sklearn'} & {*sys.modules}))"
    )
    path = sys.modules[Sketch.__module__].__file__
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
