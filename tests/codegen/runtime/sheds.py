"""A package with two fitted versions, of which one is the champion, and its modules of serving."""

from __future__ import annotations

import http.client
import importlib
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from tests.codegen.runtime.sample import assemble, frame, imported


class Sheds(NamedTuple):
    """A package with two fitted versions, and its modules of serving."""

    package: Any
    gateway: ModuleType
    following: ModuleType
    recording: ModuleType

    @property
    def root(self) -> Path:
        """The folder that holds the package."""
        return Path(self.package.__file__).parents[1]

    @property
    def ledger(self) -> Path:
        """The package's ledger."""
        return Path(self.package.__file__).with_name("versions.json")

    def gate(self, *, canary: Any = None, shadow: str | None = None, **options: Any) -> Any:
        """A gateway before version 1."""
        followed = self.following.Following(self.package, "1", self.package.load(1), canary=canary, shadow=shadow)
        return self.gateway.Gateway(followed, **options)


@contextmanager
def two_sheds(root: Path) -> Iterator[Sheds]:
    """The package, written and fitted in a folder."""
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
        yield sheds_of(package)


def sheds_of(package: Any) -> Sheds:
    """The package with its modules of serving."""
    names = ("gateway", "following", "recording")
    return Sheds(package, *(importlib.import_module(f"{package.__name__}.serving.{name}") for name in names))


def record() -> dict[str, Any]:
    """A record that it answers."""
    made: dict[str, Any] = json.loads(frame().drop(columns="price").iloc[:1].to_json(orient="records"))[0]
    return made


class Service(NamedTuple):
    """The service as a process, its port and what it has said."""

    process: subprocess.Popen[str]
    port: int
    said: list[str]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of its log with such an `event`."""
        lines = [json.loads(line) for line in list(self.said) if line.startswith("{")]
        return [line for line in lines if line.get("event") == name]


@contextmanager
def served(sheds: Sheds, options: Sequence[str]) -> Iterator[Service]:
    """The service with such options, once it is ready; killed at the end where it has not ended."""
    words = [sys.executable, "-m", "sheds", "serve", "--port", "0", *options]
    process = subprocess.Popen(words, cwd=sheds.root, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        line = ""
        while "http://" not in line:
            line = process.stderr.readline()
            assert line, "the server ended"
        said: list[str] = []
        threading.Thread(target=lambda: said.extend(iter(process.stderr.readline, "")), daemon=True).start()
        port = int(line.split("http://")[1].split()[0].rpartition(":")[2])
        until(lambda: asked(port, "GET", "/ready")[0] == 200)
        yield Service(process, port, said)
    finally:
        process.kill()
        process.wait()


def until(is_so: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come so"
        time.sleep(0.05)


def asked(port: int, method: str, path: str, body: Any = None, token: str = "one") -> tuple[int, Any]:
    """The status and the body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content.startswith(b"{") else content
