"""`%nbprod check --live` in a real kernel: what lies there against the package's transform of the raw rows."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import KernelManager, start_new_kernel

ROOT = Path(__file__).parent.parent
CELLS = (
    "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression",
    'df = pd.read_csv("rows.csv")',
    'df["age"] = df["age"].fillna(df["age"].median())\ndf["double"] = df["fare"] * 2',
    'X = df[["age", "double", "fare"]]\nmodel = LogisticRegression().fit(X, df["y"])',
)
ROWS = "age,fare,y\n" + "".join(f"{'' if n % 7 == 0 else n},{n * 3 % 11},{n % 2}\n" for n in range(40))

pytestmark = pytest.mark.slow


def written(path: Path, cells: tuple[str, ...]) -> None:
    made = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(cells)]
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=made)))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook with a fitted version of its package."""
    folder = tmp_path_factory.mktemp("live")
    (folder / "rows.csv").write_text(ROWS)
    written(folder / "model.ipynb", CELLS)
    command = [sys.executable, "-m", "nbprod", "run", "model.ipynb", "--auto", "--format", "json"]
    done = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def _environment(**more: str) -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


class Kernel:
    """A kernel that is sent cells as JupyterLab sends them, with their ids."""

    def __init__(self, manager: KernelManager, client: Any) -> None:
        self.manager, self.client = manager, client

    def run(self, source: str, cell: str | None = None) -> str:
        message = self.client.session.msg(
            "execute_request",
            {"code": source, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False},
            metadata={"cellId": cell} if cell else {},
        )
        self.client.shell_channel.send(message)
        told = []
        while True:
            try:
                answer = self.client.get_iopub_msg(timeout=120)
            except queue.Empty:
                raise AssertionError("the kernel does not answer") from None
            if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            content = answer["content"]
            if answer["msg_type"] == "status" and content["execution_state"] == "idle":
                return "".join(told)
            told.append(
                content.get("text")
                or content.get("data", {}).get("text/plain")
                or "\n".join(content.get("traceback", ()))
            )

    def report(self, options: str = "") -> dict[str, Any]:
        told = self.run(f"found = %nbprod check --live {options}\nimport json")
        printed = self.run("print(json.dumps(found.report))")
        assert printed.startswith("{"), told + printed
        report: dict[str, Any] = json.loads(printed)
        return report

    def run_all(self, cells: tuple[str, ...] = CELLS) -> None:
        for number, source in enumerate(cells):
            assert "Traceback" not in self.run(source, f"cell-{number}")


