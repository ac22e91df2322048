"""Rows that further processes serve one at a time: the outcome is that of one process."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from nbprod.replay.process import CODEC
from nbprod.replay.runner import contexts, main
from nbprod.replay.runner.captured import served_whole
from nbprod.replay.runner.compare import tolerance
from nbprod.replay.runner.in_fit import await_state
from nbprod.replay.runner.matrix import matrix_of
from nbprod.replay.runner.outcome import Outcome
from nbprod.replay.runner.parts import FORKS, MOST, MOST_BYTES, Part, Parts, Twin
from nbprod.replay.runner.protocol import replay
from nbprod.replay.runner.sampling import LEVELS
from nbprod.replay.runner.subject import Subject, read_captures
from nbprod.replay.runner.variants import VARIED, vary
from nbprod.replay.runners import LAUNCHER
from tests.replay.test_replay import NOTEBOOK, Ran, broken, run_in, table


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run_in(tmp_path_factory.mktemp("churn"), NOTEBOOK)


@pytest.fixture
def imports() -> Iterator[None]:
    """The package under test is imported here, and forgotten."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name in [name for name in sys.modules if name.partition(".")[0] == "churn"]:
        del sys.modules[name]


def request(ran: Ran, root: Path, folder: Path) -> dict[str, Any]:
    """The request that a process answers in `folder`, of the package in `root`."""
    return {
        "root": str(root),
        "name": "churn",
        "version": "v0001",
        "captures": str(ran.captures),
        "codec": str(CODEC),
        "launcher": LAUNCHER,
        "folder": str(root),
        "result": str(folder / "result.json"),
        "manifest": ran.manifest,
    }


class Two(Parts):
    """Two processes beside this one, however fast it is, and the answers that they gave."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__(request)
        self.started: list[Part] = []

    def count(self, seconds: float) -> int:
        del seconds
        return 2

    def start(self, source: int, parts: list[list[int]]) -> list[Part]:
        self.started = super().start(source, parts)
        return self.started


def alone(
    ran: Ran, root: Path, parts: Parts | None, twin_of: Callable[[Subject], Twin | None] | None = None
) -> tuple[list[Any], list[int], float]:
    """What the check of rows alone says, which rows it finds to differ, and the largest error; of a proof in a fit."""
    subject = Subject(root, "churn", "v0001", read_captures(ran.captures, CODEC))
    if twin_of is not None:
        subject.twin, subject.is_in_fit = twin_of(subject), True
    subject.open_served()
    subject.parts = parts
    whole = served_whole(subject, subject.raw)
    reference = matrix_of(subject.captures.fit.X)
    outcome = Outcome()
    reached = np.arange(len(whole.rows))
    bad = contexts.check_contexts(
        subject, whole, 0, reached, tolerance(reference), reference.names, LEVELS["full"], outcome, lambda *_: None
    )
    told = [(each.stage, each.row, each.name, each.text) for each in outcome.failings]
    return [outcome.checks, told], bad.tolist(), outcome.max_error


LOGARITHM = 'df["spend"] = np.log1p(df["spend"])'
LAST = table()["spend"].iloc[-1]
STATISTIC = 'learned("age_median", lambda: df["age"].median())', 'df["age"].median()'

# A process that writes the half of an answer.
BREAKS_OFF = """
import json, os, sys
asked = os.fsdecode(sys.stdin.buffer.readline().rstrip(b"\\n"))
with open(json.load(open(asked))["result"], "w") as result:
    result.write('{"equal": true, "err')
