from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from nbprod.backend import Backend, CellEvent
from nbprod.backends.ending import Ending
from nbprod.backends.papermill_backend import PapermillBackend, run_notebook
from nbprod.codegen.runtime.codec import load
from nbprod.errors import NbprodError
from nbprod.model.parameter import SecretValue
from nbprod.model.run import CapturePlan
from nbprod.notebook import read

READING = "pd.read_csv('data/rows.csv')"
READ = "import pandas as pd\ndf = pd.read_csv('data/rows.csv')\ndf.head(2)"
PREPARE = "df['age'] = df['age'].fillna(df['age'].median())\nX = df[['age', 'fare']]\ny = df['alive']"
TRAIN = "from sklearn.linear_model import LogisticRegression\nmodel = LogisticRegression()\nmodel.fit(X, y)"


def executed_texts(path: str) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_a_run_keeps_raw_rows_training_and_predictions_and_changes_no_cell(
    notebook: Any, call: Any, tmp_path: Path
) -> None:
    nb = notebook(READ, PREPARE, TRAIN, "p = model.predict(X)\nq = model.predict_proba(X)[:, 1]")
    before = Path(nb.path).read_bytes()
    predicts = call(nb, "model.predict(X)"), call(nb, "model.predict_proba(X)")
    plan = CapturePlan(call(nb, READING), call(nb, "model.fit(X, y)"), predicts)
    events: list[CellEvent] = []
    backend: Backend = PapermillBackend()
    result = backend.run_notebook(nb, plan, out_dir=tmp_path / "out", on_event=events.append)

    assert Path(nb.path).read_bytes() == before
    assert executed_texts(result.executed) == [cell.source for cell in nb.cells]
    raw = load(result.captures, "raw_0")["frame"]
    pd.testing.assert_frame_equal(raw, pd.read_csv(Path(nb.path).parent / "data" / "rows.csv"))
    fit, first, second = (load(result.captures, stem) for stem in ("fit", "predict_0", "predict_1"))
    assert list(fit["X"].columns) == ["age", "fare"]
    assert fit["X"]["age"].isna().sum() == 0
    assert fit["y"].tolist() == raw["alive"].tolist()
    assert set(fit["random"]) == {"python", "numpy"}
    assert first["result"].shape == (8,)
    assert second["result"].shape == (8, 2)
    assert result.python == sys.executable
    assert result.versions["pandas"] == pd.__version__
    assert [Path(path).name for path, _, _ in result.inputs] == ["rows.csv"]
    assert [(event.kind, event.cell) for event in events][:3] == [("start", 0), ("complete", 0), ("start", 1)]
    assert events[-1].done == events[-1].total == 4
    assert [time.cell for time in result.cells] == [0, 1, 2, 3]


def test_places_are_found_under_magics_which_ipython_rewrites(notebook: Any, call: Any, tmp_path: Path) -> None:
    model = "class Model:\n    def fit(self, X):\n        return self\n    def predict(self, X):\n        return X"
    nb = notebook(
        "\n\n" + READ,
        model,
        "%%time\nmodel = Model()\nmodel.fit(df)",
        "%%features\na = model.predict(df[:1])",
        "%matplotlib \\\n inline\nb = model.predict(df[:2])",
        "%%capture\nc = model.predict(df[:3])",
    )
    predicts = tuple(call(nb, f"model.predict(df[:{n}])") for n in (1, 2, 3))
    result = run_notebook(
        nb, CapturePlan(call(nb, READING), call(nb, "model.fit(df)"), predicts), out_dir=tmp_path / "out"
    )
    assert len(load(result.captures, "raw_0")["frame"]) == 8
    assert len(load(result.captures, "fit")["X"]) == 8
    assert [len(load(result.captures, f"predict_{n}")["X"]) for n in range(3)] == [1, 2, 3]


def test_predictions_are_those_of_the_model_that_was_trained_though_others_predict_by_the_same_call(
    notebook: Any, call: Any, tmp_path: Path
) -> None:
    other = "from sklearn.dummy import DummyClassifier\nother = DummyClassifier().fit(X, y)"
    search = "from sklearn.model_selection import GridSearchCV\nmodel = GridSearchCV(LogisticRegression(), {}, cv=2)"
    train = TRAIN.replace("model = LogisticRegression()", search)
    told = "best = model.best_estimator_\nfor each in (other, best, other):\n    each.predict(X)"
    nb = notebook(READ, PREPARE, other, train, told)
    plan = CapturePlan(call(nb, READING), call(nb, "model.fit(X, y)"), (call(nb, "each.predict(X)"),))
    result = run_notebook(nb, plan, out_dir=tmp_path / "out")
    index = json.loads((Path(result.captures) / "index.json").read_text(encoding="utf-8"))
    assert [each["estimator"].rpartition(".")[2] for each in index["predicts"]] == ["LogisticRegression"]


