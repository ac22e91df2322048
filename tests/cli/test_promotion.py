"""Promotion on a real package: challenger, gates, force, the way back, a service that goes along, and the trail."""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from click.testing import CliRunner, Result

from nbprod import versions
from nbprod.cli.app import app
from tests.cli.test_pipeline import BIN, ENVIRONMENT, write

CELLS: list[tuple[str, list[str]]] = [
    (
        "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
        "from sklearn.metrics import accuracy_score\nfrom sklearn.model_selection import train_test_split",
        [],
    ),
    ("SEED = 0\nDATA = 'people.csv'\nC = 1.0", ["parameters"]),
    ("df = pd.read_csv(DATA)", ["data"]),
    ("df['paid'] = df['fare'].clip(lower=0)", ["features"]),
    (
        "X = df[['age', 'paid']]\ny = df['left']\n"
        "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=SEED)\n"
        "median = X_train['age'].median()\n"
        "X_train = X_train.fillna({'age': median})\nX_test = X_test.fillna({'age': median})",
        ["features"],
    ),
    ("model = LogisticRegression(C=C)\nmodel.fit(X_train, y_train)", ["train"]),
    ("accuracy = accuracy_score(y_test, model.predict(X_test))\nprint(accuracy)", ["evaluate"]),
]
CONFIGURATION = """\
[pipelines.leavers]
notebook = "leavers.ipynb"
[pipelines.leavers.success]
metric = "accuracy"
target = 0.3
"""
FAST = """\
[pipelines.leavers.requirements]
latency_ms = 60000
"""
RECORD = {"age": 33, "fare": 7.0}
FORCE = ("--force", "--why", "a rehearsal")


def people(seed: int) -> str:
    drawn = random.Random(seed)
    rows = []
    for number in range(200):
        age, fare = drawn.randint(18, 70), round(drawn.uniform(-2, 60), 1)
        left = int(age / 70 + fare / 60 + drawn.gauss(0, 0.1) > 1.1)
        rows.append(f"{age if number % 9 else ''},{fare},{left}")
    return "\n".join(["age,fare,left", *rows]) + "\n"


def call(folder: Path, *words: str, code: int = 0) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(app, words, prog_name="nbprod")
    assert done.exit_code == code, done.output
    return done


def report(folder: Path, *words: str, code: int = 0) -> Any:
    return json.loads(call(folder, *words, "--format", "json", "--quiet", code=code).stdout)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A champion, and a challenger that learned next to nothing (its regularisation is extreme)."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "people.csv").write_text(people(1))
    (folder / "more.csv").write_text(people(2))
    write(folder / "leavers.ipynb", CELLS)
    (folder / "nbprod.toml").write_text(CONFIGURATION)
    first = report(folder, "run", "leavers.ipynb")
    assert first["aliases"] == ["challenger"]
    promoted = report(folder, "versions", "leavers", "promote")
    assert promoted["promoted"], promoted
    second = report(folder, "run", "leavers.ipynb", "-p", "C", "1e-9")
    assert second["aliases"] == ["challenger"]
    return folder


@pytest.fixture
def project(ran: Path, tmp_path: Path) -> Path:
    """The project in a folder of the test's own."""
    return shutil.copytree(ran, tmp_path / "project", symlinks=True)


def in_ledger(folder: Path) -> dict[str, int]:
    listed = json.loads((folder / "pipelines/leavers/versions.json").read_text())["versions"]
    return {alias: each["number"] for each in listed for alias in each["aliases"]}


def in_registry(folder: Path) -> dict[str, int | None]:
    from nbprod import tracking

    known = tracking.registered("leavers", uri=tracking.default_uri(folder))
    return {alias: each.version for each in known for alias in each.aliases}


def outcomes(told: Any) -> dict[str, str]:
    return {gate["name"]: gate["outcome"] for gate in told["gates"]}


def test_a_proven_version_challenges_the_champion_in_the_ledger_and_the_registry(ran: Path) -> None:
    assert in_ledger(ran) == in_registry(ran) == {"champion": 1, "challenger": 2}


def test_a_worse_challenger_is_refused_with_the_interval_on_the_same_rows(project: Path, valid: Any) -> None:
    shutil.rmtree(project / ".nbprod/proofs")
    (project / "nbprod.toml").write_text(CONFIGURATION + FAST)

    told = report(project, "versions", "leavers", "promote", code=1)

    valid("promotion", told)
    assert outcomes(told) == {
        "proof": "passed",
        "thresholds": "passed",
        "no-worse-than-champion": "failed",
        "contract": "passed",
        "readiness": "passed",
        "latency": "passed",
    }
    compared = next(gate for gate in told["gates"] if gate["name"] == "no-worse-than-champion")["numbers"]
    assert (compared["rows"], compared["held_out"], compared["metric"]) == (50, 50, "accuracy")
    assert compared["low"] < compared["improvement"] < compared["high"] < 0
    assert compared["improvement"] == pytest.approx(compared["candidate"] - compared["champion"])
    latency = next(gate for gate in told["gates"] if gate["name"] == "latency")["numbers"]
    assert 0 < latency["p50_ms"] <= latency["p99_ms"] < 60_000
    proof = next(gate for gate in told["gates"] if gate["name"] == "proof")["numbers"]
    assert (proof["rows"], proof["rows_equal"]) == (200, 200)
    assert in_ledger(project) == {"champion": 1, "challenger": 2}


