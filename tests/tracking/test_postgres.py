"""A run's whole way in a team's setting: a real MLflow server process, whose store is a real PostgreSQL."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
ROWS = "a,b,c\n" + "".join(f"{n % 5 if n % 4 else ''},{n % 7},{n % 3}\n" for n in range(120))
NOTEBOOK = """
# %% tags=["parameters"]
ALPHA = 1.0

# %% tags=["data"]
import pandas as pd
from sklearn.linear_model import Ridge
df = pd.read_csv('rows.csv')

# %% tags=["features"]
df['a'] = df['a'].fillna(df['a'].median())

# %% tags=["train"]
model = Ridge(alpha=ALPHA).fit(df[['a', 'b']], df['c'])

# %% tags=["evaluate"]
r2 = model.score(df[['a', 'b']], df['c'])
"""

# Knows the server alone, and not where the package lies.
LOADED = """
import json, sys
import mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/work/1")
print(json.dumps([float(each) for each in model.predict(pandas.read_csv(sys.argv[2]))]))
"""


def programs() -> Path | None:
    """The folder of PostgreSQL's programs: on the path, or where Debian keeps them."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return Path(found).parent if found else debian[-1].parent if debian else None


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The address of an empty database on a socket of its own; a clear word where there can be none."""
    binaries = programs()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    if find_spec("psycopg2") is None:
        pytest.skip("the driver psycopg2 is not installed")
    user: dict[str, Any] = {}
    # The path of a socket is short.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    if os.geteuid() == 0:
        # PostgreSQL runs for anyone but root.
        try:
            entry = pwd.getpwnam("postgres")
        except KeyError:
            shutil.rmtree(folder)
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    data = str(folder / "data")

    def call(*words: str) -> None:
        with (folder / "log").open("ab") as log:
            done = subprocess.run(words, cwd=folder, stdout=log, stderr=log, check=False, timeout=120, **user)
        if done.returncode != 0:
            said = (folder / "log").read_text()[-1000:]
            shutil.rmtree(folder)
            pytest.skip(f"PostgreSQL does not start here: {said}")

    call(str(binaries / "initdb"), "-D", data, "-U", "nbprod", "-A", "trust", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    call(str(binaries / "pg_ctl"), "-D", data, "-o", options, "-w", "start")
    yield f"postgresql+psycopg2://nbprod@/postgres?host={folder}"
    call(str(binaries / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder)


def nbprod(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "nbprod", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=400
    )


@pytest.mark.slow
def test_a_run_goes_to_the_server_and_comes_back_from_it(database: str, server_at: Any, tmp_path: Path) -> None:
    server = server_at(database)
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "work.py").write_text(NOTEBOOK)
    (tmp_path / "nbprod.toml").write_text(f'tracking_uri = "{server.uri}"\n')

    done = nbprod(tmp_path, "run", "work.py", "-p", "ALPHA", "0.5", "--format", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["tracked"], report["verify"]["status"]) == (True, "proven")

    from nbprod.tracking import get_run, registered

    run = get_run(report["run_id"], uri=server.uri)
    assert (run.status, run.params) == ("FINISHED", {"ALPHA": "0.5"})
    assert report["metrics"]
    assert report["metrics"].items() <= dict(run.metrics).items()
    assert {"executed.ipynb", "inputs.json", "environment.json", "package/features.py"} <= set(run.artifacts)
    assert run.artifact_uri.startswith("mlflow-artifacts:")
    (version,) = registered("work", uri=server.uri)
    assert (version.version, version.run_id) == (1, report["run_id"])

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED, server.uri, str(tmp_path / "rows.csv")],
        cwd=elsewhere, env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.stderr
    scored = nbprod(tmp_path, "score", "work", "rows.csv", "out.csv")
    assert scored.returncode == 0, scored.stderr
    import pandas

    out = pandas.read_csv(tmp_path / "out.csv", float_precision="round_trip")
    assert json.loads(loaded.stdout.splitlines()[-1]) == out["prediction"].tolist()

    # Nothing of the run is left on this machine: its record comes from the server.
    shutil.rmtree(tmp_path / ".nbprod")
    again = nbprod(tmp_path, "reproduce", report["run_id"][:8], "--format", "json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["status"] == "identical"