def test_the_capture_leaves_no_name_in_the_notebook_and_no_frame_in_a_traceback(
    notebook: Any, call: Any, tmp_path: Path
) -> None:
    nb = notebook(READ, PREPARE, TRAIN, "print(sorted(n for n in dir() if 'nbprod' in n))\nmodel.predict(\n    'x')")
    plan = CapturePlan(call(nb, READING), call(nb, "model.fit(X, y)"), (call(nb, "model.predict(\n    'x')"),))
    with pytest.raises(NbprodError) as caught:
        run_notebook(nb, plan, out_dir=tmp_path / "out")
    assert caught.value.where is not None
    assert (caught.value.where.cell, caught.value.where.line) == (3, 2)
    failed = nbformat.read(tmp_path / "out" / "executed.ipynb", as_version=4)
    outputs = next(cell.outputs for cell in failed.cells if cell.source.startswith("print(sorted"))
    assert outputs[0].text == "[]\n"
    assert "nbprod_capture" not in "\n".join(outputs[-1].traceback)


def test_parameters_come_behind_the_cell_of_parameters_however_it_is_marked(notebook: Any, tmp_path: Path) -> None:
    nb = notebook("#| nbprod: parameters\nn = 1\nname = 'a'", "print(n + 1, name)")
    result = run_notebook(nb, None, out_dir=tmp_path / "out", parameters={"n": 41, "name": "b"})
    outputs = nbformat.read(result.executed, as_version=4).cells[2].outputs
    assert outputs[0].text == "42 b\n"
    assert [time.cell for time in result.cells] == [0, 1]
    assert [stage.role for stage in result.stages] == ["parameters"]


def test_a_notebook_that_names_no_language_takes_parameters_as_python(notebook: Any, tmp_path: Path) -> None:
    nb = notebook("#| nbprod: parameters\nn = 1", "print(n + 1)")
    document = nbformat.read(nb.path, as_version=4)
    document.metadata.clear()
    nbformat.write(document, nb.path)
    result = run_notebook(nb, None, out_dir=tmp_path / "out", parameters={"n": 41})
    assert nbformat.read(result.executed, as_version=4).cells[2].outputs[0].text == "42\n"


def test_a_notebook_with_a_byte_order_mark_runs(notebook: Any, tmp_path: Path) -> None:
    nb = notebook("a = 1\nprint(a)")
    Path(nb.path).write_bytes(b"\xef\xbb\xbf" + Path(nb.path).read_bytes())
    result = run_notebook(read(nb.path), None, out_dir=tmp_path / "out")
    assert executed_texts(result.executed) == ["a = 1\nprint(a)"]