@pytest.fixture(scope="module")
def running(project: Path) -> Iterator[Kernel]:
    environment = _environment(JPY_SESSION_NAME=str(project / "model.ipynb"))
    manager, client = start_new_kernel(cwd=str(project), env=environment)
    yield Kernel(manager, client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(running: Kernel) -> Kernel:
    """The kernel with nothing in it but the magics."""
    running.run("%reset -f")
    running.run("%unload_ext nbprod")
    running.run("%load_ext nbprod")
    return running


def states(report: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["status"] for each in report["features"]}


ALL_EQUAL = {"age": "equal", "double": "equal", "fare": "equal"}


def test_what_is_equal_and_then_differs_at_its_cell_and_line_and_is_equal_again(kernel: Kernel) -> None:
    kernel.run_all()
    first = kernel.report()
    assert (first["verdict"], states(first), first["notes"]) == ("equal", ALL_EQUAL, [])
    assert first["raw"] == "df as it was read, kept from then"

    kernel.run("before = df.copy()\ntaken = id(df)")
    kernel.run(CELLS[2].replace("* 2", "* 3"), "cell-2")
    second = kernel.report()
    assert second["verdict"] == "differs"
    (double,) = (each for each in second["features"] if each["name"] == "double")
    assert (double["status"], double["where"], double["cell"], double["line"]) == ("differs", "df", 2, 2)
    assert double["unequal"] == sum(n * 3 % 11 != 0 for n in range(40))
    assert double["first"] == {"row": "1", "kernel": 9, "package": 6}
    assert kernel.run("print(_exit_code)") == "1\n"
    assert any("cell 3 ran before cell 2 did" in note for note in second["notes"])

    kernel.run_all()
    assert kernel.report()["verdict"] == "equal"


SCALED = (
    CELLS[0] + "\nfrom sklearn.preprocessing import StandardScaler",
    CELLS[1],
    CELLS[2],
    'X = df[["age", "double", "fare"]].copy()\nX[["age", "fare"]] = StandardScaler().fit_transform(X[["age", "fare"]])',
    'model = LogisticRegression().fit(X, df["y"])',
)


def test_each_frame_is_held_against_the_packages_own_of_that_name(project: Path, kernel: Kernel) -> None:
    written(project / "scaled.ipynb", SCALED)
    command = [sys.executable, "-m", "nbprod", "run", "scaled.ipynb", "--auto", "--format", "json"]
    subprocess.run(command, cwd=project, env=_environment(), capture_output=True, check=True)
    kernel.run_all(SCALED)
    assert states(kernel.report("scaled.ipynb")) == ALL_EQUAL

    kernel.run("kept = df.copy()\ndf['age'] = df['age'] + 1")
    assert [(each["name"], each["where"]) for each in kernel.report("scaled.ipynb")["features"] if each["unequal"]] == [
        ("age", "df")
    ]
    kernel.run("df = kept\nX['age'] = X['age'] * 2")
    assert [(each["name"], each["where"]) for each in kernel.report("scaled.ipynb")["features"] if each["unequal"]] == [
        ("age", "X")
    ]


def test_the_kernels_objects_and_generators_stay_as_they_were(kernel: Kernel) -> None:
    kernel.run_all()
    kernel.run(
        "import numpy as np, sys\n"
        "kept = df.copy(deep=True), X.copy(deep=True), np.random.get_state()[1].copy(), set(globals()), set(sys.path)"
    )
    kernel.report()
    same = kernel.run(
        "print(kept[0].equals(df), kept[1].equals(X), (kept[2] == np.random.get_state()[1]).all(),\n"
        "      {n for n in set(globals()) - kept[3] if n[0] != '_'} - {'kept', 'found', 'json'},"
        " set(sys.path) == kept[4], 'model.v0001.features' in sys.modules)"
    )
    assert same == "True True True set() True False\n"


def test_a_feature_that_is_not_there_yet_is_said_to_be(kernel: Kernel) -> None:
    for number in (0, 1):
        kernel.run(CELLS[number], f"cell-{number}")
    kernel.run(CELLS[2].splitlines()[0], "cell-2")
    report = kernel.report()
    assert states(report) == {"age": "equal", "double": "absent", "fare": "equal"}
    assert report["verdict"] == "partly"
    assert any("there is no X in the kernel" in note for note in report["notes"])


def test_before_the_features_cell_nothing_is_claimed(kernel: Kernel) -> None:
    report = kernel.report() if kernel.run(CELLS[0]) == "" else {}
    assert report["verdict"] == "not-compared"
    assert set(states(report).values()) == {"absent"}


def test_rows_that_were_read_before_the_magics_come_from_the_run_and_that_is_said(kernel: Kernel) -> None:
    kernel.run("%unload_ext nbprod")
    kernel.run_all()
    kernel.run("%load_ext nbprod")
    report = kernel.report()
    assert (report["verdict"], states(report)) == ("equal", ALL_EQUAL)
    assert report["raw"] == (
        "those of the run that version 1 was fitted in, for df was changed in cell 2 since it was read"
    )


def test_rows_that_their_own_cell_has_changed_are_not_taken_for_the_raw_ones(project: Path, kernel: Kernel) -> None:
    changed = (CELLS[0], CELLS[1] + '\ndf.loc[:, "fare"] *= 100', *CELLS[2:])
    written(project / "model.ipynb", changed)
    kernel.run_all(changed)
    report = kernel.report()
    written(project / "model.ipynb", CELLS)
    assert states(report) == {"age": "equal", "double": "differs", "fare": "differs"}
    assert report["raw"].endswith("for df was changed in cell 1 since it was read")


@pytest.mark.parametrize(
    "prepare, note",
    [
        pytest.param("other = X.iloc[5:20]", "", id="labels of the raw rows"),
        pytest.param("other = X.to_numpy()[::-1]", "told by equal values", id="equal values"),
        pytest.param("other = X.to_numpy() + 1", "the order that they stand in", id="their order"),
        pytest.param("other = X.iloc[:0]", "it has no rows", id="no rows"),
    ],
)
def test_how_rows_were_found_is_said(kernel: Kernel, prepare: str, note: str) -> None:
    kernel.run_all()
    kernel.run(prepare)
    notes = kernel.report("--frame other")["notes"]
    assert (len(notes), note in "".join(notes)) == (1 if note else 0, True)


@pytest.mark.parametrize(
    "prepare, options, verdict",
    [
        pytest.param('raw = pd.read_csv("rows.csv")', "--raw raw", "equal", id="raw rows by name"),
        pytest.param(
            "other = df[['age', 'double', 'fare']].iloc[::-1]", "--frame other", "equal", id="rows in another order"
        ),
        pytest.param("other = X.iloc[5:20]", "--frame other", "equal", id="some of the rows"),
        pytest.param("other = X.to_numpy()", "--frame other", "equal", id="an array without names"),
        pytest.param(
            "other = X.reset_index(drop=True).sample(frac=1, random_state=0)", "--frame other", "equal", id="shuffled"
        ),
        pytest.param("other = X.assign(age=X['age'] + 1)", "--frame other", "differs", id="another value"),
        pytest.param("other = X.assign(age=X['age'] * (1 + 1e-16))", "--frame other", "equal", id="rounding"),
        pytest.param("other = X[['age']]", "--frame other", "partly", id="one column"),
        pytest.param("other = X.iloc[:0]", "--frame other", "not-compared", id="no rows"),
        pytest.param(
            "other = X.to_numpy()[:, :2]", "--frame other", "not-compared", id="too few columns without names"
        ),
    ],
)
def test_what_is_compared(kernel: Kernel, prepare: str, options: str, verdict: str) -> None:
    kernel.run_all()
    kernel.run(prepare)
    report = kernel.report(options)
    assert report["verdict"] == verdict, report
    assert verdict != "not-compared" or report["notes"]


@pytest.mark.parametrize(
    "prepare, options, message",
    [
        pytest.param("", "--raw nowhere", 'there is no DataFrame "nowhere" in the kernel', id="no such raw rows"),
        pytest.param("", "--frame nowhere", 'there is no variable "nowhere" in the kernel', id="no such frame"),
        pytest.param("", "--rwa df", "unrecognized arguments: --rwa", id="a wrong option"),
        pytest.param(
            "bad = df.assign(f=[print] * len(df))", "--frame bad", "can't be compared", id="functions in a frame"
        ),
    ],
)
def test_what_cannot_be_compared_is_said(kernel: Kernel, prepare: str, options: str, message: str) -> None:
    kernel.run_all()
    kernel.run(prepare)
    told = kernel.run(f"%nbprod check --live {options}")
    assert message in told
    assert "Traceback" not in told


def test_without_a_fitted_version_it_says_what_to_run(kernel: Kernel, project: Path) -> None:
    written(project / "other.ipynb", CELLS)
    told = kernel.run("%nbprod check --live other.ipynb")
    assert "error[not-fitted]" in told
    assert "nbprod run other.ipynb" in told
