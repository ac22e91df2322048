"""`nbprod monitor`: the titanic example, fitted by a real run, and looked at with and without planted faults."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from nbprod.api.serving import ask, fitted_version, running, serve_command
from nbprod.cli.app import app
from nbprod.codegen.runtime.recording import Recorder, Row

EXAMPLE = Path(__file__).parents[2] / "examples" / "titanic"
CONFIGURED = """
[pipelines.titanic]
notebook = "titanic.ipynb"
owner = "passenger team"

[pipelines.titanic.requirements]
latency_ms = 50
volume_rps = 5
"""
NASTY = "</td><script>alert(1)</script>"


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The titanic project after a run, with a configuration."""
    project = Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("monitored") / "titanic"))
    (project / "nbprod.toml").write_text(CONFIGURED)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        ran = CliRunner().invoke(app, ["run", "titanic.ipynb", "--auto", "--no-verify", "--quiet"])
    assert ran.exit_code == 0, ran.output
    return project


@pytest.fixture
def project(fitted: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(fitted)
    return fitted


def monitor(*words: Any) -> Result:
    return monitor_of("titanic", *words)


def monitor_of(version: str, *words: Any) -> Result:
    return CliRunner().invoke(app, ["monitor", version, *(str(word) for word in words)], prog_name="nbprod")


def training(n: int = 600) -> pd.DataFrame:
    return pd.read_csv(EXAMPLE / "data/train.csv").sample(n, random_state=1)


def written(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_parquet(path, index=False) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    return path


def faulty() -> pd.DataFrame:
    rows = training()
    embarked = rows["Embarked"].mask(np.arange(len(rows)) % 10 == 0, NASTY)
    return rows.assign(Age=rows["Age"] + 0.6 * rows["Age"].std(), Fare=rows["Fare"] * 1000, Embarked=embarked)


def alerts(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(signal["feature"], signal["what"]) for signal in report["signals"] if signal["alert"]}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_rows_like_those_of_training_end_with_0(project: Path, tmp_path: Path, valid: Any, ending: str) -> None:
    done = monitor("--rows", written(training(), tmp_path / f"rows.{ending}"), "--format", "json")

    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    valid("monitor", report)
    assert (report["rows"], report["unanswered"], report["predicted"]) == (600, 0, "held-out")
    assert sum(report["counts"]["prediction"]["counts"]) == 600


def test_planted_faults_end_with_1_and_are_named(project: Path, tmp_path: Path) -> None:
    rows, page = written(faulty(), tmp_path / "rows.csv"), tmp_path / "report.html"
    told = json.loads(monitor("--rows", rows, "--format", "json").stdout)
    done = monitor("--rows", rows, "--html", page)

    assert done.exit_code == 1
    wanted = {("Age", "drift"), ("Fare", "drift"), ("Fare", "range"), ("Embarked", "unseen")}
    assert wanted <= alerts(told)
    assert not {feature for feature, _ in alerts(told)} & {"Sex", "Pclass", "SibSp", "Parch", "Name", "Cabin"}
    assert "another unit" in done.stdout
    assert f"{len(alerts(told))} of {len(told['signals'])} figures alert" in done.stdout
    assert_stands_alone(page.read_text(), {"Age", "Fare", "Embarked", "prediction"})


def assert_stands_alone(text: str, alerting: set[str]) -> None:
    """The page asks for nothing, runs nothing, and holds what comes from data as text."""
    tags: list[str] = []
    links: list[str] = []
    cards: dict[str, str] = {}

    class Reader(HTMLParser):
        card = ""

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            tags.append(tag)
            links.extend(name for name, _ in attrs if name in ("src", "href"))
            if tag == "div" and dict(attrs).get("class", "").startswith("card"):
                self.card = str(dict(attrs)["class"])
                self.is_title = False
            self.is_title = tag == "h3"

        def handle_data(self, data: str) -> None:
            if getattr(self, "is_title", False) and data.strip():
                cards[data.strip()] = self.card
                self.is_title = False

    Reader().feed(text)
    assert "script" not in tags
    assert links == []
    assert "prefers-color-scheme: dark" in text
    assert {name for name, kind in cards.items() if "alert" in kind} >= alerting - {"prediction"}
    assert set(cards) >= {"Age", "Sex", "Name", "prediction"}
    assert tags.count("svg") == len(cards) - 1


def test_a_column_of_predictions_is_taken_as_it_is(project: Path, tmp_path: Path) -> None:
    rows = written(training().assign(prediction=1), tmp_path / "rows.csv")
    report = json.loads(monitor("--rows", rows, "--format", "json").stdout)

    assert report["counts"]["prediction"]["counts"] == [0, 600]
    assert {("prediction", "drift"), ("prediction", "dead")} <= alerts(report)


def test_rows_that_the_package_refuses_are_counted_as_unanswered(project: Path, tmp_path: Path) -> None:
    rows = training()
    rows = written(rows.assign(Name=rows["Name"].where(np.arange(len(rows)) % 60 != 0)), tmp_path / "rows.csv")
    report = json.loads(monitor("--rows", rows, "--format", "json").stdout)

    assert report["unanswered"] == 10
    assert report["rows"] == 600
    assert sum(report["counts"]["prediction"]["counts"]) == 590


@pytest.mark.parametrize("right, alerting", [(0.85, False), (0.55, True)])
def test_known_truth_gives_the_metric_against_that_of_rows_held_out(
    project: Path, tmp_path: Path, right: float, alerting: bool
) -> None:
    rows = training(800)
    answers = rows["Survived"].where(np.random.default_rng(0).random(800) < right, 1 - rows["Survived"])
    source = written(rows.drop(columns="Survived").assign(prediction=answers), tmp_path / "rows.csv")
    truth = written(rows[["PassengerId", "Survived"]].iloc[:700], tmp_path / "truth.csv")
    report = json.loads(monitor("--rows", source, "--truth", truth, "--on", "PassengerId", "--format", "json").stdout)

    assert report["joined"] == 700
    share = float((answers == rows["Survived"]).iloc[:700].mean())
    assert report["quality"]["value"] == pytest.approx(share)
    assert report["quality"]["low"] < share < report["quality"]["high"]
    assert (("prediction", "quality") in alerts(report)) is alerting


def log_of(rows: pd.DataFrame, path: Path, *, version: str = "v0001", took: float = 5.0, every: float = 1.0) -> Path:
    """A service's log of rows, the newest now, all answered with 0 and 1 in turn."""
    records = json.loads(rows.drop(columns="Survived").to_json(orient="records"))
    with sqlite3.connect(path) as store:
        store.execute(
            "CREATE TABLE IF NOT EXISTS predictions "
            "(at REAL, request_id TEXT, version TEXT, record TEXT, answer TEXT, milliseconds REAL)"
        )
        now = time.time()
        store.executemany(
            "INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?)",
            [
                (now - every * at, f"r{at}", version, json.dumps(record), str(int(at % 3 == 0)), took)
                for at, record in enumerate(records)
            ],
        )
    store.close()
    return path


def test_a_log_is_read_by_version_and_time_and_held_to_the_requirements(project: Path, tmp_path: Path) -> None:
    log = log_of(training(), tmp_path / "log.sqlite")
    log_of(training(50), log, version="v0007")
    before = log.read_bytes()
    whole = json.loads(monitor("--log", log, "--format", "json").stdout)
    recent = json.loads(monitor("--log", log, "--since", "5m", "--format", "json").stdout)

    assert (whole["rows"], whole["of_other_versions"]) == (600, 50)
    assert 290 <= recent["rows"] <= 301
    assert {signal["what"]: signal["alert"] for signal in whole["signals"] if signal["feature"] == "service"} == {
        "latency": False,
        "volume": False,
    }
    assert log.read_bytes() == before

    slow = log_of(training(), tmp_path / "slow.sqlite", took=90, every=0.01)
    told = json.loads(monitor("--log", slow, "--format", "json").stdout)
    assert {("service", "latency"), ("service", "volume")} <= alerts(told)


def test_the_log_of_the_service_itself_says_what_it_keeps(project: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.sqlite"
    recorder = Recorder(log, share=0.5, without=["Name", "Age"])
    records = json.loads(training(200).drop(columns="Survived").to_json(orient="records"))
    moment = time.time() // 60 * 60
    for at in range(0, 200, 2):
        for role in ("main", "shadow"):
            recorder.put(Row(moment, f"r{at}", "v0001", role, records[at : at + 2], [0, 1], [], 0.004))
    recorder.close()

    report = json.loads(monitor("--log", log, "--format", "json").stdout)
    refused = monitor("--log", log, "--replay")

    kept = sum(zlib.crc32(f"r{at}".encode()) < 2**31 for at in range(0, 200, 2))
    assert report["rows"] == 2 * kept
    assert not {"Name", "Age"} & {signal["feature"] for signal in report["signals"]}
    assert not {"Name", "Age"} & {column["name"] for column in report["counts"]["columns"]}
    assert any("without Age, Name" in note for note in report["notes"])
    volume = next(signal for signal in report["signals"] if signal["what"] == "volume")
    assert volume["value"] == pytest.approx(kept / 0.5 / 60)
    assert "can't be answered once more" in refused.output


def test_logged_answers_are_held_against_the_package_once_more(project: Path, tmp_path: Path, valid: Any) -> None:
    rows = training(60)
    log = log_of(rows, tmp_path / "log.sqlite")
    first = json.loads(monitor("--log", log, "--replay", "--format", "json").stdout)
    scored = tmp_path / "scored.csv"
    CliRunner().invoke(app, ["score", "titanic", str(written(rows, tmp_path / "rows.csv")), str(scored), "--quiet"])
    answers = pd.read_csv(scored)["prediction"].tolist()
    with sqlite3.connect(log) as store:
        for at, answer in enumerate(answers):
            store.execute("UPDATE predictions SET answer = ? WHERE request_id = ?", (str(answer), f"r{at}"))
    store.close()
    second = json.loads(monitor("--log", log, "--replay", "--format", "json").stdout)

    valid("monitor", first)
    wrong = sum(answer != int(at % 3 == 0) for at, answer in enumerate(answers))
    assert (first["replay"]["rows"], first["replay"]["differing"]) == (60, wrong)
    assert ("prediction", "skew") in alerts(first)
    assert first["replay"]["examples"][0]["request_id"] in "\n".join(first["notes"])
    assert (second["replay"]["rows"], second["replay"]["differing"]) == (60, 0)


@pytest.fixture(scope="module")
def abstaining(fitted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a range of doubt, in which the next version gives no answers."""
    project = Path(shutil.copytree(fitted, tmp_path_factory.mktemp("abstaining") / "titanic"))
    band = '[pipelines.titanic.low_confidence]\nband = [0.3, 0.7]\naction = "abstain"\n'
    (project / "nbprod.toml").write_text(f"{CONFIGURED}\n{band}")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        ran = CliRunner().invoke(app, ["run", "titanic.ipynb", "--auto", "--no-verify", "--quiet"])
    assert ran.exit_code == 0, ran.output
    return project


def test_answers_that_are_withheld_are_no_faults(
    abstaining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(abstaining)
    rows = training(300)
    log, scored = tmp_path / "log.sqlite", tmp_path / "scored.csv"
    with running(serve_command(fitted_version("titanic@2"), port=0, options={"log": str(log)})) as (url, _):
        for record in json.loads(rows.drop(columns="Survived").to_json(orient="records")):
            assert ask(f"{url}/predict", record)["status"] == 200
    source = written(rows, tmp_path / "rows.csv")
    CliRunner().invoke(app, ["score", "titanic@2", str(source), str(scored), "--quiet"])
    given = pd.read_csv(scored)
    truth = written(given[["PassengerId", "Survived"]], tmp_path / "truth.csv")

    looks = [
        ("--log", log, "--replay", "--truth", truth, "--on", "PassengerId"),
        ("--rows", source),
        ("--rows", scored),
    ]
    reports = [json.loads(monitor_of("titanic@2", *words, "--format", "json").stdout) for words in looks]

    right = (given["prediction"] == given["Survived"])[given["prediction"].notna()]
    assert 20 < len(right) < 290
    assert [alerts(report) for report in reports] == [set(), set(), set()]
    assert (reports[0]["replay"]["rows"], reports[0]["replay"]["differing"]) == (300, 0)
    assert (reports[0]["quality"]["value"], reports[0]["quality"]["rows"]) == (pytest.approx(right.mean()), len(right))


def test_truth_of_a_log_is_joined_by_the_request(project: Path, tmp_path: Path) -> None:
    rows = training()
    log = log_of(rows, tmp_path / "log.sqlite")
    truth = pd.DataFrame({"request_id": [f"r{at}" for at in range(400)], "Survived": rows["Survived"].to_numpy()[:400]})
    words = ("--truth", written(truth, tmp_path / "truth.csv"), "--on", "request_id", "--format", "json")
    report = json.loads(monitor("--log", log, *words).stdout)

    answered = (np.arange(400) % 3 == 0).astype(int)
    assert report["joined"] == 400
    assert report["quality"]["value"] == pytest.approx(float((answered == rows["Survived"].to_numpy()[:400]).mean()))


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that takes alerts at /, and refuses at /broken."""
    taken: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(500 if self.path == "/broken" else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()
    server.server_close()


def test_an_alert_reaches_its_owner_and_what_fails_is_told(
    project: Path, tmp_path: Path, hook: tuple[str, list[dict[str, Any]]]
) -> None:
    url, taken = hook
    rows, out = written(faulty(), tmp_path / "rows.csv"), tmp_path / "alert.json"
    save = f'"{sys.executable}" -c "import sys, pathlib; pathlib.Path({str(out)!r}).write_text(sys.stdin.read())"'
    told = monitor("--rows", rows, "--alert-webhook", url, "--alert-command", save)
    failing = monitor("--rows", rows, "--alert-webhook", f"{url}/broken", "--alert-command", "exit 3")

    assert (told.exit_code, told.stderr) == (1, "")
    assert json.loads(out.read_text()) == taken[0]
    assert (taken[0]["name"], taken[0]["owner"]) == ("titanic", "passenger team")
    assert all(signal["alert"] for signal in taken[0]["signals"])
    assert failing.exit_code == 1
    assert failing.stdout == told.stdout
    assert "the alert did not reach http://127.0.0.1/…: it answered 500" in failing.stderr
    assert "the alert's command failed: it ended with 3" in failing.stderr


def test_nothing_is_told_where_nothing_alerts(
    project: Path, tmp_path: Path, hook: tuple[str, list[dict[str, Any]]]
) -> None:
    assert monitor("--rows", written(training(), tmp_path / "rows.csv"), "--alert-webhook", hook[0]).exit_code == 0
    assert hook[1] == []


def test_it_looks_again_and_again_until_it_is_interrupted(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = log_of(training(0), tmp_path / "log.sqlite")
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            log_of(training(), log)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("nbprod.cli.verbs.monitor.time.sleep", sleep)
    done = monitor("--log", log, "--every", "10m")

    assert pauses == [600, 600, 600]
    assert "holds nothing" in done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert all("titanic version 1, 600 rows: " in line for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    "words, said",
    [
        pytest.param([], "give the rows to look at", id="nothing to look at"),
        pytest.param(["--rows", "a.csv", "--log", "b"], "not both", id="two things to look at"),
        pytest.param(["--rows", "a.csv", "--since", "1d"], "--since goes with --log", id="a time without a log"),
        pytest.param(["--rows", "a.csv", "--replay"], "--replay goes with --log", id="a replay without a log"),
        pytest.param(["--rows", "a.csv", "--on", "id"], "--truth and --on go together", id="a key without truth"),
        pytest.param(["--rows", "nowhere.csv"], "there is no file nowhere.csv", id="no such file"),
        pytest.param(["--rows", "titanic.ipynb"], "is neither .csv", id="a file of another kind"),
        pytest.param(["--log", "titanic.ipynb"], "file is not a database", id="no database"),
        pytest.param(["--log", "b", "--since", "soon"], '"soon" is no time to begin at', id="no time"),
        pytest.param(["--log", "b", "--every", "0m"], '"0m" is no length of time', id="no pause"),
        pytest.param(["--rows", "short.csv"], "lacks columns that a record must have: Age", id="a column is lacking"),
        pytest.param(
            ["--rows", "data/train.csv", "--truth", "data/train.csv", "--on", "Id"], "no column 'Id'", id="no such key"
        ),
        pytest.param(
            ["--rows", "data/train.csv", "--truth", "data/train.csv", "--on", "Sex"], "twice in 'Sex'", id="no key"
        ),
    ],
)
def test_wrong_use_ends_with_2_and_says_what_is_wrong(project: Path, words: list[str], said: str) -> None:
    written(training().drop(columns="Age"), project / "short.csv")
    done = monitor(*words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.output


def test_a_version_without_a_baseline_says_how_to_get_one(fitted: Path, tmp_path: Path, monkeypatch: Any) -> None:
    older = Path(shutil.copytree(fitted, tmp_path / "older"))
    (older / "pipelines/titanic/v0001/state/baseline.json").unlink()
    monkeypatch.chdir(older)
    done = monitor("--rows", "data/train.csv")

    assert done.exit_code == 2
    assert "error[no-baseline]" in done.stderr
    assert "nbprod run titanic.ipynb" in done.stderr