def test_secrets_reach_the_cells_and_nothing_that_is_written(notebook: Any, tmp_path: Path) -> None:
    password = SecretValue('it\'s "here"\\nwolpertinger', "env:DB_PASSWORD")
    nb = notebook(
        "#| nbprod: parameters\nPASSWORD = ''\nPIN = 0",
        "import os, sys\nprint(len(PASSWORD), PIN + 1, PASSWORD)\nPASSWORD",
        "import time\nfor part in PASSWORD[:9], PASSWORD[9:18], PASSWORD[18:]:\n"
        "    print(part, end='', flush=True); time.sleep(0.3)",
        "os.write(1, PASSWORD.encode()); os.write(2, str(PIN).encode())",
        "raise ValueError('no entry for ' + PASSWORD)",
    )
    with pytest.raises(NbprodError) as caught:
        run_notebook(
            nb, None, out_dir=tmp_path / "out", parameters={"PASSWORD": password, "PIN": SecretValue(981234, "***")}
        )

    executed = nbformat.read(tmp_path / "out" / "executed.ipynb", as_version=4)
    injected = next(cell for cell in executed.cells if "injected-parameters" in cell.metadata.tags)
    assert injected.source == "# Parameters\n# PASSWORD is set to env:DB_PASSWORD\n# PIN is set to ***"
    assert executed.metadata.papermill.parameters == {"PASSWORD": "env:DB_PASSWORD", "PIN": "***"}
    printed = next(cell.outputs for cell in executed.cells if cell.source.startswith("import os, sys"))
    assert printed[0].text == "25 981235 ***\n"
    assert caught.value.message == "cell 4 raised ValueError: no entry for ***"
    written = [path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    # The kernel adds a line of its own where it is told to end while it waits.
    assert (tmp_path / "out" / "kernel.log").read_text().startswith("******")
    assert not [text for text in written if "wolper" in text or "tinger" in text or "981234" in text]


def test_every_cell_of_parameters_is_followed_by_the_values_of_the_run(notebook: Any, tmp_path: Path) -> None:
    nb = notebook("#| nbprod: parameters\nn = 1", "print(n)", "#| nbprod: parameters\nn = 2\nm = 3", "print(n, m)")
    result = run_notebook(nb, None, out_dir=tmp_path / "out", parameters={"n": 7, "m": float("inf")})
    outputs = [
        cell.outputs[0].text for cell in nbformat.read(result.executed, as_version=4).cells if cell.get("outputs")
    ]
    assert outputs == ["7\n", "7 inf\n"]
    assert [time.cell for time in result.cells] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# %%\nn = 1\n\n# %% [markdown]\n# text\n\n# %%\nprint(n + 1)\n", id="percent format"),
        pytest.param("n = 1\nprint(n + 1)\n", id="a plain script"),
    ],
)
def test_a_python_file_runs_as_a_notebook(text: str, folder: Path, tmp_path: Path) -> None:
    path = folder / "work.py"
    path.write_text(text, encoding="utf-8")
    result = run_notebook(read(path), None, out_dir=tmp_path / "out")
    assert path.read_text(encoding="utf-8") == text
    assert (tmp_path / "out" / "work.ipynb").exists()
    assert nbformat.read(result.executed, as_version=4).cells[-1].outputs[0].text == "2\n"


FAILURES = [
    pytest.param("x = 1\n\n1 / 0", 3, "ZeroDivisionError: division by zero", id="an exception"),
    pytest.param("\n\nx = 1\n1 / 0", 4, "ZeroDivisionError", id="behind leading blank lines"),
    pytest.param("def f():\n    raise ValueError('no\\nmore')\n\nf()", 4, "ValueError: no", id="raised in a function"),
    pytest.param("%%time\nx = 1\nundefined", 3, "NameError", id="under a magic"),
    pytest.param("open('absent.csv')", 1, "FileNotFoundError", id="a file that is not there"),
    pytest.param("import absent_module_xyz", 1, "ModuleNotFoundError", id="a module that is not there"),
]


@pytest.mark.parametrize("text, line, message", FAILURES)
def test_a_failing_cell_is_named_with_its_line_and_the_partial_notebook_kept(
    text: str, line: int, message: str, notebook: Any, tmp_path: Path
) -> None:
    nb = notebook("print('first')", text, "print('never')")
    events: list[CellEvent] = []
    with pytest.raises(NbprodError) as caught:
        run_notebook(nb, None, out_dir=tmp_path / "out", on_event=events.append)
    error = caught.value
    assert error.code == "cell-failed"
    assert message in error.message
    assert error.where is not None
    assert (error.where.cell, error.where.line, error.where.cell_id) == (1, line, nb.cells[1].id)
    partial = tmp_path / "out" / "executed.ipynb"
    assert str(partial) in (error.hint or "")
    cells = {cell.source: cell for cell in nbformat.read(partial, as_version=4).cells}
    assert cells["print('first')"].outputs[0].text == "first\n"
    assert cells["print('never')"].outputs == []
    assert events[-1].kind == "exception"


def test_an_exception_that_a_tag_allows_and_an_exit_do_not_fail_the_run(notebook: Any, tmp_path: Path) -> None:
    nb = notebook(("1 / 0", ["raises-exception"]), "print('on')", "import sys\nsys.exit()", "print('never')")
    result = run_notebook(nb, None, out_dir=tmp_path / "out")
    texts = executed_texts(result.executed)
    assert texts == [cell.source for cell in nb.cells]
    assert nbformat.read(result.executed, as_version=4).cells[-1].outputs == []


def test_a_missing_kernel_is_an_error_that_names_those_that_exist(notebook: Any, tmp_path: Path) -> None:
    with pytest.raises(NbprodError, match=r"'no-such-kernel' is not installed; there is .*'python3'") as caught:
        run_notebook(notebook("1", kernel="no-such-kernel"), None, out_dir=tmp_path / "out")
    assert caught.value.code == "missing-kernel"


