"""The gateway before a package's versions: tokens, limits, canary, shadow, metrics and the log."""

from __future__ import annotations

import asyncio
import http.client
import importlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.codegen.runtime.asking import Response, ask, send
from tests.codegen.runtime.sample import assemble, frame, imported


class Sheds(NamedTuple):
    """A package with two fitted versions, and its modules of serving."""

    package: Any
    gateway: ModuleType
    following: ModuleType
    recording: ModuleType

    def gate(self, *, canary: Any = None, shadow: str | None = None, **options: Any) -> Any:
        """A gateway before version 1."""
        followed = self.following.Following(self.package, "1", self.package.load(1), canary=canary, shadow=shadow)
        return self.gateway.Gateway(followed, **options)


@pytest.fixture(scope="module")
def sheds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sheds]:
    root = tmp_path_factory.mktemp("pipelines")
    first = assemble(root, "sheds")
    second = first.with_name("v0002")
    shutil.copytree(first, second)
    train = second / "train.py"
    train.write_text(train.read_text().replace("n_estimators=10", "n_estimators=3"))
    ledger = {"versions": [{"number": 1, "aliases": ["champion"]}, {"number": 2, "aliases": ["challenger"]}]}
    (root / "sheds" / "versions.json").write_text(json.dumps(ledger))
    with imported(root, "sheds") as package:
        for version in (1, 2):
            package.train(frame(), version).save(frame=frame())
        names = ("gateway", "following", "recording")
        yield Sheds(package, *(importlib.import_module(f"sheds.{name}") for name in names))


def record() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(frame().drop(columns="price").iloc[:1].to_json(orient="records"))[0]
    return made


def scraped(gate: Any, **headers: str) -> dict[str, dict[str, float]]:
    """The samples of each metric by their labels' values."""
    text = ask(gate, "/metrics", **headers).body.decode()
    return {
        family.name: {" ".join(sample.labels.values()): sample.value for sample in family.samples}
        for family in text_string_to_metric_families(text)
    }


@pytest.mark.parametrize(
    "path, token, status",
    [
        pytest.param("/predict", None, 401, id="no token"),
        pytest.param("/predict", "Bearer one", 200, id="the first one"),
        pytest.param("/predict", "bearer  two", 200, id="the second one, in small letters"),
        pytest.param("/predict", "Bearer three", 401, id="another one"),
        pytest.param("/predict", "Bearer # not this", 401, id="a comment"),
        pytest.param("/predict", "Basic one", 401, id="another scheme"),
        pytest.param("/predict", "Bearer", 401, id="an empty one"),
        pytest.param("/contract", None, 401, id="the contract"),
        pytest.param("/metrics", None, 401, id="the metrics"),
        pytest.param("/v2/models/sheds", None, 401, id="the model"),
        pytest.param("/health", None, 200, id="health"),
        pytest.param("/ready", None, 200, id="readiness"),
        pytest.param("/v2/health/ready", None, 200, id="readiness of the protocol"),
    ],
)
def test_a_token_is_asked_for_but_for_health(
    path: str, token: str | None, status: int, sheds: Sheds, tmp_path: Path
) -> None:
    (tmp_path / "tokens").write_text("one\n\n  two\n# not this\n")
    gate = sheds.gate(tokens=sheds.gateway.Tokens(tmp_path / "tokens"))
    headers = {} if token is None else {"authorization": token}

    answer = ask(gate, path, record() if path == "/predict" else None, **headers)

    assert answer.status == status
    assert (answer.headers.get("www-authenticate") == "Bearer") is (status == 401)


def test_tokens_can_be_changed_at_work(sheds: Sheds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheds.gateway, "TOKEN_SECONDS", -1.0)
    path = tmp_path / "tokens"
    path.write_text("old\n")
    tokens = sheds.gateway.Tokens(path)
    told = []
    for step in (lambda: None, lambda: path.write_text("new one\n"), lambda: path.write_text("\n"), path.unlink):
        step()
        told.append([tokens.allow([(b"authorization", f"Bearer {token}".encode())]) for token in ("old", "new one")])

    assert told == [[True, False], [False, True], [False, True], [False, True]]


