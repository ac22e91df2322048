"""How a run gets into the store beside its notebook, and what is done with what a stopped one has left."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from msgspec import json as fast
from msgspec.structs import replace

from nbprod.api import beginning
from nbprod.api.beginning import OWNER, RUN, Beginning
from nbprod.api.progress import Progress
from nbprod.api.running import run_notebook
from nbprod.api.sending import Place
from nbprod.errors import NbprodError, Where
from nbprod.tracking import Owner, RunRecord, this_process

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ID = "0123456789abcdef0123456789abcdef"
DEAD = Owner(socket.gethostname(), 2**22 + 1, "boot:1")
STAGED = ".0123456789ab"

Begin = Callable[..., Beginning]


def record() -> RunRecord:
    return RunRecord(name="work", notebook="work.py", digest="d", notebook_sha256="s", start=NOW)


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """A run whose store gives it an id, or raises what is to be raised, once it may."""

    def begin(answer: str | Exception, may: Event | None = None, runs: Path = tmp_path / "runs") -> Beginning:
        answer_with(monkeypatch, answer, may)
        return Beginning(record(), Place(tmp_path, f"sqlite:///{tmp_path}/mlflow.db", "work"), runs)

    return begin


def answer_with(monkeypatch: pytest.MonkeyPatch, answer: str | Exception, may: Event | None = None) -> None:
    def begun(*_: object) -> str:
        if may is not None:
            may.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(beginning, "begun", begun)


def silent(*_: str) -> None:
    """Nobody is told."""


REFUSED = NbprodError("no table runs", code="tracking")


@pytest.mark.parametrize(
    "owner, files, then",
    [
        pytest.param(DEAD, {RUN: ID, "a.txt": "a"}, ID, id="a dead process's, known to the store"),
        pytest.param(DEAD, {RUN: "My-run_1"}, "My-run_1", id="of an id that is no UUID"),
        pytest.param(DEAD, {"a.txt": "a"}, None, id="a dead process's, of which no store knows"),
        pytest.param(DEAD, {RUN: "../out"}, None, id="with what is no id"),
        pytest.param(this_process(), {RUN: ID}, STAGED, id="of a process at work"),
        pytest.param(
            replace(this_process(), start="boot:1"), {RUN: ID}, ID, id="of one whose id a later process has got"
        ),
        pytest.param(replace(DEAD, host="elsewhere"), {RUN: ID}, STAGED, id="of another machine"),
        pytest.param(None, {RUN: ID}, STAGED, id="nobody's yet"),
    ],
)
def test_what_is_left_of_a_run(
    owner: Owner | None, files: dict[str, str], then: str | None, tmp_path: Path, begin: Begin
) -> None:
    runs = tmp_path / "runs"
    (runs / STAGED).mkdir(parents=True)
    told = files if owner is None else files | {OWNER: fast.encode(owner).decode()}
    for name, text in told.items():
        (runs / STAGED / name).write_text(text)

    own = begin("other")

    there = {path.name for path in runs.iterdir() if path.is_dir()} - {own.folder.name}
    assert there == ({then} if then else set())
    if then and then != STAGED:
        assert {path.name for path in (runs / then).iterdir()} == files.keys() - {RUN}


def test_other_folders_are_left_alone(tmp_path: Path, begin: Begin) -> None:
    for name in (ID, ".cache", ".0123-ab"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / OWNER).write_bytes(fast.encode(DEAD))

    begin("other")

    assert {ID, ".cache", ".0123-ab"} <= {path.name for path in (tmp_path / "runs").iterdir()}


def test_the_folder_names_its_run_before_anybody_asks(begin: Begin) -> None:
    may = Event()
    run = begin(ID, may)
    assert not (run.folder / RUN).exists()
    assert not run.is_decided

    may.set()

    assert run.run_id(silent) == ID
    assert (run.folder / RUN).read_text() == ID


@pytest.mark.parametrize("name", ["runs", 'ru"ns', "rüns"])
def test_the_executed_notebook_and_errors_follow_the_folder(name: str, tmp_path: Path, begin: Begin) -> None:
    run = begin(ID, runs=tmp_path / name)
    before = (run.folder / "executed.ipynb").resolve()
    before.write_bytes(fast.encode({"output_path": str(before)}))
    error = NbprodError("it failed", where=Where(str(before), 3), hint=f"kept in {before}")

    after = run.settle(run.run_id(silent)) / "executed.ipynb"

    assert fast.decode(after.read_bytes()) == {"output_path": str(after.resolve())}
    assert run.renamed(error, ID).hint == f"kept in {after.resolve()}"
    assert error.where == Where(str(after.resolve()), 3)
    assert [path.name for path in after.parent.iterdir()] == ["executed.ipynb"]


@pytest.mark.parametrize(
    "raised, code",
    [
        pytest.param(REFUSED, "tracking", id="by the store"),
        pytest.param(OSError(28, "No space left on device"), "no-space", id="by the system"),
    ],
)
def test_a_refusal_is_told_when_it_is_there(raised: Exception, code: str, begin: Begin) -> None:
    may = Event()
    run = begin(raised, may)
    run.check()
    may.set()
    for ask in (lambda: run.run_id(silent), run.check):
        with pytest.raises(NbprodError) as caught:
            ask()
        assert caught.value.code == code


NOTEBOOK = """
# %% tags=["data"]
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv('rows.csv')
open('read', 'w').close()

