"""Each check, by what is known: what it proves, what contradicts it, and what is stale or missing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from nbprod.cli.app import VERBS
from nbprod.config import (
    Data,
    Decision,
    Labels,
    LowConfidence,
    Monitoring,
    Owners,
    PipelineConfig,
    Requirements,
    Retraining,
    Split,
    Success,
)
from nbprod.model.finding import Divergence, Finding, Severity, Verdict
from nbprod.model.notebook import Cell, Notebook
from nbprod.model.promotion import Gate, Promotion
from nbprod.model.readiness import Evidence, State
from nbprod.model.run import RunSummary, Version
from nbprod.model.workflow import CheckStep, Schedule
from nbprod.readiness import CHECKS, judged
from nbprod.readiness.facts import DataFile, Export, Facts, People
from nbprod.readiness.sections import SECTIONS, section_of
from tests.readiness.test_containers import GOOD, POD

NOW = datetime(2026, 1, 2, tzinfo=UTC)
VERSION = Version(1, "d1", "2026-01-01", "a.ipynb", None, "first export", state="s1", run="run1")
PROOF = {
    "status": "proven",
    "rows": 40,
    "rows_equal": 40,
    "predictions": 8,
    "predictions_equal": 8,
    "checks": [
        {"name": "learned state unchanged", "passed": True, "detail": ""},
        {"name": "shuffled", "passed": True, "detail": "40 rows"},
        {"name": "batches of 7", "passed": True, "detail": "21 rows"},
    ],
}
INPUTS = {"nbprod": "0", "the package": "d1", "the learned state": "s1", "the data": "x", "requirements": "r"}


def run(status: str = "FINISHED", **tags: str) -> RunSummary:
    return RunSummary("run1" * 8, "a", "a", status, NOW, NOW, {}, {}, tags, "")


def finding(rule: str, cell: int = 2) -> Finding:
    return Finding(rule, Severity.WARNING, f"it is {rule}", cell, "id", 1, 1)


def cells(*sources: str, outputs: str = "") -> Notebook:
    made = tuple(Cell(index, f"c{index}", source, source, outputs_text=outputs) for index, source in enumerate(sources))
    return Notebook("a.ipynb", "ipynb", made)


def evidence(item: str, held: bool | None, **more: Any) -> dict[str, Evidence]:
    return {item: Evidence(item, held, "what was seen", {**INPUTS, **more}, "0", "2026-01-01 10:00", "the word")}


def facts(**known: Any) -> Facts:
    """A notebook that was never exported, and of which nothing is known but what is given."""
    given = {
        "places": ("a.ipynb",),
        "plan": None,
        "why_no_plan": "nothing trains",
        "complete": True,
        "findings": (),
        "configuration": None,
    }
    return Facts(
        **{"notebook": cells("x = 1"), "settings": PipelineConfig(), "now": NOW, "inputs": INPUTS, **given, **known}
    )


FITTED = {"version": VERSION, "fitted": VERSION, "verdict": Verdict.SAME, "proof": PROOF}
"""A version that was exported, fitted and proven, and that the notebook has not moved away from."""


def of_target(target: str, files: dict[str, str]) -> dict[str, Any]:
    """A declared target, and the files that the project has for it."""
    return {"settings": PipelineConfig(deploy_target=target), "manifests": tuple(files), "manifest_texts": files}


def gathered(item: str, numbers: dict[str, Any] | None = None) -> dict[str, Any]:
    """A fitted version, and evidence of an item that held of it."""
    kept = evidence(item, True)[item]
    return {**FITTED, "evidence": {item: replace(kept, numbers=numbers or {})}}


def settings(**stated: Any) -> dict[str, PipelineConfig]:
    return {"settings": PipelineConfig(**stated)}


def champion(**more: Any) -> dict[str, Any]:
    record = Promotion("promote", "champion", 1, None, "2026-01-01", "Ada", gates=(Gate("proof", "passed", "all"),))
    return {"champion": VERSION, "promotion": replace(record, **more)}


BUSINESS = Success(decision="whom to call", metric="saved", target=10.0)
PEOPLE = People(("Ada <ada@example.org>",), (("*", ("@team",)),))

P, C, S, M, D = State.PROVED, State.CONTRADICTED, State.STALE, State.MISSING, State.DECLARED


@pytest.mark.parametrize(
    "item, known, state, told",
    [
        pytest.param("NB-1", {}, M, "no finished run", id="never ran"),
        pytest.param("NB-1", {"store_fault": "away"}, M, "the store of runs can't be asked: away", id="no store"),
        pytest.param("RT-2", {"store_fault": "away"}, M, "can't be asked: away", id="no store of unattended runs"),
        pytest.param("RP-6", {**FITTED, "store_fault": "away"}, M, "can't be asked: away", id="no registry"),
        pytest.param("NB-1", {"runs": (run(),)}, S, "of another text", id="another text ran"),
        pytest.param("NB-1", {"runs_of_this": (run(),)}, P, "in a fresh kernel, finished", id="this text ran"),
        pytest.param("NB-1", {"runs_of_this": (run("FAILED"),)}, C, "failed", id="the run failed"),
        pytest.param("NB-1", {"runs_of_this": (run("RUNNING"),)}, M, "has not ended", id="the run is under way"),
        pytest.param("NB-2", {}, P, "no name is read before", id="no hidden state"),
        pytest.param(
            "NB-2", {"findings": (finding("out-of-order"),)}, C, "cell 2: it is out-of-order", id="out of order"
        ),
        pytest.param("NB-2", {"complete": False}, M, "the analysis stopped", id="the analysis stopped"),
        pytest.param("NB-3", {}, M, "there is no plan: nothing trains", id="no plan, no roles"),
        pytest.param("NB-4", {}, M, "never exported", id="never exported"),
        pytest.param("NB-4", FITTED, P, "byte for byte", id="an export would change nothing"),
        pytest.param(
            "NB-4", {**FITTED, "export": Export(("a.py",))}, S, "would change a.py", id="an export would change it"
        ),
        pytest.param(
            "NB-4", {**FITTED, "hand_edits": ("a.py",)}, C, "edited by hand: a.py", id="the package was edited"
        ),
        pytest.param("NB-6", FITTED, P, "leaves the learned state as it is", id="the replay left the state alone"),
        pytest.param("NB-6", {}, M, "no version", id="no replay"),
        pytest.param(
            "SK-1",
            {
                **FITTED,
                "verdict": Verdict.DIVERGES,
                "divergences": (Divergence("Age", "changed", 1, "c", 1, "a", "b"),),
            },
            C,
            "the notebook has moved on (diverges): Age",
            id="the notebook diverges",
        ),
        pytest.param("SK-1", {**FITTED, "verdict": Verdict.COSMETIC}, P, "cosmetic", id="only its text is another"),
        pytest.param("SK-1", {**FITTED, "verdict": Verdict.UNKNOWN}, M, "no plan", id="it can't be compared"),
        pytest.param("SK-2", FITTED, P, "40 of 40 rows", id="the replay is equal"),
        pytest.param(
            "SK-2",
            {**FITTED, "proof": {**PROOF, "status": "failed", "rows_equal": 39}},
            C,
            "39 of 40 rows",
            id="a row is not equal",
        ),
        pytest.param(
            "SK-2", {**FITTED, "verdict": Verdict.DIVERGES}, S, "the notebook has moved on since", id="moved on since"
        ),
        pytest.param(
            "SK-2",
            {**FITTED, "proof": {**PROOF, "predictions": 0, "predictions_equal": 0}},
            P,
            "40 of 40 rows equal, and the run predicts none",
            id="the run predicts nothing",
        ),
        pytest.param("SK-2", {**FITTED, "state_kept": False}, S, "is not the one that was fitted", id="other state"),
        pytest.param(
            "SK-2", {**FITTED, "version": replace(VERSION, number=2)}, S, "version 2 is newer", id="a newer version"
        ),
        pytest.param(
            "SK-3", {**FITTED, "one_row": {"written": True, "edges": 613}}, P, "613 edge cases", id="edges are equal"
        ),
        pytest.param(
            "SK-3",
            {**FITTED, "one_row": {"written": False, "edges": 0, "left": [{"name": "pca"}]}},
            M,
            "not looked at yet: version 1 has no form for one row",
            id="one path alone, not looked at",
        ),
        pytest.param(
            "SK-3",
            {
                **FITTED,
                "one_row": {"written": True, "edges": 9},
                "proof": {**PROOF, "checks": [{"name": "one row without pandas", "passed": False}]},
            },
            C,
            "on which the two paths part",
            id="the two paths part",
        ),
        pytest.param("SK-4", FITTED, P, "shuffled, batches of 7", id="order and company change nothing"),
        pytest.param(
            "SK-4",
            {**FITTED, "proof": {**PROOF, "checks": [{"name": "shuffled", "passed": False, "detail": "row 3"}]}},
            C,
            "shuffled: row 3",
            id="order changes a row",
        ),
        pytest.param("SK-6", {}, M, "no plan", id="no plan, no word on leakage"),
        pytest.param("RP-1", {"runs_of_this": (run(),), "metrics": {"f1": 0.5}}, P, "has f1", id="a run with a metric"),
        pytest.param("RP-1", {"runs_of_this": (run(),)}, C, "without a metric", id="a run without a metric"),
        pytest.param("RP-1", {"runs": (run(),)}, S, "of another text", id="a run of another text"),
        pytest.param(
            "RP-3", {**FITTED, "locked": {"numpy": "2.0"}, "fitted_with": {"numpy": "2.0"}}, P, "numpy 2.0", id="locked"
        ),
        pytest.param(
            "RP-3",
            {**FITTED, "locked": {"numpy": "2.1"}, "fitted_with": {"numpy": "2.0"}},
            C,
            "numpy 2.0 and 2.1",
            id="the lock has another version",
        ),
        pytest.param(
            "RP-3",
            {**FITTED, "locked": {"numpy": "2.1"}, "fitted_with": {"pandas": "3"}},
            C,
            "lacks pandas",
            id="the lock lacks a library",
        ),
        pytest.param(
            "RP-4", {"runs_of_this": (run(),), "data": (DataFile("a.csv", "1", "1"),)}, P, "1 file", id="the same data"
        ),
        pytest.param(
            "RP-4", {"runs_of_this": (run(),), "data": (DataFile("a.csv", "1", "2"),)}, S, "a.csv", id="other data"
        ),
        pytest.param(
            "RP-4",
            {"runs_of_this": (run(),), "data": (DataFile("a.csv", "1", None),)},
            S,
            "not here",
            id="data are gone",
        ),
        pytest.param(
            "RP-4", {"runs_of_this": (run(),), "data": None}, M, "can't be read from here", id="a record elsewhere"
        ),
        pytest.param("RP-5", {"findings": (finding("missing-seed"),)}, C, "missing-seed", id="no seed"),
        pytest.param("RP-5", {}, M, "no plan", id="no model whose seeds could be looked for"),
        pytest.param("RP-6", {**FITTED}, M, "not registered", id="not registered"),
        pytest.param("RT-1", {}, M, "neither", id="no cadence"),
        pytest.param("RT-1", settings(retraining=Retraining("weekly")), D, "no workflow", id="a cadence alone"),
        pytest.param(
            "RT-1",
            {**settings(retraining=Retraining("weekly")), "schedules": (Schedule("r.yml", "0 3 * * 1"),)},
            P,
            "r.yml trains it again",
            id="a workflow at the cadence",
        ),
        pytest.param(
            "RT-1",
            {**settings(retraining=Retraining("weekly")), "schedules": (Schedule("r.yml", "0 3 1 * *"),)},
            C,
            "at 0 3 1 * *",
            id="a workflow at another one",
        ),
        pytest.param(
            "RT-1",
            {**settings(retraining=Retraining("weekly")), "champion": replace(VERSION, when="2025-12-21T00:00:00Z")},
            C,
            "was fitted 12 days ago",
            id="a champion older than its cadence",
        ),
        pytest.param(
            "RT-1",
            {**settings(retraining=Retraining("weekly")), "champion": replace(VERSION, when="2025-12-23")},
            D,
            "no workflow",
            id="a champion that is as old as it may be",
        ),
        pytest.param("RT-2", {"runs": (run(),)}, M, "no run on record was made by a CI", id="a run by hand"),
        pytest.param(
            "RT-2",
            {"runs": (ci := run(**{"nbprod.ci": "CI"}),), "runs_of_this": (ci,)},
            P,
            "by CI finished",
            id="a run by CI",
        ),
        pytest.param(
            "RT-2",
            {"runs": (ci,), "runs_of_this": (ci,), "ci_read_other_data": False},
            P,
            "on the data of the run by hand: new rows are not tried",
            id="a run by CI on the same data",
        ),
        pytest.param(
            "RT-2",
            {"runs": (ci,), "runs_of_this": (ci,), "ci_read_other_data": True},
            P,
            "on other data than by hand",
            id="a run by CI on other data",
        ),
        pytest.param("RT-2", {"runs": (ci,)}, S, "of another text", id="a run by CI of another text"),
        pytest.param(
            "RT-2",
            {
                "runs": (old := replace(ci, start=datetime(2025, 12, 30, tzinfo=UTC)),),
                "runs_of_this": (old,),
                **settings(retraining=Retraining("daily")),
            },
            S,
            "finished 3 days ago",
            id="a run by CI before the last cadence",
        ),
        pytest.param(
            "RT-2", {"runs": (run("FAILED", **{"nbprod.ci": "CI"}),)}, C, "failed", id="a run by CI that failed"
        ),
        pytest.param("RT-3", {}, M, "no version is the champion", id="no champion"),
        pytest.param("RT-3", champion(), P, "passed: proof", id="promoted through gates"),
        pytest.param(
            "RT-3",
            champion(forced=True, why="now", gates=(Gate("proof", "failed", "no"),)),
            C,
            "against proof",
            id="promoted against a gate",
        ),
        pytest.param("RT-3", champion(gates=()), C, "has no gates", id="promoted without gates"),
        pytest.param("RT-3", champion(version=2), C, "no record of a promotion", id="another version is on record"),
        pytest.param("RT-5", {}, M, "labels.source", id="staleness is not declared"),
        pytest.param(
            "RT-5",
            settings(retraining=Retraining(stale_days=30.0), labels=Labels("billing", 30.0)),
            D,
            "= 30",
            id="staleness is declared",
        ),
        pytest.param("MO-2", {**FITTED}, C, "without a baseline", id="no baseline"),
        pytest.param("MO-4", {}, M, "owner is not declared", id="no owner"),
        pytest.param(
            "MO-4", {**settings(owner="eve@example.org"), "people": PEOPLE}, C, "in no commit", id="an owner who left"
        ),
        pytest.param(
            "MO-4",
            {**settings(owner="@team", monitoring=Monitoring(runbook="r.md")), "people": PEOPLE},
            C,
            "no file r.md",
            id="a runbook that is not there",
        ),
        pytest.param(
            "MO-4",
            {**settings(owner="Ada", monitoring=Monitoring(runbook="r.md")), "people": PEOPLE, "runbook": "Call"},
            P,
            "says what to do",
            id="an owner with a runbook",
        ),
        pytest.param("MO-4", settings(owner="Ada"), D, "runbook is not declared", id="an owner without one"),
        pytest.param("DT-1", {}, M, "requirements.latency_ms", id="no latency"),
        pytest.param("DT-3", {}, M, "low_confidence.band", id="no band"),
        pytest.param("DT-5", settings(deploy_target="docker"), C, "no Dockerfile", id="docker without a Dockerfile"),
        pytest.param("DT-5", settings(deploy_target="lambda"), D, "not checked", id="another target"),
        pytest.param("DT-5", of_target("docker", {"Dockerfile": "FROM python"}), M, "not pinned", id="an open image"),
        pytest.param("DT-5", of_target("docker", {"Dockerfile": GOOD}), M, "was not built", id="not built"),
        pytest.param(
            "DT-5",
            {**of_target("docker", {"Dockerfile": GOOD}), **gathered("DT-5")},
            P,
            "what was seen",
            id="built",
        ),
        pytest.param(
            "DT-5",
            of_target("Kubernetes", {"Dockerfile": GOOD, "compose.yaml": ""}),
            C,
            "no manifest in a folder",
            id="kubernetes with files of compose alone",
        ),
        pytest.param("DT-5", of_target("kubernetes", {"k8s/a.yml": POD}), M, "was not built", id="a manifest"),
        pytest.param(
            "DT-5",
            of_target("kubernetes", {"k8s/a.yml": POD.replace("preStop", "postStart")}),
            M,
            "no preStop",
            id="a manifest that lacks something",
        ),
        pytest.param(
            "DT-5",
            {
                **of_target("kubernetes", {"k8s/a.yml": POD}),
                **gathered("DT-2", {"memory_mb": 300.0}),
            },
            C,
            "took 300 MB",
            id="a limit below what was measured",
        ),
        pytest.param("TM-1", {**settings(owner="Ada"), "people": PEOPLE}, P, "CODEOWNERS covers", id="owned"),
        pytest.param(
            "TM-1",
            {**settings(owner="Ada"), "people": People(PEOPLE.authors, (("/src/", ("@team",)),))},
            C,
            "names nobody for a.ipynb",
            id="nobody owns the notebook",
        ),
        pytest.param(
            "TM-1",
            {**settings(owners=Owners(service="Eve")), "people": PEOPLE},
            C,
            "no commit",
            id="an owner unknown to git",
        ),
        pytest.param(
            "TM-1",
            {
                **settings(owner="Ada"),
                "people": People(PEOPLE.authors, (("*.ipynb", ("@team",)),)),
                "places": ("a.ipynb", "out/a/v0001/features.py"),
            },
            C,
            "names nobody for out/a/v0001/features.py",
            id="nobody owns the package",
        ),
        pytest.param("TM-1", settings(owner="Ada"), D, "no CODEOWNERS", id="an owner without CODEOWNERS"),
        pytest.param("TM-2", {**FITTED, "contract": {"columns": [1, 2]}}, P, "2 columns", id="a contract"),
        pytest.param(
            "TM-2",
            {**FITTED, "contract": {"columns": [1]}, "hand_edits": ("contract.json",)},
            C,
            "edited by hand",
            id="a contract that was edited",
        ),
        pytest.param("TM-3", {}, M, "no workflow", id="no workflow"),
        pytest.param(
            "TM-3",
            {"check_steps": (CheckStep("ci.yml", "nbprod check", "continue-on-error lets it fail"),)},
            C,
            "ci.yml",
            id="a workflow that may fail",
        ),
        pytest.param(
            "TM-3", {"check_steps": (CheckStep("ci.yml", "nbprod check", None),)}, D, "where it runs", id="a workflow"
        ),
        pytest.param("SU-1", {}, M, "what the model is for", id="no purpose"),
        pytest.param(
            "SU-1",
            {**settings(success=BUSINESS), "runs_of_this": (run(),), "metrics": {"saved": 12.0}},
            M,
            "saved is 12, and 10 is the least that is asked; not looked at yet",
            id="the target is reached",
        ),
        pytest.param(
            "SU-1",
            {**settings(success=BUSINESS), "runs_of_this": (run(),), "metrics": {"saved": 8.0}},
            C,
            "saved is 8",
            id="the target is not reached",
        ),
        pytest.param(
            "SU-1",
            {**settings(success=BUSINESS), "runs_of_this": (run(),)},
            C,
            "no metric saved",
            id="the run lacks it",
        ),
        pytest.param(
            "SU-1",
            {**settings(success=BUSINESS), "runs_of_this": (run(),), "metrics": {"f1": 0.5, "savd": 1.0}},
            C,
            "no metric saved; it has f1, savd",
            id="the metric has another name",
        ),
        pytest.param(
            "SU-1",
            {
                **settings(success=replace(BUSINESS, metric="accuracy")),
                "runs_of_this": (run(),),
                "metrics": {"accuracy": 0.9},
            },
            C,
            "what each of them costs",
            id="accuracy alone decides",
        ),
        pytest.param(
            "SU-1",
            {
                **settings(success=replace(BUSINESS, higher_is_better=False)),
                "runs_of_this": (run(),),
                "metrics": {"saved": 8.0},
            },
            M,
            "saved is 8, and 10 is the most",
            id="less is better",
        ),
        pytest.param(
            "SU-1",
            {**settings(success=BUSINESS), "runs_of_this": (run(),), "metrics": {"saved": 12.0}, "is_error": True},
            C,
            "10 is the most",
            id="an error that is too large, whatever is declared",
        ),
        pytest.param("SU-3", {"columns": ("Gender",)}, C, "may be protected", id="a protected column, not considered"),
        pytest.param(
            "SU-3",
            {"columns": ("Gender",), **settings(protected=("Gender",))},
            M,
            "slices is not declared",
            id="a protected column, considered",
        ),
        pytest.param(
            "SU-5", {"columns": ("price", "email")}, C, "not declared: email", id="personal data, not declared"
        ),
        pytest.param(
            "SU-5",
            {"columns": ("price", "email"), **settings(data=Data(personal=("email",)))},
            P,
            "declared as personal",
            id="personal data, declared",
        ),
        pytest.param(
            "SU-5",
            {"columns": ("x7",), "personal": {"x7": "an IBAN"}},
            C,
            "not declared: x7 (like an IBAN)",
            id="values of people, not declared",
        ),
        pytest.param(
            "SU-5",
            {"columns": ("x7",), "personal": {"x7": "an IBAN"}, **settings(data=Data(personal=("x7",)))},
            P,
            "declared as personal",
            id="values of people, declared",
        ),
        pytest.param("SU-5", {"columns": ("price",), "findings": (finding("secret"),)}, C, "secret", id="a secret"),
        pytest.param(
            "SU-5",
            {"columns": ("price",), "notebook": cells("x", outputs="mail ada@example.org")},
            C,
            "an address of e-mail",
            id="an address in an output",
        ),
        pytest.param(
            "SU-5",
            {"columns": ("price",), **settings(data=Data(forbidden=("nationality",)))},
            M,
            "no plan",
            id="what features are made of is not known",
        ),
        pytest.param("SU-5", {}, M, "columns of the data are not known", id="nothing is known of the data"),
    ],
)
def test_what_is_known_gives_the_state(item: str, known: dict[str, Any], state: State, told: str) -> None:
    answer = judged(facts(**known))[item]

    assert (answer.state, told in answer.evidence) == (state, True), answer


def plan(*around: str) -> Any:
    """As much of a plan as the checks look at."""
    raw, model = SimpleNamespace(cell=0), SimpleNamespace(steps=(), fit=SimpleNamespace(cell=0))
    return SimpleNamespace(steps=(), around=around, inputs=(), raw=raw, model=model, training_metrics=())


GATHERED = {
    "NB-5": {},
    "SK-1": {"verdict": Verdict.DIVERGES, **settings(acknowledged="2026-01-01")},
    "SK-6": {"plan": plan(), **settings(split=Split("time", "day"))},
    "SK-3": {"one_row": {"written": False, "edges": 0}},
    "SK-5": {},
    "RP-2": {},
    "RP-6": {"registered": {1: 7}},
    "RT-4": {},
    "RT-5": settings(retraining=Retraining(stale_days=9), labels=Labels(source="s", delay_days=1)),
    "MO-1": {},
    "MO-2": {"baseline_rows": 40},
    "MO-3": {},
    "MO-5": {},
    "MO-6": settings(labels=Labels(key="id")),
    "DT-1": settings(requirements=Requirements(latency_ms=5.0)),
    "DT-2": settings(requirements=Requirements(memory_mb=5.0)),
    "DT-3": settings(low_confidence=LowConfidence((0.4, 0.6), "flag")),
    "DT-4": {},
    "DT-5": of_target("docker", {"Dockerfile": GOOD}),
    "DT-6": {},
    "TM-3": {"check_steps": (CheckStep("ci.yml", "nbprod check", None),)},
    "SU-1": {**settings(success=BUSINESS), "runs_of_this": (run(),), "metrics": {"saved": 12.0}},
    "SU-2": {},
    "SU-3": settings(slices=("plan",)),
    "SU-4": settings(decision=Decision(uses_probability=True)),
}
"""What has to be known besides, for the evidence of an item to count."""


@pytest.mark.parametrize("item", GATHERED)
def test_evidence_that_took_time_counts_while_it_is_fresh(item: str) -> None:
    known = {**FITTED, **GATHERED[item]}

    def state(**more: Any) -> State:
        return judged(facts(**known, **more))[item].state

    assert state(evidence=evidence(item, True)) is (D if item == "SK-1" else P)
    assert state(evidence=evidence(item, False)) is C
    assert state(evidence=evidence(item, True), inputs={**INPUTS, "the package": "d2"}) is S
    assert judged(facts(**known, evidence=evidence(item, False)))[item].contradicts == "the word"
    untried = judged(facts(**known, evidence=evidence(item, None)))[item]
    assert untried.state in (M, D)
    assert "could not be tried: what was seen" in untried.evidence
    assert state() in (M, D)


def test_evidence_about_a_package_is_stale_once_the_notebook_has_moved_on() -> None:
    moved = facts(**{**FITTED, "verdict": Verdict.DIVERGES}, evidence=evidence("DT-4", True))

    assert judged(moved)["DT-4"].state is S


def test_all_items_that_take_time_are_tried_above() -> None:
    assert {check.id for check in CHECKS if check.gathered} == set(GATHERED)


def test_of_a_bare_notebook_nothing_is_proved_but_what_can_be_read() -> None:
    states = {item: told.state for item, told in judged(facts()).items()}

    assert {item for item, state in states.items() if state is P} == {"NB-2"}
    assert set(states.values()) <= {P, M}


def test_an_item_is_left_out_only_with_a_reason_and_where_it_may() -> None:
    reasons = {"SU-3": "rows are machines", "SU-5": " ", "NB-1": "we know"}
    told = judged(facts(**settings(not_applicable=reasons)))

    assert (told["SU-3"].state, told["SU-3"].evidence) == (State.NOT_APPLICABLE, "rows are machines")
    assert told["SU-5"].state is M
    assert told["NB-1"].state is M


def test_the_checklist_has_43_items_in_eight_sections_of_which_19_block() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS) == 43
    assert sum(check.blocking for check in CHECKS) == 19
    assert list(dict.fromkeys(section_of(check.id) for check in CHECKS)) == list(SECTIONS)
    assert {test for check in CHECKS for test in check.tests} == {
        f"{section} {number}" for section in ("Data", "Model", "Infra", "Monitor") for number in range(1, 8)
    }


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_each_item_says_why_it_is_asked_and_where_that_comes_from(check: Any) -> None:
    assert check.why.count(". ") >= 1
    assert check.why.endswith(".")
    assert check.source
    assert check.step
    assert len(check.title) < 70


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_commands_of_a_next_step_exist(check: Any) -> None:
    for verb, rest in re.findall(r"\bnbprod ([a-z]+)\b([^;,]*)", check.step):
        command = import_module(f"nbprod.cli.verbs.{VERBS[verb].module}").command
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= known, check.step
