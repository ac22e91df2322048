"""The calls that the syntax tree gains, run without a kernel; test_papermill_backend.py runs them in one."""

from __future__ import annotations

import ast
import builtins
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec import to_builtins

from nbprod.backends.kernel.files import Opened
from nbprod.backends.kernel.points import NAME, Points
from nbprod.backends.kernel.recorder import KEPT_CALLS, Recorder
from nbprod.backends.kernel.session import storable
from nbprod.backends.places import capture_places
from nbprod.errors import NbprodError
from nbprod.model.notebook import Cell, Notebook
from nbprod.model.plan import CallPlace
from nbprod.model.run import CapturePlan

FIT = "model.fit(X, y)"
READ = "read()"


class Model:
    """Remembers what it was given, in the order of evaluation."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def fit(self, X: Any = None, y: Any = None, **others: Any) -> Model:
        self.seen.append((X, y, others))
        return self

    def predict(self, X: Any) -> Any:
        return np.asarray(X).sum(axis=1)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    made = Recorder()
    setattr(builtins, NAME, made)
    yield made
    delattr(builtins, NAME)


def run(text: str, plan: CapturePlan, recorder: Recorder, **names: Any) -> dict[str, Any]:
    notebook = Notebook("work.ipynb", "ipynb", (Cell(0, "a", text, text),))
    points = Points([to_builtins(place) for place in capture_places(notebook, plan)], recorder)
    points.cell = 0
    tree = points.visit(ast.parse(text))
    assert recorder.notes == []
    X = pd.DataFrame({"a": [1.0, 2.0]})
    namespace = {"X": X, "y": [0, 1], "model": Model(), "pd": pd, "df": 0, "read": lambda: X, **names}
    exec(compile(tree, "cell", "exec"), namespace)
    return namespace


def place(text: str, called: str, occurrence: int = 0) -> CallPlace:
    nodes = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.get_source_segment(text, node) == called
    ]
    node = sorted(nodes, key=lambda node: (node.lineno, node.col_offset))[occurrence]
    return CallPlace(0, node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0, called)


def call_plan(text: str, fit: str, *predicts: str, occurrence: int = 0) -> CapturePlan:
    """A plan whose raw rows are read by the first line."""
    return CapturePlan(
        place(text, READ), place(text, fit, occurrence), tuple(place(text, predict) for predict in predicts)
    )


CALLS = [
    pytest.param("model.fit(X, y)", {"0", "1"}, id="positions"),
    pytest.param("model.fit(X=X, y=y)", {"X", "y"}, id="keywords"),
    pytest.param("model.fit(X, y, sample_weight=[1, 1])", {"0", "1", "sample_weight"}, id="a further keyword"),
    pytest.param("model.fit(*[X, y])", {"0", "1"}, id="a starred list"),
    pytest.param("model.fit(*(part for part in (X, y)))", {"0", "1"}, id="a starred generator, used up once"),
    pytest.param("model.fit(**{'X': X, 'y': y})", {"X", "y"}, id="double-starred keywords"),
    pytest.param("model.fit(\n    X,\n    y,\n)", {"0", "1"}, id="over several lines"),
]


@pytest.mark.parametrize("called, slots", CALLS)
def test_the_arguments_of_the_training_are_kept_and_handed_on(called: str, slots: set[str], recorder: Recorder) -> None:
    text = f"df = read()\nmodel = {called}"
    names = run(text, call_plan(text, called), recorder)
    (kept,) = recorder.calls
    assert set(kept["arguments"]) == slots
    assert kept["receiver"] is names["model"]
    seen = names["model"].seen[0]
    assert seen[0] is names["X"]
    assert seen[1] == [0, 1]
    assert kept["arguments"].get("0", kept["arguments"].get("X")) is not names["X"]


CONTEXTS = [
    pytest.param("def go():\n    return model.fit(X, y)\ngo()", 1, id="in a function"),
    pytest.param("for _ in range(3):\n    model.fit(X, y)", 3, id="in a loop, each time"),
    pytest.param("if model.fit(X, y): pass", 1, id="in a condition"),
    pytest.param("found = [model.fit(X, y) for _ in range(2)]", 2, id="in a comprehension"),
    pytest.param("model.fit(X, y).fit(X, y).predict(X)", 1, id="the first of a chain"),
    pytest.param("print('model.fit(X, y)'); model.fit(X, y)", 1, id="not its text in a string"),
]


@pytest.mark.parametrize("text, times", CONTEXTS)
def test_a_call_is_found_wherever_it_stands(text: str, times: int, recorder: Recorder) -> None:
    run(f"df = read()\n{text}", call_plan(f"df = read()\n{text}", FIT), recorder)
    assert len(recorder.calls) == times


def test_of_equal_calls_the_one_meant_is_kept(recorder: Recorder) -> None:
    text = "df = read()\nmodel.fit(X, y)\nX = X + 1\nmodel.fit(X, y)"
    run(text, call_plan(text, FIT, occurrence=1), recorder)
    assert [call["arguments"]["0"]["a"].tolist() for call in recorder.calls] == [[2.0, 3.0]]


def test_copies_are_made_just_before_the_call_when_all_arguments_stand(recorder: Recorder) -> None:
    text = "df = read()\nmodel.fit(X, X.insert(1, 'b', 0))"
    run(text, call_plan(text, "model.fit(X, X.insert(1, 'b', 0))"), recorder)
    assert list(recorder.calls[0]["arguments"]["0"].columns) == ["a", "b"]


def test_later_changes_do_not_reach_what_was_kept(recorder: Recorder) -> None:
    text = "df = read()\nmodel.fit(X, y)\np = model.predict(X)\nX['a'] = 7\np[:] = 7"
    run(text, call_plan(text, FIT, "model.predict(X)"), recorder)
    assert recorder.raw_frames["raw_0"]["a"].tolist() == [1.0, 2.0]
    assert recorder.calls[0]["arguments"]["0"]["a"].tolist() == [1.0, 2.0]
    assert recorder.calls[1]["result"].tolist() == [1.0, 2.0]


def test_only_the_last_calls_of_a_long_loop_are_kept(recorder: Recorder) -> None:
    text = "df = read()\nfor i in range(50):\n    model.fit(i, y)"
    run(text, call_plan(text, "model.fit(i, y)"), recorder)
    assert [call["arguments"]["0"] for call in recorder.calls] == list(range(50 - KEPT_CALLS, 50))


def test_random_states_are_those_before_the_call(recorder: Recorder) -> None:
    text = "df = read()\nnp.random.seed(7)\nmodel.fit(X, np.random.rand(3))\n"
    run(text, call_plan(text, "model.fit(X, np.random.rand(3))"), recorder, np=np)
    expected = np.random.RandomState(7)
    expected.rand(3)
    generator = np.random.RandomState()
    generator.set_state(recorder.calls[0]["random"]["numpy"])
    assert generator.rand() == expected.rand()


RAW = [
    pytest.param("df = read()", id="bound as it is"),
    pytest.param("df = read()[['a']].rename(columns={'a': 'b'})", id="changed in the same statement"),
    pytest.param("df = read(); df = 0", id="before a semicolon"),
    pytest.param("def load():\n    df = read()\n    df['b'] = 0\n    return df\ndf = load()", id="in a function"),
    pytest.param("for _ in [1, 2, 3]:\n    df = read()\n    df['b'] = 0", id="in a loop, the first time"),
    pytest.param("with open(__file__) as file:\n    df = read()", id="in a with block"),
    pytest.param("a, df = 0, read()", id="unpacked"),
    pytest.param("if len(df := read()) > 9:\n    pass", id="bound in a header"),
    pytest.param("print('read()', read())", id="not bound at all, and its text in a string"),
]


@pytest.mark.parametrize("text", RAW)
def test_the_raw_rows_are_kept_as_they_are_read(text: str, recorder: Recorder) -> None:
    whole = f"{text}\nmodel.fit(X, y)"
    run(whole, call_plan(whole, FIT), recorder, __file__=__file__)
    assert list(recorder.raw_frames) == ["raw_0"]
    pd.testing.assert_frame_equal(recorder.raw_frames["raw_0"], pd.DataFrame({"a": [1.0, 2.0]}))


def test_a_call_that_is_not_reached_keeps_nothing(recorder: Recorder) -> None:
    text = "del df\nif False:\n    df = read()\nmodel.fit(X, y)"
    names = run(text, call_plan(text, FIT), recorder)
    assert "df" not in names
    assert recorder.raw_frames == {}


def test_a_traceback_has_the_lines_and_frames_of_the_notebook(recorder: Recorder) -> None:
    text = "df = read()\n\nmodel.predict(\n    None)\nmodel.fit(X, y)"
    plan = call_plan(text, FIT, "model.predict(\n    None)")
    with pytest.raises(ValueError, match="axis") as caught:
        run(text, plan, recorder)
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert [frame.lineno for frame in frames if frame.filename == "cell"] == [3]
    assert not [frame for frame in frames if frame.name in ("receiver", "argument", "result", "raw")]


def test_a_place_that_the_notebook_does_not_have_is_an_error() -> None:
    notebook = Notebook("work.ipynb", "ipynb", (Cell(0, "a", "df = read()", "df = read()"),))
    with pytest.raises(NbprodError, match=r"the call 'model.fit\(X, y\)' is not there") as caught:
        capture_places(notebook, CapturePlan(CallPlace(0, 1, 5, 1, 11, READ), CallPlace(0, 1, 0, 1, 15, FIT)))
    assert caught.value.code == "capture-lost"


def test_sparse_matrices_of_any_format_become_one_that_can_be_kept() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    assert storable(sparse.lil_matrix([[0, 1]])).format == "csr"
    assert storable(sparse.csc_matrix([[0, 1]])).format == "csc"


OPENED = [
    pytest.param([("data.csv", "r", 0)], ["data.csv"], id="read"),
    pytest.param([("data.csv", None, 0)], ["data.csv"], id="opened by number of flags"),
    pytest.param([("data.csv", "w", 0), ("data.csv", "r", 0)], [], id="written before it is read"),
    pytest.param([("data.csv", "r", 0), ("data.csv", "w", 0)], ["data.csv"], id="read before it is written"),
    pytest.param([("module.py", "r", 0)], [], id="code"),
    pytest.param([("gone.csv", "r", 0)], [], id="not there any more"),
    pytest.param([(3, "r", 0)], [], id="a file descriptor"),
]


@pytest.mark.parametrize("events, expected", OPENED)
def test_opened_files_are_noted(events: list[Any], expected: list[str], tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("data.csv", "module.py"):
        (tmp_path / name).write_text("x")
    opened = Opened()
    opened("open", ("data.csv", "r", 0))
    assert opened.data_files(()) == []
    opened.active = True
    for event in events:
        opened("open", event)
    assert opened.data_files(()) == [str(tmp_path / name) for name in expected]
    assert opened.data_files((str(tmp_path),)) == []
