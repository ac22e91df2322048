"""Evidence that takes time, of a version that was fitted by a real run: what proves, and what contradicts, an item."""

from __future__ import annotations

import hashlib
import json
import os
import re
import runpy
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import nbformat
import pandas as pd
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from nbprod import api
from nbprod.api import gathering
from nbprod.api.answers import ReadinessItem
from nbprod.api.evidence import evidence_of
from nbprod.api.facts import facts_of
from nbprod.api.gathering import again, aging, alone, ci, load, registered, switching
from nbprod.api.gathering.client import moved
from nbprod.api.gathering.ground import Ground, Probe
from nbprod.api.gathering.malformed import malformed
from nbprod.api.gathering.probes import PROBES
from nbprod.api.packages import target_of
from nbprod.api.progress import Progress
from nbprod.cli.app import app
from nbprod.model.finding import Verdict
from nbprod.model.readiness import Evidence, State
from nbprod.model.run import Version
from nbprod.readiness import CHECKS
from nbprod.readiness.facts import Export
from tests.readiness.test_containers import GOOD

EXAMPLE = Path(__file__).parents[1] / "examples" / "titanic"
CONFIGURED = """
[pipelines.titanic]
notebook = "titanic.ipynb"
labels = { key = "request_id" }
requirements = { latency_ms = 200, memory_mb = 2000 }
low_confidence = { band = [0.4, 0.6], action = "abstain" }
"""

P, C, M, S = State.PROVED, State.CONTRADICTED, State.MISSING, State.STALE


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The titanic project after two runs, the second with another test size: two versions with other state."""
    project = Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("gathered") / "titanic"))
    (project / "nbprod.toml").write_text(CONFIGURED)
    path = project / "titanic.ipynb"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        for old, new in (("", ""), ("TEST_SIZE = 0.2", "TEST_SIZE = 0.25")):
            path.write_text(path.read_text().replace(old, new) if old else path.read_text())
            ran = CliRunner().invoke(app, ["run", "titanic.ipynb", "--auto", "--no-verify", "--quiet"])
            assert ran.exit_code == 0, ran.output
    return project


@pytest.fixture
def project(fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project, without evidence."""
    copy = Path(shutil.copytree(fitted, tmp_path / "titanic"))
    monkeypatch.chdir(copy)
    return copy