def test_what_is_forced_and_rolled_back_stands_in_the_registry_and_the_history(project: Path, valid: Any) -> None:
    forced = report(project, "versions", "leavers", "promote", *FORCE)
    after_force = in_ledger(project), in_registry(project)
    back = report(project, "versions", "leavers", "rollback", "--why", "it was worse")
    history = report(project, "versions", "leavers", "history")

    valid("promotion", back)
    valid("history", history)
    assert (forced["promoted"], forced["forced"], forced["registry"]) == (True, True, {"agrees": True, "reason": None})
    assert after_force == ({"champion": 2}, {"champion": 2})
    assert in_ledger(project) == in_registry(project) == {"champion": 1}
    moves = [(each["action"], each["before"], each["version"], each["why"]) for each in history["promotions"]]
    assert moves == [
        ("promote", None, 1, None),
        ("promote", 1, 2, "a rehearsal"),
        ("rollback", 2, 1, "it was worse"),
    ]
    assert "rolled back" in call(project, "versions", "leavers", "history").stdout


def test_a_package_edited_by_hand_is_not_promoted(project: Path) -> None:
    path = project / "pipelines/leavers/v0002/features.py"
    path.write_text(path.read_text().replace("clip(lower=0)", "clip(lower=1)"))

    done = call(project, "versions", "leavers", "promote", code=1)

    assert re.search(r"proof +failed +edited by hand since it was exported: features.py", done.stdout)
    assert "version 2 of leavers is not promoted: proof" in done.stdout
    assert "--force --why" in done.stderr


def test_where_the_store_does_not_answer_the_ledger_is_the_truth_and_that_is_said(project: Path) -> None:
    text = CONFIGURATION.replace("[pipelines.leavers]", 'tracking_uri = "http://127.0.0.1:9"\n[pipelines.leavers]', 1)
    (project / "nbprod.toml").write_text(text)

    told = call(project, "versions", "leavers", "promote", *FORCE)

    assert in_ledger(project) == {"champion": 2}
    assert "MLflow's aliases are not the ledger's: the server of http://127.0.0.1:9 does not answer" in told.stdout
    (project / "nbprod.toml").write_text(CONFIGURATION)
    assert in_registry(project) == {"champion": 1, "challenger": 2}
    report(project, "versions", "leavers", "rollback")
    assert in_registry(project) == {"champion": 1}


def test_the_trail_leads_from_an_answer_to_run_data_parameters_cells_and_lines(project: Path, valid: Any) -> None:
    trail = report(project, "versions", "leavers", "trace", "v0002", "paid")

    valid("trace", trail)
    run = trail["traced_run"]
    assert (run["parameters"], run["verify"], run["reason"]) == ({"C": "1e-09"}, "proven", None)
    assert run["notebook_sha256"] == hashlib.sha256((project / "leavers.ipynb").read_bytes()).hexdigest()
    assert [(Path(each["path"]).name, each["sha256"]) for each in run["inputs"]] == [
        ("people.csv", hashlib.sha256((project / "people.csv").read_bytes()).hexdigest())
    ]
    (feature,) = trail["features"]
    clip = feature["steps"][0]
    assert (clip["cell"], clip["cell_id"], clip["line"]) == (3, "cell-3", 1)
    code = (project / "pipelines/leavers/v0002/features.py").read_text().splitlines()
    assert "clip(lower=0)" in code[clip["package_lines"][0] - 1]
    assert (trail["model"]["cell"], trail["model"]["line"]) == (5, 2)
    shown = call(project, "versions", "leavers", "trace").stdout
    assert "cell 4 (id cell-4), line 4" in shown
    assert "learns median" in shown


def test_a_scored_file_is_told_with_the_version_that_trace_takes(project: Path) -> None:
    (project / "rows.csv").write_text("age,fare\n33,7.0\n")

    told = report(project, "score", "leavers", "rows.csv", "scored.csv")

    listed = json.loads((project / "pipelines/leavers/versions.json").read_text())["versions"][0]
    assert (told["version"], told["digest"], told["state"]) == (1, listed["digest"], listed["state"])


class Asking:
    """Asks a service without a pause until it is stopped, and keeps what came back."""

    def __init__(self, url: str) -> None:
        self.answers: list[tuple[int, str, str]] = []
        self.failed: list[str] = []
        self._stopped = threading.Event()
        self._url = url
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def until(self, version: str) -> None:
        """Wait until a version answers."""
        end = time.monotonic() + 60
        while not (self.answers and self.answers[-1][1] == version):
            assert time.monotonic() < end, (self.answers[-3:], self.failed[:3])
            time.sleep(0.05)

    def _ask(self) -> None:
        opener = build_opener(ProxyHandler({}))
        body = json.dumps(RECORD).encode()
        request = Request(self._url + "/predict", data=body, headers={"content-type": "application/json"})
        while not self._stopped.is_set():
            try:
                with opener.open(request, timeout=60) as answer:
                    told = json.load(answer)
                    self.answers.append((answer.status, told["version"], answer.headers["x-pipeline-version"]))
            except OSError as error:
                self.failed.append(str(error))


