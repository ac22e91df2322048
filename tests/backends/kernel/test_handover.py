"""What a stage hands over in a real kernel, and what a run gives that goes on behind it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from nbprod.api.outlining import analysis_of
from nbprod.backend import CellOutput, NotRestoredError, Restored, Staging
from nbprod.backends.papermill_backend import run_notebook
from nbprod.codegen.runtime.codec import load
from nbprod.errors import NbprodError
from nbprod.model.notebook import Notebook
from nbprod.model.run import CapturePlan, CellTime, RunResult
from nbprod.plan.stages import Handover, handovers

FIRST = """import random
import sys
import numpy as np
import pandas as pd
import matplotlib
import matplotlib.pyplot as plt
from numpy import log1p
from pathlib import Path
%matplotlib inline
matplotlib.rcParams['lines.linewidth'] = 7
np.random.seed(3)
random.seed(4)
np.random.random(5)
LIMIT = 30.5
def young(frame, most=None):
    return frame[frame['age'] < (most or LIMIT)]
log = log1p
twin = other = [1, 2]
both = (1, {'a': np.arange(100)})
df = pd.read_csv('data/rows.csv')
df['sex'] = df['sex'].astype('category')
print('first')"""

SECOND = """X = young(df)[['age', 'fare']]
y = df.loc[X.index, 'alive']
print(len(X), plt is sys.modules['matplotlib.pyplot'], matplotlib.rcParams['lines.linewidth'], log is np.log1p)
print(twin is other, both[1]['a'][99], df['sex'].dtype, Path.cwd().name)
print(np.random.random(), random.random())"""

TRAIN = """from sklearn.preprocessing import StandardScaler
from sklearn.linear_model import LogisticRegression
scaler = StandardScaler().fit(X)
model = LogisticRegression()
model.fit(scaler.transform(X), y)"""

PREDICT = "p = model.predict(scaler.transform(X))\nprint(p.tolist(), scaler.mean_.tolist())"


class Runs:
    """Runs of one notebook, of which each keeps what its stages hand over."""

    def __init__(self, notebook: Notebook, call: Any, folder: Path) -> None:
        raw, fit = call(notebook, "pd.read_csv('data/rows.csv')"), call(notebook, "model.fit(scaler.transform(X), y)")
        self.notebook, self.folder = notebook, folder
        self.capture = CapturePlan(raw, fit, (call(notebook, "model.predict(scaler.transform(X))"),))
        places = (raw, fit, *self.capture.predicts)
        self.handed = handovers(notebook, analysis_of(notebook), analysis_of, places)
        self.kept: dict[int, Restored] = {}

    def run(self, name: str, behind: int | None = None) -> RunResult:
        """The whole notebook, or what stands behind the cell `behind`."""

        def keep(
            handover: Handover, folder: Path, times: tuple[CellTime, ...], shown: Mapping[int, CellOutput]
        ) -> None:
            place = self.folder / f"kept-{name}-{handover.after}"
            shutil.copytree(folder, place)
            self.kept[handover.after] = Restored(handover, place, dict(shown), times)

        restored = None if behind is None else self.kept[behind]
        staging = Staging(self.handed, restored, keep)
        return run_notebook(self.notebook, self.capture, out_dir=self.folder / name, staging=staging)


@pytest.fixture
def runs(notebook: Any, call: Any, tmp_path: Path) -> Runs:
    cells = [(FIRST, ["data"]), (SECOND, ["features"]), (TRAIN, ["train"]), (PREDICT, ["evaluate"])]
    return Runs(notebook(*cells), call, tmp_path)


def shown(result: RunResult) -> list[str]:
    cells = nbformat.read(result.executed, as_version=4).cells
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in cells if cell.cell_type == "code"]


def test_a_run_behind_any_stage_gives_what_the_whole_run_gave(runs: Runs) -> None:
    whole = runs.run("whole")
    assert sorted(runs.kept) == [0, 1, 2]
    assert "skops" not in whole.versions
    assert not list((runs.folder / "whole").glob("handed-over-*"))
    for behind in (0, 1, 2):
        again = runs.run(f"behind-{behind}", behind)
        assert shown(again) == shown(whole)
        assert again.versions == whole.versions
        assert [time.restored for time in again.cells] == [cell <= behind for cell in range(4)]
        assert [stage.restored for stage in again.stages] == [cell <= behind for cell in range(4)]
        for name in ("raw", "fit", "predicts"):
            assert_same(captured(whole)[name], captured(again)[name])


def captured(result: RunResult) -> dict[str, Any]:
    index = json.loads(Path(result.captures, "index.json").read_text(encoding="utf-8"))
    calls = [load(result.captures, call["stem"]) for call in (index["fit"], *index["predicts"])]
    assert [call["estimator"].rpartition(".")[2] for call in (index["fit"], *index["predicts"])] == [
        "LogisticRegression"
    ] * 2
    return {"raw": load(result.captures, index["raw"][0]["stem"])["frame"], "fit": calls[0], "predicts": calls[1]}


def assert_same(one: Any, other: Any) -> None:
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
        return
    assert repr(one) == repr(other)
    assert one["X"].tobytes() == other["X"].tobytes()


UNKEPT = [
    pytest.param("lines = (n for n in range(3))", "next(lines)", "lines is a generator", id="a generator"),
    pytest.param("class Box:\n    pass\nbox = Box()", "box", "box is a __main__.Box", id="an object of its own class"),
    pytest.param("a = [1]\nb = {'a': a}", "a.append(2)\nb", "b and a share", id="a list that two names lead to"),
    pytest.param("import numpy as np\na = np.zeros(9)\nb = a[:3]", "a[0] = 1\nb", "share", id="a view of an array"),
    pytest.param("import pandas as pd\nd = pd.Series([1])\nd.attrs['unit'] = 'm'", "d", "d has attrs", id="attrs"),
    pytest.param("f = open('data/rows.csv')", "f.read()", "f is a ", id="an open file"),
]  # fmt: skip


@pytest.mark.parametrize("first, second, reason", UNKEPT)
def test_what_can_t_be_kept_is_told(notebook: Any, tmp_path: Path, first: str, second: str, reason: str) -> None:
    told = handed_over(notebook((first, ["data"]), (second, ["features"])), tmp_path)
    assert reason in told["reason"]


def test_things_that_names_share_are_kept_where_no_later_cell_changes_them(notebook: Any, tmp_path: Path) -> None:
    told = handed_over(notebook(("a = [1]\nb = {'a': a}", ["data"]), ("print(a, b)", ["features"])), tmp_path)
    assert "reason" not in told


def handed_over(notebook: Notebook, folder: Path) -> dict[str, Any]:
    """What the first stage told of itself."""
    found: list[dict[str, Any]] = []

    def keep(_handover: Handover, place: Path, _times: Any, _shown: Any) -> None:
        found.append(json.loads((place / "handover.json").read_text(encoding="utf-8")))

    handed = handovers(notebook, analysis_of(notebook), analysis_of, ())
    run_notebook(notebook, None, out_dir=folder / "out", staging=Staging(handed, None, keep))
    return found[0]


def test_files_programs_and_addresses_are_told_and_what_keeping_opens_is_not(notebook: Any, tmp_path: Path) -> None:
    cell = """import glob, os, socket, sqlite3, subprocess, sys
