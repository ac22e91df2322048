"""What the container would do, without Docker: its files alone, its command line, its health check, its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nbprod import api
from nbprod.deploy import image
from tests.deploy.deployments import LEAST, passes, tool
from tests.deploy.dockerfiles import Stage, copied, stages_of

SECONDS = 60.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture
def built(project: Path, tmp_path: Path) -> tuple[Path, Stage]:
    """The files that the image would have in an empty folder, and its last stage; the port is a free one."""
    port = free_port()
    with (project / "nbprod.toml").open("a") as configuration:
        configuration.write(f"deploy.port = {port}\n")
    api.deploy("leavers", "docker")
    folder, root = project / "deploy/leavers/docker", tmp_path / "image"
    stages = stages_of((folder / "Dockerfile").read_text())
    copied(stages, list(stages)[-1], project, (folder / "Dockerfile.dockerignore").read_text(), root)
    return root, list(stages.values())[-1]


def here(words: list[str]) -> list[str]:
    assert words[0] == "python"
    return [sys.executable, *words[1:]]


def environment(stage: Stage) -> dict[str, str]:
    """Nothing of this process's but what a container has too; a proxy that nobody should ask."""
    told = {name: value for name, value in stage.environment().items() if name != "PATH"}
    return {"PATH": os.environ["PATH"], "http_proxy": "http://127.0.0.1:9", "LANG": "C.UTF-8", **told}


@contextmanager
def running(root: Path, stage: Stage, words: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        here([*stage.words("ENTRYPOINT"), *words]),
        cwd=root / stage.last("WORKDIR").lstrip("/"),
        env=environment(stage),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def is_healthy(stage: Stage) -> bool:
    done = subprocess.run(
        here(stage.health()), env=environment(stage), check=False, capture_output=True, timeout=SECONDS
    )
    return done.returncode == 0


def wait(stage: Stage, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + SECONDS
    while not is_healthy(stage):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until, "it did not get ready"
        time.sleep(0.2)


def ask(port: str, path: str, body: Any = None) -> tuple[Any, Any]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("content-type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=SECONDS) as answer:
        return answer.read().decode(), answer.headers


def snapshot(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_only_what_serves_is_in_the_image(built: tuple[Path, Stage]) -> None:
    root, _ = built
    found = set(snapshot(root))
    assert {name.split("/")[0] for name in found} == {"app"}
    assert {"app/leavers/__init__.py", "app/leavers/versions.json", "app/leavers/v0001/state/fitted.json"} <= found
    assert [name for name in found if "tests" in name or "__pycache__" in name or "golden.json" in name] == []
    assert [name for name in found if name.endswith((".csv", ".ipynb", ".db"))] == []


def test_it_serves_from_these_files_alone_is_healthy_writes_nothing_and_ends_when_asked(
    built: tuple[Path, Stage], project: Path
) -> None:
    root, stage = built
    before, words = snapshot(root), stage.words("CMD")
    port = words[-1]
    assert stage.last("EXPOSE") == port
    assert not is_healthy(stage)
    with running(root, stage, words) as process:
        wait(stage, process)
        record = json.loads((project / "pipelines/leavers/v0001/state/example.json").read_text())
        record = record if isinstance(record, dict) and "age" in record else {"age": 30, "fare": 12.5, "town": "a"}
        text, headers = ask(port, "/predict", record)
        assert json.loads(text)["version"] == "v0001"
        assert headers["x-pipeline-version"] == "v0001"
        tensors = [
            {"name": "age", "shape": [1], "datatype": "FP64", "data": [30.0]},
            {"name": "fare", "shape": [1], "datatype": "FP64", "data": [12.5]},
            {"name": "town", "shape": [1], "datatype": "BYTES", "data": ["a"]},
        ]
        text, _ = ask(port, "/v2/models/leavers/infer", {"inputs": tensors})
        assert json.loads(text)["outputs"][0]["data"] in ([0], [1])
        assert json.loads(ask(port, "/v2/health/ready")[0]) == {"ready": True}
        text, headers = ask(port, image.METRICS)
        assert 'pipeline_requests_total{version="v0001",path="/predict",status="200"} 1' in text
        assert 'path="/v2/models/infer",status="200"} 1' in text
        stopped = time.monotonic()
        process.send_signal(getattr(signal, stage.last("STOPSIGNAL")))
        said, _ = process.communicate(timeout=SECONDS)
        assert time.monotonic() - stopped < image.GRACE_SECONDS
    assert process.returncode in (0, -signal.SIGTERM), said
    assert "Traceback" not in said
    assert not is_healthy(stage)
    assert snapshot(root) == before


def test_metrics_are_what_promtool_reads(built: tuple[Path, Stage]) -> None:
    root, stage = built
    promtool = tool("promtool")
    with running(root, stage, stage.words("CMD")) as process:
        wait(stage, process)
        ask(stage.words("CMD")[-1], "/predict", {"age": 30, "fare": 12.5, "town": "never seen"})
        text, _ = ask(stage.words("CMD")[-1], image.METRICS)
    assert 'kind="unseen",severity="flag"' in text
    found = subprocess.run(
        [promtool, "check", "metrics", "--lint=none"], input=text, capture_output=True, text=True, check=False
    )
    if "unknown long flag" in found.stderr:
        passes(promtool, "check", "metrics", text=text)
    else:
        assert found.returncode == 0, found.stderr


def test_the_image_scores_and_tells_what_it_is_too(built: tuple[Path, Stage], project: Path, tmp_path: Path) -> None:
    root, stage = built
    with running(root, stage, ["info", "--json"]) as process:
        said, _ = process.communicate(timeout=SECONDS)
    assert json.loads(said)["version"] == "v0001"
    rows, scored = project / "people.csv", tmp_path / "scored.csv"
    with running(root, stage, ["score", str(rows), str(scored), "--quiet"]) as process:
        process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert len(scored.read_text().splitlines()) == 201


def test_the_log_is_kept_where_the_image_has_a_volume(built: tuple[Path, Stage], tmp_path: Path) -> None:
    root, stage = built
    assert stage.words("VOLUME") == [image.LOGS]
    log = tmp_path / Path(image.LOG).name
    with running(root, stage, [*stage.words("CMD"), *image.logging(LEAST, str(log))]) as process:
        wait(stage, process)
        ask(stage.words("CMD")[-1], "/predict", {"age": 30, "fare": 12.5, "town": "a"})
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)
    with sqlite3.connect(log) as connection:
        assert connection.execute("select count(*) from predictions").fetchone() == (1,)