def gathered(*items: str, anew: bool = False) -> dict[str, ReadinessItem]:
    """The items of the checklist after their evidence was gathered."""
    api.gather("titanic.ipynb", items=items, anew=anew)
    return {each.id: each for each in api.readiness("titanic.ipynb").items if each.id in items}


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Tamper with a file of the newest version, or of the project."""

    def tamper(project: Path) -> None:
        path = project / file.replace("VERSION", "pipelines/titanic/v0002")
        text = path.read_text()
        assert text.count(old) >= 1, (file, old)
        path.write_text(text.replace(old, new))

    return tamper


def better_in_training(project: Path) -> None:
    """Let the baseline tell of a metric that no row reaches."""
    state = project / "pipelines/titanic/v0002/state"
    told, fit = (json.loads((state / name).read_text()) for name in ("baseline.json", "fitted.json"))
    told["quality"]["value"] = 9.0
    (state / "baseline.json").write_text(json.dumps(told))
    fit["files"]["baseline.json"] = hashlib.sha256((state / "baseline.json").read_bytes()).hexdigest()
    (state / "fitted.json").write_text(json.dumps(fit))


TOML = "nbprod.toml"


def both(*tampers: Callable[[Path], None]) -> Callable[[Path], None]:
    """One after the other."""

    def tamper(project: Path) -> None:
        for each in tampers:
            each(project)

    return tamper


def declared(lines: str) -> Callable[[Path], None]:
    """Declare more of the pipeline."""
    return replaced(TOML, "labels =", f"{lines}\nlabels =")


def in_contract(stated: str) -> Callable[[Path], None]:
    """State something of raw columns in the contract, as an export of what is declared does."""
    return replaced("VERSION/contract.json", '"policy": "flag"', f'"policy": "flag",\n  "stated": {stated}')


def reported(old: str, new: str) -> Callable[[Path], None]:
    """Edit the notebook, and acknowledge today that it has moved on."""
    return both(replaced("titanic.ipynb", old, new), declared(f'acknowledged = "{datetime.now(UTC).date()}"'))


@pytest.fixture(scope="module")
def looked_at(fitted: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReadinessItem]:
    """All items after their evidence was gathered, but of what is switched under load."""
    copy = Path(shutil.copytree(fitted, tmp_path_factory.mktemp("all") / "titanic"))
    items = {item for probe in PROBES if probe is not switching.PROBE for item in probe.items}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(copy)
        return gathered(*items)


@pytest.mark.parametrize(
    "item, told",
    [
        pytest.param("NB-5", "its lock file leads to", id="the package stands alone"),
        pytest.param("SK-5", "planted violations alike on both paths", id="both paths refuse alike"),
        pytest.param("RP-2", "identical", id="training again gives the same"),
        pytest.param("RP-6", "predicts 20 rows as the package does", id="the registered model answers alike"),
        pytest.param("MO-1", "20 good and 5 bad requests", id="counters move by what was asked"),
        pytest.param("MO-2", "is reported", id="a shift is reported"),
        pytest.param("MO-3", "and none without", id="each fault alerts, and nothing else"),
        pytest.param("MO-5", "planted values was counted", id="unusual values are counted"),
        pytest.param(
            "MO-6", "200 of 200 logged answers were joined to true ones, and give accuracy", id="labels joined"
        ),
        pytest.param("DT-1", "asked 200", id="the latency is met"),
        pytest.param("DT-2", "memory_mb", id="the memory is met"),
        pytest.param("DT-3", "got what is declared (abstain)", id="unsure rows get what is declared"),
        pytest.param("DT-4", "500 malformed requests were refused", id="malformed requests are refused"),
    ],
)
def test_a_sound_version_is_proved(item: str, told: str, looked_at: dict[str, ReadinessItem]) -> None:
    found = looked_at[item]

    assert (found.state, told in found.evidence) == (P, True), found


HEAD = '"""One version of titanic, extracted from titanic.ipynb."""\n'


@pytest.mark.parametrize(
    "item, tamper, told",
    [
        pytest.param(
            "DT-3", replaced(TOML, "[0.4, 0.6]", "[0.0, 1.0]"), "has [0.4, 0.6], abstain", id="another band is in force"
        ),
        pytest.param("DT-1", replaced(TOML, "latency_ms = 200", "latency_ms = 0.001"), "0.001", id="it is too slow"),
        pytest.param("DT-2", replaced(TOML, "memory_mb = 2000", "memory_mb = 1"), "asked 1", id="it takes too much"),
        pytest.param(
            "NB-5",
            declared('runtime_deps = ["numpy"]'),
            "it imports joblib, which they do not lead to",
            id="a need that is not declared",
        ),
        pytest.param(
            "NB-5",
            declared('runtime_deps = ["numpy", "pandas", "scikit-learn", "skops", "polars"]'),
            "it does not import polars",
            id="a declared need that is none",
        ),
        pytest.param(
            "MO-1",
            declared('monitoring = { metrics = ["pipeline_request_seconds", "latency_p99"] }'),
            "the service has no metric latency_p99",
            id="a metric of a dashboard that there is not",
        ),
        pytest.param(
            "DT-2", replaced(TOML, "memory_mb = 2000", "cold_start_s = 0.001"), "asked 0.001", id="a slow start"
        ),
        pytest.param(
            "DT-3",
            replaced(TOML, 'action = "abstain"', 'action = "abstain", max_share = 0.001'),
            "rows lie in the band",
            id="more unsure rows than may be",
        ),
        pytest.param(
            "SK-3",
            both(
                declared('columns = { Age = { on_missing = "reject" } }'),
                in_contract('{"Age": {"on_missing": "reject"}}'),
                replaced("VERSION/runtime/contract.py", 'on_missing == "reject" and', 'on_missing == "never" and'),
            ),
            "Age, null: one record is answered",
            id="a missing value that is not refused as declared",
        ),
        pytest.param(
            "SK-5",
            both(
                declared('columns = { Age = { max = 30, on_unseen = "reject" } }'),
                in_contract('{"Age": {"max": 30, "on_unseen": "reject"}}'),
            ),
            "training rows",
            id="a declared range that refuses training rows",
        ),
        pytest.param(
            "SK-6",
            declared('split = { kind = "time", column = "PassengerId" }'),
            "of them are not later",
            id="a split by chance that is declared to be by time",
        ),
        pytest.param(
            "SK-6",
            declared('split = { kind = "group", column = "Ticket" }'),
            "values of Ticket are on both sides",
            id="a group on both sides",
        ),
        pytest.param(
            "SK-1",
            reported("df[col].median()", "df[col].mean()"),
            "rows of the last run get what they got, not so Age",
            id="an acknowledged edit that changes rows",
        ),
        pytest.param(
            "MO-3",
            replaced(TOML, "labels =", "monitoring = { missing = 0.9 }\nlabels ="),
            "no alert for a quarter missing",
            id="a threshold that no fault reaches",
        ),
        pytest.param(
            "MO-2",
            replaced(
                TOML, "labels =", "monitoring = { drift = 0.99, divergence = 9.0, out_of_range = 0.99 }\nlabels ="
            ),
            "is not reported",
            id="a threshold that no shift reaches",
        ),
        pytest.param(
            "MO-1",
            replaced(
                "pipelines/titanic/serving/metrics.py",
                "        self.requests[version, path if",
                "        self.refused[version, path if",
            ),
            "0 answered, 0 refused",
            id="a counter that stands still",
        ),
        pytest.param(
            "DT-4",
            replaced("VERSION/runtime/serve.py", "except Problem as problem", "except ZeroDivisionError as problem"),
            "a body cut short: 500",
            id="a fault that no code expects",
        ),
        pytest.param(
            "NB-5",
            replaced("VERSION/__init__.py", HEAD, f"{HEAD}import matplotlib\n"),
            "it imports matplotlib",
            id="a library that is not in the lock file",
        ),
        pytest.param(
            "NB-5",
            replaced("VERSION/__init__.py", HEAD, f"{HEAD}open('/tmp/nbprod-touched', 'a').close()\n"),
            "it writes ",
            id="a file that is written on import",
        ),
        pytest.param(
            "NB-5",
            replaced("VERSION/__init__.py", HEAD, f"{HEAD}import subprocess\nsubprocess.run(['true'])\n"),
            "it calls subprocess.Popen",
            id="a program that is started on import",
        ),
        pytest.param(
            "MO-5",
            replaced("pipelines/titanic/serving/metrics.py", "self.faults[key] += 1", "self.faults[key] += 0"),
            "no counter told of",
            id="a counter of faults that stands still",
        ),
        pytest.param(
            "MO-6",
            replaced(
                "pipelines/titanic/serving/gateway.py",
                '"main", records, predictions',
                '"main", records, [0] * len(records)',
            ),
            "and give accuracy",
            id="a log of other answers than were given",
        ),
        pytest.param("MO-6", better_in_training, "the true answers are not what it predicts", id="another target"),
        pytest.param(
            "SK-5",
            replaced(
                "VERSION/runtime/contract.py",
                'message = f"{_show(value)} is outside',
                'return []\n            message = f"{_show(value)} is outside',
            ),
            "Pclass, below: neither path tells of it",
            id="a path that lets values out of range pass",
        ),
    ],
)
def test_what_does_not_hold_is_contradicted(
    item: str, tamper: Callable[[Path], None], told: str, project: Path
) -> None:
    tamper(project)
    api.gather("titanic.ipynb", items=[item])

    kept = evidence_of(target_of("titanic.ipynb"))[item]

    assert (kept.held, told in kept.text) == (False, True), kept


def test_a_service_goes_back_and_is_switched_under_load(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switching, "SWAPS", 3)
    monkeypatch.setattr(switching, "REQUESTS", 300)
    before = (project / "pipelines/titanic/versions.json").read_bytes()

    found = gathered("RT-4", "DT-6")

    assert found["RT-4"].state is P
    assert "went back from version 2 to 1" in found["RT-4"].evidence
    assert found["DT-6"].state is P
    assert "0 of " in found["DT-6"].evidence
    assert (project / "pipelines/titanic/versions.json").read_bytes() == before

    replaced(TOML, "labels =", "max_rollback_seconds = 0.001\nlabels =")(project)
    assert {each.state for each in api.readiness("titanic.ipynb").items if each.id == "RT-4"} == {S}
    found = gathered("RT-4")
    assert (found["RT-4"].state, found["RT-4"].contradicts) == (C, "max_rollback_seconds = 0.001")


def test_a_version_that_does_not_load_any_more_can_not_be_gone_back_to(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "PATIENCE", 3.0)
    monkeypatch.setattr(switching, "SWAPS", 1)
    monkeypatch.setattr(switching, "REQUESTS", 10)
    monkeypatch.setattr(switching, "MOST_SECONDS", 5.0)
    (project / "pipelines/titanic/v0001/state/model.skops").unlink()
    (project / "pipelines/titanic/v0001/state/row.py").unlink(missing_ok=True)

    found = gathered("RT-4", "DT-6")

    assert (found["RT-4"].state, "did not answer by version 1" in found["RT-4"].evidence) == (C, True), found["RT-4"]
    assert (found["DT-6"].state, "did not come" in found["DT-6"].evidence) == (C, True), found["DT-6"]


def test_an_answer_of_another_version_than_it_says_contradicts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switching, "SWAPS", 2)
    monkeypatch.setattr(switching, "REQUESTS", 50)
    ledger = project / "pipelines/titanic/versions.json"
    told = json.loads(ledger.read_text())
    told["versions"][0]["digest"] = "0" * 32
    ledger.write_text(json.dumps(told))

    found = gathered("DT-6")["DT-6"]

    assert found.state is C, found
    failed = re.search(r": ([\d,]+) of [\d,]+ requests failed", found.evidence)
    assert failed is not None
    assert int(failed[1].replace(",", "")) > 0


def test_what_ci_saw_of_another_commit_is_stale(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for words in (["init", "-q"], ["config", "user.name", "Ada"], ["config", "user.email", "ada@example.org"]):
        subprocess.run(["git", *words], check=True)
    api.init_project(".", github=True)
    (project / ".gitignore").write_text(".nbprod/\n")

    def committed() -> None:
        subprocess.run(["git", "add", "-A"], check=True)
        subprocess.run(["git", "commit", "-qm", "a change", "--allow-empty"], check=True)

    committed()
    seen = gathered("TM-3")["TM-3"]
    committed()
    now = next(each for each in api.readiness("titanic.ipynb").items if each.id == "TM-3")

    assert seen.state is P, seen
    assert (now.state, "changed since: the commit" in now.evidence) == (S, True), now


def test_an_answer_that_waits_longer_than_declared_contradicts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switching, "SWAPS", 2)
    monkeypatch.setattr(switching, "REQUESTS", 50)
    replaced(TOML, "latency_ms = 200", "max_stall_ms = 0.01")(project)

    found = gathered("DT-6")["DT-6"]

    assert (found.state, found.contradicts) == (C, "requirements.max_stall_ms = 0.01")


@pytest.mark.parametrize(
    "item, tamper, told",
    [
        pytest.param(
            "SK-1",
            reported("df[col].median()", "df[col].quantile(0.5)"),
            "by the notebook as it is",
            id="the same values",
        ),
        pytest.param(
            "SK-3",
            both(
                declared('columns = { Age = { on_missing = "reject" }, Pclass = { max = 9, on_unseen = "reject" } }'),
                in_contract('{"Age": {"on_missing": "reject"}, "Pclass": {"max": 9, "on_unseen": "reject"}}'),
            ),
            "are taken as declared on both paths",
            id="columns as declared",
        ),
        pytest.param(
            "SK-6",
            declared('split = { kind = "group", column = "PassengerId" }'),
            "0 of 223 values of PassengerId are on both sides",
            id="groups apart",
        ),
        pytest.param("SK-6", declared('split = { kind = "random" }'), "rows trained and", id="by chance"),
        pytest.param(
            "NB-5",
            declared('runtime_deps = ["scikit_learn", "pandas", "skops"]'),
            "its lock file leads to",
            id="needs as declared",
        ),
    ],
)
def test_what_is_declared_is_seen_to_hold(item: str, tamper: Callable[[Path], None], told: str, project: Path) -> None:
    tamper(project)
    api.gather("titanic.ipynb", items=[item])

    kept = evidence_of(target_of("titanic.ipynb"))[item]

    assert (kept.held, told in kept.text) == (True, True), kept


def test_true_answers_that_find_no_partner_contradict(project: Path) -> None:
    declared("")(project)
    replaced(TOML, 'key = "request_id"', 'key = "request_id", min_joined = 0.9')(project)
    rows = pd.read_csv(project / "data/train.csv")
    rows.to_csv(project / "rows.csv", index=False)
    rows.assign(PassengerId=rows["PassengerId"] + 300).to_csv(project / "truth.csv", index=False)

    api.monitor("titanic", rows="rows.csv", truth="truth.csv", on="PassengerId")

    found = next(each for each in api.readiness("titanic.ipynb").items if each.id == "MO-6")
    assert (found.state, found.contradicts) == (C, "labels.min_joined = 0.9")
    assert "591 of 891 true answers of truth.csv" in found.evidence


@pytest.mark.parametrize(
    "growth, is_grown, told",
    [
        pytest.param(None, False, "too slow", id="too slow to be watched"),
        pytest.param({"requests": [10_001, 20_100], "memory_mb": [50.0, 52.4]}, False, "52.4 MB", id="as it was"),
        pytest.param({"requests": [10_001, 20_100], "memory_mb": [50.0, 52.6]}, True, "20,100", id="more and more"),
    ],
)
def test_memory_that_grows_with_requests_is_seen(growth: Any, is_grown: bool, told: str) -> None:
    found, text = load.grown(growth)

    assert (found, told in text) == (is_grown, True)


@pytest.mark.parametrize(
    "metrics, is_near",
    [
        ([{"name": "f1", "before": 0.80, "after": 0.804}], True),
        ([{"name": "f1", "before": 0.80, "after": 0.82}], False),
        ([{"name": "f1", "before": 0.80, "after": None}], False),
        ([], False),
    ],
)
def test_metrics_of_training_again_may_part_by_what_is_declared(metrics: list[dict[str, Any]], is_near: bool) -> None:
    assert again.is_near(metrics, 0.01) is is_near


def test_only_a_ci_service_shows_that_ci_holds_the_gate(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL"):
        monkeypatch.delenv(name, raising=False)
    api.init_project(".", github=True)
    assert gathered("TM-3")["TM-3"].state is State.DECLARED

    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    found = gathered("TM-3")["TM-3"]
    assert found.state is State.DECLARED
    assert "there is no commit" in found.evidence


def test_ci_does_not_hold_the_gate_where_no_export_can_be_made(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setattr(ci, "git_state", lambda _: SimpleNamespace(commit="c0ffee"))
    target = target_of("bare.ipynb")
    facts = replace(facts_of(target, "bare.ipynb"), verdict=Verdict.SAME, export=Export(unknown="there is no plan"))

    (seen,) = ci.run(Ground(target, "bare.ipynb", facts, lambda _: None))

    assert (seen.held, "there is no plan" in seen.text) == (False, True), seen


def test_fresh_evidence_is_not_made_again(project: Path) -> None:
    def told() -> list[str]:
        said: list[Progress] = []
        api.gather("titanic.ipynb", items=["NB-5", "SK-5"], on_progress=said.append)
        return [each.text for each in said]

    first, second = told(), told()

    assert "importing the package by itself" in first
    assert "importing the package by itself" not in second
    replaced("titanic.ipynb", "TEST_SIZE = 0.25", "TEST_SIZE = 0.3")(project)
    assert next(each for each in api.readiness("titanic.ipynb").items if each.id == "NB-5").state is S


@pytest.mark.parametrize(
    "items, file",
    [
        pytest.param(("NB-5",), "pipelines/titanic/serving/metrics.py", id="a file that all versions share"),
        pytest.param(("NB-5", "RP-3"), "pipelines/titanic/v0002/state/learned.json", id="the learned state"),
    ],
)
def test_what_was_seen_of_other_files_is_stale(items: tuple[str, ...], file: str, project: Path) -> None:
    def states() -> set[State]:
        return {each.state for each in api.readiness("titanic.ipynb").items if each.id in items}

    gathered("NB-5")
    assert states() == {P}

    with (project / file).open("a") as text:
        text.write("\n")

    assert states() == {S}


def test_a_package_with_the_roles_that_were_suggested_is_the_notebooks(project: Path) -> None:
    found = {each.id: each.state for each in api.readiness("titanic.ipynb").items}

    assert (found["NB-3"], found["NB-4"]) == (M, P)


@pytest.mark.parametrize("name", ["fitted.json", "schema.json", "baseline.json"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param('{"versions": [], "one_row": 1, "columns": [{"name": 1}, 2], "rows": null}', id="other types"),
    ],
)
def test_damaged_files_of_a_fit_leave_a_checklist(name: str, text: str, project: Path) -> None:
    (project / "pipelines/titanic/v0002/state" / name).write_text(text)

    assert len(api.readiness("titanic.ipynb").items) == len(CHECKS)


def test_what_is_left_out_is_not_gathered(project: Path) -> None:
    with (project / TOML).open("a") as file:
        file.write('[pipelines.titanic.not_applicable]\n"DT-3" = "a rule decides"\n')

    assert gathered("DT-3")["DT-3"].state is State.NOT_APPLICABLE


def test_of_a_notebook_that_was_never_run_nothing_can_be_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "titanic")
    monkeypatch.chdir(tmp_path / "titanic")

    items = gathered(*(each.id for each in CHECKS if each.gathered))

    assert {each.state for each in items.values()} <= {M, C}  # SU-3 speaks of columns, which are known
    assert "no version of the package is fitted" in items["NB-5"].evidence


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notebook of one cell in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": "x = 1"}
    Path("bare.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return tmp_path


def probes(count: int, run: Callable[[str], None]) -> tuple[Probe, ...]:
    """So many checks, each of an item of its own, which do what `run` does and then see that it holds."""

    def probe(item: str) -> Probe:
        def seen(ground: Ground) -> Iterator[Evidence]:
            run(item)
            yield ground.seen(item, True, "seen")

        return Probe((item,), "looking", seen)

    return tuple(probe(f"NB-{number}") for number in range(count))


def test_stopped_in_the_middle_no_further_check_begins(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began: list[str] = []

    def keep(*_: object) -> None:
        raise KeyboardInterrupt

    def look(item: str) -> None:
        began.append(item)
        time.sleep(0.05)

    monkeypatch.setattr(gathering, "PROBES", probes(40, look))
    monkeypatch.setattr(gathering, "keep", keep)

    with pytest.raises(KeyboardInterrupt):
        api.gather("bare.ipynb")

    assert len(began) < 10


def test_stopped_in_the_middle_a_check_ends_at_its_next_word(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, told = Event(), Event()

    def short(ground: Ground) -> Iterator[Evidence]:
        first.wait(10)
        yield ground.seen("NB-0", True, "seen")

    def long(ground: Ground) -> Iterator[Evidence]:
        first.set()
        for _ in range(200):
            time.sleep(0.05)
            ground.tell("at work")
        told.set()
        yield ground.seen("NB-1", True, "seen")

    def keep(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gathering, "PROBES", (Probe(("NB-0",), "short", short), Probe(("NB-1",), "long", long)))
    monkeypatch.setattr(gathering, "keep", keep)

    with pytest.raises(KeyboardInterrupt):
        api.gather("bare.ipynb")

    assert not told.is_set()


def test_a_check_that_breaks_takes_nothing_with_it(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(item: str) -> None:
        if item == "NB-0":
            raise ValueError(item)
        time.sleep(0.05)

    monkeypatch.setattr(gathering, "PROBES", probes(4, look))

    with pytest.raises(ValueError, match="NB-0"):
        api.gather("bare.ipynb")

    assert set(evidence_of(target_of("bare.ipynb"))) == {"NB-1", "NB-2", "NB-3"}


@pytest.mark.parametrize(
    "predictions, digest, held, told",
    [
        pytest.param([1, 0], "d1", True, "predicts 2 rows as the package does", id="the same"),
        pytest.param([1, 1], "d1", False, "1 of 2 predictions are others", id="another prediction"),
        pytest.param([1], "d1", False, "1 predictions where the package gives 2", id="a prediction is lacking"),
        pytest.param([1, 0], "d2", False, "of another package", id="another package"),
    ],
)
def test_a_registered_model_answers_as_its_package_does(
    predictions: list[int], digest: str, held: bool, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"predictions": predictions, "signature": True, "digest": digest}
    monkeypatch.setattr(registered, "answered", lambda *_: answer)
    monkeypatch.setattr(registered, "store_of", lambda _: "sqlite:///none.db")
    version = Version(1, "d1", "2026-01-01", "a.ipynb", None, "first export", state="s1")
    facts = SimpleNamespace(registered={1: 7}, fitted=version, inputs=defaultdict(str))
    ground = Ground(cast(Any, SimpleNamespace(name="a")), "a.ipynb", cast(Any, facts), lambda _: None)
    monkeypatch.setattr(Ground, "records", [{"x": 1}, {"x": 2}])
    monkeypatch.setattr(Ground, "asked", lambda *_, **__: {"predictions": [1, 0]})

    (seen,) = registered.run(ground)

    assert (seen.held, told in seen.text) == (held, True), seen
    assert "the registry" in seen.inputs


@pytest.mark.parametrize(
    "opened, told",
    [
        pytest.param("reads {root}/data/a b.csv", "reads data/a b.csv", id="in the project"),
        pytest.param("writes {home}/cache/x", "writes ~/cache/x", id="in the home folder"),
        pytest.param("reads /srv/x", "reads /srv/x", id="elsewhere"),
    ],
)
def test_of_a_file_no_more_of_the_machine_is_told_than_needs_be(
    opened: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    shown = alone.shortened(opened.format(root=tmp_path / "work", home=tmp_path / "home"), tmp_path / "work")

    assert shown == told


def test_every_item_that_takes_time_has_one_probe() -> None:
    probed = [item for probe in PROBES for item in probe.items]

    assert len(set(probed)) == len(probed)
    assert {check.id for check in CHECKS if check.gathered} == set(probed)


def test_malformed_requests_are_the_same_each_time_and_of_many_kinds() -> None:
    record = {"age": 3.5, "plan": "pro"}
    made = list(malformed(record, ["age"], 60))

    assert made == list(malformed(record, ["age"], 60))
    assert len({what for what, _, _ in made}) == 10
    good = json.dumps(record, separators=(",", ":")).encode()
    assert [what for what, body, kind in made if (body, kind) == (good, "application/json")] == []


@pytest.mark.parametrize(
    "labels, by",
    [
        pytest.param({"status": "2*"}, 3, id="a beginning"),
        pytest.param({"status": "200"}, 2, id="a whole label"),
        pytest.param({"status": "2*", "path": "/a"}, 2, id="two labels"),
        pytest.param({"other": "x"}, 0, id="a label that is not there"),
    ],
)
def test_counters_are_read_by_their_labels(labels: dict[str, str], by: float) -> None:
    before = {("n", (("path", "/a"), ("status", "200"))): 1.0}
    after = {
        ("n", (("path", "/a"), ("status", "200"))): 3.0,
        ("n", (("path", "/b"), ("status", "201"))): 1.0,
        ("m", (("status", "200"),)): 9.0,
    }
    assert moved(before, after, "n", **labels) == by


AGED = """
[pipelines.sales]
notebook = "sales.ipynb"
retraining = {{ stale_days = {days} }}
labels = {{ source = "till", delay_days = 1 }}
data = {{ time = "day" }}
"""
SALES = [
    "import pandas as pd\nfrom sklearn.linear_model import LinearRegression",
    "rows = pd.read_csv('rows.csv')",
    "rows['size'] = rows['size'].fillna(rows['size'].median())",
    "model = LinearRegression().fit(rows[['size']], rows['price'])",
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "drift, days, state, told",
    [
        pytest.param(0.0, 200, P, "rmse 1 at 30.5 days", id="as good as ever"),
        pytest.param(0.05, 200, C, "surely more than", id="worse with each day"),
        pytest.param(0.001, 250, P, "at 338 days", id="hardly worse"),
        pytest.param(0.05, 20, State.DECLARED, "too few rows within 20 days", id="younger than the rows tell"),
        pytest.param(0.0, 2000, State.DECLARED, "no further than", id="older than the rows"),
    ],
)
def test_how_a_metric_falls_with_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drift: float, days: int, state: State, told: str
) -> None:
    monkeypatch.chdir(tmp_path)

    item = aged(tmp_path, AGED.format(days=days), SALES, date.isoformat, drift)

    assert (item.state, told in item.evidence) == (state, True), item.evidence


@pytest.mark.slow
@pytest.mark.parametrize(
    "config, source, shown, state, told",
    [
        pytest.param(
            AGED.replace('data = {{ time = "day" }}\n', ""),
            [source.replace("'rows.csv'", "'rows.csv', parse_dates=['day']") for source in SALES],
            date.isoformat,
            P,
            "rmse 1 at 30.5 days",
            id="the column that training saw as dates",
        ),
        pytest.param(AGED, SALES, "{:%Y%m%d}".format, P, "rmse 1 at 30.5 days", id="days as numbers"),
        pytest.param(
            AGED, SALES, lambda day: str(day.toordinal()), State.DECLARED, "no time since 1970", id="days since year 1"
        ),
    ],
)
def test_times_of_rows_are_found_and_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: str,
    source: list[str],
    shown: Callable[[date], str],
    state: State,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    item = aged(tmp_path, config.format(days=200), source, shown)

    assert (item.state, told in item.evidence) == (state, True), item.evidence


def aged(folder: Path, config: str, source: list[str], shown: Callable[[date], str], drift: float = 0.0) -> Any:
    """What RT-5 says of a model of 1,000 days of sales, whose prices rise from the middle on."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in source])
    nbformat.write(notebook, folder / "sales.ipynb")
    (folder / "nbprod.toml").write_text(config)
    days = [date(2024, 1, 1) + timedelta(n) for n in range(1000)]
    lines = [
        f"{shown(day)},{n % 17},{2 * (n % 17) + (-1) ** n + max(0, n - 500) * drift:.6f}" for n, day in enumerate(days)
    ]
    (folder / "rows.csv").write_text("day,size,price\n" + "\n".join(lines) + "\n")
    ran = CliRunner().invoke(app, ["run", "sales.ipynb", "--auto", "--no-verify", "--quiet"])
    assert ran.exit_code == 0, ran.output
    api.gather("sales.ipynb", items=["RT-5"])
    return {each.id: each for each in api.readiness("sales.ipynb").items}["RT-5"]