def test_a_kernel_that_dies_is_an_error_at_the_cell(notebook: Any, tmp_path: Path) -> None:
    nb = notebook("x = 1", "import os\nos._exit(1)")
    with pytest.raises(NbprodError, match="the kernel died in cell 1") as caught:
        run_notebook(nb, None, out_dir=tmp_path / "out")
    assert caught.value.code == "kernel-died"
    assert (tmp_path / "out" / "executed.ipynb").exists()


def test_a_cell_that_takes_too_long_is_stopped_and_later_cells_do_not_count_as_run(
    notebook: Any, tmp_path: Path
) -> None:
    nb = notebook("x = 1", "import time\ntime.sleep(600)", "print('never')")
    with pytest.raises(NbprodError, match="cell 1 ran longer than 1 s") as caught:
        run_notebook(nb, None, out_dir=tmp_path / "out", timeout=1)
    assert caught.value.code == "cell-timeout"
    cells = nbformat.read(tmp_path / "out" / "executed.ipynb", as_version=4).cells
    assert next(c for c in cells if c.source == "print('never')").metadata["papermill"]["status"] == "pending"


@pytest.mark.parametrize(
    "text, parameters, awaited",
    [
        pytest.param("import time", {}, 1, id="later"),
        pytest.param("out = open('made.txt', 'w')\nout.write('x' * 10)", {}, 0, id="at once for a file left open"),
        pytest.param("import time", {"PIN": SecretValue(981234, "***")}, 0, id="at once for a log without secrets"),
    ],
)
def test_the_end_of_a_kernel_is_awaited(
    text: str, parameters: dict[str, Any], awaited: int, notebook: Any, folder: Path, tmp_path: Path
) -> None:
    cells = notebook("#| nbprod: parameters\nPIN = 0", text)
    with Ending() as ending:
        result = run_notebook(cells, None, out_dir=tmp_path / "out", parameters=parameters, ending=ending)
        kernels = list(ending._processes)
        assert len(kernels) == awaited
    assert [kernel.returncode for kernel in kernels] == [0] * awaited
    assert [size for _, _, size in result.outputs] == [10] * (folder / "made.txt").exists()


def test_files_that_the_notebook_itself_wrote_are_no_inputs(notebook: Any, folder: Path, tmp_path: Path) -> None:
    (folder / "helper.py").write_text("VALUE = 1\n", encoding="utf-8")
    text = "open('made.txt', 'w').write('x')\nopen('made.txt').read()\nimport helper\nopen('data/rows.csv').read()"
    result = run_notebook(notebook(text), None, out_dir=tmp_path / "out")
    (found,) = result.inputs
    assert found[0] == str((folder / "data" / "rows.csv").resolve())
    assert found[2] == (folder / "data" / "rows.csv").stat().st_size


def test_a_folder_that_cannot_be_written_is_an_error(notebook: Any, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(NbprodError, match="can't write") as caught:
        run_notebook(notebook("1"), None, out_dir=tmp_path / "taken" / "out")
    assert caught.value.code == "not-writable"


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGTERM, id="SIGTERM"), pytest.param(signal.SIGINT, id="Ctrl-C")]
)
def test_a_killed_run_ends_kernel_and_children_and_keeps_the_partial_notebook(
    number: signal.Signals, notebook: Any, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    text = f"""
        import os, subprocess, time
        child = subprocess.Popen(['sleep', '600'])
        open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')
        time.sleep(600)
    """
    nb = notebook("print('first')", textwrap.dedent(text))
    script = f"""
        import signal
        from pathlib import Path
        from nbprod.backends.papermill_backend import run_notebook
        from nbprod.notebook import read
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background starts without it
        run_notebook(read({nb.path!r}), None, out_dir=Path({str(tmp_path / "out")!r}))
    """
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        assert wait_for(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        process.send_signal(number)
        process.wait(30)
    finally:
        process.kill()
        process.wait()
    started = [int(pid) for pid in pids.read_text().split()]
    assert wait_for(lambda: not any(is_running(pid) for pid in started))
    cells = nbformat.read(tmp_path / "out" / "executed.ipynb", as_version=4).cells
    assert cells[0].outputs[0].text == "first\n"
    assert cells[1].metadata["papermill"]["status"] == "failed"


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