@pytest.mark.parametrize("text", ["", "# none yet\n\n"])
def test_a_file_without_a_token_is_no_protection(text: str, sheds: Sheds, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(text)

    with pytest.raises(ValueError, match="holds no token"):
        sheds.gateway.Tokens(tmp_path / "tokens")


def test_too_many_requests_at_once_are_turned_away(sheds: Sheds, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = sheds.gate(limits=sheds.gateway.Limits(requests=2))
    pipeline, release = sheds.package.load(1), threading.Event()
    monkeypatch.setattr(pipeline.__class__, "answer", lambda *_: (release.wait(20), ([1.0], []))[1])

    async def several() -> list[Response]:
        body = json.dumps(record()).encode()
        await send(gate, "/ready")
        first = [asyncio.ensure_future(send(gate, "/predict", body)) for _ in range(2)]
        await asyncio.sleep(0.1)
        refused, healthy = await send(gate, "/predict", body), await send(gate, "/health")
        release.set()
        answered = await asyncio.gather(*first)
        return [refused, healthy, *answered, await send(gate, "/predict", body)]

    refused, healthy, *answered = asyncio.run(several())

    assert (refused.status, refused.headers["retry-after"], refused.json["title"]) == (503, "1", "Busy")
    assert healthy.status == 200
    assert [answer.status for answer in answered] == [200, 200, 200]
    assert scraped(gate)["pipeline_refused"]["busy"] == 1


@pytest.mark.parametrize("share, least, most", [(0.0, 0, 0), (0.25, 30, 75), (1.0, 200, 200)])
def test_a_canary_answers_its_share(share: float, least: int, most: int, sheds: Sheds) -> None:
    gate = sheds.gate(canary=("challenger", share))

    async def several() -> list[Response]:
        return [await send(gate, "/version", x_request_id=f"request-{at}") for at in range(200)]

    answers = asyncio.run(several())
    counted = Counter(answer.json["version"] for answer in answers)

    assert least <= counted["v0002"] <= most
    assert all(answer.headers["x-pipeline-version"] == answer.json["version"] for answer in answers)


def test_the_same_request_is_answered_by_the_same_version(sheds: Sheds) -> None:
    gate = sheds.gate(canary=("challenger", 0.5))
    told = [[ask(gate, "/version", x_request_id=f"r{at}").json["version"] for at in range(12)] for _ in range(2)]

    assert told[0] == told[1]
    assert len(set(told[0])) == 2


@pytest.mark.parametrize(
    "path, status, version",
    [
        ("/v2/models/sheds/versions/1", 200, "v0001"),
        ("/v2/models/sheds/versions/v0002/ready", 200, "v0002"),
        ("/v2/models/sheds/versions/3", 404, None),
    ],
)
def test_a_path_that_names_a_version_is_answered_by_it(
    path: str, status: int, version: str | None, sheds: Sheds
) -> None:
    gate = sheds.gate(canary=("challenger", 0.5))
    answers = [ask(gate, path, x_request_id=f"r{at}") for at in range(8)]

    assert {answer.status for answer in answers} == {status}
    assert version is None or {answer.headers["x-pipeline-version"] for answer in answers} == {version}


@pytest.mark.parametrize(
    "canary, shadow, expected",
    [(None, None, [1]), ("2", None, [1, 2]), (None, "2", [1, 2]), ("2", "2", [1, 2]), ("1", "1", [1])],
)
def test_each_version_is_told_once(canary: str | None, shadow: str | None, expected: list[int], sheds: Sheds) -> None:
    gate = sheds.gate(canary=None if canary is None else (canary, 0.5), shadow=shadow)

    assert [served.number for served in gate._following.all()] == expected


def test_a_shadow_is_asked_the_same_and_answers_nobody(sheds: Sheds, tmp_path: Path) -> None:
    recorder = sheds.recording.Recorder(tmp_path / "log.sqlite")
    gate = sheds.gate(shadow="challenger", recorder=recorder)
    body = json.dumps([record(), record()]).encode()

    async def asked() -> Response:
        answer = await send(gate, "/predict", pieces=[(0, body[:9]), (0, body[9:])])
        while gate._shadowing:
            await asyncio.sleep(0.01)
        return answer

    answer = asyncio.run(asked())
    recorder.close()

    assert answer.json["version"] == "v0001"
    assert scraped(gate)["pipeline_shadow"] == {"other": 2}
    with sqlite3.connect(tmp_path / "log.sqlite") as log:
        found = log.execute("select version, role, answer from predictions order by rowid").fetchall()
    expected = {name: sheds.package.load(name).predict_one(record()) for name in ("v0001", "v0002")}
    assert found == [
        (version, role, repr(expected[version]))
        for version, role in (("v0001", "main"), ("v0002", "shadow"))
        for _ in range(2)
    ]


def test_what_was_asked_is_counted(sheds: Sheds) -> None:
    gate = sheds.gate()
    for body in (record(), [record(), record()], {}, record() | {"rooms": 5000}):
        ask(gate, "/predict", body)
    ask(gate, "/invocations", {"instances": [record()]})
    ask(gate, "/v2/models/sheds/infer", {"inputs": 3})
    ask(gate, "/contract")
    told = scraped(gate)

    assert told["pipeline_requests"] == {
        "v0001 /predict 200": 3, "v0001 /predict 422": 1,
        "v0001 /invocations 200": 1, "v0001 /v2/models/infer 400": 1,
    }  # fmt: skip
    assert told["pipeline_rows"] == {"v0001": 5}
    assert told["pipeline_faults"]["v0001 rooms range flag"] == 1
    assert told["pipeline_faults"]["v0001 area missing error"] == 1
    assert told["pipeline_values"]["v0001 heating gas"] + told["pipeline_values"]["v0001 heating wood"] == 5
    assert told["pipeline_values"]["v0001 rooms above"] == 1
    assert sum(count for labels, count in told["pipeline_values"].items() if "(prediction)" in labels) == 5
    assert told["pipeline_info"].keys() == {f"sheds v0001 {'0123456789abcdef' * 2}"}


def test_the_log_has_what_was_answered_and_not_what_was_refused(sheds: Sheds, tmp_path: Path) -> None:
    recorder = sheds.recording.Recorder(tmp_path / "log.sqlite", without=["street"])
    gate = sheds.gate(recorder=recorder)
    answer = ask(gate, "/predict", record(), x_request_id="r-7")
    ask(gate, "/predict", {})
    recorder.close()

    with sqlite3.connect(tmp_path / "log.sqlite") as log:
        (found,) = log.execute("select request_id, record, answer from predictions").fetchall()
    assert found[0] == answer.headers["x-request-id"] == "r-7"
    assert json.loads(found[1]) == {name: value for name, value in record().items() if name != "street"}
    assert [json.loads(found[2])] == answer.json["predictions"]


def test_a_version_of_an_earlier_export_stands_behind_it_as_well(sheds: Sheds) -> None:
    gate = sheds.gate()
    main = gate._following.main

    async def earlier(scope: Any, receive: Any, send: Any) -> None:
        await main.application({key: value for key, value in scope.items() if key != "pipeline"}, receive, send)

    gate._following.main = sheds.following.Served(1, "v0001", "", earlier)
    answer = ask(gate, "/predict", record())

    assert (answer.status, answer.headers["x-pipeline-version"]) == (200, "v0001")
    assert scraped(gate)["pipeline_requests"] == {"v0001 /predict 200": 1}


@pytest.fixture(params=["uvicorn", "stdlib"])
def server(request: pytest.FixtureRequest, sheds: Sheds, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The service as a process with a token and a log, and its port."""
    (tmp_path / "tokens").write_text("one\n")
    options = ["--token-file", tmp_path / "tokens", "--log", tmp_path / "log.sqlite", "--log-without", "street"]
    command = [sys.executable, "-m", "sheds", "serve", "--port", "0", "--server", request.param, *map(str, options)]
    root = Path(sheds.package.__file__).parents[1]
    process = subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = ""
    while "http://" not in line:
        line = process.stderr.readline()
        assert line, "the server ended"
    threading.Thread(target=process.stderr.read, daemon=True).start()
    port = int(line.split("http://")[1].split()[0].rpartition(":")[2])
    until = time.monotonic() + 60
    while asked(port, "GET", "/ready")[0] != 200 and time.monotonic() < until:
        time.sleep(0.1)
    yield process, port
    process.kill()
    process.wait()


def asked(port: int, method: str, path: str, body: Any = None, token: str = "one") -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content.startswith(b"{") else content


def test_requests_under_way_are_answered_when_the_service_is_stopped(
    server: tuple[subprocess.Popen[str], int], tmp_path: Path
) -> None:
    process, port = server
    body = {"records": [record()] * 2_000}
    told: list[tuple[int, Any]] = []
    asking = [threading.Thread(target=lambda: told.append(asked(port, "POST", "/predict", body))) for _ in range(3)]
    for thread in asking:
        thread.start()
    while b"pipeline_requests_under_way 3" not in asked(port, "GET", "/metrics")[1]:
        time.sleep(0.01)
    process.terminate()
    for thread in asking:
        thread.join(60)

    assert process.wait(30) in (0, -signal.SIGTERM)
    assert [(status, len(answer["predictions"])) for status, answer in told] == [(200, 2_000)] * 3
    with sqlite3.connect(tmp_path / "log.sqlite") as log:
        assert log.execute("select count(*), count(distinct request_id) from predictions").fetchone() == (6_000, 3)


@pytest.mark.parametrize(
    "options, said",
    [
        pytest.param(
            ["--log", "log.sqlite", "--log-without", "stret"], "no column of this pipeline: stret", id="a column"
        ),
        pytest.param(["--token-file", "nowhere"], "nowhere", id="no file of tokens"),
        pytest.param(["--log", "nowhere/log.sqlite"], "cannot be used as a prediction log", id="no folder for the log"),
        pytest.param(["--canary", "challenger"], "challenger is not VERSION=SHARE", id="a canary without its share"),
        pytest.param(["--canary", "challenger=120%"], "120% is no share of a whole", id="more than a whole"),
        pytest.param(["--shadow", "nobody"], "no version 'nobody'", id="a shadow that is not there"),
    ],
)
def test_what_cannot_be_served_so_is_told_at_the_start(options: list[str], said: str, sheds: Sheds) -> None:
    root = Path(sheds.package.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "sheds", "serve", "--port", "0", *options],
        cwd=root, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