"""


@pytest.mark.parametrize(
    "old, new, differs",
    [
        pytest.param("", "", False, id="a package that is right"),
        pytest.param(
            LOGARITHM,
            f'{LOGARITHM} + 1e-15 * ((len(df) < 12) & (df["spend"] == {LAST}))',
            False,
            id="an error of computation in one row of a further process",
        ),
        pytest.param(*STATISTIC, True, id="a statistic of the batch at hand"),
        pytest.param(
            LOGARITHM,
            'df["spend"] = np.log1p(df["spend"]) if df["visits"].iloc[0] < 8 else 1 / 0 * df["spend"]',
            True,
            id="some rows that raise",
        ),
    ],
)
@pytest.mark.usefixtures("imports")
def test_what_is_found_is_the_same_in_parts(ran: Ran, old: str, new: str, differs: bool, tmp_path: Path) -> None:
    root = broken(ran, tmp_path, old, new) if old else ran.root
    parts = Two(request(ran, root, tmp_path))

    found = alone(ran, root, parts)

    assert len(parts.started) == 2
    assert found == alone(ran, root, None)
    assert bool(found[1]) == differs
    for part in parts.started:
        assert part.result.parent == tmp_path
        assert "equal" in json.loads(part.result.read_text())


def a_twin(subject: Subject, answers: list[Any], fault: str = "") -> Twin:
    """A twin, and what it answers; by its fault it ends before or says nothing of use."""

    def ready() -> None:
        if fault == "dies":
            raise MemoryError
        subject.open_served()

    def saying(task: Callable[..., Any]) -> Callable[..., Any]:
        return (lambda *_: {}) if fault == "babbles" else task

    class Noting(Twin):
        def answer(self) -> Any:
            answers.append(super().answer())
            return answers[-1]

    tasks = {contexts.SHARED: saying(contexts.Batches(subject)), VARIED: saying(partial(vary, subject))}
    return Noting(ready, tasks, os.open(os.devnull, os.O_RDONLY))


@pytest.mark.skipif(not FORKS, reason="a process goes on as one here")
@pytest.mark.parametrize("fault", ["", "dies", "babbles"])
@pytest.mark.parametrize(
    "change", [pytest.param((), id="a package that is right"), pytest.param(STATISTIC, id="a statistic of the batch")]
)
@pytest.mark.usefixtures("imports")
def test_what_a_twin_finds_is_the_same(ran: Ran, change: tuple[str, ...], fault: str, tmp_path: Path) -> None:
    root = broken(ran, tmp_path, *change) if change else ran.root
    answers: list[Any] = []

    found = alone(ran, root, None, lambda subject: a_twin(subject, answers, fault))

    assert found == alone(ran, root, None, lambda _: None)
    assert bool(found[1]) == bool(change)
    told = [answer if answer is None else answer.get("equal") for answer in answers]
    assert told == [None if fault else not change] * len(told)
    assert len(told) == 2  # batches of 7 and rows alone; the rest is one batch


@pytest.mark.skipif(not FORKS, reason="a process goes on as one here")
@pytest.mark.parametrize("fault", ["", "dies", "babbles"])
@pytest.mark.parametrize(
    "change", [pytest.param((), id="a package that is right"), pytest.param(STATISTIC, id="a statistic of the batch")]
)
@pytest.mark.usefixtures("imports")
def test_a_whole_proof_in_a_fit_is_the_same_with_a_twin(
    ran: Ran, change: tuple[str, ...], fault: str, tmp_path: Path
) -> None:
    root = broken(ran, tmp_path, *change) if change else ran.root
    ended = tmp_path / "ended"
    ended.touch()
    answers: list[Any] = []

    def proof(twin_of: Callable[[Subject], Twin | None]) -> list[Any]:
        subject = Subject(root, "churn", "v0001", read_captures(ran.captures, CODEC))
        subject.twin = twin_of(subject)
        outcome = replay(subject, [], "quick", lambda *_: None, fit_ended=ended)
        return [outcome.checks, outcome.max_error, [each.stage for each in outcome.failings]]

    found = proof(lambda subject: a_twin(subject, answers, fault))

    assert json.loads(json.dumps(found)) == json.loads(json.dumps(proof(lambda _: None)))
    assert bool(found[2]) == bool(change)
    if not change:
        checked = {name for name, *_ in found[0]}
        assert {"without the target", "one JSON record", "learned state unchanged"} < checked
        assert answers[:2] == [{"": {"equal": True, "error": 0.0}, "dies": None, "babbles": {}}[fault]] * 2
        assert (len(answers), bool(answers[2])) == (3, not fault)


@pytest.mark.skipif(not FORKS, reason="a process goes on as one here")
def test_a_twin_that_is_told_of_nothing_ends_with_this_process() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    twin = Twin(lambda: None, {}, nothing)
    twin._asks.close()
    assert os.waitpid(twin._pid, 0)[1] == 0


@pytest.mark.skipif(not FORKS, reason="a process goes on as one here")
def test_a_twin_answers_task_by_task_until_one_raises() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    twin = Twin(lambda: None, {"half": lambda number: number / 2, "over": lambda number: 1 / number}, nothing)
    answers = []
    for task, given in (("half", 3), ("over", 4), ("over", 0), ("half", 3)):
        twin.begin(task, given)
        answers.append(twin.answer())
    assert answers == [1.5, 0.25, None, None]
    twin.close()


def test_a_proof_does_not_wait_for_a_fit_whose_starter_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    starters = iter([7, 7, 1])
    monkeypatch.setattr("os.getppid", lambda: next(starters))
    waiting = cast(Subject, SimpleNamespace(folder=tmp_path))
    with pytest.raises(InterruptedError):
        await_state(waiting)


class NoneBeside(Two):
    """This process alone."""

    def count(self, seconds: float) -> int:
        del seconds
        return 0


@pytest.mark.usefixtures("imports")
def test_a_replay_of_saved_state_has_further_processes(
    ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {**request(ran, ran.root, tmp_path), "mode": "replay", "level": "full"}
    answers = []
    for kind, processes in ((Two, 2), (NoneBeside, 0)):
        made: list[Two] = []

        def noted(asked: dict[str, Any], kind: type[Two] = kind, made: list[Two] = made) -> Two:
            made.append(kind(asked))
            return made[-1]

        monkeypatch.setattr(main, "Parts", noted)
        answers.append(main._answer(asked, main.Reporter(io.StringIO())))
        assert [len(one.started) for one in made] == [processes]
    assert answers[0] == answers[1]
    assert answers[0]["rows_equal"] == answers[0]["rows"] > 0


@pytest.mark.parametrize(
    "lost, started",
    [
        pytest.param("its process dies", 2, id="a process that dies"),
        pytest.param("its answer breaks off", 2, id="a process whose answer breaks off"),
        pytest.param("no interpreter", 0, id="processes that can't be started"),
        pytest.param("no folder", 0, id="a folder that can't be written to"),
        pytest.param("no second file", 1, id="a second process that can't be started"),
    ],
)
@pytest.mark.usefixtures("imports")
def test_rows_are_served_here_in_place_of(
    ran: Ran, lost: str, started: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = broken(ran, tmp_path, *STATISTIC)  # rows that nobody served would be missing among those that differ
    expected = alone(ran, root, None)
    asked = request(ran, root, tmp_path)
    match lost:
        case "its process dies":
            asked["launcher"] = "raise SystemExit(3)"
        case "its answer breaks off":
            asked["launcher"] = BREAKS_OFF
        case "no interpreter":
            monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
        case "no folder":
            asked["result"] = str(tmp_path / "gone" / "result.json")
        case "no second file":
            (tmp_path / "part-0-1-request.json").mkdir()
    parts = Two(asked)

    assert alone(ran, root, parts) == expected

    assert len(parts.started) == started
    assert expected[1]


def test_processes_are_started_for_work_that_is_worth_them(
    ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(ran, ran.root, tmp_path)
    for cores, counts in ((4, [0, 1, 2, 3]), (64, [0, 1, 2, MOST])):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, cores=cores: range(cores), raising=False)
        assert [Parts(asked).count(seconds) for seconds in (0.5, 4.5, 9.0, 1000.0)] == counts

    with (tmp_path / "raw.npy").open("wb") as large:
        large.truncate(MOST_BYTES + 1)
    assert Parts({**asked, "captures": str(tmp_path)}).count(1000.0) == 0


def test_a_part_ends_with_the_process_that_started_it(ran: Ran, tmp_path: Path) -> None:
    (part,) = Parts(request(ran, ran.root, tmp_path)).start(0, [list(range(100)) * 1000])
    assert part.process.stdin is not None
    part.process.stdin.close()
    assert part.process.wait(60) == 1
    assert part.answer() is None
