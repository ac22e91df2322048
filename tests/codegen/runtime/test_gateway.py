"""The gateway before a package's versions: tokens, limits, canary, shadow, metrics and the log."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.codegen.runtime.asking import Response, ask, send
from tests.codegen.runtime.sheds import Service, Sheds, asked, record, served


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
def server(request: pytest.FixtureRequest, sheds: Sheds, tmp_path: Path) -> Iterator[Service]:
    """The service as a process with a token and a log, which takes eight requests at once."""
    (tmp_path / "tokens").write_text("one\n")
    options = ["--token-file", tmp_path / "tokens", "--log", tmp_path / "log.sqlite", "--log-without", "street"]
    with served(sheds, [*map(str, options), "--server", request.param, "--requests", "8"]) as service:
        yield service


def under_way(port: int, rows: int, told: list[tuple[int, Any]]) -> list[threading.Thread] | None:
    """Three requests of so many rows, once all of them are under way; None where one was answered before that."""
    body = {"records": [record()] * rows}
    asking = [threading.Thread(target=lambda: told.append(asked(port, "POST", "/predict", body))) for _ in range(3)]
    for thread in asking:
        thread.start()
    while not told:
        if b"pipeline_requests_under_way 3" in asked(port, "GET", "/metrics")[1]:
            return asking
    for thread in asking:
        thread.join(60)
    told.clear()
    return None


def test_requests_under_way_are_answered_when_the_service_is_stopped(server: Service, tmp_path: Path) -> None:
    process, port, _ = server
    told: list[tuple[int, Any]] = []
    sizes = [2_000 * 2**turn for turn in range(6)]
    found = next(((rows, each) for rows in sizes if (each := under_way(port, rows, told)) is not None), None)
    assert found is not None, "the service was done with each request before the next one came"
    rows, asking = found
    process.terminate()
    for thread in asking:
        thread.join(60)

    assert process.wait(30) in (0, -signal.SIGTERM)
    assert [(status, len(answer["predictions"])) for status, answer in told] == [(200, rows)] * 3
    with sqlite3.connect(tmp_path / "log.sqlite") as log:
        ids = log.execute("select count(*) from predictions group by request_id").fetchall()
    assert ids.count((rows,)) >= 3


HEAD = b"POST /predict HTTP/1.1\r\nhost: x\r\nauthorization: Bearer one\r\ncontent-type: application/json\r\n"


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(HEAD, id="half a head"),
        pytest.param(HEAD + b"content-length: 500\r\n\r\n{", id="half a body"),
        pytest.param(HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n", id="some chunks"),
    ],
)
def test_clients_that_do_not_end_their_requests_hold_up_no_other(part: bytes, server: Service) -> None:
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port))).sendall(part)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("POST", "/predict", json.dumps(record()), {"authorization": "Bearer one"})

        assert connection.getresponse().status == 200


@pytest.mark.parametrize(
    "length, status",
    [
        pytest.param(b"500", b"400", id="more than comes"),
        pytest.param(b"-1", b"400", id="less than nothing"),
        pytest.param("²".encode("latin-1"), b"400", id="a digit of another kind"),
        pytest.param(b"9" * 5_000, b"4", id="a number of thousands of digits"),
    ],
)
def test_a_wrong_length_is_the_clients_fault(length: bytes, status: bytes, server: Service) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(HEAD + b"content-length: " + length + b"\r\n\r\n{")
        connection.shutdown(socket.SHUT_WR)
        told = connection.recv(1000)

    assert told == b"" or told.startswith(b"HTTP/1.1 " + status)
    assert asked(server.port, "POST", "/predict", record())[0] == 200


def slowly(body: bytes, seconds: float) -> list[tuple[float, bytes]]:
    return [(0, body[:5]), (seconds, body[5:])]


def test_a_body_on_its_way_takes_no_place(sheds: Sheds) -> None:
    gate = sheds.gate(limits=sheds.gateway.Limits(requests=1))
    body = json.dumps(record()).encode()

    async def several() -> list[Response]:
        slow = [asyncio.ensure_future(send(gate, "/predict", pieces=slowly(body, 1.0))) for _ in range(8)]
        await asyncio.sleep(0.1)
        fast = await send(gate, "/predict", body)
        return [fast, *await asyncio.gather(*slow)]

    fast, *slow = asyncio.run(several())

    assert fast.status == 200
    assert {answer.status for answer in slow} <= {200, 503}
    assert slow[0].status == 200


@pytest.mark.parametrize(
    "requests, body, said",
    [
        pytest.param(1, 10_000, "bodies are on their way already", id="too many"),
        pytest.param(4, 400, "have 1600 bytes already", id="too many bytes"),
    ],
)
def test_bodies_on_their_way_are_bounded(requests: int, body: int, said: str, sheds: Sheds) -> None:
    gate = sheds.gate(limits=sheds.gateway.Limits(body, requests, seconds=2.0))
    pieces = [(0, b" " * 300), (1.0, b"")]

    async def several() -> list[Response]:
        return await asyncio.gather(*(send(gate, "/predict", pieces=pieces) for _ in range(20)))

    answers = asyncio.run(several())

    assert any(said in answer.json["detail"] for answer in answers if answer.status == 503)
    assert (gate._coming, gate._held, gate._under_way) == (0, 0, 0)
    assert ask(gate, "/version").status == 200


@pytest.mark.parametrize("path, key", [("/predict", "detail"), ("/invocations", "message")])
@pytest.mark.parametrize(
    "options, status, said",
    [
        pytest.param({"pieces": [(0, b"["), (9.0, b"]")]}, 408, "did not come in time", id="a slow body"),
        pytest.param({"pieces": [(9.0, b"[]")]}, 408, "did not come in time", id="no body"),
        pytest.param({"pieces": [(0, b" " * 600), (0, b" " * 600)]}, 413, "at most 1000 bytes", id="a large body"),
        pytest.param({"body": b"[]", "content_length": "1001"}, 413, "at most 1000 bytes", id="a large length"),
    ],
)
def test_what_is_wrong_with_a_body_is_told_in_the_form_of_the_request(
    options: dict[str, Any], status: int, said: str, path: str, key: str, sheds: Sheds
) -> None:
    gate = sheds.gate(limits=sheds.gateway.Limits(1_000, 4, seconds=0.3))

    answer = ask(gate, path, **options)

    assert (answer.status, said in answer.json[key]) == (status, True)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_any_field_of_a_record_is_left_out_of_the_log(sheds: Sheds, tmp_path: Path, workers: str) -> None:
    log = tmp_path / "log.sqlite"
    names = ["--log-without", "street", "--log-without", "e mail"]
    body = record() | {"e mail": "a@example.org", "colour": "red"}

    with served(sheds, ["--log", str(log), *names, "--workers", workers]) as service:
        assert asked(service.port, "POST", "/predict", body)[0] == 200
        service.process.terminate()
        service.process.wait(60)

    with sqlite3.connect(log) as kept:
        ((logged,),) = kept.execute("select record from predictions").fetchall()
    assert json.loads(logged) == {name: body[name] for name in body if name not in ("street", "e mail")}


@pytest.mark.parametrize(
    "options, said",
    [
        pytest.param(["--token-file", "nowhere"], "nowhere", id="no file of tokens"),
        pytest.param(["--log", "nowhere/log.sqlite"], "cannot be used as a prediction log", id="no folder for the log"),
        pytest.param(["--canary", "challenger"], "challenger is not VERSION=SHARE", id="a canary without its share"),
        pytest.param(["--canary", "challenger=120%"], "120% is no share of a whole", id="more than a whole"),
        pytest.param(["--log-share", "half"], "half is no number", id="a share in words"),
        pytest.param(["--workers", "0"], "0 is no whole number above zero", id="no worker"),
        pytest.param(["--workers", "two"], "two is no whole number above zero", id="workers in words"),
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