# %% tags=["features"]
df['a'] = df['a'] * 1

# %%{tags}
model = LinearRegression()
model.fit(df[['a', 'b']], df['c'])
open('trained', 'w').close()
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Callable[[str], str]:
    """A notebook whose cells leave a file when they have run; its last one trains, with the tags that are given."""

    def notebook(tags: str = ' tags=["train"]') -> str:
        (tmp_path / "nbprod.toml").write_text("")
        (tmp_path / "rows.csv").write_text("a,b,c\n" + "".join(f"{n},{n % 7},{n % 3}.75\n" for n in range(60)))
        (tmp_path / "work.py").write_text(NOTEBOOK.format(tags=tags))
        return str(tmp_path / "work.py")

    return notebook


def run_folders(folder: Path) -> list[Path]:
    return [path for path in (folder / ".nbprod/runs").iterdir() if path.is_dir()]


def test_a_store_that_refuses_stops_the_run_at_the_next_cell(
    tmp_path: Path, notebook: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, REFUSED)

    with pytest.raises(NbprodError, match="no table runs"):
        run_notebook(notebook())

    assert not (tmp_path / "read").exists()
    assert run_folders(tmp_path) == []


@pytest.mark.parametrize("tags", [' tags=["train"]', ""], ids=["that is tagged", "that is not"])
def test_no_training_begins_before_the_run_is_on_record(
    tags: str, tmp_path: Path, notebook: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    may = Event()
    answer_with(monkeypatch, REFUSED, may)

    def decide(progress: Progress) -> None:
        if progress.text == "opening the store of runs":
            may.set()

    with pytest.raises(NbprodError, match="no table runs"):
        run_notebook(notebook(tags), on_progress=decide)

    assert (tmp_path / "read").exists()
    assert not (tmp_path / "trained").exists()
    assert run_folders(tmp_path) == []


def test_who_stops_a_run_does_not_wait_for_the_store(
    tmp_path: Path, notebook: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, ID, Event())

    def stop(progress: Progress) -> None:
        if progress.cell == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_notebook(notebook(), on_progress=stop)

    (left,) = run_folders(tmp_path)
    assert (left / "executed.ipynb").is_file()
    assert fast.decode((left / OWNER).read_bytes(), type=Owner).pid == os.getpid()


def test_what_stopped_the_run_is_told_where_the_store_refuses_besides(
    tmp_path: Path, notebook: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    may, said = Event(), []
    answer_with(monkeypatch, REFUSED, may)

    def fail(progress: Progress) -> None:
        said.append(progress.text)
        if progress.cell == 1:
            raise NbprodError("the disk is on fire", where=Where("work.py", 1))
        if progress.text == "opening the store of runs":
            may.set()

    with pytest.raises(NbprodError, match="the disk is on fire"):
        run_notebook(notebook(), on_progress=fail)

    assert said[-1] == "the run is not in the store: no table runs"
    (kept,) = run_folders(tmp_path)
    assert not kept.name.startswith(".")
    assert (kept / "executed.ipynb").is_file()