import pandas as pd
df = pd.read_csv('data/rows.csv')
names = glob.glob('data/*.csv')
with open('out.txt', 'w') as file:
    file.write('x')
subprocess.run([sys.executable, '-c', ''])
sqlite3.connect('data/base.db').close()
try:
    socket.create_connection(('127.0.0.1', 9), timeout=1)
except OSError:
    pass
import beside"""
    nb = notebook((cell, ["data"]), ("df", ["features"]))
    folder = Path(nb.path).parent
    (folder / "beside.py").write_text("value = 1\n", encoding="utf-8")
    told = handed_over(nb, tmp_path)
    names = {key: sorted(Path(path).name for path in told[key]) for key in ("opened", "written", "modules_read")}
    assert names == {"opened": ["base.db", "rows.csv"], "written": ["out.txt"], "modules_read": ["beside.py"]}
    assert told["listed"] == [str(folder / "data")]
    assert [each.partition(" ")[0] for each in told["outside"]] == ["program", "127.0.0.1:9"]


def test_a_handover_that_is_damaged_or_lacks_a_name_is_not_restored(runs: Runs) -> None:
    runs.run("whole")
    kept = runs.kept[0].folder / "values.json"
    text = kept.read_text(encoding="utf-8")
    kept.write_text(text[:-20], encoding="utf-8")
    with pytest.raises(NotRestoredError):
        runs.run("damaged", 0)
    kept.write_text(text.replace('"both"', '"neither"'), encoding="utf-8")
    with pytest.raises(NotRestoredError, match="both"):
        runs.run("lacking", 0)


def test_a_cell_that_fails_behind_a_restored_stage_is_named_as_ever(notebook: Any, tmp_path: Path, call: Any) -> None:
    nb = notebook((FIRST, ["data"]), (SECOND, ["features"]), (TRAIN, ["train"]), (PREDICT, ["evaluate"]))
    first = Runs(nb, call, tmp_path)
    first.run("whole")
    broken = notebook(
        (FIRST, ["data"]), (SECOND, ["features"]), (TRAIN, ["train"]), (PREDICT + "\n1 / 0", ["evaluate"])
    )
    again = Runs(broken, call, tmp_path)
    again.kept = first.kept
    with pytest.raises(NbprodError) as caught:
        again.run("broken", 2)
    assert caught.value.where is not None
    assert (caught.value.where.cell, caught.value.where.line) == (3, 3)
