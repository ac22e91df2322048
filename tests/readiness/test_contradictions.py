"""What is declared, and what speaks against it: each case holds without the last thing known, and not with it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from nbprod.config import ColumnConfig, Data, Labels, Monitoring, Requirements, Retraining, Split, Success
from nbprod.model.finding import Verdict
from nbprod.model.notebook import Role
from nbprod.model.plan import Binding, Status
from nbprod.model.readiness import Evidence, State
from nbprod.readiness import judged
from nbprod.readiness.facts import DataFile, Export, Joined, ShownOtherwise
from tests.readiness.test_checks import (
    FITTED,
    PEOPLE,
    PROOF,
    VERSION,
    cells,
    evidence,
    facts,
    finding,
    plan,
    run,
    settings,
)

P, C, S, M, D = State.PROVED, State.CONTRADICTED, State.STALE, State.MISSING, State.DECLARED
RAN = {
    "runs_of_this": (run(),),
    "metrics": {"accuracy": 0.8125},
    "as_saved": run(),
    "metrics_as_saved": {"accuracy": 0.8125},
}
MOVED = {**FITTED, "verdict": Verdict.DIVERGES}
EDGES = {**FITTED, "one_row": {"written": True, "edges": 613}}
GUIDED = {
    **settings(owner="Ada", monitoring=Monitoring(runbook="r.md")),
    "people": PEOPLE,
    "manifest_texts": {"deploy/a/alerts.yml": "groups:\n  - rules:\n      - alert: PipelineSlow\n        expr: x > 1"},
}
AGE = {"Age": ColumnConfig(on_missing="reject")}
STATED = {"contract": {"columns": [1], "stated": {"Age": {"on_missing": "reject"}}}}


def tagged(features: Role, train: Role, guard: str = "") -> dict[str, Any]:
    """Two cells of these roles: the first makes a feature, the second trains."""
    both = cells("df['a'] = df['a'] + 1", "model.fit(df, y)")
    roles = (features, train)
    made = tuple(replace(cell, role=role) for cell, role in zip(both.cells, roles, strict=True))
    step = SimpleNamespace(cell=0, line=1, binding=Binding.ROW, guard=guard, status=Status.PROVEN)
    model = SimpleNamespace(steps=(), fit=SimpleNamespace(cell=1))
    whole = SimpleNamespace(steps=(step,), model=model, raw=SimpleNamespace(cell=0), around=(), inputs=())
    return {"notebook": replace(both, cells=made), "plan": whole}


def printed(text: str) -> dict[str, Any]:
    return {**RAN, "notebook": cells("print(accuracy)", outputs=text)}


def seen(item: str, held: bool | None, **numbers: Any) -> dict[str, dict[str, Evidence]]:
    return {"evidence": {item: replace(evidence(item, held)[item], numbers=numbers)}}


REFUSED = plan()
OF_TRAINING = plan()
OF_TRAINING.training_metrics = (("gain", 4),)
REFUSED.steps = (SimpleNamespace(cell=0, line=3, status=Status.REFUSED, binding=Binding.ROW, guard="refused"),)
FAILED = run("FAILED", **{"nbprod.error": "cell 3: NameError: name 'spark' is not defined"})


@pytest.mark.parametrize(
    "item, known, state, told",
    [
        pytest.param("NB-1", RAN, P, "finished", id="it ran, and shows what is saved"),
        pytest.param(
            "NB-1",
            {**RAN, "shown_otherwise": (ShownOtherwise(4, "891 rows", "890 rows"), ShownOtherwise(5, "a", "b"))},
            C,
            'shows "890 rows" in cell 4, and 1 more cell',
            id="a fresh kernel shows something else",
        ),
        pytest.param(
            "NB-1",
            {**RAN, "shown_otherwise": (ShownOtherwise(1, "a", ""),)},
            C,
            "does not show all of what is saved in cell 1",
            id="a fresh kernel shows less",
        ),
        pytest.param(
            "NB-1",
            {**RAN, "shown_otherwise": (ShownOtherwise(1, "0.81", "0.79", settled=False),)},
            P,
            'it shows "0.79" in cell 1, where "0.81" is saved',
            id="other numbers, in one run",
        ),
        pytest.param("NB-2", settings(allow_names=("spark",)), D, "said to give", id="a name of the kernel's"),
        pytest.param("NB-2", {**RAN, **settings(allow_names=("spark",))}, P, "has found spark", id="a run found it"),
        pytest.param(
            "NB-2",
            {"runs_of_this": (FAILED,), **settings(allow_names=("spark",))},
            C,
            "does not find spark",
            id="a run did not find it",
        ),
        pytest.param(
            "NB-2",
            {"runs_of_this": (FAILED,), **settings(allow_names=("dbutils",))},
            D,
            "said to give",
            id="a run failed for another name",
        ),
        pytest.param("NB-3", tagged(Role.FEATURES, Role.TRAIN), P, "have a role", id="as their roles say"),
        pytest.param("NB-3", tagged(Role.FEATURES, Role.FEATURES), C, "cell 1 trains", id="features that train"),
        pytest.param("NB-3", tagged(Role.TRAIN, Role.TRAIN), C, "cell 0 makes what", id="training that is served"),
        pytest.param(
            "NB-3",
            tagged(Role.TRAIN, Role.TRAIN, guard="labelled"),
            P,
            "have a role",
            id="a train cell that makes labels",
        ),
        pytest.param(
            "NB-3",
            {**tagged(Role.FEATURES, Role.TRAIN), "findings": (finding("conflicting-role"),)},
            C,
            "conflicting-role",
            id="a cell with two roles",
        ),
        pytest.param("NB-6", {**FITTED, "plan": REFUSED}, C, "line 3: the step is refused", id="a refused step"),
        pytest.param("SK-1", {**MOVED, **settings(acknowledged="2025-12-30")}, D, "2025-12-30", id="acknowledged"),
        pytest.param(
            "SK-1", {**MOVED, **settings(acknowledged="2025-12-25")}, C, "8 days ago", id="acknowledged too long ago"
        ),
        pytest.param(
            "SK-1", {**MOVED, **settings(acknowledged="2026-01-05")}, C, "-3 days ago", id="acknowledged beforehand"
        ),
        pytest.param(
            "SK-1",
            {**MOVED, **settings(acknowledged="2025-12-30"), **seen("SK-1", True)},
            D,
            "what was seen",
            id="acknowledged, and nothing changes",
        ),
        pytest.param(
            "SK-1",
            {**MOVED, **settings(acknowledged="2025-12-30"), **seen("SK-1", False)},
            C,
            "what was seen",
            id="acknowledged, and rows change",
        ),
        pytest.param("SK-2", {**FITTED, **settings(tolerance={"a": 1e-7})}, P, "tolerance.a = 1e-07", id="tolerated"),
        pytest.param(
            "SK-2",
            {**FITTED, "proof": {**PROOF, "status": "failed"}, **settings(tolerance={"a": 1e-7})},
            C,
            "40 of 40 rows",
            id="more than is tolerated",
        ),
        pytest.param("SK-3", {**EDGES, **settings(columns=AGE), **STATED}, M, "was not tried", id="columns, not tried"),
        pytest.param(
            "SK-3", {**EDGES, **settings(columns=AGE)}, C, "version 1 does not have it", id="columns, not exported"
        ),
        pytest.param(
            "SK-3",
            {**EDGES, **settings(columns=AGE), **STATED, **seen("SK-3", True)},
            P,
            "613 edge cases",
            id="columns are taken as declared",
        ),
        pytest.param(
            "SK-3",
            {**EDGES, **settings(columns=AGE), **STATED, **seen("SK-3", False)},
            C,
            "what was seen",
            id="a path takes them otherwise",
        ),
        pytest.param("SK-4", {**FITTED, "plan": plan()}, P, "change nothing", id="rows alone"),
        pytest.param(
            "SK-4", {**FITTED, "plan": plan("rank")}, C, "rank is made of", id="rows around, not declared"
        ),
        pytest.param(
            "SK-4",
            {**FITTED, "plan": plan("rank"), **settings(context_features=("rank",))},
            P,
            "change nothing",
            id="rows around, declared",
        ),
        pytest.param(
            "SK-6", {"plan": plan(), **settings(split=Split("time", "day"))}, D, "not looked at", id="by time, untried"
        ),
        pytest.param(
            "SK-6",
            {**FITTED, "plan": plan(), **settings(split=Split("time", "day")), **seen("SK-6", True)},
            P,
            "what was seen",
            id="by time, and so it is",
        ),
        pytest.param(
            "SK-6",
            {**FITTED, "plan": plan(), **settings(split=Split("time", "day")), **seen("SK-6", False)},
            C,
            "what was seen",
            id="by time, and it is not",
        ),
        pytest.param(
            "SK-6",
            {"plan": plan(), "findings": (finding("overlap-leakage"),), **settings(split=Split("random"))},
            C,
            "overlap-leakage",
            id="leakage goes before the split",
        ),
        pytest.param("RP-1", printed("accuracy: 0.81"), P, "has accuracy", id="the metric is printed"),
        pytest.param("RP-1", printed("Accuracy = 81.3 %"), P, "has accuracy", id="in percent"),
        pytest.param("RP-1", printed("accuracy: 0.82"), C, "0.8125", id="rounded otherwise"),
        pytest.param("RP-1", printed("accuracy: 0.812"), P, "has accuracy", id="cut off, or rounded to even"),
        pytest.param("RP-1", printed("accuracy: 0.813"), P, "has accuracy", id="rounded up"),
        pytest.param("RP-1", printed("accuracy: 0.79"), C, "0.8125", id="another one is printed"),
        pytest.param("RP-1", printed("accuracy: 0.79\naccuracy: 0.813"), P, "accuracy", id="one of several"),
        pytest.param(
            "RP-1", printed("Accuracy: 0.79\n    accuracy      0.81       114"), P, "has accuracy", id="in a report"
        ),
        pytest.param("RP-1", printed("train accuracy: 0.97"), P, "accuracy", id="of something else"),
        pytest.param("RP-1", printed("accuracy: 0.97 on training"), P, "accuracy", id="with more said"),
        pytest.param(
            "RP-3",
            {**FITTED, "locked": {"numpy": "2.0"}, "fitted_with": {"numpy": "2.0"}, "fitted_python": "3.11.7",
             "manifest_texts": {"Dockerfile": "ARG BASE_IMAGE=python:3.11-slim\nFROM ${BASE_IMAGE} AS a"}},
            P,
            "locks what it was fitted with",
            id="the container has the same Python",
        ),
        pytest.param(
            "RP-3",
            {**FITTED, "locked": {"numpy": "2.0"}, "fitted_with": {"numpy": "2.0"}, "fitted_python": "3.11.7",
             "manifest_texts": {"deploy/a/Dockerfile": "FROM --platform=linux/amd64 docker.io/python:3.12 AS a"}},
            C,
            "fitted with Python 3.11.7",
            id="the container has another Python",
        ),
        pytest.param(
            "RP-4",
            {**RAN, "data": (DataFile("a.csv", "1", "2", "v1"),), **settings(data=Data(versions={"a.csv": "v1"}))},
            C,
            "a.csv is not what run",
            id="other data under the same version",
        ),
        pytest.param(
            "RP-4",
            {**RAN, "data": (DataFile("a.csv", "1", "2", "v1"),), **settings(data=Data(versions={"a.csv": "v2"}))},
            S,
            "changed since",
            id="other data under another version",
        ),
        pytest.param("RP-5", {"plan": plan()}, P, "lacks a seed", id="all seeded"),
        pytest.param("RP-5", {**FITTED, "plan": plan(), **seen("RP-2", True)}, P, "lacks", id="seeded, and it repeats"),
        pytest.param(
            "RP-5", {**FITTED, "plan": plan(), **seen("RP-2", False)}, C, "what was seen", id="seeded, and it does not"
        ),
        pytest.param(
            "RP-5",
            {"plan": plan(), "findings": (finding("missing-seed"),), **settings(allow_random="on purpose")},
            D,
            "on purpose",
            id="random on purpose",
        ),
        pytest.param(
            "TM-2",
            {**FITTED, "contract": {"columns": [1]}, "export": Export(("a/v0001/contract.json",))},
            C,
            "another contract",
            id="the notebook gives another contract",
        ),
        pytest.param(
            "MO-2",
            {**FITTED, "baseline_rows": 9, "champion": VERSION, "champion_state_kept": False},
            C,
            "not the one that its training gave",
            id="the champion's baseline is another",
        ),
        pytest.param("MO-4", {**GUIDED, "runbook": "On PipelineSlow, call."}, P, "what to do", id="alerts are named"),
        pytest.param(
            "MO-4", {**GUIDED, "runbook": "Call."}, M, "what to do on PipelineSlow", id="an alert is not in the runbook"
        ),
        pytest.param(
            "MO-6",
            {**settings(labels=Labels(key="id", min_joined=0.9)), "joined": Joined("june.csv", "then", 80, 100)},
            C,
            "80 of 100 true answers of june.csv",
            id="too few labels found theirs",
        ),
        pytest.param(
            "MO-6",
            {**settings(labels=Labels(key="id", min_joined=0.8)), "joined": Joined("june.csv", "then", 80, 100)},
            M,
            "not looked at yet",
            id="enough labels found theirs",
        ),
        pytest.param(
            "DT-2",
            {**FITTED, **settings(requirements=Requirements(volume_rps=100.0)),
             **seen("DT-2", True, runs=[{"throughput_rps": 150.0}, {"throughput_rps": 100.0}])},
            M,
            "150 requests a second are its most",
            id="no room above the peak",
        ),
        pytest.param(
            "DT-2",
            {**FITTED, **settings(requirements=Requirements(volume_rps=100.0)),
             **seen("DT-2", True, runs=[{"throughput_rps": 200.0}])},
            P,
            "what was seen",
            id="room above the peak",
        ),
        pytest.param("DT-2", settings(requirements=Requirements(latency_ms=5.0)), M, "not declared", id="no volume"),
        pytest.param(
            "SU-1",
            {**RAN, "metrics": {"gain": 12.0}, "champion": VERSION, "champion_metrics": {"gain": 8.0},
             **settings(success=Success(decision="whom", metric="gain", target=10.0))},
            C,
            "gain of the champion, version 1, is 8",
            id="the champion misses the target",
        ),
        pytest.param(
            "SU-1",
            {**RAN, "metrics": {"gain": 12.0}, "plan": OF_TRAINING,
             **settings(success=Success(decision="whom", metric="gain", target=10.0))},
            C,
            "cell 4: gain is computed on the rows that the model was trained on",
            id="the metric is of training rows",
        ),
        pytest.param(
            "RT-1",
            {**settings(retraining=Retraining("daily")), "champion": replace(VERSION, when="2026-01-01T12:00:00Z")},
            D,
            "no workflow",
            id="a young champion",
        ),
    ],
)  # fmt: skip
def test_what_is_declared_holds_until_something_speaks_against_it(
    item: str, known: dict[str, Any], state: State, told: str
) -> None:
    answer = judged(facts(**known))[item]

    assert (answer.state, told in answer.evidence) == (state, True), answer


@pytest.mark.parametrize(
    "item, known, against",
    [
        pytest.param(
            "NB-1",
            {**RAN, "shown_otherwise": (ShownOtherwise(4, "891 rows", "890 rows"),)},
            'saved there: "891 rows"',
            id="saved outputs",
        ),
        pytest.param("RP-1", printed("accuracy: 0.79"), "saved in cell 0: accuracy: 0.79", id="a printed metric"),
        pytest.param(
            "SK-2",
            {**FITTED, "proof": {**PROOF, "status": "failed"}, **settings(tolerance={"a": 1e-7})},
            "tolerance.a",
            id="a tolerance",
        ),
        pytest.param("SK-3", {**EDGES, **settings(columns=AGE)}, "columns.Age", id="a column"),
        pytest.param(
            "RP-4",
            {**RAN, "data": (DataFile("a.csv", "1", "2", "v1"),), **settings(data=Data(versions={"a.csv": "v1"}))},
            '"a.csv" = "v1"',
            id="a version of data",
        ),
    ],
)
def test_the_contradiction_names_what_the_evidence_speaks_against(
    item: str, known: dict[str, Any], against: str
) -> None:
    assert against in str(judged(facts(**known))[item].contradicts)


def test_a_metric_that_is_printed_in_the_outputs_of_no_run_is_nothing() -> None:
    assert judged(facts(notebook=cells("x", outputs="accuracy: 0.1")))["RP-1"].state is M
