"""Rows that further processes serve one at a time: the outcome is that of one process."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbprod.replay.process import CODEC, LAUNCHER
from nbprod.replay.runner import contexts, main
from nbprod.replay.runner.captured import served_whole
from nbprod.replay.runner.compare import tolerance
from nbprod.replay.runner.helpers import MOST_BYTES, Helper, Helpers
from nbprod.replay.runner.matrix import matrix_of
from nbprod.replay.runner.outcome import Outcome
from nbprod.replay.runner.sampling import LEVELS
from nbprod.replay.runner.subject import Subject, read_captures
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


def request(ran: Ran, root: Path) -> dict[str, Any]:
    return {
        "root": str(root),
        "name": "churn",
        "version": "v0001",
        "captures": str(ran.captures),
        "codec": str(CODEC),
        "launcher": LAUNCHER,
        "folder": str(root),
        "manifest": ran.manifest,
    }


class Two(Helpers):
    """Two processes beside this one, however fast it is."""

    started = 0

    def count(self, seconds: float) -> int:
        del seconds
        return 2

    def start(self, source: int, parts: list[list[int]]) -> list[Helper]:
        self.started += len(parts)
        return super().start(source, parts)


def alone(ran: Ran, root: Path, helpers: Helpers | None) -> tuple[list[Any], list[int], float]:
    """What the check of rows alone says, which rows it finds to differ, and the largest error."""
    subject = Subject(root, "churn", "v0001", read_captures(ran.captures, CODEC))
    subject.open_served()
    subject.helpers = helpers
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
        pytest.param(
            'learned("age_median", lambda: df["age"].median())',
            'df["age"].median()',
            True,
            id="a statistic of the batch at hand",
        ),
        pytest.param(
            LOGARITHM,
            'df["spend"] = np.log1p(df["spend"]) if df["visits"].iloc[0] < 8 else 1 / 0 * df["spend"]',
            True,
            id="some rows that raise",
        ),
    ],
)
@pytest.mark.usefixtures("imports")
def test_what_is_found_is_the_same_with_helpers(ran: Ran, old: str, new: str, differs: bool, tmp_path: Path) -> None:
    root = broken(ran, tmp_path, old, new) if old else ran.root
    helpers = Two(request(ran, root))

    found = alone(ran, root, helpers)

    assert helpers.started == 2
    assert found == alone(ran, root, None)
    assert bool(found[1]) == differs


class NoneBeside(Two):
    """This process alone."""

    def count(self, seconds: float) -> int:
        del seconds
        return 0


@pytest.mark.usefixtures("imports")
def test_a_replay_of_saved_state_has_further_processes(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {**request(ran, ran.root), "mode": "replay", "level": "full"}
    answers = []
    for kind, processes in ((Two, 2), (NoneBeside, 0)):
        made: list[Two] = []

        def noted(asked: dict[str, Any], kind: type[Two] = kind, made: list[Two] = made) -> Two:
            made.append(kind(asked))
            return made[-1]

        monkeypatch.setattr(main, "Helpers", noted)
        answers.append(main._answer(asked, main.Reporter(io.StringIO())))
        assert [one.started for one in made] == [processes]
    assert answers[0] == answers[1]
    assert answers[0]["rows_equal"] == answers[0]["rows"] > 0


@pytest.mark.usefixtures("imports")
def test_the_part_of_a_helper_that_dies_is_served_here(ran: Ran) -> None:
    lost = {**request(ran, ran.root), "launcher": "raise SystemExit(3)"}
    assert alone(ran, ran.root, Two(lost)) == alone(ran, ran.root, None)


def test_processes_are_started_for_work_that_is_worth_them(
    ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(4), raising=False)
    helpers = Helpers(request(ran, ran.root))
    assert [helpers.count(seconds) for seconds in (0.5, 4.5, 9.0, 1000.0)] == [0, 1, 2, 3]

    with (tmp_path / "raw.npy").open("wb") as large:
        large.truncate(MOST_BYTES + 1)
    assert Helpers({**request(ran, ran.root), "captures": str(tmp_path)}).count(1000.0) == 0


def test_a_helper_ends_with_the_process_that_started_it(ran: Ran) -> None:
    (helper,) = Helpers(request(ran, ran.root)).start(0, [list(range(100)) * 1000])
    assert helper.process.stdin is not None
    helper.process.stdin.close()
    assert helper.process.wait(60) == 1
    helper.folder.cleanup()