@pytest.mark.parametrize(
    "values, expected",
    [
        pytest.param([2024, None], "2024-01-01", id="years"),
        pytest.param([202402, None], "2024-02-01", id="months"),
        pytest.param([20240229, None], "2024-02-29", id="days"),
        pytest.param(["20240229", None], "2024-02-29", id="days as text"),
        pytest.param(["202402", None], "2024-02-01", id="months as text"),
        pytest.param(["2024-02-29T12:00+02:00", None], "2024-02-29 10:00", id="times as text"),
        pytest.param([1709164800, None], "2024-02-29", id="seconds"),
        pytest.param([1709164800500, None], "2024-02-29 00:00:00.5", id="milliseconds"),
        pytest.param([1709164800500000, None], "2024-02-29 00:00:00.5", id="microseconds"),
        pytest.param([20240230], None, id="no day"),
        pytest.param([7, 8], None, id="counts"),
        pytest.param([1709164800, 20240229], None, id="two kinds of numbers"),
    ],
)
def test_what_times_a_column_holds(monkeypatch: pytest.MonkeyPatch, values: list[Any], expected: str | None) -> None:
    monkeypatch.syspath_prepend(aging.SCRIPT.parent)
    times = runpy.run_path(str(aging.SCRIPT))["_times"](pd.Series(values))

    if expected is None:
        assert times is None
    else:
        assert times.iloc[0] == pd.Timestamp(expected, tz="UTC")
        assert times.isna().sum() == len(values) - 1


