"""Runs that the world stops: a full disk, a read-only folder, a kill. Nothing is lost, and the next run works."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import nbprod

BIN = [sys.executable, "-m", "nbprod"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(nbprod.__file__).parents[1])}
NOTEBOOK = """
# %% tags=["data"]
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv('rows.csv')

# %% tags=["features"]
df['a'] = df['a'].fillna(df['a'].median()) * 1

# %% tags=["train"]
model = LinearRegression()
model.fit(df[['a', 'b']], df['c'])
"""


def write_project(folder: Path) -> None:
    rows = [f"{n % 5 if n % 4 else ''},{n % 7},{n % 3}" for n in range(200)]
    (folder / "rows.csv").write_text("\n".join(["a,b,c", *rows]) + "\n")
    (folder / "nbprod.toml").write_text("")
    (folder / "work.py").write_text(NOTEBOOK)


def edit(folder: Path, factor: int) -> None:
    """Another feature, so that the next run is of a new version."""
    (folder / "work.py").write_text(NOTEBOOK.replace("* 1", f"* {factor}"))


def tracked(folder: Path) -> dict[str, str]:
    """The runs in a store that is whole, with their statuses, oldest first."""
    with closing(sqlite3.connect(folder / ".nbprod/mlflow.db")) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
        return dict(database.execute("select run_uuid, status from runs order by start_time").fetchall())


def statuses(folder: Path) -> list[str]:
    return list(tracked(folder).values())


def versions(folder: Path) -> list[int]:
    """The numbers in a ledger that is whole; each fitted version has all of its files."""
    from nbprod.versions import hand_edits, is_state_recorded, ledger

    root = folder / "pipelines"
    listed = ledger(root, "work")
    for version in listed:
        assert hand_edits(root, "work", version.number) == ()
        assert is_state_recorded(root, "work", version.number)
    return [version.number for version in listed]


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BIN, *words], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False
    )


RUN = ("run", "work.py", "--no-verify", "--quiet")

# What runs with a disk of its own; $1 is the disk, $2 this file.
ON_A_SMALL_DISK = """
mount -t tmpfs -o size=12m tmpfs "$1" || exit 77
exec "$3" -c '
import importlib.util, sys
spec = importlib.util.spec_from_file_location("stopped", sys.argv[2])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.fill_the_disk(module.Path(sys.argv[1]))
' "$1" "$2"
"""


def fill_the_disk(disk: Path) -> None:
    """Run with room; with none, and too little for a version; and with room again. Prints what each run said."""
    write_project(disk)
    said = [report(disk, run(disk, *RUN))]
    for factor, kilobytes in enumerate((0, 300), start=2):
        edit(disk, factor)
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "filler").write_bytes(b"0" * (free - kilobytes * 1024))
        said.append(report(disk, run(disk, *RUN)))
        if kilobytes == 0:
            said.append(report(disk, run(disk, "export", "work.py", "--quiet")))
        (disk / "filler").unlink()
    said.append(report(disk, run(disk, *RUN)))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    said += [report(disk, run(disk, *RUN)), report(disk, run(disk, "export", "work.py", "--name", "other", "--quiet"))]
    print(json.dumps(said))


def report(folder: Path, done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return {
        "code": done.returncode,
        "stderr": done.stderr,
        "versions": versions(folder),
        "statuses": statuses(folder),
        "left": sorted(path.name for path in (folder / "pipelines/work").iterdir() if path.name != "__pycache__"),
    }


@pytest.mark.slow
def test_a_full_disk_and_a_read_only_one_lose_nothing(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("mounting a small disk takes root and unshare")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["unshare", "-m", "sh", "-c", ON_A_SMALL_DISK, "sh", str(disk), __file__, sys.executable]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode == 77:
        pytest.skip("this machine lets nobody mount a disk")
    assert done.returncode == 0, done.stderr
    first, *full, again, read_only, exported = json.loads(done.stdout)

    assert (first["code"], first["versions"]) == (0, [1]), first["stderr"]
    for each in full:
        assert (each["code"], each["versions"]) == (2, [1]), each["stderr"]
        assert each["stderr"].startswith("error[no-space]: no space left"), each["stderr"]
        assert "Traceback" not in each["stderr"]
        assert each["left"] == first["left"]
    assert (again["code"], again["versions"]) == (0, [1, 2]), again["stderr"]
    assert "RUNNING" not in again["statuses"]
    for each in (read_only, exported):
        assert each["code"] == 2
        assert each["stderr"].startswith("error[read-only]"), each["stderr"]
        assert "Traceback" not in each["stderr"]
        assert each["versions"] == [1, 2]


@pytest.mark.slow
def test_a_kill_at_any_stage_loses_nothing(tmp_path: Path) -> None:
    write_project(tmp_path)
    kill_when(tmp_path, "run 1/3")  # the store may be open by then, or not
    (tmp_path / "work.py").write_text(NOTEBOOK.replace("df['a'] =", "import time\ntime.sleep(600)\ndf['a'] ="))
    kill_when(tmp_path, "run 2/3", once_on_record=True)
    write_project(tmp_path)
    assert statuses(tmp_path)[-1] == "RUNNING"
    for stage in ("run 3/3", "track: logging the run"):
        kill_when(tmp_path, stage)
        assert versions(tmp_path) in ([], [1])
        assert statuses(tmp_path)[-1] == "RUNNING"

    done = run(tmp_path, *RUN)

    assert done.returncode == 0, done.stderr
    assert versions(tmp_path) == [1]
    runs = tracked(tmp_path)
    assert list(runs.values())[-4:] == ["KILLED", "KILLED", "KILLED", "FINISHED"]
    # What the killed runs left bears their names, and what no store knows is gone.
    left = {path.name for path in (tmp_path / ".nbprod/runs").iterdir() if path.is_dir()}
    assert set(list(runs)[-4:]) <= left <= runs.keys()


@pytest.mark.slow
def test_a_store_that_refuses_stops_a_run_before_it_trains(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "work.py").write_text(NOTEBOOK + "open('trained', 'w').close()\n")
    (tmp_path / ".nbprod").mkdir()
    (tmp_path / ".nbprod/mlflow.db").write_text("no database")

    done = run(tmp_path, *RUN)

    assert done.returncode == 2
    assert done.stderr.startswith("error[tracking]: MLflow:"), done.stderr
    assert "move the file away" in done.stderr
    assert not (tmp_path / "trained").exists()
    assert [path.name for path in (tmp_path / ".nbprod/runs").iterdir()] == [".gitignore"]


@pytest.mark.slow
def test_the_notebook_of_a_run_that_fails_is_kept_where_the_error_says(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "work.py").write_text(NOTEBOOK + "model.nothing\n")

    done = run(tmp_path, *RUN)

    assert done.returncode == 2
    (folder,) = (path for path in (tmp_path / ".nbprod/runs").iterdir() if path.is_dir())
    assert f"kept in {folder / 'executed.ipynb'}" in done.stderr
    executed = (folder / "executed.ipynb").read_text()
    assert str(folder) in executed
    assert f"runs/.{os.getpid()}" not in executed
    assert statuses(tmp_path) == ["FAILED"]


def kill_when(folder: Path, begins: str, *, once_on_record: bool = False) -> None:
    """Start a run and end it with SIGKILL when its progress comes to a line that begins so, and it is on record."""
    command = [*BIN, "run", "work.py", "--no-verify"]
    with subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if line.startswith(begins):
                while once_on_record and not list((folder / ".nbprod/runs").glob(".*/run")):
                    time.sleep(0.1)
                process.send_signal(signal.SIGKILL)
                break
        assert process.wait(60) == -signal.SIGKILL, "".join(seen)


@pytest.mark.slow
def test_two_runs_of_a_pipeline_at_once_keep_to_themselves(tmp_path: Path) -> None:
    write_project(tmp_path)
    text = NOTEBOOK.replace('# %% tags=["data"]', '# %% tags=["parameters"]\nFACTOR = 1\n\n# %% tags=["data"]')
    (tmp_path / "work.py").write_text(text.replace("* 1", "* FACTOR"))
    command = [*BIN, *RUN, "--format", "json", "-p", "FACTOR"]
    both = [
        subprocess.Popen([*command, factor], cwd=tmp_path, env=ENVIRONMENT, stdout=-1, stderr=-1, text=True)
        for factor in ("2", "3")
    ]
    ended = [(process, *process.communicate(timeout=400)) for process in both]

    reports = []
    for process, out, err in ended:
        assert process.returncode == 0, err
        reports.append(json.loads(out))
    assert len({report["run_id"] for report in reports}) == 2
    assert statuses(tmp_path) == ["FINISHED", "FINISHED"]
    listed = versions(tmp_path)
    from nbprod.versions import ledger

    of_run = {version.run: version.number for version in ledger(tmp_path / "pipelines", "work")}
    for factor, report in zip((2, 3), reports, strict=True):
        assert report["version"] in listed
        folder = tmp_path / f".nbprod/runs/{report['run_id']}"
        assert (folder / "captures/index.json").is_file()
        assert f"FACTOR = {factor}" in (folder / "executed.ipynb").read_text()
        # The version that a run reports is the one that was fitted on its own rows.
        assert of_run[report["run_id"]] == report["version"]
        learned = json.loads((Path(tmp_path / report["package"]) / "state/learned.json").read_text())
        assert learned
        features = (Path(tmp_path / report["package"]) / "features.py").read_text()
        assert f"FACTOR = {factor}" in features
