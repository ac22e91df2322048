"""A fitted version served without pandas: what it answers, leaves to the whole pipeline, and imports."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbprod.codegen.runtime.contract import Column, Contract
from nbprod.codegen.runtime.light import Light
from nbprod.codegen.runtime.state import StateError
from tests.codegen.runtime.sample import assemble, frame
from tests.replay.test_replay import NOTEBOOK, Ran, run_in, table

ASKED = """
import importlib, json, sys
import churn
service = churn.service()
heavy = lambda: sorted({"pandas", "sklearn", "scipy"} & sys.modules.keys())
service.hold()
records = json.load(sys.stdin)
told = {"kind": type(service).__name__, "example": service.example(), "answers": [], "after": []}
importlib.import_module("churn.v0001.runtime.serve")
for record in records:
    try:
        predictions, flags = service.answer([record])
        told["answers"].append([predictions, [flag.kind for flag in flags]])
    except ValueError as error:
        told["answers"].append([fault.kind for fault in error.faults])
    told["after"].append(heavy())
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run_in(tmp_path_factory.mktemp("churn"), NOTEBOOK)


def asked(root: Path, records: list[dict[str, Any]]) -> dict[str, Any]:
    """What a service answers in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", ASKED], cwd=root, input=json.dumps(records), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_ordinary_records_take_no_pandas_and_others_what_they_take(ran: Ran) -> None:
    usual = {"age": 40.0, "spend": 20.5, "visits": 3, "plan": "pro", "city": "Bern"}
    refused, flagged, odd = usual | {"visits": "3"}, usual | {"spend": 1e6}, usual | {"spend": 1e15 * 8}

    told = asked(ran.root, [usual, refused, flagged, odd, usual])

    assert told["kind"] == "Light"
    assert set(told["example"]) == set(table().columns)
    assert told["after"] == [[], [], [], *[["pandas", "scipy", "sklearn"]] * 2]
    first, no_number, outside, far, last = told["answers"]
    assert first == last
    assert first[1] == []
    assert no_number == ["type"]
    assert outside[1] == far[1] == ["range"]


def test_a_version_without_compiled_rows_is_served_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assemble(tmp_path, "cottages")
    monkeypatch.syspath_prepend(str(tmp_path))
    package = __import__("cottages")
    package.train(frame()).save()

    assert type(package.service()).__name__ == "Pipeline"
    assert type(package.service("champion")).__name__ == "Pipeline"


@pytest.mark.parametrize(
    "file, old, new, said",
    [
        pytest.param("row.py", "\n\n\n", "\n", "state/row.py of v0001 was changed", id="the rows"),
        pytest.param("example.json", "Bern", "Chur", "state/example.json of v0001", id="the example"),
    ],
)
def test_what_does_not_belong_is_not_served(ran: Ran, file: str, old: str, new: str, said: str, tmp_path: Path) -> None:
    shutil.copytree(ran.root, tmp_path / "pipelines")
    path = tmp_path / "pipelines/churn/v0001/state" / file
    path.write_text(path.read_text().replace(old, new))

    done = subprocess.run(
        [sys.executable, "-c", "import churn; churn.service().hold()"],
        cwd=tmp_path / "pipelines", capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert said in done.stderr


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from([2**40, 10**400, -(2**70)]),
    st.floats(-5, 5), st.sampled_from([float("nan"), float("inf"), 1e300, 3.0]),
    st.sampled_from(["a", "b", "", "é", "\ud800", "2020-01-01", "1 days"]), st.just([]), st.just({}),
)  # fmt: skip
COLUMNS = st.builds(
    Column,
    name=st.just("x"),
    required=st.booleans(),
    kind=st.sampled_from(["integer", "number", "boolean", "text", "category", "datetime", "duration", "any"]),
    nullable=st.booleans(),
    filled=st.booleans(),
    categories=st.sampled_from([None, ("a", "b"), (1, 2), (True,)]),
)


@given(column=COLUMNS, value=VALUES, bounds=st.sampled_from([(None, None), (-2, 3), (0.5, 4.0)]))
def test_a_value_is_let_through_where_nothing_is_wrong_with_it(column: Column, value: Any, bounds: Any) -> None:
    ranged = column.kind in ("integer", "number") and bounds[0] is not None
    column = replace(column, min=bounds[0], max=bounds[1]) if ranged else column
    contract = Contract(columns=(column,))

    expected = contract.faults_of(0, column, value) if column.required else []

    assert contract.validate([{"x": value}]) == expected


@pytest.mark.parametrize(
    "now, then, is_ready",
    [
        pytest.param("yes", "yes", True, id="the same class"),
        pytest.param("yes", "no", False, id="another class"),
        pytest.param(0.1 + 0.2, 0.3, True, id="the last bits of a number"),
        pytest.param(0.3001, 0.3, False, id="another number"),
        pytest.param(None, 0.3, False, id="a row that is left"),
    ],
)
def test_the_example_is_answered_as_then(now: Any, then: Any, is_ready: bool, tmp_path: Path) -> None:
    rows = ModuleType("row")
    vars(rows)["predict"] = lambda record: record["x"] if now is None else now
    service = Light(tmp_path, Contract(), rows, {"record": {}, "answer": then})

    if is_ready:
        service.hold()
    else:
        with pytest.raises(StateError, match="no longer answers its example"):
            service.hold()


def doubting(when: str, **contract: Any) -> Light:
    """A service whose probability of the second class is what the record says."""
    rows = ModuleType("row")
    own = {
        "predict": lambda record: int(record["x"] > 0.5),
        "probabilities": lambda record: (1 - record["x"], record["x"]),
    }
    vars(rows).update(own)
    stated = Contract(columns=(Column("x", kind="number"),), unsure=(0.4, 0.6), when_unsure=when, **contract)
    return Light(Path(), stated, rows, {})


@pytest.mark.parametrize(
    "when, x, answer, kinds",
    [
        pytest.param("flag", 0.9, 1, [], id="sure"),
        pytest.param("flag", 0.55, 1, ["unsure"], id="unsure, marked"),
        pytest.param("flag", 0.4, 0, ["unsure"], id="at the bound"),
        pytest.param("abstain", 0.55, None, ["unsure"], id="unsure, withheld"),
        pytest.param("abstain", 0.39, 0, [], id="sure, given"),
    ],
)
def test_an_answer_that_the_model_is_not_sure_of(when: str, x: float, answer: Any, kinds: list[str]) -> None:
    predictions, flags = doubting(when).answer([{"x": x}])

    assert predictions == [answer]
    assert [(flag.kind, flag.severity) for flag in flags] == [(kind, "flag") for kind in kinds]


def test_of_several_classes_the_likeliest_counts() -> None:
    contract = Contract(unsure=(0.0, 0.5))

    assert [fault.row for fault in contract.doubts([(0.6, 0.2, 0.2), (0.4, 0.3, 0.3), (0.1, 0.5, 0.4)])] == [1, 2]


def test_the_whole_pipeline_gives_the_same_probabilities_and_doubts(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ran.root))
    for name in [name for name in sys.modules if name.partition(".")[0] == "churn"]:
        monkeypatch.delitem(sys.modules, name)
    package = __import__("churn")
    service, whole = package.service(), package.load()
    records = json.loads(table().drop(columns="left").head(40).to_json(orient="records"))
    chances = service.probabilities(records)
    whole.rows = None
    ordered = sorted({each[1] for each in chances})
    # between two answers, since the last bits of one are not the same in both forms
    low, high = ((ordered[at] + ordered[at + 1]) / 2 for at in (9, 30))
    for one in (service, whole):
        one.contract = replace(one.contract, unsure=(low, high), when_unsure="abstain")

    assert [pytest.approx(each, abs=1e-12) for each in chances] == whole.probabilities(records)
    (light, flags), (own, others) = service.answer(records), whole.answer(records)
    judged, marked = whole.judge(table().drop(columns="left").head(40))
    assert light == own == judged.tolist()
    assert light.count(None) == 21
    assert flags == others == marked
    assert service._whole is None
