import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nbprod.tracking import RunRecord, default_uri, unreachable
from nbprod.versions import publish, put_state

PROJECT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 2, tzinfo=UTC)

# A package as small as one can be, with the surface of every exported one.
ROOT = """
import importlib
def load(version=None):
    return importlib.import_module(f"{__name__}.v{version:04d}.pipeline").Pipeline()
"""
PIPELINE = """
import json
from pathlib import Path
import numpy as np
from .features import FACTOR
MEAN = json.loads((Path(__file__).parent / "state" / "learned.json").read_text())["mean"]
class Pipeline:
    def transform(self, frame):
        age = frame["Age"].astype(float).fillna(MEAN)
        return age.to_frame().assign(deck=frame["Cabin"].fillna("?").str[0].eq("C"), fare=frame["Fare"] * FACTOR)
    def predict(self, frame):
        features = self.transform(frame)
        return np.asarray(features["Age"] + features["fare"] + features["deck"] * frame["Sex"].eq("male"), dtype=float)
"""
CONTRACT = {
    "schema": 1,
    "name": "titanic",
    "target": "Survived",
    "columns": [{"name": name, "required": name != "Cabin"} for name in ("Age", "Fare", "Sex", "Cabin", "Parch")],
}
SCHEMA = {
    "rows": 4,
    "task": "regression",
    "classes": None,
    "columns": [
        {"name": "Survived", "dtype": "int64", "nullable": False},
        {"name": "Age", "dtype": "float64", "nullable": True, "missing": 0.25},
        {"name": "Fare", "dtype": "float64", "nullable": False},
        {"name": "Sex", "dtype": "str", "nullable": False, "categories": ["female", "male"]},
        {"name": "Cabin", "dtype": "str", "nullable": True},
        {"name": "Parch", "dtype": "int64", "nullable": False},
    ],
}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, created once by the real thing: creating one takes seconds."""
    from nbprod.tracking.store import client

    project = tmp_path_factory.mktemp("store")
    client(default_uri(project))
    return project / ".nbprod" / "mlflow.db"


@pytest.fixture
def uri(template: Path, tmp_path: Path) -> str:
    (tmp_path / ".nbprod").mkdir()
    shutil.copy(template, tmp_path / ".nbprod" / "mlflow.db")
    return default_uri(tmp_path)


@pytest.fixture
def package(tmp_path: Path) -> Callable[..., Path]:
    """A fitted version of the package `titanic`; other factors and means are other versions."""

    def package(factor: int = 2, mean: float = 30.0) -> Path:
        files = {
            "__init__.py": b"",
            "pipeline.py": PIPELINE.encode(),
            "features.py": f"FACTOR = {factor}\n".encode(),
            "contract.json": json.dumps(CONTRACT).encode(),
            "requirements.lock": b"# the notebook's own\npandas>=2\nnumpy>=1\n",
        }
        root = tmp_path / "pipelines"
        about = {"digest": f"d{factor}", "notebook": "titanic.ipynb", "commit": None, "why": "", "now": NOW}
        version = publish(root, "titanic", files, {"__init__.py": ROOT.encode()}, **about)
        state = tmp_path / "state"
        state.mkdir(exist_ok=True)
        (state / "learned.json").write_text(json.dumps({"mean": mean}))
        (state / "schema.json").write_text(json.dumps(SCHEMA))
        put_state(root, "titanic", version.number, state, run_id=None, now=NOW)
        return root / "titanic"

    return package


@pytest.fixture
def record() -> RunRecord:
    return RunRecord(
        name="titanic",
        notebook="notebooks/titanic.ipynb",
        digest="0123abcd",
        params={"seed": 0, "path": "titanic.csv"},
        metrics={"accuracy": 0.81, "auc": 0.86},
        notebook_sha256="ab" * 32,
        commit="c0ffee",
        dirty=True,
        kernel="python3",
        python="3.11.2",
        versions={"pandas": "3.0.6"},
        inputs=(("titanic.csv", "cd" * 32, 60302),),
        start=NOW,
    )


# Nothing but this machine's own sockets may be asked for, by name or by address.
GUARD = """
import socket, sys
def refuse(*words, **options):
    print("NETWORK", words, file=sys.stderr, flush=True)
    raise OSError("no network")
def connect(self, address, *rest, _real=socket.socket.connect):
    return _real(self, address, *rest) if self.family == socket.AF_UNIX else refuse(address)
socket.getaddrinfo = socket.gethostbyname = refuse
socket.socket.connect = socket.socket.connect_ex = connect
"""


@pytest.fixture
def fresh() -> Callable[..., str]:
    """Run Python text in a process of its own that has no network; gives its standard output."""

    def fresh(text: str, *words: str, cwd: Path = PROJECT) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "PYTEST", "CI"))}
        done = subprocess.run(
            [sys.executable, "-c", GUARD + text, *words], cwd=cwd, env=kept, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "NETWORK" not in done.stderr
        return done.stdout

    return fresh


class Server:
    """A real `mlflow server` on a port of this machine, in a process group of its own."""

    def __init__(self, folder: Path, store: str | None = None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.store = store or f"sqlite:///{folder}/server.db"
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ["server", "--backend-store-uri", self.store, "--artifacts-destination", str(self.folder / "artifacts"),
                 "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]  # fmt: skip
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", *words],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(600):
            if self.process.poll() is None and unreachable(self.uri) is None:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        said = (self.folder / "server.log").read_text()[-2000:]
        self.stop()
        pytest.fail(f"mlflow server did not start:\n{said}")

    def stop(self) -> None:
        """End it as a crash would, with its workers."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
            self.process = None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that tests start and stop; it runs at the beginning of each."""
    made = Server(tmp_path_factory.mktemp("server"))
    yield made
    made.stop()


@pytest.fixture
def running_server(server: Server) -> Server:
    if server.process is None:
        server.start()
    return server


@pytest.fixture
def server_at(tmp_path: Path) -> Iterator[Callable[[str], Server]]:
    """Start a server whose store is the database at an address."""
    made: list[Server] = []

    def start(store: str) -> Server:
        made.append(Server(tmp_path, store))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.stop()