DOCKER = """\
#!/bin/sh
echo "$@" >> "$DOCKER_CALLS"
case "$1" in
  info) exit {info} ;;
  build) echo "step 3/9: no such file"; exit {build} ;;
  inspect) echo {health} ;;
esac
"""


@pytest.mark.parametrize(
    "answers, state, told",
    [
        pytest.param({"info": 0, "build": 0, "health": "healthy"}, P, "its container is healthy", id="built"),
        pytest.param({"info": 0, "build": 1, "health": "x"}, C, "can't be built: step 3/9: no such", id="not built"),
        pytest.param({"info": 0, "build": 0, "health": "unhealthy"}, C, "not healthy", id="built, and ill"),
        pytest.param({"info": 1, "build": 0, "health": "x"}, M, "no Docker daemon answers", id="no daemon"),
    ],
)
def test_an_image_is_built_and_started_where_docker_answers(
    project: Path, monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any], state: State, told: str
) -> None:
    (project / "nbprod.toml").write_text(CONFIGURED + 'deploy_target = "docker"\n')
    (project / "deploy" / "titanic").mkdir(parents=True)
    (project / "deploy" / "titanic" / "Dockerfile").write_text(GOOD)
    docker = project / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER.format(**answers))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{docker.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_CALLS", str(project / "calls"))

    item = gathered("DT-5")["DT-5"]

    assert (item.state, told in item.evidence) == (state, True), item
    if state is not M:
        (tag,) = {line.split()[-1] for line in (project / "calls").read_text().splitlines() if line.startswith("rmi")}
        assert f"rm --force {tag}" in (project / "calls").read_text(), "nothing is left behind"
    (project / "deploy" / "titanic" / "Dockerfile").write_text(GOOD + "ENV A=1\n")
    after = {each.id: each.state for each in api.readiness("titanic.ipynb").items}["DT-5"]
    assert after is S