@pytest.fixture
def service(project: Path, request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    """`nbprod serve leavers` as a process of its own, and its log."""
    words = [*BIN, "serve", "leavers", "--port", "0", "--server", request.param]
    log = project / "serve.txt"
    with log.open("w") as file:
        process = subprocess.Popen(words, cwd=project, env=ENVIRONMENT, stderr=file)
        try:
            until = time.monotonic() + 120
            while not ((found := re.search(r"http://\S+", log.read_text())) and '"event": "load"' in log.read_text()):
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
            yield found[0], log
        finally:
            process.terminate()
            assert process.wait(30) in {0, -15, 143}


@pytest.mark.parametrize("service", ["uvicorn"], indirect=True)
def test_a_service_goes_along_with_the_champion_and_no_request_fails(project: Path, service: tuple[str, Path]) -> None:
    url, log = service
    with Asking(url) as asking:
        asking.until("v0001")
        versions.promote(project / "pipelines", "leavers", 2)
        asking.until("v0002")
        call(project, "versions", "leavers", "rollback")
        asking.until("v0001")

    order = [version for _, version, _ in asking.answers]
    changes = [order[0]] + [after for before, after in pairwise(order) if before != after]
    assert asking.failed == []
    assert changes == ["v0001", "v0002", "v0001"]
    assert {(status, version == header) for status, version, header in asking.answers} == {(200, True)}
    assert log.read_text().count('"event": "followed"') == 2


@pytest.mark.parametrize("service", ["stdlib"], indirect=True)
def test_a_champion_that_can_not_be_loaded_takes_no_request(project: Path, service: tuple[str, Path]) -> None:
    url, log = service
    (project / "pipelines/leavers/v0002/state/model.skops").write_bytes(b"broken")
    with Asking(url) as asking:
        asking.until("v0001")
        versions.promote(project / "pipelines", "leavers", 2)
        until = time.monotonic() + 60
        while '"event": "not followed"' not in log.read_text():
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)

    assert asking.failed == []
    assert {version for _, version, _ in asking.answers} == {"v0001"}
    assert "was changed after fit" in log.read_text()


def test_retraining_on_other_data_makes_a_challenger_that_is_judged_and_promoted(project: Path, valid: Any) -> None:
    wide = CONFIGURATION + FAST + "[pipelines.leavers.gate]\nmin_delta = 0.5\n"
    (project / "nbprod.toml").write_text(wide)
    versions.promote(project / "pipelines", "leavers", 2)

    told = report(project, "run", "leavers", "--retrain", "-p", "DATA", "more.csv", "--promote")

    valid("retrain", told)
    assert (told["from_version"], told["champion"], told["version"]) == (2, 2, 3)
    assert told["parameters"] == {"C": "1e-09", "DATA": "more.csv"}
    assert (told["promotion"]["promoted"], told["promotion"]["why"]) == (True, "retrained")
    assert set(outcomes(told["promotion"]).values()) == {"passed"}
    assert in_ledger(project) == in_registry(project) == {"champion": 3}

    again = report(project, "run", "leavers", "--retrain")
    valid("retrain", again)
    assert (again["version"], again["promotion"]["gates"], again["promotion"]["promoted"]) == (3, [], False)


@pytest.mark.parametrize(
    "words, code, hint",
    [
        pytest.param(["run", "leaver", "--retrain"], "no-package", 'did you mean "leavers"?', id="a-name-mistyped"),
        pytest.param(["run", "leavers@2", "--retrain"], "usage", "nbprod run leavers --retrain", id="a-version"),
        pytest.param(["run", "leavers", "--retrain", "--auto"], "usage", "as the champion was made", id="an-option"),
        pytest.param(["run", "leavers", "other", "--retrain"], "usage", "once for each", id="two-packages"),
        pytest.param(["run", "leavers.ipynb", "--promote"], "usage", "versions NAME promote", id="promote-alone"),
        pytest.param(
            ["run", "leavers", "--retrain", "-p", "DATE", "x"], "unknown-parameter", '"DATA"', id="no-such-parameter"
        ),
    ],
)
def test_a_retraining_that_can_not_start_leaves_the_versions_alone(
    ran: Path, words: list[str], code: str, hint: str
) -> None:
    before = (ran / "pipelines/leavers/versions.json").read_bytes()

    done = call(ran, *words, code=2)

    assert done.stdout == ""
    assert f"error[{code}]" in done.stderr
    assert hint in done.stderr
    assert (ran / "pipelines/leavers/versions.json").read_bytes() == before
